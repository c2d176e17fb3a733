use std::time::Duration;

use hlsops_domain::buffer::{BufferClosing, Phase};
use hlsops_domain::incident::{Incident, Transition, Trigger};
use hlsops_domain::observation::SegmentAttempt;
use hlsops_domain::playlist::NotAPlaylist;
use hlsops_domain::rendition::{Location, PlaylistState, RenditionSpec};
use hlsops_domain::{
    Closing, EpochMs, Failure, HealthState, Limits, MediaUs, Observation, Past, RenditionClosing,
    RenditionId, StreamState,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::ids::Minute;

/// Mostly what real ones are like, sometimes anything.
fn number(usual: std::ops::Range<u64>) -> impl Strategy<Value = u64> {
    prop_oneof![8 => usual, 1 => any::<u64>(), 1 => prop_oneof![Just(0), Just(u64::MAX)]]
}

fn time() -> impl Strategy<Value = EpochMs> {
    number(1_700_000_000_000..1_700_000_600_000).prop_map(EpochMs)
}

fn media() -> impl Strategy<Value = MediaUs> {
    prop_oneof![Just(4_000_000), Just(6_006_000), number(0..20_000_000)].prop_map(MediaUs)
}

fn length() -> impl Strategy<Value = Duration> {
    number(0..90_000_000).prop_map(Duration::from_micros)
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        any::<u16>().prop_map(Failure::Http),
        prop_oneof![
            Just(Failure::Dns),
            Just(Failure::Connect),
            Just(Failure::Tls),
            Just(Failure::Timeout),
            Just(Failure::TooLarge),
            Just(Failure::Truncated),
            Just(Failure::Empty),
            Just(Failure::WrongContent)
        ],
        prop_oneof![
            Just(Failure::Expired),
            Just(Failure::BadUri),
            Just(Failure::Blocked),
            Just(Failure::OwnQueue),
            Just(Failure::Broken),
            Just(Failure::NotAPlaylist(NotAPlaylist::Empty)),
            Just(Failure::NotAPlaylist(NotAPlaylist::NoHeader)),
            Just(Failure::NotAPlaylist(NotAPlaylist::NoContent))
        ],
    ]
}

fn playlist() -> impl Strategy<Value = PlaylistState> {
    prop_oneof![
        Just(PlaylistState::Unknown),
        Just(PlaylistState::Live),
        Just(PlaylistState::Stalled),
        failure().prop_map(PlaylistState::HttpError),
        Just(PlaylistState::LiveEnd),
        Just(PlaylistState::Vod),
    ]
}

fn health() -> impl Strategy<Value = HealthState> {
    prop_oneof![
        Just(HealthState::NoData),
        Just(HealthState::Healthy),
        Just(HealthState::Degraded),
        Just(HealthState::Unhealthy)
    ]
}

prop_compose! {
    fn row()(
        (at, sequence, media, bytes) in (time(), number(100..200), media(), number(50_000..900_000)),
        (ttfb_ms, download_ms, paced) in (number(10..300), number(50..3_000), any::<bool>()),
        (attempt, failure, last) in (any::<u8>(), option::weighted(0.1, failure()), any::<bool>()),
    ) -> SegmentRow {
        SegmentRow { at, sequence, media, bytes, ttfb_ms, download_ms, paced, attempt, failure, last }
    }
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        prop_oneof![
            failure().prop_map(What::LoadFailed),
            (playlist(), playlist()).prop_map(|(from, to)| What::Playlist { from, to }),
            (health(), health(), any::<u8>()).prop_map(|(from, to, reason)| What::Health {
                from,
                to,
                reason
            }),
            Just(What::Incident(Transition::Opened(Trigger::Unhealthy))),
            Just(What::Incident(Transition::Opened(Trigger::LongDegraded))),
            length().prop_map(|lasted| What::Incident(Transition::Resolved { lasted })),
            ("[A-Z]{2}-[0-9]{4}|\\PC{0,8}", any::<u64>())
                .prop_map(|(code, count)| What::Found { code, count }),
        ],
        prop_oneof![
            Just(What::RebufferingStarted),
            length().prop_map(|waited| What::RebufferingEnded { waited }),
            (any::<u64>(), any::<u64>()).prop_map(|(from, to)| What::Restarted { from, to }),
            any::<u64>().prop_map(|behind| What::OlderCopy { behind }),
            length().prop_map(What::OwnGap),
            (any::<u64>(), any::<u64>()).prop_map(|(first, last)| What::NotWatched { first, last }),
            (any::<u64>(), any::<u64>()).prop_map(|(added, removed)| What::Renditions { added, removed }),
            (any::<u64>(), media()).prop_map(|(segments, media)| What::Lost { segments, media }),
        ],
    ]
}

prop_compose! {
    fn log()(
        minute in number(28_000_000..28_000_100),
        rows in vec((0_u64..4, row()), 0..60),
        loads in vec((0_u64..4, option::of(length())), 0..20),
        changes in vec((time(), option::of(0_u64..4), what()), 0..20),
    ) -> MinuteLog {
        let mut log = MinuteLog::new(Minute(minute));
        for (id, row) in rows {
            log.attempted(Some(RenditionId(id)), row);
        }
        for (id, ttfb) in loads {
            log.loaded(RenditionId(id), ttfb);
        }
        for (at, id, what) in changes {
            log.change(at, id.map(RenditionId), what);
        }
        log
    }
}

prop_compose! {
    fn buffer()(
        (phase, ended) in (0..3, any::<bool>()),
        (at, began_at, last_completion) in (time(), time(), time()),
        (level, start_level, target) in (media(), media(), media()),
        (consistent_since, empty_since) in (option::of(time()), option::of(time())),
        (waited, condition, consistent_run, accumulated) in (length(), length(), length(), length()),
    ) -> BufferClosing {
        let phase = [Phase::Starting, Phase::Playing, Phase::Stopped][phase as usize];
        BufferClosing {
            phase, ended, at, began_at, last_completion, level, start_level, target, consistent_since,
            empty_since, waited, condition, consistent_run, accumulated,
        }
    }
}

prop_compose! {
    fn rendition()(
        (id, attributes) in (any::<u64>().prop_map(RenditionId), any::<u64>()),
        (playlist, playlist_since) in (playlist(), time()),
        (was_live, dry_reported) in (any::<bool>(), any::<bool>()),
        (failed_loads, consecutive_lost) in (any::<u32>(), any::<u32>()),
        (loaded_at, changed_at, last_look) in (option::of(time()), option::of(time()), option::of(time())),
        target in media(),
        remembered in vec((number(100..200), any::<u64>()), 0..=RenditionClosing::REMEMBERED),
        (unsettled, obtained_to) in (vec(number(100..200), 0..20), option::of(number(100..200))),
        buffer in buffer(),
    ) -> RenditionClosing {
        RenditionClosing {
            id, attributes, playlist, playlist_since, was_live, failed_loads, loaded_at, changed_at, last_look, target,
            remembered, unsettled, consecutive_lost, obtained_to, dry_reported, buffer,
        }
    }
}

fn incident() -> impl Strategy<Value = Incident> {
    prop_oneof![
        Just(Incident::None),
        (time(), any::<u32>(), any::<u64>()).prop_map(|(since, minutes, last_minute)| Incident::Pending {
            since,
            minutes,
            last_minute
        }),
        (time(), option::of(time()))
            .prop_map(|(since, healthy_since)| Incident::Open { since, healthy_since }),
    ]
}

prop_compose! {
    fn closing()(
        (began_at, last_look, health_since) in (time(), option::of(time()), time()),
        (health, incident) in (health(), incident()),
        master in (any::<u32>(), option::of(failure())),
        renditions in vec(rendition(), 0..5),
    ) -> Closing {
        Closing { began_at, last_look, health, health_since, incident, master, renditions }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_comes_back_as_it_was(log in log()) {
        prop_assert_eq!(MinuteLog::unpack(&log.pack()), Ok(log));
    }

    #[test]
    fn a_closing_state_comes_back_as_it_was(closing in closing()) {
        prop_assert_eq!(unpack_closing(&pack_closing(&closing)), Ok(closing));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..400), version in 0_u8..3) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        if let Ok(log) = MinuteLog::unpack(&bytes) {
            prop_assert!(log.segments() <= LogLimits::SEGMENTS && log.changes().len() <= LogLimits::CHANGES);
            let closing = unpack_closing(&pack_closing(&empty()));
            let _ = past([&log], &closing.expect("packed"), EpochMs(u64::MAX), Duration::MAX);
        }
        let _ = unpack_closing(&bytes);
    }

    /// A cut or a flipped bit is an error or something else that can be read, never a panic.
    #[test]
    fn damaged_bytes_are_read_without_panic(log in log(), closing in closing(), at in any::<usize>(), bit in 0..8) {
        for packed in [log.pack(), pack_closing(&closing)] {
            let at = at % packed.len();
            let mut flipped = packed.clone();
            flipped[at] ^= 1_u8 << bit;
            for bytes in [&packed[..at], &flipped] {
                let _ = (MinuteLog::unpack(bytes), unpack_closing(bytes));
            }
        }
    }
}

/// The windows of the domain, rebuilt from packed logs, are those that the domain has.
#[test]
fn the_recent_past_comes_back_from_the_logs() {
    let location = Location { url: "https://a/x.m3u8".into(), identity: "a/x.m3u8".into() };
    let spec = RenditionSpec::single(location);
    let (start, limits) = (Minute(28_000_000).start(), Limits::default());
    let mut state = StreamState::new(start);
    let mut logs: Vec<MinuteLog> = Vec::new();
    let mut observe = |state: &mut StreamState, at: EpochMs, seen: &Observation<'_>| {
        let mut events = Vec::new();
        hlsops_domain::step(state, at, seen, &limits, &mut events);
        if logs.last().is_none_or(|log| log.minute() != Minute::of(at)) {
            logs.push(MinuteLog::new(Minute::of(at)));
        }
        events.iter().for_each(|event| logs.last_mut().expect("there is one").push(event));
        logs.clone()
    };
    observe(&mut state, start, &Observation::Single(&spec));
    let mut stored = Vec::new();
    for nth in 0..40_u64 {
        // A few segments fail, and from the middle on they come late.
        let at = EpochMs(start.0 + 500 + nth * 4_000 + nth.saturating_sub(20) * 3_500);
        let outcome = if nth % 9 == 8 { Err(Failure::Http(404)) } else { Ok(()) };
        let attempt = SegmentAttempt {
            sequence: nth,
            duration: MediaUs(4_000_000),
            requested_at: EpochMs(at.0 - 300),
            queue: Duration::ZERO,
            ttfb: Duration::from_millis(40 + nth),
            download: Duration::from_millis(if nth % 10 == 3 { 3_000 } else { 300 }),
            bytes: 100_000 + nth,
            length_known: nth % 10 != 3,
            attempt: 2,
            earlier: None,
            last: true,
            outcome,
        };
        stored = observe(&mut state, at, &Observation::Segment(spec.id, attempt));
    }
    let now = state.last_look.expect("looked");
    let window = limits.window;
    let closing = unpack_closing(&pack_closing(&state.closing())).expect("packed");
    assert_eq!(closing, state.closing());
    let packed: Vec<Vec<u8>> = stored.iter().map(MinuteLog::pack).collect();
    let logs: Vec<MinuteLog> = packed.iter().map(|log| MinuteLog::unpack(log).expect("packed")).collect();
    let of_kind = |all: Vec<(RenditionId, Past)>| {
        let mut kinds = (Vec::new(), Vec::new(), Duration::ZERO);
        for (_, entry) in all {
            match entry {
                Past::Obtained(at, sample) => kinds.0.push((at, sample)),
                Past::Lost(at, loss) => kinds.1.push((at, loss)),
                Past::Rebuffered(from, to) => kinds.2 += to.since(from),
            }
        }
        kinds
    };
    let (domain, rebuilt) = (of_kind(state.past(now, window)), of_kind(past(&logs, &closing, now, window)));
    assert!(domain.0.len() > 10 && !domain.1.is_empty() && !domain.2.is_zero(), "{domain:?}");
    assert_eq!(rebuilt, domain);
}

fn empty() -> Closing {
    Closing {
        began_at: EpochMs(0),
        last_look: None,
        health: HealthState::NoData,
        health_since: EpochMs(0),
        incident: Incident::None,
        master: (0, None),
        renditions: Vec::new(),
    }
}

#[test]
fn a_newer_version_says_so() {
    assert_eq!(MinuteLog::unpack(&[2]), Err(PackError::Newer { found: 2, known: 1 }));
    assert_eq!(unpack_closing(&[9, 9]), Err(PackError::Newer { found: 9, known: 1 }));
    assert_eq!(MinuteLog::unpack(&[]), Err(PackError::Short));
    assert_eq!(unpack_closing(&[0]), Err(PackError::Damaged("version")));
}

#[test]
fn more_than_a_log_holds_is_counted() {
    let mut log = MinuteLog::new(Minute(1));
    for index in 0..LogLimits::CHANGES as u64 + 3 {
        log.change(EpochMs(index), None, What::OlderCopy { behind: index });
    }
    for id in 0..LogLimits::RENDITIONS as u64 + 2 {
        log.change(EpochMs(id), Some(RenditionId(id)), What::RebufferingStarted);
    }
    assert_eq!(log.changes().len(), LogLimits::CHANGES);
    assert_eq!(log.renditions().len(), LogLimits::RENDITIONS);
    assert_eq!(log.dropped(), 3 + LogLimits::RENDITIONS as u64 + 2);
    assert_eq!(MinuteLog::unpack(&log.pack()), Ok(log));
}
