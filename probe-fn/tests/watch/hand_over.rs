//! Watchers of one shard follow each other over a real origin and the embedded engine.

use crate::support::{World, seconds, stream, world};
use hlsops_domain::{EpochMs, HealthState};
use hlsops_origin::{Fault, FaultKind};
use hlsops_store::pack::What;
use hlsops_store::{Minute, Slot, StoredMinute};
use hlsops_watch::Clock;

const TV: &str = "tv";

/// One stream, configured.
async fn tv() -> World {
    let world = world(&[TV]).await;
    world.add(TV).await;
    world
}

/// Sequence numbers with a result in the stored logs, each time they have one.
async fn results(world: &World) -> Vec<u64> {
    let mut all = Vec::new();
    for stored in minutes(world).await {
        if let Slot::Watched { log, .. } = stored.slot {
            let rows = log.renditions().iter().flat_map(|r| r.segments.iter());
            all.extend(rows.filter(|row| row.last).map(|row| row.sequence));
        }
    }
    all.sort_unstable();
    all
}

async fn minutes(world: &World) -> Vec<StoredMinute> {
    let (from, to) = (Minute(0), Minute::of(world.shared.clock.now()).next());
    world.shared.store.minutes(&stream(TV), from, to, 100).await.unwrap().value
}

/// A row of numbers without a hole and without a repetition.
#[track_caller]
fn assert_row(numbers: &[u64]) {
    let expected: Vec<u64> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_follow_each_other_lose_and_repeat_nothing() {
    let world = tv().await;
    let (stop, first) = world.start(1);
    seconds(9).await;
    stop.send(()).unwrap();
    assert!(!first.await.unwrap().superseded);
    let (stop, second) = world.start(2);
    seconds(7).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let results = results(&world).await;
    assert!(results.len() >= 8, "{results:?}");
    assert_row(&results);
    let asked = world.asked(TV);
    assert_eq!(asked.keys().copied().collect::<Vec<_>>(), results);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_watcher_takes_over_from_one_that_still_runs() {
    let world = tv().await;
    let (_keep, first) = world.start(1);
    seconds(5).await;
    let (stop, second) = world.start(2);
    let first = first.await.unwrap();
    assert!(first.superseded || !first.streams.is_empty());
    seconds(6).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let results = results(&world).await;
    assert_row(&results);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_becomes_one_incident_that_outlives_its_watcher() {
    let world = tv().await;
    world.origin.set_fault(TV, Fault::new(FaultKind::PlaylistStatus(503)).after_ms(4_000)).unwrap();
    let (stop, first) = world.start(1);
    seconds(8).await;
    stop.send(()).unwrap();
    first.await.unwrap();
    let open = world.shared.store.open_incidents("default", 10).await.unwrap().value;
    assert_eq!(open.len(), 1, "{open:?}");
    let (stop, second) = world.start(2);
    seconds(4).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let after = world.shared.store.incidents(&stream(TV), 10).await.unwrap().value;
    assert_eq!(after.len(), 1, "the next watcher knows of it: {after:?}");
    let minutes = minutes(&world).await;
    let watched: Vec<_> = minutes
        .iter()
        .filter_map(|stored| match &stored.slot {
            Slot::Watched { closing, log } => Some((closing, log)),
            _ => None,
        })
        .collect();
    let (closing, _) = watched.last().unwrap();
    assert_eq!(closing.health, HealthState::Unhealthy);
    let openings = watched
        .iter()
        .flat_map(|(_, log)| log.changes())
        .filter(|change| matches!(change.what, What::Incident(_)));
    assert_eq!(openings.count(), 1, "it opened once");
    assert!(closing.last_look.is_some_and(|look| look > EpochMs(0)));
}
