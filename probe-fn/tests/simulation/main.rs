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

/// Runs a plan with each of these seeds, on one thread, so that each takes the same course every time.
fn run(seeds: std::ops::Range<u64>, plan: Plan) -> Tally {
    let only = std::env::var("HLSOPS_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut sum = Tally::default();
    for seed in seeds.filter(|seed| only.is_none_or(|only: u64| only == *seed)) {
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
    sum
}

const CALM: Plan = Plan { seed: 0, streams: 15, minutes: 60, clock_steps: false, chaos: false };

#[test]
fn hand_overs_do_not_show() {
    let tally = run(0..2, CALM);
    assert!(tally.watched > 2_000 && tally.transitions > 10, "{tally:?}");
}

#[test]
fn racing_watchers_that_die_lose_nothing_and_double_nothing() {
    let tally = run(100..104, Plan { chaos: true, ..CALM });
    assert!(tally.watched > 3_000 && tally.transitions > 40 && tally.runs > 100, "{tally:?}");
}

#[test]
fn nor_do_those_whose_clocks_are_wrong() {
    let tally = run(200..204, Plan { chaos: true, clock_steps: true, ..CALM });
    assert!(tally.watched > 2_000 && tally.transitions > 40 && tally.runs > 100, "{tally:?}");
}
