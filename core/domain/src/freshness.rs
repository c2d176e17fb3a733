//! When what is stored of a stream is too old to be shown as its state.
//!
//! A watcher that has died writes nothing, not even that it is gone. So NO DATA is found by whoever reads: a
//! state older than its pace allows is not the last colour, it is unknown.

use std::time::Duration;

use crate::units::EpochMs;

/// How often something of a stream is stored while it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Watched all the time: once a minute.
    Continuous,
    /// One look every so long, and something stored after each.
    Interval(Duration),
}

impl Pace {
    /// What is stored may be this old, and never has to be younger: a hand-over, and two minutes missed.
    pub const LEAST: Duration = Duration::from_secs(180);

    /// Not having looked for `silence` is how the stream is watched, rather than a gap of our own.
    #[must_use]
    pub fn explains(self, silence: Duration) -> bool {
        matches!(self, Self::Interval(_)) && silence <= self.stale_after()
    }

    /// The age from which nothing is known: 180 s for a stream that is watched all the time, three intervals
    /// for one that is looked at now and then, but never less than 180 s.
    #[must_use]
    pub fn stale_after(self) -> Duration {
        match self {
            Self::Continuous => Self::LEAST,
            Self::Interval(every) => every.saturating_mul(3).max(Self::LEAST),
        }
    }
}

/// Nothing is known of a stream at `now`: it was never saved, or last at a time that its pace has left behind.
///
/// A save in the future comes from a clock that is ahead of ours; it is fresh.
#[must_use]
pub fn is_stale(watch: Pace, last_saved: Option<EpochMs>, now: EpochMs) -> bool {
    last_saved.is_none_or(|saved| now.since(saved) > watch.stale_after())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: EpochMs = EpochMs(1_800_000_000_000);

    #[track_caller]
    fn check(watch: Pace, age_ms: u64, stale: bool) {
        let saved = EpochMs(NOW.0 - age_ms);
        assert_eq!(is_stale(watch, Some(saved), NOW), stale, "{watch:?}, {age_ms} ms old");
    }

    #[test]
    fn what_was_never_saved_is_not_known() {
        assert!(is_stale(Pace::Continuous, None, NOW));
        assert!(is_stale(Pace::Interval(Duration::from_secs(60)), None, NOW));
    }

    #[test]
    fn a_state_ages_by_its_own_pace() {
        let every = |seconds| Pace::Interval(Duration::from_secs(seconds));
        for (watch, limit_ms) in [
            (Pace::Continuous, 180_000),
            (every(0), 180_000),
            (every(10), 180_000),
            (every(60), 180_000),
            (every(61), 183_000),
            (every(300), 900_000),
            (every(900), 2_700_000),
        ] {
            check(watch, 0, false);
            check(watch, limit_ms, false);
            check(watch, limit_ms + 1, true);
        }
        let forever = Pace::Interval(Duration::MAX);
        check(forever, NOW.0, false);
    }

    #[test]
    fn silence_between_looks_is_no_gap() {
        let minutely = Pace::Interval(Duration::from_secs(60));
        assert!(minutely.explains(Duration::from_secs(180)));
        assert!(!minutely.explains(Duration::from_secs(181)));
        assert!(!Pace::Continuous.explains(Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nothing_stale() {
        let ahead = EpochMs(NOW.0 + 600_000);
        assert!(!is_stale(Pace::Continuous, Some(ahead), NOW));
    }
}
