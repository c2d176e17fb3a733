//! Streams that are looked at now and then.

use std::sync::atomic::Ordering;

use hlsops_store::pack::What;
use hlsops_store::{Minute, Slot, WatchMode};

use crate::origin::{Fault, Kind, VirtualStream};
use crate::random::Random;
use crate::world::{BEGIN, Plan, World, config_of, length};

const PLAN: Plan = Plan { seed: 1, streams: 0, minutes: 30, clock_steps: false, chaos: false };
const MINUTE: u64 = 60_000;

/// Streams of each segment length, looked at every so many seconds, with hand-overs and loops.
async fn run(every_s: &[u64], faults: &[Fault]) -> World {
    let mut all = Vec::new();
    for (nth, (every_s, target_s)) in every_s.iter().flat_map(|e| [2, 4, 6, 10].map(|t| (*e, t))).enumerate()
    {
        let shape = ((target_s, 6), (2, true));
        let stream =
            VirtualStream::new(&format!("s{nth}"), shape.0, shape.1, faults.to_vec(), length(PLAN.minutes));
        let config = config_of(&stream, WatchMode::Interval { every_s });
        all.push((stream, config));
    }
    let (streams, configs) = all.into_iter().unzip();
    World::run_with(PLAN, streams, configs, Random::new(PLAN.seed, 1)).await
}

impl World {
    /// What changed, at which second, of the stream's own health and of the states of its playlists.
    async fn story(&self, nth: usize) -> Vec<(u64, String)> {
        let end = Minute(u64::MAX / 100_000);
        let stored = self.store.minutes(&self.configs[nth].id, Minute(0), end, 1_000).await.unwrap().value;
        let mut story: Vec<(u64, String)> = Vec::new();
        for minute in stored {
            let Slot::Watched { log, .. } = minute.slot else { continue };
            story.extend(log.changes().iter().filter_map(|change| {
                let text = match change.what {
                    What::Health { to, .. } => to.name(),
                    What::Playlist { to, .. } => to.name(),
                    What::Incident(hlsops_domain::incident::Transition::Opened(_)) => "opened",
                    What::Incident(_) => "resolved",
                    _ => return None,
                };
                Some(((change.at.0 - BEGIN.0) / 1_000, text.to_owned()))
            }));
        }
        story
    }

    /// When something is first told of a stream.
    async fn first(&self, nth: usize, what: &str) -> u64 {
        let story = self.story(nth).await;
        let found = story.iter().find(|(_, text)| text == what);
        found.unwrap_or_else(|| panic!("{} of {}: {story:?}", what, self.configs[nth].name)).0
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_stream_looked_at_now_and_then_has_no_finding() {
    let world = run(&[30, 60, 300], &[]).await;
    let tally = world.check().await;
    assert!(tally.results > 1_000 && tally.transitions == 0, "{tally:?}");
    for (stream, config) in world.origin.streams.iter().zip(&world.configs) {
        let WatchMode::Interval { every_s } = config.watch else { panic!() };
        let looks = world.ended_ms / 1_000 / every_s + 1;
        let asked = stream.asked.load(Ordering::Relaxed);
        // At most three segments of each of the two renditions a look, and those until the first advance.
        assert!(asked <= looks * 2 * 3 + 10, "{}: {asked} segments in {looks} looks", config.name);
        assert!(asked >= looks * 2 - 4, "{}: {asked} segments in {looks} looks", config.name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_at_the_next_look() {
    let broken = Fault { kind: Kind::Status(503), track: None, from: 10 * MINUTE, to: 15 * MINUTE };
    let world = run(&[60], &[broken]).await;
    world.check().await;
    for nth in 0..4 {
        assert!((600..665).contains(&world.first(nth, "UNHEALTHY").await));
        assert!((600..665).contains(&world.first(nth, "opened").await));
        // Healthy for the look after the end, and 120 s later.
        assert!((900 + 120..900 + 245).contains(&world.first(nth, "resolved").await));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_did_not_advance_is_stalled() {
    let paused = Fault { kind: Kind::Pause, track: None, from: 10 * MINUTE, to: 16 * MINUTE };
    let world = run(&[60], &[paused]).await;
    world.check().await;
    for (nth, target_s) in (0..).zip([2, 4, 6, 10]) {
        // A look may come while the last segments are still new, and it confirms what it says.
        let stalled = world.first(nth, "Stalled").await;
        assert!((600..720 + 3 * target_s).contains(&stalled), "{target_s} s: {stalled}");
        let story = world.story(nth).await;
        let last: Vec<&str> = story.iter().rev().take(2).map(|(_, text)| text.as_str()).collect();
        assert!(last.contains(&"HEALTHY") || last.contains(&"resolved"), "{story:?}");
        assert!(!story.iter().any(|(at, text)| *at < 600 && text == "NO DATA"), "{story:?}");
    }
}
