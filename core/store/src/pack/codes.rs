//! Numbers for the domain's words. A number, once given, is never given to another word.

use std::time::Duration;

use hlsops_domain::health::What as Reason;
use hlsops_domain::incident::{Incident, Transition, Trigger};
use hlsops_domain::playlist::NotAPlaylist;
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, Failure, HealthState};

use super::PackError;
use super::bits::{BitReader, BitWriter};

/// A length of time, to the microsecond.
pub(super) fn write_length(out: &mut BitWriter, length: Duration) {
    out.number(u64::try_from(length.as_micros()).unwrap_or(u64::MAX));
}

pub(super) fn read_length(from: &mut BitReader<'_>) -> Result<Duration, PackError> {
    from.number().map(Duration::from_micros)
}

/// As one number, 0 being left free for "none".
pub(super) const fn failure_code(failure: Failure) -> u64 {
    match failure {
        Failure::Dns => 1,
        Failure::Connect => 2,
        Failure::Tls => 3,
        Failure::Timeout => 4,
        Failure::TooLarge => 5,
        Failure::NotAPlaylist(NotAPlaylist::Empty) => 6,
        Failure::NotAPlaylist(NotAPlaylist::NoHeader) => 7,
        Failure::NotAPlaylist(NotAPlaylist::NoContent) => 8,
        Failure::Truncated => 9,
        Failure::Empty => 10,
        Failure::WrongContent => 11,
        Failure::Expired => 12,
        Failure::Blocked => 13,
        Failure::OwnQueue => 14,
        Failure::Broken => 15,
        Failure::BadUri => 16,
        Failure::Http(status) => HTTP + status as u64,
    }
}

const HTTP: u64 = 64;

pub(super) fn failure(code: u64) -> Result<Failure, PackError> {
    Ok(match code {
        1 => Failure::Dns,
        2 => Failure::Connect,
        3 => Failure::Tls,
        4 => Failure::Timeout,
        5 => Failure::TooLarge,
        6 => Failure::NotAPlaylist(NotAPlaylist::Empty),
        7 => Failure::NotAPlaylist(NotAPlaylist::NoHeader),
        8 => Failure::NotAPlaylist(NotAPlaylist::NoContent),
        9 => Failure::Truncated,
        10 => Failure::Empty,
        11 => Failure::WrongContent,
        12 => Failure::Expired,
        13 => Failure::Blocked,
        14 => Failure::OwnQueue,
        15 => Failure::Broken,
        16 => Failure::BadUri,
        code => {
            let status = code.checked_sub(HTTP).and_then(|status| u16::try_from(status).ok());
            Failure::Http(status.ok_or(PackError::Damaged("failure"))?)
        }
    })
}

pub(super) fn write_playlist(out: &mut BitWriter, state: PlaylistState) {
    let code = match state {
        PlaylistState::Unknown => 0,
        PlaylistState::Live => 1,
        PlaylistState::Stalled => 2,
        PlaylistState::HttpError(_) => 3,
        PlaylistState::LiveEnd => 4,
        PlaylistState::Vod => 5,
    };
    out.bits(code, 3);
    if let PlaylistState::HttpError(failure) = state {
        out.number(failure_code(failure));
    }
}

pub(super) fn read_playlist(from: &mut BitReader<'_>) -> Result<PlaylistState, PackError> {
    Ok(match from.bits(3)? {
        0 => PlaylistState::Unknown,
        1 => PlaylistState::Live,
        2 => PlaylistState::Stalled,
        3 => PlaylistState::HttpError(failure(from.number()?)?),
        4 => PlaylistState::LiveEnd,
        5 => PlaylistState::Vod,
        _ => return Err(PackError::Damaged("playlist state")),
    })
}

pub(crate) const fn health_code(health: HealthState) -> u64 {
    match health {
        HealthState::NoData => 0,
        HealthState::Healthy => 1,
        HealthState::Degraded => 2,
        HealthState::Unhealthy => 3,
    }
}

pub(crate) const fn health(code: u64) -> Option<HealthState> {
    Some(match code {
        0 => HealthState::NoData,
        1 => HealthState::Healthy,
        2 => HealthState::Degraded,
        3 => HealthState::Unhealthy,
        _ => return None,
    })
}

pub(super) fn write_health(out: &mut BitWriter, state: HealthState) {
    out.bits(health_code(state), 2);
}

pub(super) fn read_health(from: &mut BitReader<'_>) -> Result<HealthState, PackError> {
    health(from.bits(2)?).ok_or(PackError::Damaged("health"))
}

/// The kind of a reason, without its figures.
pub(super) const fn reason_code(reason: &Reason) -> u8 {
    match reason {
        Reason::Starting => 1,
        Reason::NotLooked(_) => 2,
        Reason::MasterDown(_) => 3,
        Reason::PlaylistDown(_) => 4,
        Reason::Stalled => 5,
        Reason::Ended => 6,
        Reason::NothingPlayable => 7,
        Reason::SegmentsLost { .. } => 8,
        Reason::ConsecutiveLost(_) => 9,
        Reason::SlowFirstByte { .. } => 10,
        Reason::LowRatio { .. } => 11,
        Reason::Rebuffering { .. } => 12,
    }
}

/// A kind of reason in words; nothing for 0 and for what a newer version wrote.
pub(super) const fn reason_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "waiting for the first new segment",
        2 => "no look for too long",
        3 => "the stream's own playlist does not load",
        4 => "a playlist does not load",
        5 => "a playlist brings no new segments",
        6 => "the stream ended",
        7 => "no variant can be played",
        8 => "segments lost",
        9 => "segments in a row missing",
        10 => "slow first byte",
        11 => "downloads too slow",
        12 => "playback waited",
        _ => return None,
    })
}

pub(super) fn write_transition(out: &mut BitWriter, transition: Transition) {
    match transition {
        Transition::Opened(Trigger::Unhealthy) => out.number(0),
        Transition::Opened(Trigger::LongDegraded) => out.number(1),
        Transition::Resolved { lasted } => {
            out.number(2);
            write_length(out, lasted);
        }
    }
}

pub(super) fn read_transition(from: &mut BitReader<'_>) -> Result<Transition, PackError> {
    Ok(match from.number()? {
        0 => Transition::Opened(Trigger::Unhealthy),
        1 => Transition::Opened(Trigger::LongDegraded),
        2 => Transition::Resolved { lasted: read_length(from)? },
        _ => return Err(PackError::Damaged("transition")),
    })
}

pub(super) fn write_incident(out: &mut BitWriter, incident: Incident, base: EpochMs) {
    match incident {
        Incident::None => out.bits(0, 2),
        Incident::Pending { since, minutes, last_minute } => {
            out.bits(1, 2);
            out.difference(base.0, since.0);
            out.number(minutes.into());
            out.difference(base.0 / 60_000, last_minute);
        }
        Incident::Open { since, healthy_since } => {
            out.bits(2, 2);
            out.difference(base.0, since.0);
            out.option(healthy_since, |out, at| out.difference(base.0, at.0));
        }
    }
}

pub(super) fn read_incident(from: &mut BitReader<'_>, base: EpochMs) -> Result<Incident, PackError> {
    Ok(match from.bits(2)? {
        0 => Incident::None,
        1 => Incident::Pending {
            since: EpochMs(from.difference(base.0)?),
            minutes: small(from.number()?)?,
            last_minute: from.difference(base.0 / 60_000)?,
        },
        2 => Incident::Open {
            since: EpochMs(from.difference(base.0)?),
            healthy_since: from.option(|from| from.difference(base.0).map(EpochMs))?,
        },
        _ => return Err(PackError::Damaged("incident")),
    })
}

/// A number that must fit its type.
pub(super) fn small<T: TryFrom<u64>>(value: u64) -> Result<T, PackError> {
    T::try_from(value).map_err(|_| PackError::Damaged("number"))
}
