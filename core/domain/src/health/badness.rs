//! Which of several moments was the worst.

use super::{Health, HealthState, What};

/// No viewer is served, whatever else holds. Unit: thousandths, as all weights.
const NOBODY_SERVED: u64 = 10_000;
/// A rendition brings nothing, or all media is lost.
const ALL: u64 = 1_000;
/// Slow, and served.
const SLOW: u64 = 100;

impl Health {
    /// How bad it is beside other moments of the same stream: the state first, then how much viewers miss.
    #[must_use]
    pub fn badness(&self) -> (HealthState, u64) {
        (self.state, self.reasons.iter().map(|reason| weight(&reason.what)).fold(0, u64::saturating_add))
    }
}

fn weight(what: &What) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 1,000")]
    let thousandths = |share: f64| (share.clamp(0.0, 1.0) * 1_000.0) as u64;
    match what {
        What::Starting | What::NotLooked(_) => 0,
        What::MasterDown(_) | What::Ended | What::NothingPlayable => NOBODY_SERVED,
        What::PlaylistDown(_) | What::Stalled => ALL,
        What::SegmentsLost { share, .. } => thousandths(*share),
        What::ConsecutiveLost(count) => u64::from(*count).min(ALL),
        What::SlowFirstByte { .. } | What::LowRatio { .. } => SLOW,
        What::Rebuffering { waited, window } => {
            thousandths(waited.as_secs_f64() / window.as_secs_f64().max(1.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;
    use std::time::Duration;

    fn health(state: HealthState, whats: &[What]) -> Health {
        let reason = |what: &What| Reason { state, rendition: None, what: what.clone() };
        Health { state, reasons: whats.iter().map(reason).collect() }
    }

    #[test]
    fn the_worst_is_what_viewers_miss_most_in() {
        use HealthState::{Degraded, Healthy, Unhealthy};
        const WINDOW: Duration = Duration::from_secs(120);
        let lost = |share| What::SegmentsLost { count: 9, share, within: WINDOW, of: WINDOW };
        let waited = |s| What::Rebuffering { waited: Duration::from_secs(s), window: WINDOW };
        let growing = [
            health(Healthy, &[]),
            health(Degraded, &[lost(0.09), waited(9)]),
            health(Unhealthy, &[What::ConsecutiveLost(3), lost(0.038)]),
            health(Unhealthy, &[What::ConsecutiveLost(60), lost(1.0), waited(120)]),
            health(Unhealthy, &[What::NothingPlayable, What::Stalled]),
        ];
        assert!(growing.windows(2).all(|pair| pair[0].badness() < pair[1].badness()));
    }
}
