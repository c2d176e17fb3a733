//! Healthy streams of every kind for ten minutes: `cargo xtask bench healthy`.
//!
//! After its first HEALTHY no stream may leave it, and none may bring a finding: a monitor that cries wolf is turned
//! off. Each stream is on an address of its own. Ends with 1 if one was not left in peace.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Parser;
use hlsops_bench::table::Table;
use hlsops_bench::{BenchError, stand};
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, Event, EventKind, HealthState, StreamState};
use hlsops_origin::{Container, Fault, FaultKind, Layout, Origin, OriginConfig, SegmentLength, StreamSpec};
use hlsops_watch::{Poll, Sink, SystemClock};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use url::Url;

/// Watches healthy streams of every kind.
#[derive(Parser)]
struct Options {
    /// How long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    minutes: u64,
}

/// What is peculiar, and no fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Twist {
    Plain,
    Gzip,
    Redirect,
    /// A new numbering from 0, once a minute.
    Restart,
    /// Each seventh playlist is two segments behind: older than the one before.
    OlderCopy,
}

const TWISTS: [(Twist, &str); 5] = [
    (Twist::Plain, "plain"),
    (Twist::Gzip, "gzip"),
    (Twist::Redirect, "redirect"),
    (Twist::Restart, "restart"),
    (Twist::OlderCopy, "older-copy"),
];

/// Time between two restarts of one stream. Long enough for the numbers of the restart before to leave the list
/// of 10 s segments: a number that is given twice in one list's life is a fault.
const RESTART_EVERY: Duration = Duration::from_secs(150);

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("healthy: cannot start worker threads: {error}");
            return ExitCode::from(70);
        }
    };
    match runtime.block_on(run(Duration::from_secs(options.minutes * 60))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("healthy: {error}");
            ExitCode::from(70)
        }
    }
}

/// Every length, container and layout plain; of each twist every length, container and layout in turn.
fn streams() -> Vec<(String, StreamSpec, Twist)> {
    let mut all = Vec::new();
    for (twist, word) in TWISTS {
        for segment in SegmentLength::ALL {
            for container in Container::ALL {
                for layout in Layout::ALL {
                    let odd = (container == Container::Ts) == (layout == Layout::Master);
                    if twist != Twist::Plain && !odd {
                        continue;
                    }
                    let (container_name, layout_name) = (container.name(), layout.name());
                    let name = format!("{word}-{}s-{container_name}-{layout_name}", segment.seconds());
                    let (gzip, redirect) = (twist == Twist::Gzip, twist == Twist::Redirect);
                    let spec =
                        StreamSpec { layout, container, segment, gzip, redirect, ..StreamSpec::DEFAULT };
                    all.push((name, spec, twist));
                }
            }
        }
    }
    all
}

async fn run(length: Duration) -> Result<bool, BenchError> {
    let streams = streams();
    let hosts = u8::try_from(streams.len()).unwrap_or(u8::MAX);
    let origin = Origin::start(OriginConfig { listen: stand::hosts(hosts), demo: false }).await?;
    let mut urls = Vec::new();
    for (number, (name, spec, twist)) in streams.iter().enumerate() {
        origin.add_stream(name, *spec)?;
        if *twist == Twist::OlderCopy {
            let copy = Fault::new(FaultKind::OlderCopy { segments: 2 });
            origin.set_fault(name, Fault { every: Some(7), ..copy })?;
        }
        urls.push(Url::parse(&origin.url_at(number, name))?);
    }
    let fetcher = stand::fetcher(&urls)?;
    let records: Vec<Arc<Mutex<Record>>> = streams.iter().map(|_| Arc::default()).collect();
    let mut watchers = JoinSet::new();
    println!("{} healthy streams, each on its own address, for {} min", streams.len(), length.as_secs() / 60);
    for (url, record) in urls.into_iter().zip(&records) {
        let sink = RecordSink(Arc::clone(record));
        stand::spawn_watcher(&mut watchers, &fetcher, SystemClock::new(), url, true, sink);
    }
    restart_now_and_then(&origin, &streams, length).await?;
    watchers.shutdown().await;
    let all: Vec<Record> = records.iter().map(|record| lock(record).clone()).collect();
    origin.stop().await;
    Ok(report(&streams, &all, length))
}

/// Restarts the encoders that do, one after the other, until the time is up.
async fn restart_now_and_then(
    origin: &Origin,
    streams: &[(String, StreamSpec, Twist)],
    length: Duration,
) -> Result<(), BenchError> {
    let restarting: Vec<&String> =
        streams.iter().filter(|(_, _, twist)| *twist == Twist::Restart).map(|(name, ..)| name).collect();
    let end = Instant::now() + length;
    let apart = RESTART_EVERY / u32::try_from(restarting.len().max(1)).unwrap_or(u32::MAX);
    let mut next = Instant::now() + Duration::from_secs(30);
    for name in restarting.iter().cycle() {
        if next >= end {
            break;
        }
        sleep_until(next).await;
        next += apart;
        // What was renumbered stays so; only the list of faults, which is bounded, begins anew.
        origin.clear_faults(name)?;
        origin.set_fault(name, Fault::new(FaultKind::EncoderRestart { first: 0 }))?;
    }
    sleep_until(end).await;
    Ok(())
}

/// What one stream brought.
#[derive(Clone, Debug, Default)]
struct Record {
    looks: u64,
    segments: u64,
    restarts: u64,
    older_copies: u64,
    healthy_at: Option<EpochMs>,
    worst: Option<HealthState>,
    findings: u64,
    /// The first things that should not be, with the time since the stream was HEALTHY.
    wrong: Vec<String>,
}

impl Record {
    /// Most lines kept of one stream.
    const MAX_WRONG: usize = 12;

    fn note(&mut self, at: EpochMs, line: &str) {
        if self.wrong.len() < Self::MAX_WRONG {
            let since = at.since(self.healthy_at.unwrap_or(at)).as_secs_f64();
            self.wrong.push(format!("{since:.1} s: {line}"));
        }
    }

    fn in_peace(&self) -> bool {
        self.findings == 0 && self.worst == Some(HealthState::Healthy) && self.wrong.is_empty()
    }

    fn take(&mut self, event: &Event) {
        match &event.kind {
            EventKind::SegmentObtained { .. } => self.segments += 1,
            EventKind::EncoderRestarted { .. } => self.restarts += 1,
            EventKind::OlderCopy { .. } => self.older_copies += 1,
            EventKind::Finding(finding) => {
                self.findings += 1;
                self.note(event.at, &format!("{} {}", finding.rule.code, finding.message));
            }
            EventKind::Playlist { from, to } if *from != PlaylistState::Unknown => {
                self.note(event.at, &format!("playlist {} -> {}", from.name(), to.name()));
            }
            EventKind::LoadFailed(failure) => self.note(event.at, &format!("load failed: {failure}")),
            EventKind::SegmentFailed { sequence, failure, .. } => {
                self.note(event.at, &format!("segment {sequence}: {failure}"));
            }
            _ => {}
        }
    }
}

struct RecordSink(Arc<Mutex<Record>>);

impl Sink for RecordSink {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        let mut record = lock(&self.0);
        for event in events {
            record.take(event);
        }
        let health = &state.health;
        if record.healthy_at.is_none() && health.state == HealthState::Healthy {
            record.healthy_at = Some(at);
        }
        if record.healthy_at.is_none() {
            return;
        }
        // NO DATA sorts before HEALTHY, and is as wrong here as the others.
        let is_worse = health.state != HealthState::Healthy && record.worst != Some(health.state);
        if record.worst.is_none() || is_worse {
            record.worst = Some(health.state);
        }
        if is_worse {
            let reasons: Vec<String> = health.reasons.iter().map(|r| r.what.to_string()).collect();
            record.note(at, &format!("{}: {}", health.state.name(), reasons.join("; ")));
        }
    }

    fn polled(&mut self, _poll: Poll) {
        lock(&self.0).looks += 1;
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(streams: &[(String, StreamSpec, Twist)], records: &[Record], length: Duration) -> bool {
    let head = ["stream", "worst health", "looks", "segments", "restarts", "older copies", "findings"];
    let mut table = Table::new(2, &head);
    let mut rows: Vec<Value> = Vec::new();
    for ((name, ..), record) in streams.iter().zip(records) {
        let worst = record.worst.map_or("never HEALTHY", HealthState::name);
        let counts = [record.looks, record.segments, record.restarts, record.older_copies, record.findings];
        let mut row = vec![name.clone(), worst.to_owned()];
        row.extend(counts.map(|count| count.to_string()));
        table.add(row);
        rows.push(json!({
            "stream": name, "worst": worst, "looks": record.looks, "segments": record.segments,
            "restarts": record.restarts, "older_copies": record.older_copies, "findings": record.findings,
            "wrong": record.wrong,
        }));
    }
    print!("{}", table.text());
    for ((name, ..), record) in streams.iter().zip(records).filter(|(_, record)| !record.in_peace()) {
        println!("\n{name}, after its first HEALTHY:");
        record.wrong.iter().for_each(|line| println!("  {line}"));
    }
    let disturbed = records.iter().filter(|record| !record.in_peace()).count();
    println!("\n{} streams, {disturbed} not left in peace", streams.len());
    let figures = json!({
        "bench": "healthy", "minutes": length.as_secs() / 60, "streams": streams.len(),
        "disturbed": disturbed, "findings": records.iter().map(|r| r.findings).sum::<u64>(), "rows": rows,
    });
    println!("{figures}");
    disturbed == 0
}
