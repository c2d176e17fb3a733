//! The outbox and the letters it becomes.

use hlsops_domain::EpochMs;
use hlsops_store::{Addressed, Claim, Letter, OutboxRow, Outcome, Store};

use crate::support::{Table, notice, report, stream, writer};

async fn claim(store: &Store, letter: &Letter, name: &str, now: u64, until: u64) -> Claim {
    let (now, until) = (EpochMs(now), EpochMs(until));
    store.claim_letter(letter, &writer(name, 1), now, until).await.expect("answer").value
}

async fn settle(store: &Store, letter: &Letter, name: &str, outcome: Outcome) {
    let settled = store.settle_letter(letter, &writer(name, 1), outcome, EpochMs(9_000)).await;
    report("settle a letter", settled.expect("answer").spent);
}

async fn address(store: &Store, row: &OutboxRow, channels: &[&str]) -> Addressed {
    store.address(row, channels, EpochMs(1_500)).await.expect("answer").value
}

#[track_caller]
fn letters<const N: usize>(addressed: Addressed) -> [Letter; N] {
    match addressed {
        Addressed::Addressed(letters) => letters.try_into().expect("so many"),
        other => panic!("{other:?}"),
    }
}

async fn due_rows(store: &Store, now: u64) -> Vec<String> {
    let due = store.due_notices(EpochMs(now), 100).await.expect("answer").value;
    assert!(due.unreadable.is_empty(), "{due:?}");
    due.items.iter().map(OutboxRow::id).collect()
}

async fn due_letters(store: &Store, now: u64) -> Vec<String> {
    let due = store.due_letters(EpochMs(now), 100).await.expect("answer").value;
    let mut ids: Vec<_> =
        due.items.iter().map(|letter| format!("{} to {}", letter.event(), letter.channel)).collect();
    ids.sort();
    ids
}

async fn two_rows(store: &Store) -> [OutboxRow; 2] {
    for seq in [1, 2] {
        let new = notice("test", 1_000);
        assert!(store.add_notice("ep", seq, &stream(), &new).await.expect("answer").value);
        assert!(!store.add_notice("ep", seq, &stream(), &new).await.expect("answer").value);
    }
    rows(store).await
}

async fn rows(store: &Store) -> [OutboxRow; 2] {
    store.notices("ep", 10).await.expect("answer").value.try_into().expect("two rows")
}

const NONE: [&str; 0] = [];

#[tokio::test]
async fn a_row_is_addressed_once_and_in_order() {
    let table = Table::new().await;
    let store = &table.store;
    let [first, second] = two_rows(store).await;
    assert_eq!(due_rows(store, 999).await, NONE);
    assert_eq!(due_rows(store, 1_000).await, ["ep.1", "ep.2"]);
    assert_eq!(address(store, &second, &["a"]).await, Addressed::Waits);
    let (one, other) = tokio::join!(address(store, &first, &["a", "b"]), address(store, &first, &["a"]));
    let won = |outcome: &Addressed| matches!(outcome, Addressed::Addressed(_));
    assert!(won(&one) != won(&other), "{one:?} {other:?}");
    assert_eq!(due_rows(store, 9_000).await, ["ep.2"]);
    let [letter] = letters(address(store, &second, &["a"]).await);
    assert_eq!((letter.event().as_str(), letter.account.as_str()), ("ep.2", "acme"));
    assert_eq!(due_rows(store, 9_000).await, NONE);
    let again = store.address(&second, &["a"], EpochMs(1_501)).await.expect("answer");
    assert_eq!(again.value, Addressed::Already);
    let (inbox, _) = store.inbox("acme", None, 10).await.expect("answer").value;
    let mut events: Vec<_> = inbox.iter().map(|entry| entry.event.as_str()).collect();
    events.sort_unstable();
    assert_eq!(events, ["ep.1", "ep.2"], "each is in the inbox once");
}

#[tokio::test]
async fn a_row_without_channels_is_sent_at_once() {
    let table = Table::new().await;
    let [first, _] = two_rows(&table.store).await;
    let [] = letters(address(&table.store, &first, &[]).await);
    assert_eq!(rows(&table.store).await.map(|row| row.sent), [Some(EpochMs(1_500)), None]);
}

#[tokio::test]
async fn a_letter_is_claimed_by_one_and_goes_out_in_order() {
    let table = Table::new().await;
    let store = &table.store;
    let [first, second] = two_rows(store).await;
    let [a1, b1] = letters(address(store, &first, &["a", "b"]).await);
    let [a2, b2] = letters(address(store, &second, &["a", "b"]).await);
    assert_eq!(due_letters(store, 1_500).await, ["ep.1 to a", "ep.1 to b", "ep.2 to a", "ep.2 to b"]);
    assert_eq!(claim(store, &a2, "x", 2_000, 3_000).await, Claim::Waits(EpochMs(1_500)));
    let (x, y) = tokio::join!(claim(store, &a1, "x", 2_000, 3_000), claim(store, &a1, "y", 2_000, 3_000));
    let claimed = |outcome: &Claim| matches!(outcome, Claim::Claimed(_));
    assert!(claimed(&x) != claimed(&y), "{x:?} {y:?}");
    assert_eq!(claim(store, &a2, "x", 2_000, 3_000).await, Claim::Waits(EpochMs(3_000)));
    assert_eq!(due_letters(store, 2_500).await, ["ep.1 to b", "ep.2 to a", "ep.2 to b"]);
    settle(store, &a1, "x", Outcome::Delivered).await;
    settle(store, &a1, "x", Outcome::Delivered).await;
    assert_eq!(claim(store, &a1, "x", 9_000, 9_500).await, Claim::Done);
    assert_eq!(store.letter_after(&a1).await.expect("answer").value, Some(a2.clone()));
    assert!(claimed(&claim(store, &a2, "y", 9_000, 9_500).await), "b being behind is nothing to a");
    assert_eq!(claim(store, &b2, "y", 9_000, 9_500).await, Claim::Waits(EpochMs(1_500)));
    assert_eq!(rows(store).await.map(|row| row.sent), [None, None], "one letter is under way");
    settle(store, &b1, "x", Outcome::GivenUp).await;
    assert_eq!(rows(store).await.map(|row| row.sent), [Some(EpochMs(9_000)), None]);
    let kept = store.letters("ep", "b", 10).await.expect("answer").value;
    assert_eq!(kept[0].done, Some((EpochMs(9_000), false)));
    assert!(claimed(&claim(store, &b2, "y", 9_000, 9_500).await));
}

#[tokio::test]
async fn a_claim_runs_out_and_a_failure_puts_the_next_attempt_off() {
    let table = Table::new().await;
    let store = &table.store;
    let [first, _] = two_rows(store).await;
    let [letter] = letters(address(store, &first, &["a"]).await);
    assert!(matches!(claim(store, &letter, "x", 2_000, 3_000).await, Claim::Claimed(_)));
    assert_eq!(claim(store, &letter, "y", 3_000, 4_000).await, Claim::Taken(EpochMs(3_000)));
    assert_eq!(due_letters(store, 2_999).await, NONE);
    assert_eq!(due_letters(store, 3_001).await, ["ep.1 to a"]);
    let read = || async { store.letters("ep", "a", 10).await.expect("answer").value.remove(0) };
    let run_out = read().await;
    let Claim::Claimed(again) = claim(store, &run_out, "y", 3_001, 4_000).await else { panic!("run out") };
    settle(store, &again, "x", Outcome::Again(EpochMs(50_000))).await;
    assert_eq!(due_letters(store, 4_001).await, ["ep.1 to a"], "x has no say any more");
    settle(store, &again, "y", Outcome::Again(EpochMs(50_000))).await;
    assert_eq!(due_letters(store, 49_999).await, NONE);
    assert_eq!(due_letters(store, 50_000).await, ["ep.1 to a"]);
    let put_back = read().await;
    let off = store.put_off_letter(&put_back, EpochMs(50_000), EpochMs(60_000)).await;
    assert_eq!(off.map(|off| off.value).ok(), Some(()));
    assert_eq!(due_letters(store, 59_999).await, NONE);
    // Whoever read it before the last attempt comes too late; nobody puts off what is put off already.
    assert_eq!(claim(store, &letter, "z", 60_000, 61_000).await, Claim::Taken(EpochMs(60_000)));
    assert_eq!(claim(store, &run_out, "z", 60_000, 61_000).await, Claim::Taken(EpochMs(60_000)));
    let _ = store.put_off_letter(&put_back, EpochMs(60_000), EpochMs(90_000)).await.expect("answer");
    // That it was put off since it was read does not keep it from being carried.
    let third = claim(store, &put_back, "x", 60_000, 61_000).await;
    assert!(matches!(&third, Claim::Claimed(letter) if letter.tries == again.tries + 1), "{third:?}");
    // What a channel has taken it has, also when the claim has run out meanwhile.
    assert!(matches!(claim(store, &read().await, "y", 61_001, 62_000).await, Claim::Claimed(_)));
    settle(store, &letter, "x", Outcome::Delivered).await;
    assert_eq!(claim(store, &letter, "y", 70_000, 71_000).await, Claim::Done);
    assert_eq!(due_letters(store, 90_000).await, NONE);
    let kept = store.letters("ep", "a", 10).await.expect("answer").value;
    assert_eq!((kept[0].tries, kept[0].done), (4, Some((EpochMs(9_000), true))));
}

#[tokio::test]
async fn lost_replies_change_nothing() {
    let table = Table::new().await;
    let [first, second] = two_rows(&table.store).await;
    let store = table.lossy();
    for row in [&first, &second] {
        address(&store, row, &["a"]).await;
        let letter = store.letters("ep", "a", 10).await.expect("answer").value.pop().expect("a letter");
        assert!(matches!(claim(&store, &letter, "x", 2_000, 3_000).await, Claim::Claimed(_)));
        settle(&store, &letter, "x", Outcome::Delivered).await;
    }
    assert_eq!(due_letters(&store, 90_000).await, NONE);
    assert_eq!(due_rows(&store, 90_000).await, NONE);
    let letters = table.store.letters("ep", "a", 10).await.expect("answer").value;
    assert!(letters.iter().all(|letter| letter.tries == 1), "{letters:?}");
    assert!(rows(&table.store).await.iter().all(|row| row.sent.is_some()), "counted once each");
}
