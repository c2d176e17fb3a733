//! The process that is measured: watches streams, with or without a table, or runs the bare loop over them.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use hlsops_bench::bare::Bare;
use hlsops_bench::child::urls_of_parent;
use hlsops_bench::{BenchError, process, stand};
use hlsops_domain::{EpochMs, Event, HealthState, StreamState};
use hlsops_watch::{Sink, SystemClock};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use crate::stored::Stored;

/// What follows the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The watcher, whose events go nowhere.
    Watch,
    /// The same requests, and nothing done with the answers.
    Bare,
    /// The watcher of a shard, over a table on disk.
    Stored,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Bare => "bare",
            Self::Stored => "stored",
        }
    }
}

/// How one run goes.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FollowOptions {
    /// Fetch segments, or only playlists.
    #[arg(long)]
    pub(crate) fetch_segments: bool,
    /// What follows the streams.
    #[arg(long)]
    pub(crate) side: Side,
    /// On one thread.
    #[arg(long)]
    pub(crate) one_thread: bool,
    /// The measured stretch.
    #[arg(long)]
    pub(crate) seconds: u64,
}

/// Streams start evenly over a target duration, as they would anywhere, not all at once.
const START_OVER: Duration = Duration::from_secs(4);

/// A target duration: each holds one reload of every playlist and one segment of every rendition.
const WINDOW: Duration = Duration::from_secs(4);

/// Until the last start and its first segments are out of the way.
const WARM_UP: Duration = Duration::from_secs(7);

impl FollowOptions {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["follow".to_owned(), format!("--seconds={}", self.seconds)];
        arguments.push(format!("--side={}", self.side.name()));
        arguments.extend(self.fetch_segments.then(|| "--fetch-segments".to_owned()));
        arguments.extend(self.one_thread.then(|| "--one-thread".to_owned()));
        arguments
    }

    /// How long the run takes.
    pub(crate) const fn length(&self) -> Duration {
        WARM_UP.saturating_add(Duration::from_secs(self.seconds))
    }
}

/// Reads the URLs from a line of its input, follows them, writes its figures.
pub(crate) async fn run(options: &FollowOptions) -> Result<(), BenchError> {
    let urls = urls_of_parent()?;
    let mut tasks = JoinSet::new();
    let end = tokio::time::Instant::now() + WARM_UP;
    let following = match options.side {
        Side::Watch => start_watchers(options, &urls, &mut tasks).await?,
        Side::Bare => start_bare(options, &urls, &mut tasks).await?,
        Side::Stored => Following::Stored(Stored::start(&urls, options.fetch_segments, &mut tasks).await?),
    };
    tokio::time::sleep_until(end).await;
    let (from_ms, mut before) = (now_ms(), process::cpu_time()?);
    let mut windows_ms = Vec::new();
    for window in 1..=options.seconds / WINDOW.as_secs() {
        tokio::time::sleep_until(end + WINDOW * u32::try_from(window).unwrap_or(u32::MAX)).await;
        let after = process::cpu_time()?;
        windows_ms.push(after.saturating_sub(before).as_secs_f64() * 1_000.0);
        before = after;
    }
    let (until_ms, peak_bytes) = (now_ms(), process::peak_memory_bytes()?);
    let figures = json!({
        "windows_ms": windows_ms, "peak_bytes": peak_bytes,
        "from_ms": from_ms, "until_ms": until_ms, "trouble": following.trouble().await?,
    });
    writeln!(stdout(), "{figures}").map_err(BenchError::io("cannot write the figures"))?;
    tasks.shutdown().await;
    Ok(())
}

/// What was started, to be asked what went wrong.
enum Following {
    /// Whether each is HEALTHY.
    Watchers(Vec<Arc<AtomicBool>>),
    Bare(Bare),
    Stored(Stored),
}

impl Following {
    /// Streams that are not HEALTHY, or requests that failed.
    async fn trouble(&self) -> Result<u64, BenchError> {
        match self {
            Self::Watchers(healthy) => Ok(healthy.iter().filter(|flag| !flag.load(Relaxed)).count() as u64),
            Self::Bare(bare) => Ok(bare.failed()),
            Self::Stored(stored) => stored.trouble().await,
        }
    }
}

async fn start_bare(
    options: &FollowOptions,
    urls: &[Url],
    tasks: &mut JoinSet<()>,
) -> Result<Following, BenchError> {
    let bare = Bare::new(options.fetch_segments)?;
    for url in urls {
        bare.spawn(tasks, url);
        sleep(apart(urls)).await;
    }
    Ok(Following::Bare(bare))
}

async fn start_watchers(
    options: &FollowOptions,
    urls: &[Url],
    tasks: &mut JoinSet<()>,
) -> Result<Following, BenchError> {
    let fetcher = stand::fetcher(urls)?;
    let clock = SystemClock::new();
    let mut healthy = Vec::new();
    for url in urls {
        let flag = Arc::new(AtomicBool::new(false));
        healthy.push(Arc::clone(&flag));
        stand::spawn_watcher(tasks, &fetcher, clock, url.clone(), options.fetch_segments, HealthSink(flag));
        sleep(apart(urls)).await;
    }
    Ok(Following::Watchers(healthy))
}

fn apart(urls: &[Url]) -> Duration {
    START_OVER / u32::try_from(urls.len().max(1)).unwrap_or(u32::MAX)
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or_default()
}

/// Only whether the stream is HEALTHY: what is done with events is not measured here.
struct HealthSink(Arc<AtomicBool>);

impl Sink for HealthSink {
    fn stepped(&mut self, state: &StreamState, _at: EpochMs, _events: &[Event]) {
        self.0.store(state.health.state == HealthState::Healthy, Relaxed);
    }
}
