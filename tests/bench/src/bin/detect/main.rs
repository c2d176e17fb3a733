//! How soon each fault of the origin is recognised: `cargo xtask bench detect`.
//!
//! Each fault has a stream on an address of its own; all run at once. When all are HEALTHY and Live the faults are
//! set; times count from the first faulty answer that the origin served. Ends with 1 if a fault was not recognised,
//! or something was found that is no fault. A missed target is shown, but times are judged by people.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod cases;
mod seen;
mod verdict;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use hlsops_bench::table::{Table, seconds};
use hlsops_bench::{BenchError, stand};
use hlsops_domain::EpochMs;
use hlsops_origin::{Origin, OriginConfig, SegmentLength};
use hlsops_watch::{Clock, SystemClock};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use cases::Case;
use seen::{Seen, SeenSink, lock};
use verdict::Verdict;

/// Measures how soon faults are recognised.
#[derive(Parser)]
struct Options {
    /// Segment length and target duration: 2, 4, 6 or 10.
    #[arg(long, default_value_t = 4)]
    segment_s: u64,
    /// How long to look after the faults were set. The master's come at its next reload, up to 30 s later.
    #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u64).range(5..=900))]
    seconds: u64,
    /// Also tell what happened on each stream.
    #[arg(long)]
    stories: bool,
}

/// Time for all streams to come up.
const SETTLE_LIMIT: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    let options = Options::parse();
    let Some(segment) = SegmentLength::ALL.into_iter().find(|known| known.seconds() == options.segment_s)
    else {
        eprintln!("detect: --segment-s must be 2, 4, 6 or 10; it is {}", options.segment_s);
        return ExitCode::from(64);
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("detect: cannot start worker threads: {error}");
            return ExitCode::from(70);
        }
    };
    match runtime.block_on(run(&options, segment)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("detect: {error}");
            ExitCode::from(70)
        }
    }
}

async fn run(options: &Options, segment: SegmentLength) -> Result<bool, BenchError> {
    let cases = cases::all(segment);
    let hosts = u8::try_from(cases.len()).unwrap_or(u8::MAX);
    let origin = Origin::start(OriginConfig { listen: stand::hosts(hosts), demo: false }).await?;
    let mut urls = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        origin.add_stream(&stream_name(number), case.spec)?;
        urls.push(Url::parse(&origin.url_at(number, &stream_name(number)))?);
    }
    let fetcher = stand::fetcher(&urls)?;
    let clock = SystemClock::new();
    let all_seen: Vec<Arc<Mutex<Seen>>> = cases.iter().map(|_| Arc::default()).collect();
    let mut watchers = JoinSet::new();
    for (url, seen) in urls.into_iter().zip(&all_seen) {
        stand::spawn_watcher(&mut watchers, &fetcher, clock, url, true, SeenSink(Arc::clone(seen)));
    }
    settle(&cases, &all_seen).await?;
    println!("{} streams HEALTHY and Live; setting the faults, {} s", cases.len(), options.seconds);
    for ((number, case), seen) in cases.iter().enumerate().zip(&all_seen) {
        lock(seen).noting = true;
        origin.set_fault(&stream_name(number), case.fault)?;
    }
    sleep(Duration::from_secs(options.seconds)).await;
    watchers.shutdown().await;
    // The origin's clock and the watcher's began at different moments of the same one.
    let ahead_ms = i128::from(origin.now_ms()) - i128::from(clock.now().0);
    let ours = |ms: u64| EpochMs(u64::try_from(i128::from(ms) - ahead_ms).unwrap_or_default());
    let verdicts: Vec<Verdict> = cases
        .iter()
        .enumerate()
        .zip(&all_seen)
        .map(|((number, case), seen)| {
            Verdict::new(case, &lock(seen), origin.first_faulty(&stream_name(number)).map(ours))
        })
        .collect();
    origin.stop().await;
    Ok(report(options, &verdicts))
}

fn stream_name(number: usize) -> String {
    format!("case-{number}")
}

async fn settle(cases: &[Case], all_seen: &[Arc<Mutex<Seen>>]) -> Result<(), BenchError> {
    let end = Instant::now() + SETTLE_LIMIT;
    loop {
        sleep(Duration::from_millis(250)).await;
        let open: Vec<&str> = cases
            .iter()
            .zip(all_seen)
            .filter(|(_, seen)| !lock(seen).settled)
            .map(|(case, _)| case.name.as_str())
            .collect();
        if open.is_empty() {
            // Buffers full, first segments out of the way.
            sleep(Duration::from_secs(5)).await;
            return Ok(());
        }
        if Instant::now() > end {
            let (count, names) = (open.len(), open.join(", "));
            return Err(BenchError::NotSettled { count, limit: SETTLE_LIMIT, names });
        }
    }
}

fn report(options: &Options, verdicts: &[Verdict]) -> bool {
    let head = [
        "fault",
        "stream",
        "first event",
        "playlist",
        "first reason",
        "worst health",
        "findings",
        "recognised",
        "target",
        "",
    ];
    let mut table = Table::new(7, &head);
    for verdict in verdicts {
        let spec = &verdict.case.spec;
        let at = |at: f64, what: &str| format!("{at:.1} {}", what.chars().take(40).collect::<String>());
        let codes: Vec<String> = verdict.codes.iter().map(|(s, code)| at(*s, code)).collect();
        let word = match (verdict.faults.is_empty(), verdict.in_time()) {
            (false, _) => "WRONG",
            (true, Some(false)) => "late",
            (true, _) => "ok",
        };
        table.add(vec![
            verdict.case.name.clone(),
            format!("{} {}", spec.layout.name(), spec.container.name()),
            verdict.first_event.as_ref().map_or("-".into(), |(s, what)| at(*s, what)),
            verdict.playlist.map_or("-".into(), |(s, what)| at(s, what)),
            verdict.reason.as_ref().map_or("-".into(), |(s, what)| at(*s, what)),
            verdict.health.map_or("-".into(), |(s, what)| at(s, what.name())),
            if codes.is_empty() { "-".into() } else { codes.join(", ") },
            seconds(verdict.recognised),
            seconds(verdict.case.expect.target_s),
            word.into(),
        ]);
    }
    println!("\nseconds from the first faulty answer served; target duration {} s", options.segment_s);
    print!("{}", table.text());
    let wrong: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.faults.is_empty()).collect();
    let told = verdicts.iter().filter(|verdict| options.stories || !verdict.faults.is_empty());
    for verdict in told {
        let (layout, container) = (verdict.case.spec.layout.name(), verdict.case.spec.container.name());
        println!("\n{} ({layout} {container}): {}", verdict.case.name, verdict.faults.join("; "));
        verdict.story.iter().for_each(|line| println!("  {line}"));
    }
    let late = verdicts.iter().filter(|verdict| verdict.in_time() == Some(false)).count();
    println!("\n{} faults and changes, {} wrong, {late} past their target", verdicts.len(), wrong.len());
    let rows: Vec<_> = verdicts.iter().map(Verdict::json).collect();
    let figures = json!({
        "bench": "detect", "segment_s": options.segment_s, "cases": verdicts.len(), "wrong": wrong.len(),
        "late": late, "rows": rows,
    });
    println!("{figures}");
    wrong.is_empty()
}
