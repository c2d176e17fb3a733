//! Incidents and their transactions.

use hlsops_domain::EpochMs;
use hlsops_engine::{Fault, FaultPlan, Operation};
use hlsops_store::{Closed, IncidentId, NewIncident, Opened, Paid, Pointer, Resolution, Store, StreamId};

use crate::support::{Table, notice, report, stream, writer};

const AT: u64 = 1_740_000_000_000;

async fn open(store: &Store, name: &str, read: u64) -> Paid<Opened> {
    let new = NewIncident {
        stream_name: "Sports 1",
        at: EpochMs(AT + read),
        trigger: "unhealthy",
        title: "segments lost",
        notice: notice("incident.opened", AT),
    };
    store.open_incident(&stream(), read, &new, &writer(name, 1)).await.expect("answer")
}

async fn close(store: &Store, name: &str, read: &Pointer) -> Paid<Closed> {
    let at = EpochMs(AT + 60_000);
    let resolution = Resolution { at, note: "healthy", notice: notice("incident.resolved", at.0) };
    store.close_incident(&stream(), read, &resolution, &writer(name, 1)).await.expect("answer")
}

async fn pointer(store: &Store) -> Pointer {
    store.incident_pointer(&stream()).await.expect("answer").value
}

#[tokio::test]
async fn an_incident_opens_once_and_closes_once() {
    let table = Table::new().await;
    let store = &table.store;
    let id = IncidentId::new(&stream(), 1);
    let opened = open(store, "a", 0).await;
    report("open an incident", opened.spent);
    assert_eq!(opened.value, Opened::Opened(id.clone()));
    assert_eq!(open(store, "b", 0).await.value, Opened::Already(id.clone()));
    assert_eq!(open(store, "a", 0).await.value, Opened::Opened(id.clone()), "a repeat");
    let read = pointer(store).await;
    assert_eq!((read.version, read.seq), (1, 1));
    let listed = store.open_incidents("acme", 10).await.expect("answer").value;
    assert_eq!(listed.iter().map(|incident| &incident.id).collect::<Vec<_>>(), [&id]);

    let closed = close(store, "a", &read).await;
    report("close an incident", closed.spent);
    assert_eq!(closed.value, Closed::Closed);
    assert_eq!(close(store, "b", &read).await.value, Closed::Already);
    assert_eq!(close(store, "a", &read).await.value, Closed::Closed, "a repeat");
    assert_eq!(store.open_incidents("acme", 10).await.expect("answer").value, []);
    let month = store.closed_incidents("acme", EpochMs(AT), 10).await.expect("answer").value;
    assert_eq!(month, store.incidents(&stream(), 10).await.expect("answer").value);
    assert_eq!(month[0].closed, Some(EpochMs(AT + 60_000)));
    assert_eq!(month[0].note.as_deref(), Some("healthy"));

    assert!(matches!(open(store, "b", 1).await.value, Opened::Moved(Pointer { version: 2, .. })));
    assert!(matches!(open(store, "b", 2).await.value, Opened::Opened(_)));
    assert!(matches!(close(store, "b", &read).await.value, Closed::Moved(_)));
    let rows = store.notices(id.as_str(), 10).await.expect("answer").value;
    let kinds: Vec<_> = rows.iter().map(|row| (row.seq, row.kind.as_str())).collect();
    assert_eq!(kinds, [(1, "incident.opened"), (2, "incident.resolved")]);
}

#[tokio::test]
async fn racing_writers_open_one() {
    for _ in 0..20 {
        let table = Table::new().await;
        let store = &table.store;
        let (a, b, c) = tokio::join!(open(store, "a", 0), open(store, "b", 0), open(store, "c", 0));
        let all = [a.value, b.value, c.value];
        let winners = all.iter().filter(|outcome| matches!(outcome, Opened::Opened(_))).count();
        assert_eq!(winners, 1, "{all:?}");
        let read = pointer(store).await;
        let (a, b) = tokio::join!(close(store, "a", &read), close(store, "b", &read));
        let all = [a.value, b.value];
        assert!(all.contains(&Closed::Closed) && all.contains(&Closed::Already), "{all:?}");
        assert_eq!(pointer(store).await.version, 2);
        assert_eq!(store.incidents(&stream(), 10).await.expect("answer").value.len(), 1);
    }
}

#[tokio::test]
async fn lost_replies_conflicts_and_throttling_change_nothing() {
    for fault in [Fault::LoseReply, Fault::TimeOut, Fault::Fail, Fault::Throttle, Fault::Conflict] {
        let table = Table::new().await;
        let store = table.through(&FaultPlan::new(move |call| {
            let first = call.operation == Operation::TransactWriteItems && call.nth % 2 == 1;
            if first { fault } else { Fault::None }
        }));
        assert!(matches!(open(&store, "a", 0).await.value, Opened::Opened(_)), "{fault:?}");
        let read = pointer(&store).await;
        assert_eq!(close(&store, "a", &read).await.value, Closed::Closed, "{fault:?}");
        let id = IncidentId::new(&stream(), 1);
        assert_eq!(store.notices(id.as_str(), 10).await.expect("answer").value.len(), 2, "{fault:?}");
    }
}

/// A token may be forgotten, or stand for another body: the conditions alone must do.
#[tokio::test]
async fn a_repeat_is_recognised_without_its_token() {
    let table = Table::new().await;
    assert!(matches!(open(&table.store, "a", 0).await.value, Opened::Opened(_)));
    // Another body under the same token is what a repeat after a change of mind looks like.
    let new = NewIncident {
        stream_name: "Sports 1",
        at: EpochMs(AT + 5),
        trigger: "long_degraded",
        title: "another",
        notice: notice("incident.opened", AT + 5),
    };
    let again = table.store.open_incident(&stream(), 0, &new, &writer("a", 1)).await.expect("answer");
    assert!(matches!(again.value, Opened::Opened(_)));
    let other = StreamId::new("acme", "other").expect("valid");
    assert_eq!(table.store.incident_pointer(&other).await.expect("answer").value, Pointer::default());
}
