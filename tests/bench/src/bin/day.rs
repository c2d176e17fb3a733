//! A day of fifty streams in virtual time: `cargo xtask bench day`.
//!
//! The watchers of one shard relieve each other every 13 minutes or so, as in the cloud, over the embedded engine.
//! Most streams are healthy, every fifth fails a few times; media is not real. What is printed: minutes stored,
//! what the table charged, findings on healthy streams (there must be none), the table's size, and CPU time. Ends
//! with 1 when a healthy stream was not left in peace.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use hlsops_bench::BenchError;
use hlsops_bench::table::Table;
use hlsops_domain::EpochMs;
use hlsops_engine::{Durability, Engine, EngineConfig};
use hlsops_probe::{Nudge, Scope, Shared, dispatch, watch_shard};
use hlsops_store::pack::What;
use hlsops_store::{Minute, ShardId, Slot, Spent, Store, StreamConfig, StreamId};
use hlsops_watch::{Cadences, Clock, SystemClock};
use serde_json::json;
use tokio::task::JoinSet;

#[path = "../../../../probe-fn/tests/simulation/origin.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the simulation, which asks more of it")]
mod origin;
#[path = "../../../../probe-fn/tests/simulation/random.rs"]
#[expect(clippy::unwrap_used, reason = "shared with the simulation")]
mod random;

use crate::origin::{Fault, Kind, Origin, VirtualStream};
use crate::random::Random;

/// A day of streams in virtual time.
#[derive(Parser)]
struct Options {
    /// Virtual hours.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=48))]
    hours: u64,
    /// Streams, at most 1,000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    streams: u64,
    /// Another seed, other streams.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const BEGIN: EpochMs = EpochMs(1_800_000_000_000);
const MINUTE_MS: u64 = 60_000;
/// The longest run of a watcher; it is relieved some time before.
const RUN: Duration = Duration::from_secs(885);

fn main() -> ExitCode {
    let options = Options::parse();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // The engine's calls have a thread of their own, so that its time can be told from ours.
    let builder = builder.enable_all().start_paused(true).thread_keep_alive(Duration::from_secs(86_400));
    let runtime = match builder.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("day: cannot start a runtime: {error}");
            return ExitCode::from(70);
        }
    };
    match runtime.block_on(run(&options)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("day: {error}");
            ExitCode::from(70)
        }
    }
}

/// What a day came to.
#[derive(Default)]
struct Day {
    runs: u64,
    spent: Spent,
    watched: u64,
    segments: u64,
    transitions: u64,
    /// Findings, and other signs of trouble, on streams that had none.
    alarms: u64,
    findings: u64,
}

async fn run(options: &Options) -> Result<u64, BenchError> {
    let began = Instant::now();
    let folder = std::env::temp_dir().join(format!("hlsops-day-{}", std::process::id()));
    let durability = Durability::Process;
    let engine = Engine::open(EngineConfig { durability, ..EngineConfig::new(&folder) })?;
    let result = watch(options, &engine).await;
    let used = engine.usage()?.map_or(0, |usage| usage.used_bytes);
    drop(engine);
    // What cannot be removed is left to the system's own cleaning of temporary files.
    let _ = fs::remove_dir_all(&folder);
    let day = result?;
    let ours = thread_cpu_time()?;
    let all = hlsops_bench::process::cpu_time()?;
    print(options, &day, used, (ours, all), began.elapsed());
    Ok(day.alarms)
}

async fn watch(options: &Options, engine: &Engine) -> Result<Day, BenchError> {
    let store = Store::new(engine.client(), "hlsops");
    store.ensure_table().await?;
    let length_ms = (options.hours * 60 + 2) * MINUTE_MS;
    let mut random = Random::new(options.seed, 1);
    let streams: Vec<VirtualStream> =
        (0..options.streams).map(|n| stream(n, length_ms, &mut random)).collect();
    let configs = streams.iter().map(config).collect::<Result<Vec<_>, _>>()?;
    for config in &configs {
        let _saved = store.save_stream(config, ShardId(0)).await?;
    }
    let origin = Origin { streams: Arc::new(streams), began: tokio::time::Instant::now() };
    let clock = SystemClock::anchored(BEGIN);
    let shared = Shared {
        store: store.clone(),
        network: origin.clone(),
        clock,
        nudge: Nudge::default(),
        notice: Arc::default(),
        cadences: Cadences::default(),
    };
    let mut day = Day::default();
    let mut watchers = JoinSet::new();
    let end = BEGIN + Duration::from_millis(options.hours * 60 * MINUTE_MS);
    for minute in 0..options.hours * 60 {
        let found = dispatch(&store, clock.now(), Scope::Missing).await?;
        day.spent += found.spent;
        for message in found.messages {
            day.runs += 1;
            let ends = clock.now() + RUN;
            let until = async move { clock.sleep_until(ends.min(end)).await };
            let shard = message.shard(format!("run-{:016x}", random.next()), Some(ends));
            watchers.spawn(watch_shard(shared.clone(), shard, until));
        }
        clock.sleep_until(BEGIN + Duration::from_millis((minute + 1) * MINUTE_MS)).await;
        while let Some(ended) = watchers.try_join_next() {
            day.add_run(ended)?;
        }
    }
    while let Some(ended) = watchers.join_next().await {
        day.add_run(ended)?;
    }
    for (stream, config) in origin.streams.iter().zip(&configs) {
        day.add_stream(&store, stream, &config.id).await?;
    }
    Ok(day)
}

type Joined = Result<Result<hlsops_probe::Ended, hlsops_store::StoreError>, tokio::task::JoinError>;

impl Day {
    fn add_run(&mut self, ended: Joined) -> Result<(), BenchError> {
        match ended {
            Ok(ended) => self.spent += ended?.spent,
            Err(error) => eprintln!("day: a watcher ended by {error}"),
        }
        Ok(())
    }

    /// Reads what is stored of a stream, an hour at a time.
    async fn add_stream(
        &mut self,
        store: &Store,
        stream: &VirtualStream,
        id: &StreamId,
    ) -> Result<(), BenchError> {
        let (first, healthy) = (Minute::of(BEGIN).0 - 1, stream.faults.is_empty());
        for hour in 0..50 {
            let (from, to) = (Minute(first + hour * 60), Minute(first + hour * 60 + 59));
            let minutes = store.minutes(id, from, to, 100).await?.value;
            for stored in minutes {
                let Slot::Watched { log, .. } = stored.slot else { continue };
                self.watched += 1;
                self.segments += log.segments() as u64;
                for change in log.changes() {
                    let (found, trouble) = told(&change.what);
                    self.findings += u64::from(found);
                    self.transitions += u64::from(matches!(change.what, What::Incident(_)));
                    self.alarms += u64::from(healthy && (found || trouble));
                    if healthy && (found || trouble) {
                        eprintln!("day: {id} is healthy, and yet: {change:?}");
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether it is a finding, and whether it is another sign of trouble.
fn told(what: &What) -> (bool, bool) {
    let harmless = match what {
        What::Playlist { to, .. } => to.name() == "Live",
        What::Health { to, .. } => to.name() == "HEALTHY",
        _ => false,
    };
    (matches!(what, What::Found { .. }), !harmless)
}

/// Three renditions, one of them audio apart. Every fifth stream fails three times a day.
fn stream(nth: u64, length_ms: u64, random: &mut Random) -> VirtualStream {
    let target_s = random.one_of(&[4, 6, 6, 10]);
    let mut faults = Vec::new();
    if nth % 5 == 4 {
        for _ in 0..3 {
            let kind =
                random.one_of(&[Kind::Status(503), Kind::Missing, Kind::Pause, Kind::Restart, Kind::Hang]);
            let from = random.within(MINUTE_MS..length_ms);
            let to = from + random.within(30_000..600_000);
            faults.push(Fault { kind, track: random.permille(300).then_some(0), from, to });
        }
    }
    VirtualStream::new(&format!("stream-{nth}"), (target_s, 6), (3, true), faults, length_ms)
}

fn config(stream: &VirtualStream) -> Result<StreamConfig, BenchError> {
    Ok(StreamConfig::new(StreamId::new("default", &stream.name)?, stream.url(), BEGIN))
}

/// CPU time of this thread: of everything but the engine.
fn thread_cpu_time() -> Result<Duration, BenchError> {
    const FILE: &str = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(FILE).map_err(|_| BenchError::Proc { file: FILE })?;
    let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
    nanos.map(Duration::from_nanos).ok_or(BenchError::Proc { file: FILE })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn print(options: &Options, day: &Day, bytes: u64, (ours, all): (Duration, Duration), took: Duration) {
    let minutes = (options.hours * 60 * options.streams) as f64;
    let (write, read) = (day.spent.write_units / minutes, day.spent.read_units / minutes);
    let per_minute = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3 / minutes);
    let mut table = Table::new(1, &["", "figure"]);
    let mut row = |what: &str, figure: String| table.add(vec![what.into(), figure]);
    row("stream-minutes", format!("{minutes}"));
    row("watchers, one after the other", day.runs.to_string());
    row("minutes stored", day.watched.to_string());
    row("attempts at segments", day.segments.to_string());
    row("incidents opened or resolved", day.transitions.to_string());
    row("findings, faulty streams included", day.findings.to_string());
    row("alarms on healthy streams", day.alarms.to_string());
    row("write units per stream-minute", format!("{write:.3}"));
    row("read units per stream-minute", format!("{read:.3}"));
    row(
        "table",
        format!("{:.1} MB, {:.0} bytes per stream-minute", bytes as f64 / 1e6, bytes as f64 / minutes),
    );
    row("CPU per stream-minute, without the engine", per_minute(ours));
    row("CPU per stream-minute of the engine", per_minute(all.saturating_sub(ours)));
    row("took", format!("{:.0} s", took.as_secs_f64()));
    println!("{}", table.text());
    println!("The CPU time without the engine includes the scripted origin and the SDK's client.");
    println!(
        "{}",
        json!({
            "bench": "day", "hours": options.hours, "streams": options.streams, "seed": options.seed,
            "runs": day.runs, "minutes_stored": day.watched, "segments": day.segments,
            "alarms_on_healthy": day.alarms, "write_units": write, "read_units": read, "table_bytes": bytes,
            "cpu_ms_per_stream_minute": ours.as_secs_f64() * 1e3 / minutes,
            "engine_cpu_ms_per_stream_minute": all.saturating_sub(ours).as_secs_f64() * 1e3 / minutes,
        })
    );
}
