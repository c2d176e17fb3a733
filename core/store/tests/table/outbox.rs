//! The outbox.

use hlsops_domain::EpochMs;
use hlsops_store::{Claim, Marked, OutboxRow, Store};

use crate::support::{Table, notice, stream, writer};

async fn claim(store: &Store, row: &OutboxRow, name: &str, now: u64, until: u64) -> Claim {
    let (now, until) = (EpochMs(now), EpochMs(until));
    store.claim_notice(row, &writer(name, 1), now, until).await.expect("answer").value
}

async fn mark(store: &Store, row: &OutboxRow, name: &str) -> Marked {
    store.mark_sent(row, &writer(name, 1), EpochMs(9_000)).await.expect("answer").value
}

async fn due(store: &Store, now: u64) -> Vec<String> {
    let rows = store.due_notices(EpochMs(now), 100).await.expect("answer").value;
    rows.iter().map(OutboxRow::id).collect()
}

async fn two_rows(store: &Store) -> [OutboxRow; 2] {
    for seq in [1, 2] {
        let new = notice("test", 1_000);
        assert!(store.add_notice("ep", seq, &stream(), &new).await.expect("answer").value);
        assert!(!store.add_notice("ep", seq, &stream(), &new).await.expect("answer").value);
    }
    let rows = store.notices("ep", 10).await.expect("answer").value;
    rows.try_into().expect("two rows")
}

#[tokio::test]
async fn a_row_is_claimed_by_one_and_sent_in_order() {
    let table = Table::new().await;
    let store = &table.store;
    let [first, second] = two_rows(store).await;
    assert_eq!(due(store, 999).await, [] as [&str; 0]);
    assert_eq!(due(store, 1_000).await, ["ep.1", "ep.2"]);
    assert_eq!(claim(store, &second, "a", 2_000, 3_000).await, Claim::Waits);
    let (a, b) =
        tokio::join!(claim(store, &first, "a", 2_000, 3_000), claim(store, &first, "b", 2_000, 3_000));
    let claimed = |outcome: &Claim| matches!(outcome, Claim::Claimed(_));
    assert!(claimed(&a) != claimed(&b), "{a:?} {b:?}");
    let (ours, theirs) = if claimed(&a) { ("a", "b") } else { ("b", "a") };
    assert_eq!(due(store, 2_500).await, ["ep.2"], "claimed: not due before the claim runs out");
    assert_eq!(due(store, 3_001).await.len(), 2);
    assert_eq!(mark(store, &first, theirs).await, Marked::NotOurs);
    assert_eq!(mark(store, &first, ours).await, Marked::Marked);
    assert_eq!(mark(store, &first, ours).await, Marked::Marked, "a repeat");
    assert_eq!(claim(store, &first, "a", 9_000, 9_500).await, Claim::Done);
    assert!(claimed(&claim(store, &second, "b", 9_000, 9_500).await));
    assert_eq!(due(store, 90_000).await, ["ep.2"]);
}

#[tokio::test]
async fn a_claim_runs_out() {
    let table = Table::new().await;
    let store = &table.store;
    let [first, _] = two_rows(store).await;
    assert!(matches!(claim(store, &first, "a", 2_000, 3_000).await, Claim::Claimed(_)));
    assert_eq!(claim(store, &first, "b", 3_000, 4_000).await, Claim::Taken(EpochMs(3_000)));
    assert!(matches!(claim(store, &first, "b", 3_001, 4_000).await, Claim::Claimed(_)));
    assert_eq!(mark(store, &first, "a").await, Marked::NotOurs);
    assert_eq!(mark(store, &first, "b").await, Marked::Marked);
    let rows = store.notices("ep", 10).await.expect("answer").value;
    assert_eq!((rows[0].tries, rows[0].sent), (2, Some(EpochMs(9_000))));
}

#[tokio::test]
async fn lost_replies_change_nothing() {
    let table = Table::new().await;
    let [first, second] = two_rows(&table.store).await;
    let store = table.lossy();
    assert!(matches!(claim(&store, &first, "a", 2_000, 3_000).await, Claim::Claimed(_)));
    assert_eq!(mark(&store, &first, "a").await, Marked::Marked);
    assert!(matches!(claim(&store, &second, "a", 2_000, 3_000).await, Claim::Claimed(_)));
    assert_eq!(mark(&store, &second, "a").await, Marked::Marked);
    assert_eq!(due(&store, 90_000).await, [] as [&str; 0]);
    let rows = table.store.notices("ep", 10).await.expect("answer").value;
    assert!(rows.iter().all(|row| row.tries == 1), "{rows:?}");
}
