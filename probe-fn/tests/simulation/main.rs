//! Watchers of a shard that race, die at any moment, lose replies and have wrong clocks, over streams that
//! fail and heal: some ten thousand stream-minutes in virtual time. What is stored must be what happened, each
//! thing once.
//!
//! A failure says its plan; `HLSOPS_SEED=N` runs that seed alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it counted"
)]

mod check;
mod interval;
mod origin;
mod random;
mod world;

use crate::check::Tally;
use crate::world::{Plan, World};

/// Runs a plan with each of these seeds, on one thread, so that each takes the same course every time; then so much
/// must have happened.
fn run(seeds: std::ops::Range<u64>, plan: Plan, least: Tally) {
    let only: Option<u64> = std::env::var("HLSOPS_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut sum = Tally::default();
    for seed in only.map_or(seeds, |only| only..only + 1) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        let tally = runtime.block_on(async { World::run(Plan { seed, ..plan }).await.check().await });
        sum.watched += tally.watched;
        sum.results += tally.results;
        sum.skipped += tally.skipped;
        sum.transitions += tally.transitions;
        sum.runs += tally.runs;
    }
    println!("{sum:?}");
    let enough = sum.watched > least.watched && sum.transitions > least.transitions && sum.runs > least.runs;
    assert!(only.is_some() || enough, "{sum:?}");
}

/// 1,350 stream-minutes, and 8 minutes of each stream in which nothing happens to the watcher.
const CALM: Plan = Plan { seed: 0, streams: 30, minutes: 45, clock_steps: false, chaos: false };

#[test]
fn hand_overs_do_not_show() {
    let least = Tally { watched: 2_000, transitions: 20, ..Tally::default() };
    run(0..2, CALM, least);
}

#[test]
fn racing_watchers_that_die_lose_nothing_and_double_nothing() {
    let least = Tally { watched: 4_000, transitions: 80, runs: 150, ..Tally::default() };
    run(100..105, Plan { chaos: true, ..CALM }, least);
}

#[test]
fn nor_do_those_whose_clocks_are_wrong() {
    let least = Tally { watched: 3_000, transitions: 80, runs: 150, ..Tally::default() };
    run(200..205, Plan { chaos: true, clock_steps: true, ..CALM }, least);
}
