//! Taking an incident, while replies are lost and others want it too.

use hlsops_domain::EpochMs;
use hlsops_store::{
    Acknowledged, Acknowledgement, ApiKey, IncidentId, IncidentItem, KeyScope, NewIncident, Opened, Outline,
    Store,
};

use crate::support::{Table, notice, stream, writer};

async fn open(store: &Store) -> IncidentId {
    let new =
        NewIncident { at: EpochMs(1_000), trigger: "unhealthy", title: "t", notice: notice("o", 1_000) };
    match store.open_incident(&stream(), 0, &new, &writer("w", 1)).await.expect("open").value {
        Opened::Opened(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn take(store: &Store, id: &IncidentId, by: &str) -> Acknowledged {
    let body = |_: &IncidentItem, seq: u64| format!("{seq}");
    let taken = Acknowledgement { at: EpochMs(2_000), by, kind: "a", body: &body };
    store.acknowledge_incident(id, &taken).await.expect("acknowledge").value
}

fn by(outcome: &Acknowledged) -> Option<&str> {
    match outcome {
        Acknowledged::Done(item) | Acknowledged::Already(item) => {
            item.acknowledged.as_ref().map(|(_, by)| by.as_str())
        }
        _ => None,
    }
}

/// Of many who want it at once one gets it, all learn who, and it is told once.
#[tokio::test]
async fn one_of_many_takes_an_incident() {
    let table = Table::new().await;
    let id = open(&table.store).await;
    let (store, id) = (&table.store, &id);
    let (a, b, c) = tokio::join!(take(store, id, "a"), take(store, id, "b"), take(store, id, "c"));
    let outcomes = [a, b, c];
    let done = outcomes.iter().filter(|outcome| matches!(outcome, Acknowledged::Done(_))).count();
    assert_eq!(done, 1, "{outcomes:?}");
    let first = by(&outcomes[0]);
    assert!(first.is_some() && outcomes.iter().all(|outcome| by(outcome) == first), "{outcomes:?}");
    let rows = table.store.notices(id.as_str(), 10).await.expect("rows").value;
    assert_eq!(
        rows.iter().map(|row| (row.seq, row.body.as_str())).collect::<Vec<_>>(),
        [(1, "{}"), (2, "2")]
    );
}

#[tokio::test]
async fn a_lost_reply_tells_nobody_twice() {
    let table = Table::new().await;
    let id = open(&table.store).await;
    let outcome = take(&table.lossy(), &id, "maria").await;
    assert_eq!(by(&outcome), Some("maria"));
    assert_eq!(table.store.notices(id.as_str(), 10).await.expect("rows").value.len(), 2);
    let notes = table.store.incident_notes(&id, 10).await.expect("notes").value;
    assert_eq!(notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["t", "maria"]);
    let missing = take(&table.store, &IncidentId::new(&stream(), 9), "x").await;
    assert_eq!(missing, Acknowledged::Missing);
}

#[tokio::test]
async fn a_key_is_found_by_its_hash_and_revoked_by_its_id() {
    let table = Table::new().await;
    let store = table.lossy();
    let key = ApiKey {
        id: "key_1".into(),
        account: "acme".into(),
        name: "wall".into(),
        prefix: "hlsops_abc".into(),
        scope: KeyScope::Operator,
        created: EpochMs(1),
        expires: Some(EpochMs(9)),
        last_used: None,
    };
    assert!(store.create_api_key("00ff", &key).await.expect("create").value);
    let other = ApiKey { id: "key_2".into(), ..key.clone() };
    assert!(!store.create_api_key("00ff", &other).await.expect("create").value, "the hash is taken");
    let _ = store.touch_api_key("00ff", EpochMs(5)).await.expect("touch");
    let _ = store.touch_api_key("00ff", EpochMs(4)).await.expect("touch");
    let found = store.api_key("00ff").await.expect("read").value;
    assert_eq!(found, Some(ApiKey { last_used: Some(EpochMs(5)), ..key }));
    assert!(!store.revoke_api_key("other", "key_1").await.expect("revoke").value, "not theirs");
    assert!(store.revoke_api_key("acme", "key_1").await.expect("revoke").value);
    assert_eq!(store.api_key("00ff").await.expect("read").value, None);
    let _ = store.touch_api_key("00ff", EpochMs(6)).await.expect("touch");
    assert_eq!(store.api_keys("acme").await.expect("list").value, []);
}

#[tokio::test]
async fn the_newest_watcher_describes_a_stream() {
    let table = Table::new().await;
    let text = |text: &str| Outline {
        reasons: vec![hlsops_store::OutlineReason {
            state: hlsops_domain::HealthState::Degraded,
            rendition: None,
            text: text.into(),
        }],
        ..Outline::default()
    };
    let save = async |name: &str, epoch, at| {
        let saved = table.store.save_outline(&stream(), &text(name), &writer("w", epoch), EpochMs(at)).await;
        saved.expect("save").value
    };
    assert!(save("one", 1, 10).await && save("two", 2, 5).await);
    assert!(!save("late", 1, 20).await && !save("late", 2, 4).await);
    assert_eq!(table.store.outline(&stream()).await.expect("read").value, text("two"));
}
