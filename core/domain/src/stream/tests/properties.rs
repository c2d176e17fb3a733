use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::*;
use super::script::{World, id, load};
use crate::buffer::Phase;
use crate::observation::SegmentAttempt;
use crate::playlist::{self, Parsed};
use crate::rendition::Memory;
use crate::units::MediaUs;

const FAILURES: [Failure; 8] = [
    Failure::Dns,
    Failure::Timeout,
    Failure::Http(404),
    Failure::Http(429),
    Failure::Http(503),
    Failure::Truncated,
    Failure::WrongContent,
    Failure::Expired,
];

/// One random thing seen: how long after the one before (or before it), and what.
#[derive(Clone, Debug)]
struct Seen {
    wait_ms: i64,
    rendition: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    List { first: u64, count: u64, folder: u8, ended: bool, gap: bool },
    Failed(Failure),
    Segment { sequence: u64, ms: u64, ok: bool, failure: Failure, last: bool },
    Master(bool),
    Tick,
}

fn seen() -> impl Strategy<Value = Seen> {
    let number = prop_oneof![12 => 0_u64..40, 1 => (u64::MAX - 5)..=u64::MAX];
    let failure = proptest::sample::select(FAILURES.to_vec());
    let wait_ms = prop_oneof![20 => 0_i64..6_000, 2 => 6_000_i64..90_000, 1 => -300_000_i64..0];
    let what = prop_oneof![
        8 => (number.clone(), 0_u64..8, 0_u8..2, 0_u8..16, 0_u8..8).prop_map(|(first, count, folder, end, gap)| {
            What::List { first, count, folder, ended: end == 0, gap: gap == 0 }
        }),
        3 => failure.clone().prop_map(What::Failed),
        8 => (number, 0_u64..20_000, any::<bool>(), failure, any::<bool>())
            .prop_map(|(sequence, ms, ok, failure, last)| What::Segment { sequence, ms, ok, failure, last }),
        1 => any::<bool>().prop_map(What::Master),
        2 => Just(What::Tick),
    ];
    (wait_ms, 0_usize..4, what).prop_map(|(wait_ms, rendition, what)| Seen { wait_ms, rendition, what })
}

const NAMES: [&str; 4] = ["a", "b", "s", "x"];

/// Plays what was seen; `checked` is asked after every step.
fn play(all: &[Seen], mut checked: impl FnMut(&StreamState)) -> World {
    let mut world = World::new("a+s b s x");
    let mut at = EpochMs(1_000_000_000);
    for seen in all {
        at = EpochMs(at.0.saturating_add_signed(seen.wait_ms));
        look(&mut world, at, id(NAMES[seen.rendition]), &seen.what);
        checked(&world.state);
    }
    world
}

fn look(world: &mut World, at: EpochMs, id: RenditionId, what: &What) {
    match what {
        What::List { first, count, folder, ended, gap } => {
            let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
            for index in 0..*count {
                if *gap {
                    text += "#EXT-X-GAP\n";
                }
                text += &format!("#EXTINF:6,\n{folder}/{}.ts\n", first.wrapping_add(index));
            }
            text += if *ended { "#EXT-X-ENDLIST\n" } else { "" };
            let Parsed::Media(list) = playlist::read(&text) else { panic!("{text}") };
            let follow = world.step(at, &Observation::Playlist(id, load(at, Ok(&list))));
            let follow = follow.expect("a known rendition");
            assert!(follow.reload_at > at, "never at once: {follow:?}");
            assert!(follow.fetch.start <= follow.fetch.end && follow.fetch.end <= list.segments.len());
        }
        What::Failed(failure) => {
            world.step(at, &Observation::Playlist(id, load(at, Err(*failure))));
        }
        What::Segment { sequence, ms, ok, failure, last } => {
            let attempt = SegmentAttempt {
                sequence: *sequence,
                duration: MediaUs::from_seconds(6),
                requested_at: at - Duration::from_millis(*ms),
                queue: Duration::from_millis(ms / 3),
                ttfb: Duration::from_millis(ms / 10),
                download: Duration::from_millis(*ms),
                bytes: 1,
                length_known: ms % 2 == 0,
                attempt: 1,
                earlier: None,
                last: *last || *ok,
                outcome: if *ok { Ok(()) } else { Err(*failure) },
            };
            world.step(at, &Observation::Segment(id, attempt));
        }
        What::Master(true) => world.run(&format!("{} m a+s b s x", at.0 / 1_000)),
        What::Master(false) => {
            world.step(at, &Observation::Master(load(at, Err(Failure::Http(500)))));
        }
        What::Tick => {
            world.step(at, &Observation::Tick);
        }
    }
}

fn check_bounds(state: &StreamState) {
    assert!(state.health.reasons.len() <= Health::MAX_REASONS);
    assert_eq!(state.health.reasons.is_empty(), state.health.state == HealthState::Healthy);
    assert!(state.health.reasons.is_sorted_by(|a, b| a.state >= b.state));
    for rendition in state.renditions() {
        assert!(rendition.samples.len() <= Rendition::MAX_SAMPLES);
        assert!(rendition.losses.len() <= Rendition::MAX_SAMPLES);
        assert!(rendition.memory.len() <= 2 * Memory::MAX);
        let buffer = &rendition.buffer;
        assert!(buffer.level() <= buffer.start_level() + rendition.target(), "{buffer:?}");
        assert!(buffer.waiting_since().is_none() || buffer.phase() != Phase::Stopped);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_same_observations_make_the_same_history(all in proptest::collection::vec(seen(), 0..60)) {
        let (one, other) = (play(&all, |_| ()), play(&all, |_| ()));
        prop_assert_eq!(&one.events, &other.events);
        prop_assert_eq!(format!("{:?}", one.state), format!("{:?}", other.state));
    }

    #[test]
    fn whatever_is_seen_bounds_hold(all in proptest::collection::vec(seen(), 0..250)) {
        play(&all, check_bounds);
    }

    /// Time alone changes neither what is known of a rendition nor any finding.
    #[test]
    fn a_tick_only_judges(all in proptest::collection::vec(seen(), 0..40), ticks in 1_u64..5) {
        let mut world = play(&all, |_| ());
        let known = |world: &World| format!("{:?}", world.state.renditions);
        let (before, found) = (known(&world), world.codes().len());
        for tick in 1..=ticks {
            world.step(EpochMs(1_000_000_000 + tick * 1_000), &Observation::Tick);
        }
        prop_assert_eq!(known(&world), before);
        prop_assert_eq!(world.codes().len(), found);
    }
}

/// A long run of random looks, so that everything that is kept fills up.
#[test]
fn bounds_hold_in_the_long_run() {
    let mut world = World::new("a");
    let (mut at, mut random) = (EpochMs(0), 1_u64);
    for sequence in 0..3_000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let roll = random >> 40;
        at = at + Duration::from_millis(roll % 100);
        let failure = FAILURES[usize::try_from(roll % 8).expect("small")];
        let what = match roll % 5 {
            0 => What::List { first: sequence, count: 6, folder: 0, ended: false, gap: roll % 3 == 0 },
            1 => What::Failed(failure),
            2 => What::Segment { sequence, ms: roll % 9_000, ok: false, failure, last: true },
            _ => What::Segment { sequence, ms: roll % 9_000, ok: true, failure, last: true },
        };
        look(&mut world, at, id("a"), &what);
        check_bounds(&world.state);
        world.events.clear();
    }
    let rendition = world.state.rendition(id("a")).expect("a");
    assert_eq!(rendition.samples.len(), Rendition::MAX_SAMPLES, "the run is long enough to fill it");
}

/// A stream as the standard wants it, watched at the pace of the standard.
#[derive(Clone, Debug)]
struct Healthy {
    /// EXTINF of every segment.
    segment_ms: u64,
    /// Segments listed; at least 3 target durations of them.
    listed: u64,
    first: u64,
    /// Our looks are late by so many hundredths of a target duration.
    jitter: Vec<u64>,
    /// Looks that an older copy answers, and how much older in segments.
    stale: Vec<(Index, u64)>,
    /// A discontinuity every so many segments: the media loops.
    discontinuity_every: u64,
    download_ms: u64,
}

fn healthy() -> impl Strategy<Value = Healthy> {
    let jitter = proptest::collection::vec(0_u64..40, 1..40);
    let stale = proptest::collection::vec((any::<Index>(), 1_u64..4), 0..8);
    let first = prop_oneof![Just(0), 0_u64..100_000, Just(u64::MAX - 20)];
    (1_000_u64..=12_000, 0_u64..6, first, jitter, stale, 3_u64..30, 20_u64..400).prop_map(
        |(segment_ms, more, first, jitter, stale, discontinuity_every, download_ms)| {
            let target_ms = segment_ms.div_ceil(1_000) * 1_000;
            let listed = (3 * target_ms).div_ceil(segment_ms) + more;
            Healthy { segment_ms, listed, first, jitter, stale, discontinuity_every, download_ms }
        },
    )
}

impl Healthy {
    fn target_ms(&self) -> u64 {
        self.segment_ms.div_ceil(1_000) * 1_000
    }

    /// The playlist with so many segments published, the newest `listed` of them listed.
    fn text(&self, published: u64) -> String {
        let from = published.saturating_sub(self.listed);
        let mut text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
            self.target_ms() / 1_000,
            self.first.wrapping_add(from),
            from.div_ceil(self.discontinuity_every),
        );
        for index in from..published {
            if index % self.discontinuity_every == 0 {
                text += "#EXT-X-DISCONTINUITY\n";
            }
            let (seconds, ms) = (self.segment_ms / 1_000, self.segment_ms % 1_000);
            text += &format!("#EXTINF:{seconds}.{ms:03},\nloop/{}.ts\n", index % self.discontinuity_every);
        }
        text
    }

    /// Ten virtual minutes.
    fn watch(&self) -> World {
        const LOOKS: usize = 400;
        let stale_at = |look: usize| {
            let at = self.stale.iter().find(|(index, _)| index.index(LOOKS) == look);
            at.map(|(_, behind)| *behind)
        };
        let mut world = World::new("a");
        let (mut at, mut look, mut was_stale) = (EpochMs(0), 0, true);
        while at < EpochMs(600_000) {
            let published = self.listed + at.0 / self.segment_ms;
            // Now and then: never two in a row, and not before there is something to be older than.
            let behind = stale_at(look).filter(|_| !was_stale).unwrap_or(0);
            was_stale = behind > 0;
            let text = self.text(published - behind);
            let Parsed::Media(list) = playlist::read(&text) else { panic!("{text}") };
            let follow = world.step(at, &Observation::Playlist(id("a"), load(at, Ok(&list)))).expect("a");
            let mut ended = at;
            for segment in &list.segments[follow.fetch] {
                let attempt = SegmentAttempt {
                    sequence: segment.sequence,
                    duration: segment.duration,
                    requested_at: ended,
                    queue: Duration::ZERO,
                    ttfb: Duration::from_millis(self.download_ms / 4),
                    download: Duration::from_millis(self.download_ms),
                    bytes: 1,
                    length_known: true,
                    attempt: 1,
                    earlier: None,
                    last: true,
                    outcome: Ok(()),
                };
                ended = ended + attempt.download;
                world.step(ended, &Observation::Segment(id("a"), attempt));
            }
            world.step(ended + Duration::from_millis(10), &Observation::Tick);
            let late = self.jitter[look % self.jitter.len()] * self.target_ms() / 100;
            at = follow.reload_at.max(ended) + Duration::from_millis(late);
            look += 1;
        }
        world
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_healthy_stream_has_no_finding_and_stays_healthy(stream in healthy()) {
        let world = stream.watch();
        let story: Vec<String> =
            world.story().into_iter().filter(|line| !line.contains("older by")).collect();
        prop_assert_eq!(story.len(), 2, "{:#?}", story);
        prop_assert!(story[0].ends_with("a Unknown>Live") && story[1].ends_with(" HEALTHY"), "{:?}", story);
        let sums = world.state.rendition(id("a")).expect("a").buffer.sums();
        prop_assert_eq!((sums.rebuffering, sums.lost), (Duration::ZERO, MediaUs::ZERO));
    }
}
