//! The watcher with everything it is for: leases, minutes, incidents, the wall's summary, in a table on disk.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;

use hlsops_bench::{BenchError, stand};
use hlsops_domain::HealthState;
use hlsops_engine::{Engine, EngineConfig};
use hlsops_probe::{Nudge, Scope, Shared, dispatch, watch_shard};
use hlsops_store::{Segments, ShardId, Store, StreamConfig, StreamId};
use hlsops_watch::{Cadences, Clock, SystemClock};
use tokio::task::JoinSet;
use url::Url;

const SHARD: ShardId = ShardId(0);

/// A table with streams that are watched as `hlsops serve` watches them.
pub(crate) struct Stored {
    store: Store,
    folder: PathBuf,
    streams: usize,
}

impl Stored {
    /// Stores the streams and starts their watcher.
    pub(crate) async fn start(
        urls: &[Url],
        fetch_segments: bool,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, BenchError> {
        let folder = std::env::temp_dir().join(format!("hlsops-watch-{}", std::process::id()));
        let engine = Engine::open(EngineConfig::new(&folder))?;
        let store = Store::new(engine.client(), "hlsops");
        store.ensure_table().await?;
        let clock = SystemClock::new();
        for (n, url) in urls.iter().enumerate() {
            let _saved = store.save_stream(&config(n, url, fetch_segments, clock)?, SHARD).await?;
        }
        let network = stand::fetcher(urls)?;
        let shared = Shared {
            store: store.clone(),
            network,
            clock,
            nudge: Nudge::default(),
            notice: Arc::default(),
            cadences: Cadences::default(),
        };
        for message in dispatch(&store, clock.now(), Scope::Missing).await?.messages {
            let shared = shared.clone();
            tasks.spawn(async move {
                // It ends with this process, and what it could not do shows as streams that are not HEALTHY.
                let _ended = watch_shard(shared, message.shard("bench", None), pending()).await;
            });
        }
        Ok(Self { store, folder, streams: urls.len() })
    }

    /// Streams that are not HEALTHY on the wall.
    pub(crate) async fn trouble(&self) -> Result<u64, BenchError> {
        let tiles = self.store.summary(SHARD).await?.value.map(|summary| summary.tiles).unwrap_or_default();
        let healthy = tiles.iter().filter(|tile| tile.health == HealthState::Healthy).count();
        Ok(self.streams.saturating_sub(healthy) as u64)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning of temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn config(n: usize, url: &Url, fetch_segments: bool, clock: SystemClock) -> Result<StreamConfig, BenchError> {
    let id = StreamId::new("default", &format!("str_{n:026}"))?;
    let segments = if fetch_segments { Segments::Full } else { Segments::None };
    Ok(StreamConfig { segments, ..StreamConfig::new(id, url.as_str(), clock.now()) })
}
