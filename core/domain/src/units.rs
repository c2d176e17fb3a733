//! Units. A point in time and a length of media are different types; a length of wall time is
//! [`Duration`].

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. For a length of media use [`MediaUs`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochMs(pub u64);

impl EpochMs {
    /// Wall time since `earlier`; zero when `earlier` is later, so that a clock that steps back
    /// never makes a negative length.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for EpochMs {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis(length)))
    }
}

impl Sub<Duration> for EpochMs {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(millis(length)))
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// A length of media in microseconds: fine enough that adding up EXTINF values never drifts.
///
/// All arithmetic saturates: a playlist may claim any number and must not make us panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaUs(pub u64);

impl MediaUs {
    /// No media.
    pub const ZERO: Self = Self(0);

    /// Whole seconds as a length of media.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// As decimal seconds, the form EXTINF is written in.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
        let us = self.0 as f64;
        us / 1e6
    }

    /// How long this takes to play.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// Media that plays for `length`.
    #[must_use]
    pub fn from_duration(length: Duration) -> Self {
        Self(u64::try_from(length.as_micros()).unwrap_or(u64::MAX))
    }

    /// `self - other`, never below zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self * factor`, capped.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add for MediaUs {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MediaUs {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for MediaUs {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for MediaUs {
    /// Seconds with as many decimals as are needed, at most three: `6 s`, `6.006 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Seconds(self.as_duration()))
    }
}

/// Writes a length of wall time in seconds: `0.25 s`, `12 s`.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0.as_secs_f64());
        write!(f, "{} s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_negative() {
        assert_eq!(EpochMs(5).since(EpochMs(9)), Duration::ZERO);
        assert_eq!(EpochMs(9).since(EpochMs(5)), Duration::from_millis(4));
        assert_eq!(EpochMs(5) - Duration::from_secs(1), EpochMs(0));
    }

    #[test]
    fn lengths_are_written_in_seconds() {
        assert_eq!(MediaUs(6_006_000).to_string(), "6.006 s");
        assert_eq!(MediaUs::from_seconds(10).to_string(), "10 s");
        assert_eq!(Seconds(Duration::from_millis(250)).to_string(), "0.25 s");
    }
}
