//! What the tests share: streams of an origin, a table in memory, and watchers of one shard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, TableSpec, ensure_table};
use hlsops_fetch::{AllowList, FetchConfig, Fetcher};
use hlsops_origin::{Layout, Origin, OriginConfig, SegmentLength, StreamSpec};
use hlsops_probe::{Ended, Nudge, Shard, Shared, watch_shard};
use hlsops_store::{ShardId, Store, StreamConfig, StreamId, Writer};
use hlsops_watch::{Cadences, Clock, SystemClock};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const SHARD: ShardId = ShardId(0);

pub(crate) struct World {
    pub(crate) origin: Origin,
    pub(crate) shared: Shared<SystemClock>,
    pub(crate) engine: Engine,
}

/// An origin with 2 s media playlists of these names, watched by nobody.
pub(crate) async fn world(names: &[&str]) -> World {
    let origin = Origin::start(OriginConfig::default()).await.unwrap();
    let spec = StreamSpec { layout: Layout::Media, segment: SegmentLength::S2, ..StreamSpec::DEFAULT };
    for name in names {
        origin.add_stream(name, spec).unwrap();
    }
    let mut allow = AllowList::default();
    allow.insert("127.0.0.1", origin.addresses()[0].port()).unwrap();
    let network = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap();
    let engine = Engine::in_memory().unwrap();
    ensure_table(&engine.client(), &TableSpec::new("hlsops")).await.unwrap();
    let store = Store::new(engine.client(), "hlsops");
    let shared = Shared {
        store,
        network,
        clock: SystemClock::new(),
        nudge: Nudge::default(),
        notice: Arc::default(),
        cadences: Cadences::default(),
    };
    World { origin, shared, engine }
}

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new("default", name).unwrap()
}

/// A stream about to be created.
pub(crate) fn config(name: &str, now: EpochMs) -> StreamConfig {
    StreamConfig::new(stream(name), "", now)
}

impl World {
    /// A stream of the origin, about to be created.
    pub(crate) fn config(&self, name: &str) -> StreamConfig {
        StreamConfig { url: self.origin.url(name), ..config(name, self.shared.clock.now()) }
    }

    pub(crate) async fn add(&self, name: &str) {
        let _saved = self.shared.store.save_stream(&self.config(name), SHARD).await.unwrap();
    }

    /// A watcher of `epoch` and what stops it.
    pub(crate) fn start(&self, epoch: u64) -> (oneshot::Sender<()>, JoinHandle<Ended>) {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let (stop, stopped) = oneshot::channel();
        let name = format!("run-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let shard = Shard { id: SHARD, writer: Writer { name, epoch }, ends: None };
        let shared = self.shared.clone();
        let until = async move {
            let _ = stopped.await;
        };
        (stop, tokio::spawn(async move { watch_shard(shared, shard, until).await.unwrap() }))
    }

    /// How often the origin was asked for each segment of a stream.
    pub(crate) fn asked(&self, name: &str) -> BTreeMap<u64, usize> {
        let mut asked = BTreeMap::new();
        let ledger = self.origin.ledger(name);
        let segments = ledger.iter().filter(|entry| entry.kind == "segment");
        for sequence in segments.filter_map(|entry| entry.sequence) {
            *asked.entry(sequence).or_insert(0) += 1;
        }
        asked
    }
}

pub(crate) async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}
