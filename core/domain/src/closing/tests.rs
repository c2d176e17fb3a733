//! A change of watcher must not show.

use proptest::prelude::*;

use super::*;
use crate::event::{Event, EventKind};
use crate::limits::Limits;
use crate::observation::{Load, Observation, SegmentAttempt};
use crate::playlist::{self, Parsed};
use crate::rendition::{Follow, Location, RenditionSpec, list_renditions};
use crate::stream::step;

const T0: u64 = 1_800_000_000_000;
const TARGET_S: u64 = 4;

fn spec() -> RenditionSpec {
    RenditionSpec::single(Location { url: "http://h/a.m3u8".into(), identity: "h/a.m3u8".into() })
}

#[test]
fn a_clock_that_went_back_tells_nothing_for_later() {
    let mut watch = Watch::new();
    for at in (0..40_000).step_by(4_000) {
        for sequence in watch.load(at) {
            watch.end(at, sequence, Ok(()));
        }
    }
    let now = EpochMs(T0 + 10_000);
    let closing = watch.state.closing();
    assert!(closing.last_look > Some(now));
    let seen = closing.clone().not_after(now);
    let rendition = &seen.renditions[0];
    let buffer = rendition.buffer;
    let times = [seen.last_look, rendition.loaded_at, rendition.changed_at, rendition.last_look];
    assert_eq!(times, [Some(now); 4]);
    assert_eq!((buffer.at, buffer.last_completion), (now, now));
    assert!(buffer.consistent_since.is_none_or(|since| since <= now) && seen.health_since <= now);
    assert_eq!(closing.clone().not_after(EpochMs(T0 + 60_000)), closing);
}

/// One watcher after another, over one stream whose segments are obtained at once, fail, or stay open.
struct Watch {
    state: StreamState,
    limits: Limits,
    events: Vec<Event>,
    open: Vec<u64>,
}

impl Watch {
    fn new() -> Self {
        let mut watch = Self {
            state: StreamState::new(EpochMs(T0)),
            limits: Limits::default(),
            events: Vec::new(),
            open: Vec::new(),
        };
        watch.see(0, &Observation::Single(&spec()));
        watch
    }

    fn see(&mut self, ms: u64, seen: &Observation<'_>) -> Option<Follow> {
        step(&mut self.state, EpochMs(T0 + ms), seen, &self.limits, &mut self.events)
    }

    /// Loads the list as it stands at `ms`, six segments long; returns what is to be fetched.
    fn load(&mut self, ms: u64) -> Vec<u64> {
        let last = 100 + ms / (TARGET_S * 1_000);
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{}\n", last - 5);
        (last - 5..=last).for_each(|n| text.push_str(&format!("#EXTINF:4,\ns{n}.ts\n")));
        let Parsed::Media(list) = playlist::read(&text) else { panic!("{text}") };
        let load = Load {
            requested_at: EpochMs(T0 + ms),
            ttfb: Duration::ZERO,
            retry_after: None,
            outcome: Ok(&list),
        };
        let follow = self.see(ms, &Observation::Playlist(spec().id, load)).unwrap();
        let indices = follow.again.into_iter().chain(follow.fetch);
        indices.map(|index| list.segments[index].sequence).collect()
    }

    fn end(&mut self, ms: u64, sequence: u64, outcome: Result<(), Failure>) {
        let attempt = SegmentAttempt {
            sequence,
            duration: MediaUs::from_seconds(TARGET_S),
            requested_at: EpochMs(T0 + ms),
            queue: Duration::ZERO,
            ttfb: Duration::from_millis(10),
            download: Duration::from_millis(50),
            bytes: 1,
            length_known: true,
            attempt: 1,
            earlier: None,
            last: true,
            outcome,
        };
        self.see(ms, &Observation::Segment(spec().id, attempt));
    }

    /// Every 4 s one load; `plan` says of each new segment whether it comes, fails, or is left open until the
    /// next load.
    fn run(&mut self, plan: &[u8], from: u64) {
        for (turn, choice) in (from..).zip(plan) {
            let ms = turn * TARGET_S * 1_000 + 20;
            let mut due = self.load(ms);
            due.extend(std::mem::take(&mut self.open));
            for sequence in due {
                match choice % 4 {
                    0 | 1 => self.end(ms + 60, sequence, Ok(())),
                    2 => self.end(ms + 60, sequence, Err(Failure::Http(404))),
                    _ => self.open.push(sequence),
                }
            }
        }
    }

    fn hand_over(&mut self, ms: u64) {
        let past = self.state.past(EpochMs(T0 + ms), Duration::from_secs(180));
        self.state = StreamState::resume(self.state.closing(), &past);
        self.open.clear();
        self.see(ms, &Observation::Single(&spec()));
    }

    /// Paused some time after the last look, and resumed now.
    fn pause(&mut self, ms: u64) -> Option<Event> {
        let past = self.state.past(EpochMs(T0 + ms), Duration::from_secs(180));
        self.state = StreamState::resume(self.state.closing(), &past);
        self.open.clear();
        self.state.begin_anew(EpochMs(T0 + ms))
    }

    fn results(&self) -> Vec<(u64, bool)> {
        let ends = self.events.iter().filter_map(|event| match event.kind {
            EventKind::SegmentObtained { sequence, .. } => Some((sequence, true)),
            EventKind::SegmentFailed { sequence, last: true, .. } => Some((sequence, false)),
            _ => None,
        });
        ends.collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// With nothing open at the moment of the change, the second watcher's events are those the first would
    /// have had.
    #[test]
    fn nothing_shows_when_nothing_was_open(before in prop::collection::vec(0_u8..3, 3..40), after in prop::collection::vec(0_u8..3, 1..40)) {
        let (mut one, mut two) = (Watch::new(), Watch::new());
        one.run(&before, 0);
        two.run(&before, 0);
        let turn = before.len() as u64;
        two.hand_over((turn - 1) * TARGET_S * 1_000 + 200);
        one.run(&after, turn);
        two.run(&after, turn);
        prop_assert_eq!(&one.events, &two.events);
        prop_assert_eq!(one.state.closing().health, two.state.closing().health);
    }

    /// Whatever was before a pause, after it all is as for who has never looked before; but for the incident.
    #[test]
    fn a_pause_leaves_nothing_of_what_was_before(
        before in prop::collection::vec(0_u8..4, 0..40),
        pause in 0_u64..40,
        after in prop::collection::vec(0_u8..4, 1..40),
    ) {
        let turn = before.len() as u64 + pause;
        let (mut one, mut other) = (Watch::new(), Watch::new());
        one.run(&before, 0);
        one.pause(turn * TARGET_S * 1_000);
        other.state = StreamState::new(EpochMs(T0 + turn * TARGET_S * 1_000));
        for watch in [&mut one, &mut other] {
            watch.events.clear();
            watch.see(turn * TARGET_S * 1_000, &Observation::Single(&spec()));
            watch.run(&after, turn);
            watch.events.retain(|event| !matches!(event.kind, EventKind::Incident(_)));
        }
        prop_assert_eq!(&one.events, &other.events);
        prop_assert_eq!(&one.state.health, &other.state.health);
        prop_assert_eq!(one.state.closing().renditions, other.state.closing().renditions);
    }

    /// Whatever was open is fetched by the next watcher: every sequence number has exactly one result or lies
    /// in a stretch that is said not to be watched.
    #[test]
    fn every_segment_has_one_fate(plan in prop::collection::vec(0_u8..4, 6..60), changes in prop::collection::btree_set(2_usize..60, 0..6)) {
        let mut watch = Watch::new();
        for (turn, choice) in plan.iter().enumerate() {
            watch.run(&[*choice], turn as u64);
            if changes.contains(&turn) {
                watch.hand_over(turn as u64 * TARGET_S * 1_000 + 200);
            }
        }
        let end = plan.len() as u64;
        watch.run(&[0, 0], end);
        let mut seen: Vec<u64> = watch.results().into_iter().map(|(sequence, _)| sequence).collect();
        for event in &watch.events {
            if let EventKind::NotWatched { first, last } = event.kind {
                seen.extend(first..=last);
            }
        }
        seen.sort_unstable();
        let first = seen[0];
        prop_assert_eq!(seen, (first..first + (101 + end - 97)).collect::<Vec<_>>());
    }
}

/// A segment left open by one watcher may have left the list when the next one looks.
#[test]
fn what_nobody_can_fetch_any_more_is_said() {
    let mut watch = Watch::new();
    watch.run(&[0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3], 0);
    watch.hand_over(40_200);
    watch.run(&[0], 11);
    let said = watch.events.iter().any(|e| e.kind == EventKind::NotWatched { first: 105, last: 105 });
    assert!(said, "{:#?}", watch.events);
}

#[test]
fn health_stays_as_it_was_until_the_new_watcher_has_looked() {
    let mut watch = Watch::new();
    watch.run(&[0, 0, 2, 2, 2, 2], 0);
    assert_eq!(watch.state.health.state, HealthState::Unhealthy);
    let events = watch.events.len();
    let past = watch.state.past(EpochMs(T0 + 21_000), Duration::from_secs(180));
    watch.state = StreamState::resume(watch.state.closing(), &past);
    for second in 21..40 {
        watch.see(second * 1_000, &Observation::Tick);
    }
    assert_eq!(watch.events.len(), events, "nothing is known, so nothing happened");
    assert_eq!(watch.state.health.state, HealthState::Unhealthy);
    watch.see(52_000, &Observation::Tick);
    assert_eq!(watch.state.health.state, HealthState::NoData, "nobody looks any more");
}

/// Nobody was meant to look for a while: an incident goes on, and health waits for what comes.
#[test]
fn after_a_pause_health_begins_anew_and_an_incident_goes_on() {
    let mut watch = Watch::new();
    watch.run(&[2; 10], 0);
    assert_eq!(watch.state.health.state, HealthState::Unhealthy);
    let incident = watch.state.incident;
    assert!(matches!(incident, Incident::Open { .. }));
    let at = EpochMs(T0 + 70_000);
    let event = watch.pause(70_000).unwrap();
    let EventKind::Health { from: HealthState::Unhealthy, to } = event.kind else { panic!("{event:?}") };
    let state = &mut watch.state;
    assert_eq!((to.state, state.health_since, state.incident), (HealthState::NoData, at, incident));
    assert_eq!(state.begin_anew(at), None, "it is anew already");
    watch.see(70_000, &Observation::Single(&spec()));
    watch.run(&[0], 18);
    assert_eq!(watch.state.health.state, HealthState::NoData, "nothing is healthy before it has moved");
    watch.run(&[0], 19);
    assert_eq!(watch.state.health.state, HealthState::Healthy, "{:?}", watch.state.health);
}

/// Whatever the paths are called: what a master of this session lists, videos of this many kb/s.
fn listed(session: &str, rates: &[u64]) -> Vec<RenditionSpec> {
    let variant = |rate| format!("#EXT-X-STREAM-INF:BANDWIDTH={rate}000\n{session}/{rate}.m3u8\n");
    let text = format!("#EXTM3U\n{}", rates.iter().map(variant).collect::<String>());
    let Parsed::Multivariant(list) = playlist::read(&text) else { panic!("{text}") };
    list_renditions(&list, |uri| {
        Some(Location { url: format!("http://h/{uri}"), identity: format!("/{uri}") })
    })
}

/// A server that puts a session into every path gives the next watcher paths the one before never saw.
#[test]
fn a_rendition_is_recognised_by_the_next_watcher_whatever_its_path() {
    let mut watch = Watch { state: StreamState::new(EpochMs(T0)), ..Watch::new() };
    let load = |watch: &mut Watch, id, ms, session: &str, first: u64| {
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        (first..first + 6).for_each(|n| text.push_str(&format!("#EXTINF:4,\n/{session}/s{n}.ts\n")));
        let Parsed::Media(list) = playlist::read(&text) else { panic!("{text}") };
        let load = Load {
            requested_at: EpochMs(T0 + ms),
            ttfb: Duration::ZERO,
            retry_after: None,
            outcome: Ok(&list),
        };
        watch.see(ms, &Observation::Playlist(id, load)).unwrap().fetch.len()
    };
    let master = |watch: &mut Watch, ms, specs: &[RenditionSpec]| {
        let load = Load {
            requested_at: EpochMs(T0 + ms),
            ttfb: Duration::ZERO,
            retry_after: None,
            outcome: Ok(specs),
        };
        watch.see(ms, &Observation::Master(load));
    };
    let first = watch.state.recognise(listed("a", &[800, 400]));
    master(&mut watch, 0, &first);
    for spec in &first {
        assert_eq!(load(&mut watch, spec.id, 100, "a", 100), 3);
    }
    watch.state = StreamState::resume(watch.state.closing(), &[]);
    watch.events.clear();
    // The order is another one, and one rendition is new.
    let again = watch.state.recognise(listed("b", &[400, 1_600, 800]));
    assert_eq!([again[0].id, again[2].id], [first[1].id, first[0].id]);
    assert_eq!(again[1].id, listed("b", &[1_600])[0].id);
    master(&mut watch, 4_000, &again);
    assert_eq!(
        watch.events.iter().map(|e| &e.kind).collect::<Vec<_>>(),
        [&EventKind::Renditions { added: 1, removed: 0 }]
    );
    // It goes on where the one before ended, though every segment has another name.
    let open = watch.state.rendition(first[0].id).unwrap().last_sequence();
    assert_eq!((open, load(&mut watch, first[0].id, 4_100, "b", 101)), (Some(105), 1));
    let restarted = watch.events.iter().any(|e| matches!(e.kind, EventKind::EncoderRestarted { .. }));
    assert!(!restarted, "{:#?}", watch.events);
}
