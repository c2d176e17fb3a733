//! What watching costs beside bare fetching: `cargo xtask bench watch`.
//!
//! The watcher and a loop that makes the same requests with the same HTTP library and throws the bytes away run at the
//! same time, each in a process of its own with an origin of its own, so that whatever else the machine does befalls
//! both. CPU time is taken over a steady stretch after all streams have started, user and system time of all threads,
//! in windows of a target duration, which hold the same work each; memory is the process's peak, the start included.
//! `stored` is the whole product's watcher: the same one under a lease, with every minute in a table on disk.
//! What they really asked for comes from the origins' ledgers of the same stretch. `ratio` is the median of the
//! windows' ratios, watch over bare; CPU ms are the medians of the windows, those of `stored` the mean of the stretch,
//! since it writes once a minute.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod follower;
mod stored;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use hlsops_bench::child::Answering;
use hlsops_bench::figures::median;
use hlsops_bench::origin_child::{OriginChild, OriginOptions, Served};
use hlsops_bench::table::Table;
use hlsops_bench::{BenchError, origin_child};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use follower::{FollowOptions, Side};

/// Measures CPU time and memory of watching, beside a bare fetch loop.
#[derive(Parser)]
struct Options {
    /// How many streams to watch; several in turn.
    #[arg(long, value_delimiter = ',', default_value = "10,50,200",
          value_parser = clap::value_parser!(u16).range(1..=2_000))]
    streams: Vec<u16>,
    /// The measured stretch of each run: whole minutes hold a fair share of what is stored. Unit: seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..=300))]
    seconds: u64,
    /// Rounds of runs per line of the table.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=9))]
    rounds: u8,
    /// Watcher and bare loop on one thread each; else on as many as there are cores.
    #[arg(long)]
    one_thread: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Subcommand)]
enum Role {
    /// Serve.
    #[command(hide = true)]
    Origin(OriginOptions),
    /// Watch or fetch.
    #[command(hide = true)]
    Follow(FollowOptions),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut runtime = match &options.role {
        Some(Role::Follow(FollowOptions { one_thread: true, .. })) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("watch: cannot start the runtime: {error}");
            return ExitCode::from(70);
        }
    };
    let done = match &options.role {
        Some(Role::Origin(origin)) => runtime.block_on(origin_child::serve(*origin)),
        Some(Role::Follow(follow)) => runtime.block_on(follower::run(follow)),
        None => runtime.block_on(compare(&options)),
    };
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("watch: {error}");
            ExitCode::from(70)
        }
    }
}

/// What one run brought.
#[derive(Clone, Debug)]
struct Run {
    stream_minutes: f64,
    /// CPU time of each window. Unit: milliseconds.
    windows_ms: Vec<f64>,
    peak_mib: f64,
    /// Streams that are not HEALTHY, or requests that failed.
    trouble: u64,
    served: Served,
}

impl Run {
    /// CPU time per stream-minute of a usual window. Unit: milliseconds.
    fn usual_cpu_ms(&self) -> f64 {
        median(&self.windows_ms).unwrap_or(0.0) * self.windows_ms.len() as f64 / self.stream_minutes
    }

    /// CPU time per stream-minute of the whole stretch. Unit: milliseconds.
    fn mean_cpu_ms(&self) -> f64 {
        self.windows_ms.iter().sum::<f64>() / self.stream_minutes
    }
}

async fn compare(options: &Options) -> Result<(), BenchError> {
    let head = [
        "mode",
        "streams",
        "watch ms",
        "bare ms",
        "stored ms",
        "ratio",
        "quarter to quarter",
        "watch MiB",
        "bare MiB",
        "stored MiB",
        "playlists w / b / s",
        "segments w / b / s",
        "MB w / b / s",
        "trouble w / b / s",
    ];
    println!(
        "CPU ms, requests and MB per stream-minute; {} rounds of {} s; masters of 3 video renditions and audio, 4 s TS",
        options.rounds, options.seconds
    );
    let mut table = Table::new(1, &head);
    let mut rows: Vec<Value> = Vec::new();
    for fetch_segments in [true, false] {
        for &streams in &options.streams {
            let runs = cell(options, streams, fetch_segments).await?;
            let row = Row::new(streams, fetch_segments, &runs);
            println!("{}", row.progress());
            table.add(row.cells());
            rows.push(row.json());
        }
    }
    print!("\n{}", table.text());
    println!(
        "{}",
        json!({"bench": "watch", "seconds": options.seconds, "rounds": options.rounds, "one_thread": options.one_thread, "rows": rows})
    );
    Ok(())
}

/// The runs of the sides, in the order of [`SIDES`].
type Runs = [Vec<Run>; 3];

const SIDES: [Side; 3] = [Side::Watch, Side::Bare, Side::Stored];

/// All sides at the same time.
async fn cell(options: &Options, streams: u16, fetch_segments: bool) -> Result<Runs, BenchError> {
    let (good, tarpits, hosts) = (usize::from(streams), 0, 1);
    let origin = || OriginChild::start(OriginOptions { good, tarpits, hosts });
    let [mut first, mut second, mut third] = [origin().await?, origin().await?, origin().await?];
    let mut runs = Runs::default();
    for _ in 0..options.rounds {
        let [watch, bare, stored] = SIDES;
        let (watch, bare, stored) = tokio::try_join!(
            one_run(&mut first, options, fetch_segments, watch),
            one_run(&mut second, options, fetch_segments, bare),
            one_run(&mut third, options, fetch_segments, stored),
        )?;
        runs.iter_mut().zip([watch, bare, stored]).for_each(|(runs, run)| runs.push(run));
    }
    for origin in [first, second, third] {
        origin.end().await;
    }
    Ok(runs)
}

async fn one_run(
    origin: &mut OriginChild,
    options: &Options,
    fetch_segments: bool,
    side: Side,
) -> Result<Run, BenchError> {
    let follow =
        FollowOptions { fetch_segments, side, one_thread: options.one_thread, seconds: options.seconds };
    let mut process = Answering::start("follow", &follow.arguments())?;
    let urls: Vec<&str> = origin.urls.iter().map(url::Url::as_str).collect();
    let limit = follow.length() + Duration::from_secs(60);
    let answer = process.ask(&json!(urls).to_string(), limit).await?;
    process.end().await;
    let number = |key: &str| answer.get(key).and_then(Value::as_f64);
    let whole = |key: &str| answer.get(key).and_then(Value::as_u64);
    let windows =
        || answer.get("windows_ms")?.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    let figures = || {
        Some((windows()?, number("peak_bytes")?, whole("from_ms")?, whole("until_ms")?, whole("trouble")?))
    };
    let (windows_ms, peak_bytes, from_ms, until_ms, trouble) =
        figures().ok_or(BenchError::NoFigures { role: "follow" })?;
    let minutes = (until_ms - from_ms) as f64 / 60_000.0;
    Ok(Run {
        stream_minutes: minutes * urls.len() as f64,
        windows_ms,
        peak_mib: peak_bytes / f64::from(1 << 20),
        trouble,
        served: origin.served(from_ms, until_ms).await?,
    })
}

/// One line of the table.
struct Row {
    streams: u16,
    mode: &'static str,
    sides: [Medians; 3],
    /// Watch over bare, of each window, sorted.
    ratios: Vec<f64>,
}

/// Medians of one side; per stream-minute where that makes sense.
struct Medians {
    cpu_ms: f64,
    peak_mib: f64,
    playlists: f64,
    segments: f64,
    megabytes: f64,
    trouble: u64,
}

impl Medians {
    fn new(runs: &[Run], cpu_ms: fn(&Run) -> f64) -> Self {
        let of = |value: fn(&Run) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>()).unwrap_or(0.0);
        Self {
            cpu_ms: of(cpu_ms),
            peak_mib: of(|run| run.peak_mib),
            playlists: of(|run| run.served.playlists as f64 / run.stream_minutes),
            segments: of(|run| run.served.segments as f64 / run.stream_minutes),
            megabytes: of(|run| run.served.bytes as f64 / run.stream_minutes / 1e6),
            trouble: runs.iter().map(|run| run.trouble + run.served.refused).sum(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "cpu_ms": self.cpu_ms, "peak_mib": self.peak_mib, "playlists": self.playlists,
            "segments": self.segments, "megabytes": self.megabytes, "trouble": self.trouble,
        })
    }
}

impl Row {
    fn new(streams: u16, fetch_segments: bool, runs: &Runs) -> Self {
        let [watched, bare, stored] = runs;
        let windows = |run: &Run| run.windows_ms.clone();
        let pairs = watched.iter().flat_map(windows).zip(bare.iter().flat_map(windows));
        let mut ratios: Vec<f64> = pairs.map(|(watch, bare)| watch / bare).collect();
        ratios.sort_by(f64::total_cmp);
        let mode = if fetch_segments { "full segments" } else { "playlists only" };
        let sides = [
            Medians::new(watched, Run::usual_cpu_ms),
            Medians::new(bare, Run::usual_cpu_ms),
            Medians::new(stored, Run::mean_cpu_ms),
        ];
        Self { streams, mode, sides, ratios }
    }

    fn ratio(&self) -> f64 {
        median(&self.ratios).unwrap_or(0.0)
    }

    /// The middle half of the ratios.
    fn quarters(&self) -> [f64; 2] {
        let count = self.ratios.len();
        [count / 4, (count * 3 / 4).min(count.saturating_sub(1))]
            .map(|at| self.ratios.get(at).copied().unwrap_or(0.0))
    }

    fn spread(&self) -> String {
        let [from, to] = self.quarters();
        format!("{from:.2} - {to:.2}")
    }

    fn progress(&self) -> String {
        format!(
            "{} streams, {}: ratio {:.2}, half of them {}",
            self.streams,
            self.mode,
            self.ratio(),
            self.spread()
        )
    }

    fn cells(&self) -> Vec<String> {
        let [watched, bare, stored] = &self.sides;
        let both = |value: fn(&Medians) -> f64| {
            format!("{:.1} / {:.1} / {:.1}", value(watched), value(bare), value(stored))
        };
        vec![
            self.mode.into(),
            self.streams.to_string(),
            format!("{:.1}", watched.cpu_ms),
            format!("{:.1}", bare.cpu_ms),
            format!("{:.1}", stored.cpu_ms),
            format!("{:.2}", self.ratio()),
            self.spread(),
            format!("{:.0}", watched.peak_mib),
            format!("{:.0}", bare.peak_mib),
            format!("{:.0}", stored.peak_mib),
            both(|side| side.playlists),
            both(|side| side.segments),
            both(|side| side.megabytes),
            format!("{} / {} / {}", watched.trouble, bare.trouble, stored.trouble),
        ]
    }

    fn json(&self) -> Value {
        let [watched, bare, stored] = &self.sides;
        json!({
            "mode": self.mode, "streams": self.streams, "ratio": self.ratio(), "quarters": self.quarters(),
            "watch": watched.json(), "bare": bare.json(), "stored": stored.json(),
        })
    }
}
