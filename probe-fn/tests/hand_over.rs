//! Watchers of one shard follow each other over a real origin and the embedded engine.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::{EpochMs, HealthState};
use hlsops_engine::{Engine, TableSpec, ensure_table};
use hlsops_fetch::{AllowList, FetchConfig, Fetcher};
use hlsops_origin::{Fault, FaultKind, Layout, Origin, OriginConfig, SegmentLength, StreamSpec};
use hlsops_probe::{Ended, Shard, Shared, watch_shard};
use hlsops_store::pack::What;
use hlsops_store::{Minute, Segments, ShardId, Slot, Store, StreamConfig, StreamId, WatchMode, Writer};
use hlsops_watch::{Clock, SystemClock};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SHARD: ShardId = ShardId(0);

struct World {
    origin: Origin,
    shared: Shared<SystemClock>,
    _engine: Engine,
}

/// An origin with one 2 s media playlist, watched by shard 0.
async fn world() -> World {
    let origin = Origin::start(OriginConfig::default()).await.unwrap();
    let spec = StreamSpec { layout: Layout::Media, segment: SegmentLength::S2, ..StreamSpec::DEFAULT };
    origin.add_stream("tv", spec).unwrap();
    let mut allow = AllowList::default();
    allow.insert("127.0.0.1", origin.addresses()[0].port()).unwrap();
    let fetcher = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap();
    let engine = Engine::in_memory().unwrap();
    ensure_table(&engine.client(), &TableSpec::new("hlsops")).await.unwrap();
    let store = Store::new(engine.client(), "hlsops");
    let clock = SystemClock::new();
    let config = StreamConfig {
        id: stream(),
        url: origin.url("tv"),
        name: "TV".into(),
        link_id: None,
        enabled: true,
        watch: WatchMode::Continuous,
        segments: Segments::Full,
        headers: Vec::new(),
        profile: "default".into(),
        overrides: BTreeMap::new(),
        tags: Vec::new(),
        created_at: clock.now(),
        revision: 0,
    };
    let _saved = store.save_stream(&config, SHARD).await.unwrap();
    World { origin, shared: Shared { store, network: fetcher, clock }, _engine: engine }
}

fn stream() -> StreamId {
    StreamId::new("default", "tv").unwrap()
}

/// A watcher of `epoch` and what ends it.
fn start(world: &World, epoch: u64) -> (oneshot::Sender<()>, JoinHandle<Ended>) {
    let (stop, stopped) = oneshot::channel();
    let shard = Shard { id: SHARD, writer: Writer { name: format!("run-{epoch}"), epoch } };
    let shared = world.shared.clone();
    let until = async move {
        let _ = stopped.await;
    };
    (stop, tokio::spawn(async move { watch_shard(shared, shard, until).await.unwrap() }))
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

impl World {
    /// Sequence numbers with a result in the stored logs, each time they have one.
    async fn results(&self) -> Vec<u64> {
        let mut all = Vec::new();
        for stored in self.minutes().await {
            if let Slot::Watched { log, .. } = stored.slot {
                let rows = log.renditions().iter().flat_map(|r| r.segments.iter());
                all.extend(rows.filter(|row| row.last).map(|row| row.sequence));
            }
        }
        all.sort_unstable();
        all
    }

    async fn minutes(&self) -> Vec<hlsops_store::StoredMinute> {
        let (from, to) = (Minute(0), Minute::of(self.shared.clock.now()).next());
        self.shared.store.minutes(&stream(), from, to, 100).await.unwrap().value
    }

    /// How often the origin was asked for each segment.
    fn asked(&self) -> BTreeMap<u64, usize> {
        let mut asked = BTreeMap::new();
        let ledger = self.origin.ledger("tv");
        let segments = ledger.iter().filter(|entry| entry.kind == "segment");
        for sequence in segments.filter_map(|entry| entry.sequence) {
            *asked.entry(sequence).or_insert(0) += 1;
        }
        asked
    }
}

/// A row of numbers without a hole and without a repetition.
#[track_caller]
fn assert_row(numbers: &[u64]) {
    let expected: Vec<u64> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_follow_each_other_lose_and_repeat_nothing() {
    let world = world().await;
    let (stop, first) = start(&world, 1);
    seconds(9).await;
    stop.send(()).unwrap();
    assert!(!first.await.unwrap().superseded);
    let (stop, second) = start(&world, 2);
    seconds(7).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let results = world.results().await;
    assert!(results.len() >= 8, "{results:?}");
    assert_row(&results);
    let asked = world.asked();
    assert_eq!(asked.keys().copied().collect::<Vec<_>>(), results);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_watcher_takes_over_from_one_that_still_runs() {
    let world = world().await;
    let (_keep, first) = start(&world, 1);
    seconds(5).await;
    let (stop, second) = start(&world, 2);
    let first = first.await.unwrap();
    assert!(first.superseded || !first.streams.is_empty());
    seconds(6).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let results = world.results().await;
    assert_row(&results);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_becomes_one_incident_that_outlives_its_watcher() {
    let world = world().await;
    world.origin.set_fault("tv", Fault::new(FaultKind::PlaylistStatus(503)).after_ms(4_000)).unwrap();
    let (stop, first) = start(&world, 1);
    seconds(8).await;
    stop.send(()).unwrap();
    first.await.unwrap();
    let open = world.shared.store.open_incidents("default", 10).await.unwrap().value;
    assert_eq!(open.len(), 1, "{open:?}");
    let (stop, second) = start(&world, 2);
    seconds(4).await;
    stop.send(()).unwrap();
    second.await.unwrap();
    let after = world.shared.store.incidents(&stream(), 10).await.unwrap().value;
    assert_eq!(after.len(), 1, "the next watcher knows of it: {after:?}");
    let minutes = world.minutes().await;
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
