//! What the fixtures of the checks are made of.

use std::time::Duration;

use super::Fact;
use crate::observation::{Failure, SegmentAttempt};
use crate::rendition::{Change, Loss, PlaylistState, Progress};
use crate::units::{EpochMs, MediaUs};

/// Facts that a rule must let pass, and facts that it must find, with its message.
pub(super) struct Fixtures {
    pub(super) passing: Vec<Sample>,
    pub(super) failing: Vec<(Sample, &'static str)>,
}

/// A fact that owns what it is about.
#[derive(Debug)]
pub(super) enum Sample {
    Loaded(Progress),
    Unreachable(Failure),
    Segment(SegmentAttempt),
    RanDry(Duration),
}

impl Sample {
    pub(super) fn fact(&self) -> Fact<'_> {
        match self {
            Self::Loaded(progress) => Fact::Loaded(progress),
            Self::Unreachable(failure) => Fact::Unreachable(*failure),
            Self::Segment(attempt) => Fact::Segment(attempt),
            Self::RanDry(waiting) => Fact::RanDry { waiting: *waiting },
        }
    }
}

/// A playlist loaded and meant `change`.
pub(super) fn loaded(change: Option<Change>, timely: bool) -> Sample {
    Sample::Loaded(Progress {
        change,
        state_before: PlaylistState::Live,
        timely,
        own_gap: None,
        lost: Loss::NONE,
        not_watched: None,
    })
}

/// The only attempt at segment 10, of 6 s.
pub(super) fn segment(outcome: Result<(), Failure>) -> SegmentAttempt {
    SegmentAttempt {
        sequence: 10,
        duration: MediaUs::from_seconds(6),
        requested_at: EpochMs(0),
        queue: Duration::ZERO,
        ttfb: Duration::from_millis(30),
        download: Duration::from_millis(300),
        bytes: 1_000_000,
        length_known: true,
        attempt: 1,
        earlier: None,
        last: true,
        outcome,
    }
}
