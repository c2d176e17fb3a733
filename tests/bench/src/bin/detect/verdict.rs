//! Whether a fault was recognised, and how soon: times count from the first faulty answer the origin gave.

use hlsops_domain::{EpochMs, HealthState};
use serde_json::{Value, json};

use crate::cases::{By, Case};
use crate::seen::Seen;

/// One row of the report. Unit of all times: seconds from the first faulty answer.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) case: Case,
    pub(crate) first_event: Option<(f64, String)>,
    pub(crate) playlist: Option<(f64, &'static str)>,
    pub(crate) reason: Option<(f64, String)>,
    /// The worst health it came to.
    pub(crate) health: Option<(f64, HealthState)>,
    pub(crate) codes: Vec<(f64, &'static str)>,
    pub(crate) recognised: Option<f64>,
    /// What is not as it must be.
    pub(crate) faults: Vec<String>,
    /// What happened, for people.
    pub(crate) story: Vec<String>,
}

impl Verdict {
    /// `first_faulty` is none if the fault never showed.
    pub(crate) fn new(case: &Case, seen: &Seen, first_faulty: Option<EpochMs>) -> Self {
        let since = first_faulty.unwrap_or_default();
        // The origin's clock and ours differ by a millisecond now and then: what came with the answer came at 0.
        let seconds = |at: &EpochMs| match at.0 as f64 - since.0 as f64 {
            ms if ms.abs() <= 2.0 => 0.0,
            ms => ms / 1_000.0,
        };
        let playlist = match case.expect.playlist {
            Some(wanted) => seen.playlists.iter().find(|(_, state)| *state == wanted),
            None => seen.playlists.first(),
        };
        // The first of the worst. NO DATA sorts before HEALTHY, and counts only beside it.
        let worst = seen.healths.iter().rev().max_by_key(|(_, state)| *state);
        let mut verdict = Self {
            case: case.clone(),
            first_event: seen.events.first().map(|(at, word, _)| (seconds(at), word.clone())),
            playlist: playlist.map(|(at, state)| (seconds(at), *state)),
            reason: seen.reason.as_ref().map(|(at, what)| (seconds(at), what.clone())),
            health: worst.map(|(at, state)| (seconds(at).max(0.0), *state)),
            codes: seen.codes.iter().map(|(at, code)| (seconds(at), *code)).collect(),
            recognised: None,
            faults: Vec::new(),
            story: Vec::new(),
        };
        verdict.recognised = verdict.recognised_at(seen, seconds);
        verdict.faults = verdict.missing(seen, first_faulty.is_some());
        let lines = seen.events.iter().take(24).map(|(at, _, line)| format!("{:.1} s: {line}", seconds(at)));
        let healths = seen.healths.iter().zip(&seen.health_lines).take(12);
        verdict.story =
            lines.chain(healths.map(|((at, _), l)| format!("{:.1} s: {l}", seconds(at)))).collect();
        verdict
    }

    fn recognised_at(&self, seen: &Seen, seconds: impl Fn(&EpochMs) -> f64) -> Option<f64> {
        let expect = &self.case.expect;
        let first = expect.codes.first();
        match expect.by {
            By::Finding => self.codes.iter().find(|(_, code)| Some(code) == first).map(|(at, _)| *at),
            By::Playlist => self.playlist.as_ref().map(|(at, _)| *at),
            By::Event => {
                let event = seen.events.iter().find(|(_, word, _)| Some(word.as_str()) == expect.event);
                event.map(|(at, ..)| seconds(at))
            }
            By::Nothing => None,
        }
    }

    fn missing(&self, seen: &Seen, shown: bool) -> Vec<String> {
        let expect = &self.case.expect;
        let mut faults = Vec::new();
        if !shown {
            faults.push("the origin never gave a faulty answer".into());
        }
        for code in expect.codes.iter().filter(|code| !self.codes.iter().any(|(_, c)| c == *code)) {
            faults.push(format!("no finding {code}"));
        }
        if let Some(state) = expect.playlist.filter(|_| self.playlist.is_none()) {
            faults.push(format!("no playlist state {state}"));
        }
        if let Some(event) = expect.event.filter(|_| self.recognised.is_none()) {
            faults.push(format!("no event `{event}`"));
        }
        if expect.health == HealthState::Healthy {
            let left = seen.healths.iter().find(|(_, state)| *state != HealthState::Healthy);
            faults.extend(left.map(|(_, state)| format!("left HEALTHY: {}", state.name())));
        } else if self.health.is_none_or(|(_, state)| state < expect.health) {
            faults.push(format!("never {}", expect.health.name()));
        }
        if expect.codes.is_empty() {
            faults.extend(self.codes.iter().map(|(_, code)| format!("false finding {code}")));
        }
        faults
    }

    /// Within its target, where it has one.
    pub(crate) fn in_time(&self) -> Option<bool> {
        self.case.expect.target_s.map(|target| self.recognised.is_some_and(|took| took <= target))
    }

    pub(crate) fn json(&self) -> Value {
        let spec = &self.case.spec;
        json!({
            "fault": self.case.name, "layout": spec.layout.name(), "container": spec.container.name(),
            "first_event_s": self.first_event.as_ref().map(|(at, _)| at),
            "first_event": self.first_event.as_ref().map(|(_, word)| word),
            "playlist_state": self.playlist.map(|(_, state)| state),
            "playlist_state_s": self.playlist.map(|(at, _)| at),
            "reason": self.reason.as_ref().map(|(_, what)| what),
            "reason_s": self.reason.as_ref().map(|(at, _)| at),
            "health": self.health.map(|(_, state)| state.name()),
            "health_s": self.health.map(|(at, _)| at),
            "codes": self.codes.iter().map(|(at, code)| json!({"code": code, "s": at})).collect::<Vec<_>>(),
            "recognised_s": self.recognised,
            "target_s": self.case.expect.target_s,
            "in_time": self.in_time(),
            "wrong": self.faults,
        })
    }
}
