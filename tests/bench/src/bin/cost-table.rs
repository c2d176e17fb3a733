//! What the table charges for watching: `cargo xtask bench cost-table`.
//!
//! Whole shards are watched as in the cloud, through `dispatch` once a minute and runs of a quarter of an hour that
//! relieve each other, in virtual time on the embedded engine, whose capacity figures are DynamoDB's. The streams are
//! healthy: three renditions with jittered answers. Units are those the table says it consumed.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use hlsops_bench::script::{RENDITIONS, Script, config};
use hlsops_bench::table::Table;
use hlsops_domain::EpochMs;
use hlsops_domain::id::StableHash;
use hlsops_engine::{Call, Engine, Fault, FaultPlan, TableSpec, ensure_table};
use hlsops_probe::{Nudge, Scope, Shared, dispatch, watch_shard};
use hlsops_store::{ShardId, Spent, Store, StreamId};
use hlsops_watch::{Cadences, Clock, SystemClock};
use serde_json::json;
use tokio::task::JoinSet;

/// Charges of the table for watched shards.
#[derive(Parser)]
struct Options {
    /// Streams of a shard; several for several measurements.
    #[arg(long, value_delimiter = ',', default_value = "50,200")]
    streams: Vec<usize>,
    /// Virtual minutes.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(2..=1_440))]
    minutes: u64,
    /// Longest run of a watcher. Unit: seconds.
    #[arg(long, default_value_t = 885, value_parser = clap::value_parser!(u64).range(300..=900))]
    run_s: u64,
    /// Segment length. Unit: seconds.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=10))]
    segment_s: u64,
}

/// How often what was called.
type Calls = Arc<Mutex<BTreeMap<&'static str, u64>>>;

fn kind(call: &Call<'_>) -> &'static str {
    let has = |part: &str| call.body.contains(part);
    match call.operation.name() {
        "Query" if has("G#shard") => "list the shard",
        "Query" => "read minutes (take-over)",
        "UpdateItem" if has("\"L#") => "write the lease",
        "UpdateItem" => "seal a minute (take-over)",
        "GetItem" if has("\"L#") => "read the lease",
        "GetItem" if has("\"A#INC") => "read the incident pointer",
        "GetItem" => "read plan, summary",
        "PutItem" if has("\"SH#") => "write the summary",
        "PutItem" if has("\"st\"") => "write a minute",
        "PutItem" if has("A#NOW") => "describe a stream",
        "PutItem" if has("\"E#") => "write findings",
        "PutItem" if has("\"to\"") => "write a gap",
        "PutItem" => "claim a minute (take-over)",
        other => other,
    }
}

struct Measured {
    streams: usize,
    watched: Spent,
    dispatched: Spent,
    runs: u64,
    calls: BTreeMap<&'static str, u64>,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    for &streams in &options.streams {
        let measured = measure(&options, streams).await?;
        print(&options, &measured);
    }
    Ok(())
}

async fn measure(options: &Options, streams: usize) -> Result<Measured, Box<dyn Error>> {
    let engine = Engine::in_memory_inline()?;
    ensure_table(&engine.client(), &TableSpec::new("hlsops")).await?;
    let clock = SystemClock::anchored(EpochMs(1_790_000_000_000));
    let quiet = Store::new(engine.client(), "hlsops");
    for n in 0..streams {
        // Identifiers of the length and the look of real ones.
        let hash = StableHash::new().with(&n.to_be_bytes()).finish();
        let id = StreamId::new("default", &format!("str_01kd{hash:016x}{:06}", n))?;
        let _saved = quiet.save_stream(&config(id, &format!("Stream {n}"), clock.now()), ShardId(0)).await?;
    }
    let calls = Calls::default();
    let counted = Arc::clone(&calls);
    let plan = FaultPlan::new(move |call| {
        *counted.lock().unwrap_or_else(PoisonError::into_inner).entry(kind(call)).or_default() += 1;
        Fault::None
    });
    let store = Store::new(engine.client_with(&plan), "hlsops");
    let network = Script { clock, segment_s: options.segment_s };
    let shared = Shared {
        store: store.clone(),
        network,
        clock,
        nudge: Nudge::default(),
        notice: Arc::default(),
        cadences: Cadences::default(),
    };
    let end = clock.now() + Duration::from_secs(options.minutes * 60);
    let (mut watchers, mut dispatched, mut runs) = (JoinSet::new(), Spent::default(), 0);
    for minute in 0..options.minutes {
        let found = dispatch(&store, clock.now(), Scope::Missing).await?;
        dispatched += found.spent;
        for message in found.messages {
            runs += 1;
            let ends = clock.now() + Duration::from_secs(options.run_s);
            let until = async move { clock.sleep_until(ends.min(end)).await };
            let name = format!("{:016x}", StableHash::new().with(&minute.to_be_bytes()).finish());
            watchers.spawn(watch_shard(shared.clone(), message.shard(name, Some(ends)), until));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let mut watched = Spent::default();
    while let Some(ended) = watchers.join_next().await {
        watched += ended??.spent;
    }
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Measured { streams, watched, dispatched, runs, calls })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn print(options: &Options, measured: &Measured) {
    let Measured { streams, watched, dispatched, runs, calls } = measured;
    let stream_minutes = *streams as f64 * options.minutes as f64;
    println!(
        "\n{streams} streams of {RENDITIONS} renditions, {} s segments, {} virtual minutes, {runs} runs",
        options.segment_s, options.minutes
    );
    let mut table = Table::new(1, &["call", "in all", "per stream-minute"]);
    for (kind, count) in calls {
        table.add(vec![(*kind).into(), count.to_string(), format!("{:.4}", *count as f64 / stream_minutes)]);
    }
    println!("{}", table.text());
    let all = *watched + *dispatched;
    let (write, read) = (all.write_units / stream_minutes, all.read_units / stream_minutes);
    println!("per stream-minute: {write:.3} WRU (target < 1.2), {read:.3} RRU (target < 0.5)");
    println!(
        "{}",
        json!({
            "bench": "cost-table", "streams": streams, "minutes": options.minutes, "runs": runs,
            "segment_s": options.segment_s, "write_units": write, "read_units": read,
            "dispatch_read_units_per_minute": dispatched.read_units / options.minutes as f64,
        })
    );
}
