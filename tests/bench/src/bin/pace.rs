//! Whether tar pits slow down the others: `cargo xtask bench pace`.
//!
//! Good streams alone (A) and with as many tar pits beside them (B), in turn, all on loopback addresses of their own:
//! how late do the playlist loads of the good streams begin? The origin is a process of its own; the watcher is this
//! one. Lateness is known in whole milliseconds; percentiles are interpolated between them.
//!
//! The runs are A B A B ... A. Each B is compared with the two A around it, so that a machine that grows busier or
//! quieter favours neither, and each A with the A before it: that change has no cause but the machine, and its spread
//! is what a change of B has to be held against. Every run counts; none is left out for how it went. What a thread
//! that only sleeps overslept is shown beside each.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Parser, Subcommand};
use hlsops_bench::control::Control;
use hlsops_bench::figures::{change_percent, median, percentile_of_whole};
use hlsops_bench::origin_child::{OriginChild, OriginOptions};
use hlsops_bench::table::Table;
use hlsops_bench::{BenchError, origin_child, stand};
use hlsops_domain::{EpochMs, Event, StreamState};
use hlsops_watch::{Poll, Sink, SystemClock};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Measures the pace of good streams beside tar pits.
#[derive(Parser)]
struct Options {
    /// Good streams, and as many tar pits.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    streams: u8,
    /// Runs beside tar pits; alone one more.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=20))]
    pairs: u8,
    /// The measured stretch of each run. Unit: seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(4..=300))]
    seconds: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Subcommand)]
enum Role {
    /// Serve.
    #[command(hide = true)]
    Origin(OriginOptions),
}

/// Until all have started.
const WARM_UP: Duration = Duration::from_secs(6);

/// Streams start evenly over a target duration.
const START_OVER: Duration = Duration::from_secs(4);

/// Target duration of the origin's streams. Unit: milliseconds.
const TARGET_MS: f64 = 4_000.0;

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pace: cannot start worker threads: {error}");
            return ExitCode::from(70);
        }
    };
    let done = match &options.role {
        Some(Role::Origin(origin)) => runtime.block_on(origin_child::serve(*origin)),
        None => runtime.block_on(compare(&options)),
    };
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pace: {error}");
            ExitCode::from(70)
        }
    }
}

/// How late the loads of one run began.
#[derive(Clone, Copy, Debug)]
struct Lateness {
    polls: usize,
    p50_ms: f64,
    p95_ms: f64,
    max_ms: u64,
    /// What a thread that only sleeps overslept meanwhile, 99th percentile.
    control_ms: f64,
}

impl Lateness {
    fn new(late_ms: &[u64], control_ms: f64) -> Self {
        let percentile = |share| percentile_of_whole(late_ms, share).unwrap_or(0.0);
        let max_ms = late_ms.iter().copied().max().unwrap_or(0);
        Self { polls: late_ms.len(), p50_ms: percentile(0.5), p95_ms: percentile(0.95), max_ms, control_ms }
    }

    /// p95 as a share of the target duration.
    fn of_target(&self) -> f64 {
        self.p95_ms / TARGET_MS
    }

    fn cells(&self, run: &str, change: Option<f64>) -> Vec<String> {
        vec![
            run.into(),
            self.polls.to_string(),
            format!("{:.2}", self.p50_ms),
            format!("{:.2}", self.p95_ms),
            self.max_ms.to_string(),
            format!("{:.5}", self.of_target()),
            format!("{:.1}", self.control_ms),
            change.map_or_else(|| "-".into(), |percent| format!("{percent:+.1} %")),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "polls": self.polls, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "max_ms": self.max_ms,
            "control_p99_ms": self.control_ms,
            "p95_over_target": self.of_target(),
        })
    }
}

async fn compare(options: &Options) -> Result<(), BenchError> {
    let good = usize::from(options.streams);
    let setup = OriginOptions { good, tarpits: good, hosts: options.streams * 2 };
    let origin = OriginChild::start(setup).await?;
    println!(
        "{good} good streams, with and without {good} tar pits; {} runs with, {} s each",
        options.pairs, options.seconds
    );
    let head = ["run", "polls", "p50 ms", "p95 ms", "max ms", "p95 over TD", "control ms", "change of p95"];
    let mut table = Table::new(1, &head);
    let mut before = one_run(&origin, options, good).await?;
    table.add(before.cells("A", None));
    let (mut changes, mut spread, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 1..=options.pairs {
        let beside = one_run(&origin, options, good * 2).await?;
        let after = one_run(&origin, options, good).await?;
        let change = change_percent((before.p95_ms * after.p95_ms).sqrt(), beside.p95_ms);
        let control = change_percent(before.p95_ms, after.p95_ms);
        println!(
            "pair {pair}: p95 {:.2} ms beside, {:.2} and {:.2} ms alone",
            beside.p95_ms, before.p95_ms, after.p95_ms
        );
        table.add(beside.cells("B", change));
        table.add(after.cells("A", control));
        rows.push(json!({"before": before.json(), "beside": beside.json(), "after": after.json(),
            "change_percent": change, "control_percent": control}));
        changes.extend(change);
        spread.extend(control);
        before = after;
    }
    origin.end().await;
    print!("\n{}", table.text());
    println!("\nmedian change of p95 beside tar pits: {} (target: less than +10 %)", said(&changes));
    println!("the same of runs alone, one after the other: {}", said(&spread));
    let figures = json!({
        "bench": "pace", "streams": good, "tarpits": good, "seconds": options.seconds, "pairs": rows,
        "median_change_percent": median(&changes), "median_control_percent": median(&spread),
    });
    println!("{figures}");
    Ok(())
}

/// The median and the two ends.
fn said(percents: &[f64]) -> String {
    let ends = percents.iter().copied().reduce(f64::min).zip(percents.iter().copied().reduce(f64::max));
    match median(percents).zip(ends) {
        Some((middle, (least, most))) => format!("{middle:+.1} %, from {least:+.1} to {most:+.1} %"),
        None => "none: nothing was ever late".into(),
    }
}

/// Watches the first `count` streams; the tar pits come after the good ones.
async fn one_run(origin: &OriginChild, options: &Options, count: usize) -> Result<Lateness, BenchError> {
    let urls = &origin.urls[..count.min(origin.urls.len())];
    let good = usize::from(options.streams);
    let fetcher = stand::fetcher(urls)?;
    let clock = SystemClock::new();
    let late_ms = Arc::new(Mutex::new(Vec::new()));
    let mut watchers = JoinSet::new();
    let end = tokio::time::Instant::now() + WARM_UP;
    // A good one, a tar pit, a good one: they start at the same time.
    for number in 0..good {
        for place in [number, number + good].into_iter().filter(|place| *place < urls.len()) {
            let sink = PaceSink((place < good).then(|| Arc::clone(&late_ms)));
            stand::spawn_watcher(&mut watchers, &fetcher, clock, urls[place].clone(), true, sink);
        }
        sleep(START_OVER / u32::from(options.streams)).await;
    }
    tokio::time::sleep_until(end).await;
    late_ms.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let control = Control::start();
    sleep(Duration::from_secs(options.seconds)).await;
    let control_ms = control.p99_ms();
    let lateness = Lateness::new(&late_ms.lock().unwrap_or_else(PoisonError::into_inner), control_ms);
    watchers.shutdown().await;
    Ok(lateness)
}

/// Notes how late loads begin; of tar pits nothing.
struct PaceSink(Option<Arc<Mutex<Vec<u64>>>>);

impl Sink for PaceSink {
    fn stepped(&mut self, _state: &StreamState, _at: EpochMs, _events: &[Event]) {}

    fn polled(&mut self, poll: Poll) {
        if let Some(late_ms) = &self.0 {
            let late = poll.started.0.abs_diff(poll.planned.0);
            late_ms.lock().unwrap_or_else(PoisonError::into_inner).push(late);
        }
    }
}
