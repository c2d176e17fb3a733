//! What a monitor should say about a stream with faults, from the state rules the monitor is built by.

use crate::fault::{Applied, FaultKind, What};
use crate::spec::{Layout, StreamSpec};

/// State of a media playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistState {
    /// It advances.
    Live,
    /// It loads and does not advance.
    Stalled,
    /// It does not load.
    HttpError,
    /// It was live and has ENDLIST.
    LiveEnd,
}

impl PlaylistState {
    /// As the dashboard spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Stalled => "Stalled",
            Self::HttpError => "HTTPError",
            Self::LiveEnd => "LiveEnd",
        }
    }
}

/// Health of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// All is well.
    Healthy,
    /// Something is wrong, and it can still be watched.
    Degraded,
    /// It cannot be watched.
    Unhealthy,
}

impl Health {
    /// As the dashboard spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Degraded => "DEGRADED",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// What a monitor should come to say, once the faults have lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Of the renditions the faults concern.
    pub playlist_state: PlaylistState,
    /// Of the stream, at least.
    pub health: Health,
    /// Public finding codes, ascending.
    pub codes: Vec<&'static str>,
}

/// What to expect of a stream whose faults are as they are now. A fault that flaps is expected as if it stayed on
/// while it is on; one that hits only some requests may do less.
#[must_use]
pub fn expected(spec: &StreamSpec, faults: &[Applied], now_ms: u64) -> Expectation {
    let mut all = Expectation { playlist_state: PlaylistState::Live, health: Health::Healthy, codes: vec![] };
    for applied in faults.iter().filter(|applied| applied.active_since(now_ms).is_some()) {
        let (state, health, codes) = expected_of(spec, applied);
        if state != PlaylistState::Live {
            all.playlist_state = state;
        }
        all.health = all.health.max(health);
        all.codes.extend(codes);
    }
    all.codes.sort_unstable();
    all.codes.dedup();
    all
}

fn expected_of(spec: &StreamSpec, applied: &Applied) -> (PlaylistState, Health, &'static [&'static str]) {
    use Health::{Degraded, Healthy, Unhealthy};
    use PlaylistState::{HttpError, Live, LiveEnd, Stalled};
    let fault = &applied.fault;
    // One of several video renditions leaves something to play; the only audio rendition does not.
    let spare = fault.rendition.is_some_and(|only| only.resolution().is_some());
    let whole = if spare && spec.layout == Layout::Master { Degraded } else { Unhealthy };
    match fault.kind {
        FaultKind::SegmentStatus(_) | FaultKind::SegmentHang | FaultKind::SegmentTruncated => {
            (Live, Unhealthy, &["EC-2002"])
        }
        FaultKind::SegmentSlow { speed_ratio } if speed_ratio < 1.0 => (Live, whole, &["WA-1001", "WA-1002"]),
        FaultKind::SegmentSlow { .. } => (Live, Healthy, &[]),
        FaultKind::PlaylistStatus(_) => (HttpError, whole, &["EC-2004"]),
        FaultKind::PlaylistStall => (Stalled, whole, &["WA-1001"]),
        FaultKind::MasterStatus(_) => (Live, Unhealthy, &["EC-2004"]),
        FaultKind::Jump { .. } => (Live, Degraded, &["EC-1001"]),
        FaultKind::WrongContent if fault.on.is_none_or(|on| on == What::Segment) => {
            (Live, Unhealthy, &["EC-2002"])
        }
        FaultKind::WrongContent => (HttpError, whole, &["EC-2004"]),
        FaultKind::Tarpit(_) => match fault.on {
            Some(What::Segment | What::Init) => (Live, Unhealthy, &["EC-2002"]),
            Some(What::Master) => (Live, Unhealthy, &["EC-2004"]),
            Some(What::Playlist) | None => (HttpError, whole, &["EC-2004"]),
        },
        FaultKind::End => (LiveEnd, Healthy, &[]),
        FaultKind::OlderCopy { .. }
        | FaultKind::EncoderRestart { .. }
        | FaultKind::Redirect
        | FaultKind::Gzip => (Live, Healthy, &[]),
    }
}
