//! Whether tar pits slow down the others: `cargo xtask bench pace`.
//!
//! How late do the playlist loads of good streams begin, alone and with as many tar pits beside them, all on loopback
//! addresses of their own? Lateness is known in whole milliseconds; percentiles are interpolated between them.
//!
//! Three watchers run at the same time, each in a process of its own: good streams alone twice (A), and once with the
//! tar pits (B), so that whatever else the machine does befalls all three. Each B is compared with the two A beside
//! it, and these with each other: that change has no cause but the machine, and its spread is what a change of B has
//! to be held against. Every run counts; none is left out for how it went.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use hlsops_bench::child::{Answering, urls_of_parent};
use hlsops_bench::figures::{change_percent, median, percentile_of_whole};
use hlsops_bench::origin_child::{OriginChild, OriginOptions};
use hlsops_bench::table::Table;
use hlsops_bench::{BenchError, origin_child, stand};
use hlsops_domain::{EpochMs, Event, StreamState};
use hlsops_watch::{Poll, Sink, SystemClock};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

/// Measures the pace of good streams beside tar pits.
#[derive(Parser)]
struct Options {
    /// Good streams, and as many tar pits.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    streams: u8,
    /// Rounds of runs.
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
    /// Watch.
    #[command(hide = true)]
    Follow(FollowOptions),
}

/// How one run goes.
#[derive(Args, Clone, Copy, Debug)]
struct FollowOptions {
    /// How many of the streams are good; they come first.
    #[arg(long)]
    good: usize,
    /// The measured stretch.
    #[arg(long)]
    seconds: u64,
    /// Which third of the time between two starts it begins in: no two watchers load in step.
    #[arg(long)]
    turn: u32,
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
        Some(Role::Follow(follow)) => runtime.block_on(follow_streams(*follow)),
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
}

impl Lateness {
    fn new(late_ms: &[u64]) -> Self {
        let percentile = |share| percentile_of_whole(late_ms, share).unwrap_or(0.0);
        let max_ms = late_ms.iter().copied().max().unwrap_or(0);
        Self { polls: late_ms.len(), p50_ms: percentile(0.5), p95_ms: percentile(0.95), max_ms }
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
            change.map_or_else(|| "-".into(), |percent| format!("{percent:+.1} %")),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "polls": self.polls, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "max_ms": self.max_ms,
            "p95_over_target": self.of_target(),
        })
    }
}

async fn compare(options: &Options) -> Result<(), BenchError> {
    let good = usize::from(options.streams);
    let setup = OriginOptions { good, tarpits: good, hosts: options.streams * 2 };
    let origin = OriginChild::start(setup).await?;
    println!(
        "{good} good streams, with and without {good} tar pits; {} rounds, {} s each",
        options.pairs, options.seconds
    );
    let head = ["run", "polls", "p50 ms", "p95 ms", "max ms", "p95 over TD", "change of p95"];
    let mut table = Table::new(1, &head);
    let (mut changes, mut spread, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=options.pairs {
        // Who begins first changes from round to round.
        let turn = |place: u8| u32::from((place + round) % 3);
        let (first, beside, second) = tokio::try_join!(
            one_run(&origin, options, good, turn(0)),
            one_run(&origin, options, good * 2, turn(1)),
            one_run(&origin, options, good, turn(2)),
        )?;
        let change = change_percent((first.p95_ms * second.p95_ms).sqrt(), beside.p95_ms);
        let control = change_percent(first.p95_ms, second.p95_ms);
        println!(
            "round {round}: p95 {:.2} ms beside, {:.2} and {:.2} ms alone",
            beside.p95_ms, first.p95_ms, second.p95_ms
        );
        table.add(first.cells("A", None));
        table.add(beside.cells("B", change));
        table.add(second.cells("A", control));
        rows.push(json!({"first": first.json(), "beside": beside.json(), "second": second.json(),
            "change_percent": change, "control_percent": control}));
        changes.extend(change);
        spread.extend(control);
    }
    origin.end().await;
    print!("\n{}", table.text());
    println!("\nmedian change of p95 beside tar pits: {} (target: less than +10 %)", said(&changes));
    println!("the same of two runs alone: {}", said(&spread));
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

/// Watches the first `count` streams in a process of its own; the tar pits come after the good ones.
async fn one_run(
    origin: &OriginChild,
    options: &Options,
    count: usize,
    turn: u32,
) -> Result<Lateness, BenchError> {
    let (good, seconds) = (options.streams, options.seconds);
    let arguments =
        ["follow".into(), format!("--good={good}"), format!("--seconds={seconds}"), format!("--turn={turn}")];
    let mut process = Answering::start("follow", &arguments)?;
    let urls: Vec<&str> = origin.urls.iter().take(count).map(Url::as_str).collect();
    let limit = WARM_UP + Duration::from_secs(seconds + 60);
    let answer = process.ask(&json!(urls).to_string(), limit).await?;
    process.end().await;
    let late_ms: Option<Vec<u64>> =
        answer.as_array().map(|all| all.iter().filter_map(Value::as_u64).collect());
    Ok(Lateness::new(&late_ms.ok_or(BenchError::NoFigures { role: "follow" })?))
}

/// The child: reads the URLs from a line of its input, watches them, writes how late loads began.
async fn follow_streams(options: FollowOptions) -> Result<(), BenchError> {
    let urls = urls_of_parent()?;
    let fetcher = stand::fetcher(&urls)?;
    let clock = SystemClock::new();
    let late_ms = Arc::new(Mutex::new(Vec::new()));
    let mut watchers = JoinSet::new();
    let end = tokio::time::Instant::now() + WARM_UP;
    let apart = START_OVER / u32::try_from(options.good.max(1)).unwrap_or(u32::MAX);
    sleep(apart * options.turn / 3).await;
    // A good one, a tar pit, a good one: they start at the same time.
    for number in 0..options.good {
        for place in [number, number + options.good].into_iter().filter(|place| *place < urls.len()) {
            let sink = PaceSink((place < options.good).then(|| Arc::clone(&late_ms)));
            stand::spawn_watcher(&mut watchers, &fetcher, clock, urls[place].clone(), true, sink);
        }
        sleep(apart).await;
    }
    tokio::time::sleep_until(end).await;
    late_ms.lock().unwrap_or_else(PoisonError::into_inner).clear();
    sleep(Duration::from_secs(options.seconds)).await;
    let late_ms = late_ms.lock().unwrap_or_else(PoisonError::into_inner).clone();
    writeln!(stdout(), "{}", json!(late_ms)).map_err(BenchError::io("cannot write the figures"))?;
    watchers.shutdown().await;
    Ok(())
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
