//! When trouble becomes an incident. At most one is open per stream.

use std::time::Duration;

use crate::health::HealthState;
use crate::limits::Limits;
use crate::units::EpochMs;

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incident {
    /// Nothing is open.
    #[default]
    None,
    /// DEGRADED: an incident opens when it lasts.
    Pending {
        /// Since when.
        since: EpochMs,
        /// Minutes with new evidence so far, and the last of them.
        minutes: u32,
        /// Minutes since the epoch.
        last_minute: u64,
    },
    /// An incident is open.
    Open {
        /// Since when.
        since: EpochMs,
        /// HEALTHY since, while it holds.
        healthy_since: Option<EpochMs>,
    },
}

/// A step in the life of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Someone should look.
    Opened(Trigger),
    /// The stream has been HEALTHY for long enough.
    Resolved {
        /// How long it was open.
        lasted: Duration,
    },
}

/// What opened an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The stream turned UNHEALTHY.
    Unhealthy,
    /// The stream stayed DEGRADED.
    LongDegraded,
}

impl Incident {
    /// The next state. `new_evidence`: something went wrong again since the last call, as opposed to an old
    /// fault still being in the window. NO DATA stops every clock: it neither opens nor resolves.
    #[must_use]
    pub fn next(
        self,
        at: EpochMs,
        health: HealthState,
        new_evidence: bool,
        limits: &Limits,
    ) -> (Self, Option<Transition>) {
        use HealthState::{Degraded, Healthy, NoData, Unhealthy};
        match (self, health) {
            (Self::None | Self::Pending { .. }, Unhealthy) => open(at, Trigger::Unhealthy),
            (Self::None | Self::Pending { .. }, Healthy | NoData) => (Self::None, None),
            (Self::None, Degraded) => {
                (Self::Pending { since: at, minutes: 1, last_minute: minute(at) }, None)
            }
            (Self::Pending { since, minutes, last_minute }, Degraded) => {
                let another = new_evidence && minute(at) > last_minute;
                let minutes = minutes + u32::from(another);
                if at.since(since) > limits.degraded_opens && minutes >= limits.degraded_minutes {
                    return open(at, Trigger::LongDegraded);
                }
                let last_minute = if another { minute(at) } else { last_minute };
                (Self::Pending { since, minutes, last_minute }, None)
            }
            (Self::Open { since, healthy_since }, Healthy) => {
                let from = healthy_since.unwrap_or(at);
                if at.since(from) >= limits.clear {
                    return (Self::None, Some(Transition::Resolved { lasted: at.since(since) }));
                }
                (Self::Open { since, healthy_since: Some(from) }, None)
            }
            (Self::Open { since, .. }, Degraded | Unhealthy | NoData) => {
                (Self::Open { since, healthy_since: None }, None)
            }
        }
    }
}

fn open(at: EpochMs, trigger: Trigger) -> (Incident, Option<Transition>) {
    (Incident::Open { since: at, healthy_since: None }, Some(Transition::Opened(trigger)))
}

const fn minute(at: EpochMs) -> u64 {
    at.0 / 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `H`ealthy, `D`egraded, `U`nhealthy or `-` no data, ten seconds a letter, evidence with each
    /// capital; says when what happened.
    #[track_caller]
    fn check(script: &str, limits: &Limits, expected: &[&str]) {
        let mut incident = Incident::None;
        let mut seen = Vec::new();
        for (step, letter) in (0_u64..).zip(script.chars()) {
            let health = match letter.to_ascii_uppercase() {
                'H' => HealthState::Healthy,
                'D' => HealthState::Degraded,
                'U' => HealthState::Unhealthy,
                _ => HealthState::NoData,
            };
            let at = EpochMs(step * 10_000);
            let (next, transition) = incident.next(at, health, letter.is_uppercase(), limits);
            incident = next;
            seen.extend(transition.map(|t| match t {
                Transition::Opened(why) => format!("{}s {why:?}", step * 10),
                Transition::Resolved { lasted } => format!("{}s resolved {}s", step * 10, lasted.as_secs()),
            }));
        }
        assert_eq!(seen, expected, "{script}");
    }

    #[test]
    fn unhealthy_opens_at_once_and_only_health_that_lasts_resolves() {
        let limits = Limits::default();
        check("HHUUU", &limits, &["20s Unhealthy"]);
        check("UHHHHHHHHHHHHH", &limits, &["0s Unhealthy", "130s resolved 130s"]);
        check("UHHHHHHHUHHHHHHHHHHHHH", &limits, &["0s Unhealthy", "210s resolved 210s"]);
        check("UHHHHHHH-HHHHHHHHHHHHH", &limits, &["0s Unhealthy", "210s resolved 210s"]);
    }

    #[test]
    fn degraded_opens_when_it_lasts_with_new_evidence() {
        let limits = Limits::default();
        check(&"D".repeat(32), &limits, &["310s LongDegraded"]);
        check(&format!("D{}", "d".repeat(60)), &limits, &[]);
        check(&format!("{}H{}", "D".repeat(30), "D".repeat(29)), &limits, &[]);
        check(&"D".repeat(14), &Limits::seed1(), &["130s LongDegraded"]);
    }
}
