//! What a tick costs at scale: `cargo xtask bench dispatch`.
//!
//! There are as many shards as dispatch itself would have made for so many streams, and their leases say what they
//! hold; then it ticks. Of the streams themselves it asks only whether a shard has any, so each shard has a few. Time is
//! virtual, and every call of the table takes as long as DynamoDB takes from a function in the same region, so
//! `simulated` is a function's time without its own; `CPU` is that, engine included. Units are those the table says it
//! consumed. Memory is what a tick adds to the process.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::time::Duration;

use clap::Parser;
use hlsops_bench::process::{Growth, cpu_time};
use hlsops_bench::script::config;
use hlsops_bench::table::Table;
use hlsops_domain::EpochMs;
use hlsops_domain::id::StableHash;
use hlsops_engine::{Engine, Fault, FaultPlan, TableSpec, ensure_table};
use hlsops_probe::{Dispatched, Scope, dispatch};
use hlsops_store::{Assignment, Beat, ShardId, Store, StreamId, Writer};
use hlsops_watch::{Clock, SystemClock};
use serde_json::json;
use tokio::time::Instant;

/// Ticks over many streams.
#[derive(Parser)]
struct Options {
    /// How many streams there are; several in turn.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    streams: Vec<u32>,
    /// What a call of the table takes. Unit: milliseconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    call_ms: u64,
}

/// What dispatch aims at: 7 in 10 of what a watcher bears.
const STREAMS_PER_SHARD: u32 = 140;

/// Streams of each shard that stand in the table.
const STORED_PER_SHARD: u32 = 3;

/// A tick, and what it took.
struct Tick {
    what: &'static str,
    found: Dispatched,
    simulated: Duration,
    cpu: Duration,
    memory_bytes: u64,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let head =
        ["streams", "shards", "tick", "messages", "RRU", "WRU", "simulated ms", "CPU ms", "memory KiB"];
    let mut table = Table::new(3, &head);
    let mut rows = Vec::new();
    for &streams in &options.streams {
        for tick in measure(&options, streams).await? {
            let Tick { what, found, simulated, cpu, memory_bytes } = tick;
            table.add(vec![
                streams.to_string(),
                found.shards.to_string(),
                what.into(),
                found.messages.len().to_string(),
                format!("{:.1}", found.spent.read_units),
                format!("{:.1}", found.spent.write_units),
                simulated.as_millis().to_string(),
                format!("{:.1}", cpu.as_secs_f64() * 1e3),
                (memory_bytes / 1_024).to_string(),
            ]);
            rows.push(json!({
                "streams": streams, "shards": found.shards, "tick": what, "messages": found.messages.len(),
                "read_units": found.spent.read_units, "write_units": found.spent.write_units,
                "simulated_ms": simulated.as_millis(), "cpu_ms": cpu.as_secs_f64() * 1e3,
                "memory_bytes": memory_bytes,
            }));
        }
    }
    println!("each call of the table takes {} ms\n\n{}", options.call_ms, table.text());
    println!("{}", json!({"bench": "dispatch", "call_ms": options.call_ms, "rows": rows}));
    Ok(())
}

async fn measure(options: &Options, streams: u32) -> Result<Vec<Tick>, Box<dyn Error>> {
    let engine = Engine::in_memory_inline()?;
    ensure_table(&engine.client(), &TableSpec::new("hlsops")).await?;
    let quiet = Store::new(engine.client(), "hlsops");
    let clock = SystemClock::anchored(EpochMs(1_790_000_000_000));
    let shards = streams.div_ceil(STREAMS_PER_SHARD);
    let _grown = quiet.grow_shards(shards).await?;
    for n in 0..streams.min(shards * STORED_PER_SHARD) {
        let hash = StableHash::new().with(&n.to_be_bytes()).finish();
        let id = StreamId::new("default", &format!("str_01kd{hash:016x}{n:06}"))?;
        let _saved =
            quiet.save_stream(&config(id, &format!("Stream {n}"), clock.now()), ShardId(n % shards)).await?;
    }
    let call = Duration::from_millis(options.call_ms);
    let slow = FaultPlan::new(move |_| Fault::Delay(call));
    let store = Store::new(engine.client_with(&slow), "hlsops");
    let first = tick("the first", &store, clock).await?;
    beat(&quiet, streams, shards, clock.now(), 0).await?;
    let steady = tick("all are watched", &store, clock).await?;
    // Runs of a quarter of an hour, spread over it: in each minute one of fifteen nears its end.
    beat(&quiet, streams, shards, clock.now(), 15).await?;
    let relief = tick("one of 15 ends", &store, clock).await?;
    Ok(vec![first, steady, relief])
}

/// Every shard's watcher says that it lives; of `ending` one nears its end.
async fn beat(
    store: &Store,
    streams: u32,
    shards: u32,
    now: EpochMs,
    ending: u32,
) -> Result<(), Box<dyn Error>> {
    for shard in 0..shards {
        let writer = Writer { name: format!("run-{shard:06}"), epoch: 1 };
        let nears = ending > 0 && shard % ending == 0;
        let ends = Some(now + Duration::from_secs(if nears { 100 } else { 600 }));
        let share = u64::from(streams / shards + u32::from(shard < streams % shards));
        let beat = Beat { at: now, ends, streams: share, weight: share * Assignment::USUAL };
        let _taken = store.take_lease(ShardId(shard), &writer, beat).await?;
        let _beaten = store.beat(ShardId(shard), &writer, beat).await?;
    }
    Ok(())
}

async fn tick(what: &'static str, store: &Store, clock: SystemClock) -> Result<Tick, Box<dyn Error>> {
    let (growth, cpu, began) = (Growth::start()?, cpu_time()?, Instant::now());
    let found = dispatch(store, clock.now(), Scope::Missing).await?;
    let (simulated, cpu) = (began.elapsed(), cpu_time()?.saturating_sub(cpu));
    Ok(Tick { what, found, simulated, cpu, memory_bytes: growth.peak_bytes()? })
}
