//! A watcher follows the configuration of its shard, and gets up again after failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{SHARD, World, seconds, stream, world};
use hlsops_domain::HealthState;
use hlsops_engine::{Fault as TableFault, FaultPlan, Operation};
use hlsops_origin::{Fault, FaultKind};
use hlsops_probe::{Scope, Shared, WriterEnd, dispatch};
use hlsops_store::{Configured, Retry, ShardId, Store, StreamConfig, Tile};
use hlsops_watch::Clock;
use tokio::time::{Instant, timeout};

/// How many requests the origin has had for a stream.
fn requests(world: &World, name: &str) -> usize {
    world.origin.ledger(name).len()
}

/// Waits until the origin is asked for a stream once more than now.
#[track_caller]
fn next_request(world: &World, name: &str, within_s: u64) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    let before = requests(world, name);
    let until = Instant::now() + Duration::from_secs(within_s);
    async move {
        while requests(world, name) == before {
            assert!(Instant::now() < until, "{place}: `{name}` was not asked for");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn tile(world: &World, name: &str) -> Option<Tile> {
    let summary = world.shared.store.summary(SHARD).await.unwrap().value?;
    summary.tiles.into_iter().find(|tile| tile.stream == stream(name))
}

/// The tile of a stream as soon as it is UNHEALTHY.
async fn unhealthy(world: &World, name: &str) -> Tile {
    let seen = async {
        loop {
            let tile = tile(world, name).await;
            if let Some(tile) = tile.filter(|tile| tile.health == HealthState::Unhealthy) {
                return tile;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(9), seen).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_come_and_go_and_change_while_others_are_left_in_peace() {
    let world = world(&["one", "two", "three"]).await;
    world.add("one").await;
    let (stop, watcher) = world.start(1);
    next_request(&world, "one", 3).await;

    world.add("two").await;
    next_request(&world, "two", 6).await;
    world.add("three").await;
    world.shared.nudge.ring();
    next_request(&world, "three", 1).await;
    seconds(3).await;

    let removed = world.shared.store.remove_stream(&stream("two"), 1).await.unwrap().value;
    assert_eq!(removed, Configured::Saved(1));
    let moved = StreamConfig { url: world.origin.url("two"), revision: 1, ..world.config("three") };
    let _saved = world.shared.store.save_stream(&moved, ShardId(9)).await.unwrap();
    world.shared.nudge.ring();
    seconds(1).await;
    let three = requests(&world, "three");
    next_request(&world, "two", 5).await;
    seconds(3).await;
    assert_eq!(requests(&world, "three"), three, "it has another URL now");
    assert!(tile(&world, "two").await.is_none(), "it is gone from the wall");
    assert!(tile(&world, "three").await.is_some());

    stop.send(()).unwrap();
    let ended = watcher.await.unwrap();
    assert!(!ended.superseded);
    assert_eq!(ended.streams.len(), 2);
    let asked = world.asked("one");
    assert!(asked.len() > 5 && asked.values().all(|times| *times == 1), "never started again: {asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_be_stored_is_watched_again_when_it_can() {
    let world = world(&["one"]).await;
    world.add("one").await;
    let broken = Arc::new(AtomicBool::new(true));
    let plan = {
        let broken = Arc::clone(&broken);
        FaultPlan::new(move |call| {
            let of_minute = call.operation == Operation::PutItem && call.body.contains("M#");
            if of_minute && broken.load(Ordering::Relaxed) { TableFault::Throttle } else { TableFault::None }
        })
    };
    let retry = Retry { attempts: 2, base: Duration::from_millis(1), cap: Duration::from_millis(1) };
    let store = Store::new(world.engine.client_with(&plan), "hlsops").with_retry(retry);
    let world = World { shared: Shared { store, ..world.shared }, ..world };
    let (stop, watcher) = world.start(1);
    seconds(2).await;
    assert_eq!(requests(&world, "one"), 0, "it could not be taken over");
    broken.store(false, Ordering::Relaxed);
    next_request(&world, "one", 4).await;
    seconds(3).await;
    stop.send(()).unwrap();
    let ended = watcher.await.unwrap();
    assert!(matches!(ended.streams[..], [ref end] if matches!(end.outcome, Ok(WriterEnd::Done))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_sees_a_fault_within_seconds_and_knows_it_over_a_change_of_watcher() {
    let world = world(&["one"]).await;
    world.add("one").await;
    let (stop, watcher) = world.start(1);
    seconds(6).await;
    world.origin.set_fault("one", Fault::new(FaultKind::PlaylistStatus(503))).unwrap();
    let faulty = unhealthy(&world, "one").await;
    assert_eq!(faulty.reasons, ["no variant can be played", "playlist does not load: HTTP 503"]);
    assert_eq!(faulty.playlist.name(), "HTTPError");
    assert!(faulty.incident.is_some());
    stop.send(()).unwrap();
    watcher.await.unwrap();
    let (stop, watcher) = world.start(2);
    seconds(6).await;
    stop.send(()).unwrap();
    watcher.await.unwrap();
    let tile = tile(&world, "one").await.unwrap();
    assert_eq!((tile.health, tile.since), (faulty.health, faulty.since));
    assert_eq!(tile.incident, faulty.incident);
    assert!(tile.reasons.iter().any(|reason| reason.contains("HTTP 503")), "{:?}", tile.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_incident_of_a_stream_that_is_removed_is_closed() {
    let world = world(&["one"]).await;
    world.add("one").await;
    let (stop, watcher) = world.start(1);
    seconds(4).await;
    world.origin.set_fault("one", Fault::new(FaultKind::PlaylistStatus(503))).unwrap();
    assert!(unhealthy(&world, "one").await.incident.is_some());
    let store = &world.shared.store;
    let pointer = store.incident_pointer(&stream("one")).await.unwrap().value;
    let (id, _) = pointer.open.expect("an incident");
    let _removed = store.remove_stream(&stream("one"), 1).await.unwrap();
    world.shared.nudge.ring();
    let closed = async {
        while store.incident(&id).await.unwrap().value.unwrap().closed.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(9), closed).await.unwrap();
    assert_eq!(store.incident_pointer(&stream("one")).await.unwrap().value.open, None);
    let notes = store.incident_notes(&id, 9).await.unwrap().value;
    assert!(notes.iter().any(|note| note.text == "the stream was removed"), "{notes:?}");
    stop.send(()).unwrap();
    watcher.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_before_a_pause_does_not_count_after_it() {
    let world = world(&["one"]).await;
    world.add("one").await;
    let (stop, watcher) = world.start(1);
    seconds(5).await;
    stop.send(()).unwrap();
    watcher.await.unwrap();
    let now = || world.shared.clock.now();
    let config = StreamConfig { revision: 1, ..world.config("one") };
    let resumed = config.switched(false, now()).switched(true, now());
    let _saved = world.shared.store.save_stream(&resumed, SHARD).await.unwrap();
    let (stop, watcher) = world.start(2);
    seconds(6).await;
    let tile = tile(&world, "one").await.unwrap();
    assert_eq!(
        (tile.health, tile.playlist.name()),
        (HealthState::Healthy, "Live"),
        "at once, not at the minute's end"
    );
    assert!(tile.since >= resumed.resumed_at().unwrap(), "{tile:?} {:?}", resumed.pauses);
    stop.send(()).unwrap();
    watcher.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_is_dispatched_when_it_has_streams_and_no_watcher() {
    let world = world(&["one"]).await;
    let (store, clock) = (&world.shared.store, &world.shared.clock);
    let tick = async |later_s| {
        let now = clock.now() + Duration::from_secs(later_s);
        // In a task of its own: it can be sent between threads.
        let store = store.clone();
        tokio::spawn(async move { dispatch(&store, now, Scope::Missing).await.unwrap().messages })
            .await
            .unwrap()
    };
    assert_eq!(tick(0).await, [], "there is nothing to watch");
    world.add("one").await;
    let first = tick(0).await;
    assert_eq!(first.len(), 1);
    let (stop, watcher) = world.start(first[0].epoch);
    next_request(&world, "one", 3).await;
    assert_eq!(tick(0).await, [], "it is watched");
    assert_eq!(dispatch(store, clock.now(), Scope::All).await.unwrap().messages.len(), 1);
    let second = tick(60).await;
    assert!(second[0].epoch > first[0].epoch, "not heard of for 45 s");
    // The same message twice starts one watcher.
    let (_keep, twin) = world.start(first[0].epoch);
    assert!(twin.await.unwrap().superseded && !watcher.is_finished());
    stop.send(()).unwrap();
    watcher.await.unwrap();
    assert_eq!(tick(0).await.len(), 1, "it has said good-bye");
}
