//! Taking an incident, while replies are lost and others want it too.

use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, ManualClock};
use hlsops_store::{
    Acknowledged, Acknowledgement, ApiKey, Closed, Cursor, IncidentId, IncidentItem, KeyScope, NewIncident,
    Opened, Outline, Resolution, Store,
};

use crate::support::{Table, notice, stream, writer};

async fn open(store: &Store) -> IncidentId {
    let new = NewIncident {
        at: EpochMs(1_000),
        stream_name: "Sports 1",
        trigger: "unhealthy",
        title: "t",
        notice: notice("o", 1_000),
    };
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

/// Whoever takes, gives back or closes it may have a clock behind that of who opened it.
#[tokio::test]
async fn an_incident_is_found_though_later_things_are_stamped_before_it() {
    let table = Table::new().await;
    let (store, early) = (&table.store, EpochMs(400));
    let id = open(store).await;
    let there = async || store.incident(&id).await.expect("read").value.expect("there");
    let body = |_: &IncidentItem, _| String::new();
    let taken = Acknowledgement { at: early, by: "maria", kind: "a", body: &body };
    let done = store.acknowledge_incident(&id, &taken).await.expect("take").value;
    assert_eq!(done, Acknowledged::Done(there().await));
    assert_eq!(there().await.acknowledged, Some((EpochMs(1_000), "maria".into())));
    let free = store.unacknowledge_incident(&id, early, "ada").await.expect("give back").value;
    assert_eq!(free, Acknowledged::Done(there().await));
    let pointer = store.incident_pointer(&stream()).await.expect("read").value;
    let resolution = Resolution { at: early, note: "over", notice: notice("r", early.0) };
    let closed = store.close_incident(&stream(), &pointer, &resolution, &writer("w", 1)).await;
    assert_eq!(closed.expect("close").value, Closed::Closed);
    assert_eq!(there().await.closed, Some(EpochMs(1_000)));
    let notes = store.incident_notes(&id, 10).await.expect("notes").value;
    assert!(notes.iter().all(|note| note.at >= EpochMs(1_000)) && notes.len() == 4, "{notes:?}");
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
    assert_eq!(store.api_keys("acme", None, 9).await.expect("list").value, (Vec::new(), None));
}

#[tokio::test]
async fn a_key_that_has_expired_goes_a_month_later() {
    let clock = ManualClock::new(1_000);
    let engine = Engine::in_memory_at(&clock).expect("SQLite");
    let store = Store::new(engine.client(), "hlsops");
    store.ensure_table().await.expect("table");
    let key = ApiKey {
        id: "key_1".into(),
        account: "acme".into(),
        name: "guest".into(),
        prefix: "hlsops_abc".into(),
        scope: KeyScope::Viewer,
        created: EpochMs(1_000_000),
        expires: Some(EpochMs(2_000_000)),
        last_used: None,
    };
    let lasting = ApiKey { id: "key_2".into(), expires: None, ..key.clone() };
    for (hash, key) in [("00f1", &key), ("00f2", &lasting)] {
        assert!(store.create_api_key(hash, key).await.expect("create").value);
    }
    for (second, left) in [(2_001, 2), (2_001 + 30 * 86_400, 1)] {
        clock.set(second);
        let _ = engine.sweep().await.expect("sweep");
        assert_eq!(store.api_keys("acme", None, 9).await.expect("list").value.0.len(), left, "{second}");
    }
}

/// However many there are, each can be listed and revoked.
#[tokio::test]
async fn keys_are_listed_in_pages_and_revoked_wherever_they_are() {
    let table = Table::new().await;
    let store = &table.store;
    let key = |n: u64| ApiKey {
        id: format!("key_{n}"),
        account: "acme".into(),
        name: "wall".into(),
        prefix: "hlsops_abc".into(),
        scope: KeyScope::Viewer,
        created: EpochMs(n),
        expires: None,
        last_used: None,
    };
    for n in 1..=5 {
        assert!(store.create_api_key(&format!("00f{n}"), &key(n)).await.expect("create").value);
    }
    let page = async |after: Option<&Cursor>| store.api_keys("acme", after, 2).await.expect("list").value;
    let (first, next) = page(None).await;
    let (second, after) = page(next.as_ref()).await;
    let (third, end) = page(after.as_ref()).await;
    assert_eq!([first, second, third].concat(), (1..=5).map(key).collect::<Vec<_>>());
    assert_eq!(end, None);
    assert!(store.revoke_api_key("acme", "key_5").await.expect("revoke").value);
    assert!(!store.revoke_api_key("acme", "").await.expect("revoke").value);
    assert_eq!(
        store.api_keys("acme", None, 4).await.expect("list").value.1,
        None,
        "a full page that is the last"
    );
}

#[tokio::test]
async fn the_newest_watcher_describes_a_stream() {
    let table = Table::new().await;
    let text = |text: &str, at| Outline {
        at: EpochMs(at),
        reasons: vec![hlsops_store::OutlineReason {
            state: hlsops_domain::HealthState::Degraded,
            rendition: None,
            text: text.into(),
        }],
        renditions: Vec::new(),
    };
    let save = async |name: &str, epoch, at| {
        let saved = table.store.save_outline(&stream(), &text(name, at), &writer("w", epoch)).await;
        saved.expect("save").value
    };
    assert!(save("one", 1, 10).await && save("two", 2, 5).await);
    assert!(!save("late", 1, 20).await && !save("late", 2, 4).await);
    assert_eq!(table.store.outline(&stream()).await.expect("read").value, text("two", 5));
    assert!(text("two", 5).agrees(&text("two", 6)) && !text("two", 5).agrees(&text("one", 5)));
}
