//! `hlsops serve` killed with SIGKILL at random moments, under faults: `cargo xtask bench killed`.
//!
//! Every answered write must be read back, every media sequence number appear once, as a result or inside one gap
//! event, no stream have two open incidents, and no chain of minutes have a hole. Ends with 1 if not.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use hlsops_bench::killed::{Killing, Outcome, run};
use hlsops_bench::table::Table;
use serde_json::json;

/// Kills `hlsops serve` at random moments and looks at what its table says.
#[derive(Parser)]
struct Options {
    /// How often.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    kills: u32,
    /// What chance begins with [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// The program [default: `hlsops` beside this one]
    #[arg(long)]
    program: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("hlsops"));
    let program = options.program.or_else(beside).unwrap_or_else(|| "hlsops".into());
    if !program.is_file() {
        eprintln!("killed: there is no `{}`: run `cargo build --release -p hlsops`", program.display());
        return ExitCode::from(64);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("killed: cannot start worker threads: {error}");
            return ExitCode::from(70);
        }
    };
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    let seed = options.seed.unwrap_or(time.into());
    let killing = Killing { program, kills: options.kills, seed, life_ms: (400, 25_000) };
    match runtime.block_on(run(&killing)) {
        Ok(outcome) => {
            print(&killing, &outcome);
            if outcome.verdict.is_clean() && outcome.ended_well {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("killed: {error}");
            ExitCode::from(70)
        }
    }
}

fn print(killing: &Killing, outcome: &Outcome) {
    let verdict = &outcome.verdict;
    let at = |share: usize| {
        let last = outcome.first_polls.len().saturating_sub(1);
        outcome.first_polls.get(last * share / 100).map_or(0, Duration::as_millis)
    };
    let mut table = Table::new(1, &["what", "found", "wrong"]);
    let mut add = |what: &str, found: usize, wrong: usize| {
        table.add(vec![what.into(), found.to_string(), wrong.to_string()]);
    };
    add("streams added, answered", verdict.added, 0);
    add("acknowledgements answered", verdict.acknowledged, 0);
    add("answered writes lost", 0, verdict.lost.len());
    add("media sequences with a result", verdict.results, verdict.twice.len());
    add("media sequences said not watched", verdict.not_watched, verdict.uncovered.len());
    add("incidents, overlapping", verdict.incidents, verdict.overlapping.len());
    add("minutes, holes in their chain", verdict.minutes, verdict.holes.len());
    add("times at which nobody looked", verdict.gaps, 0);
    println!("{} kills, seed {}", killing.kills, killing.seed);
    println!("{}", table.text());
    println!("start to first poll: median {} ms, most {} ms", at(50), at(100));
    let all = [&verdict.lost, &verdict.twice, &verdict.uncovered, &verdict.overlapping, &verdict.holes];
    for fault in all.into_iter().flatten().take(50) {
        println!("wrong: {fault}");
    }
    let figures = json!({
        "kills": killing.kills,
        "seed": killing.seed,
        "added": verdict.added,
        "acknowledged": verdict.acknowledged,
        "results": verdict.results,
        "not_watched": verdict.not_watched,
        "incidents": verdict.incidents,
        "wrong": all.iter().map(|faults| faults.len()).sum::<usize>(),
        "first_poll_ms": {"median": at(50), "most": at(100)},
        "ended_well": outcome.ended_well,
        "clean": verdict.is_clean(),
    });
    println!("{figures}");
}
