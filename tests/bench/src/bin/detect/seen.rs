//! What the watcher said of one stream, and when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, Event, EventKind, HealthState, StreamState};
use hlsops_watch::Sink;

/// What was said since the fault was set. Bounded: past its bounds, only the first lines are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// HEALTHY, and all playlists Live.
    pub(crate) settled: bool,
    /// Only then is anything noted.
    pub(crate) noting: bool,
    /// What shows a fault or change: a short word for a table, and a line for people.
    pub(crate) events: Vec<(EpochMs, String, String)>,
    /// Playlist states as they were entered.
    pub(crate) playlists: Vec<(EpochMs, &'static str)>,
    /// Codes found, each the first time.
    pub(crate) codes: Vec<(EpochMs, &'static str)>,
    /// The first reason against HEALTHY.
    pub(crate) reason: Option<(EpochMs, String)>,
    /// Health as it changed.
    pub(crate) healths: Vec<(EpochMs, HealthState)>,
    /// Reasons as health changed, for people.
    pub(crate) health_lines: Vec<String>,
    health_now: Option<HealthState>,
}

impl Seen {
    const MAX: usize = 2_000;

    fn take(&mut self, event: &Event) {
        if self.events.len() >= Self::MAX {
            return;
        }
        let (word, line) = match &event.kind {
            EventKind::Playlist { from, to } => {
                self.playlists.push((event.at, to.name()));
                (format!("-> {}", to.name()), format!("playlist {} -> {}", from.name(), to.name()))
            }
            EventKind::LoadFailed(failure) => (failure.to_string(), format!("load failed: {failure}")),
            EventKind::SegmentFailed { sequence, failure, attempt, .. } => {
                (failure.to_string(), format!("segment {sequence}: {failure}, attempt {attempt}"))
            }
            EventKind::Finding(finding) => {
                let code = finding.rule.code;
                if !self.codes.iter().any(|(_, known)| *known == code) {
                    self.codes.push((event.at, code));
                }
                (code.to_owned(), format!("{code} {}", finding.message))
            }
            EventKind::SegmentObtained { sequence, ratio: Some(ratio), .. } if *ratio < 1.0 => {
                ("slow".into(), format!("segment {sequence}: ratio {ratio:.2}"))
            }
            EventKind::SegmentObtained { .. } => return,
            EventKind::EncoderRestarted { from, to } => {
                ("restarted".into(), format!("restarted: {from} -> {to}"))
            }
            EventKind::OlderCopy { behind } => ("older copy".into(), format!("older copy, {behind} behind")),
            EventKind::RebufferingStarted => ("rebuffering".into(), "rebuffering".into()),
            EventKind::RebufferingEnded { waited } => {
                ("played on".into(), format!("played on after {:.1} s", waited.as_secs_f64()))
            }
            EventKind::Health { to, .. } => (to.state.name().into(), format!("health {}", to.state.name())),
            other => (word_of(other), format!("{other:?}")),
        };
        self.events.push((event.at, word, line));
    }

    fn judge(&mut self, state: &StreamState, at: EpochMs) {
        let health = &state.health;
        if self.reason.is_none()
            && let Some(first) = health.reasons.first()
        {
            self.reason = Some((at, first.what.to_string()));
        }
        if self.health_now != Some(health.state) && self.healths.len() < Self::MAX {
            self.health_now = Some(health.state);
            self.healths.push((at, health.state));
            let reasons: Vec<String> = health.reasons.iter().map(|reason| reason.what.to_string()).collect();
            self.health_lines.push(format!("{}: {}", health.state.name(), reasons.join("; ")));
        }
    }
}

/// The name of the variant.
fn word_of(kind: &EventKind) -> String {
    let text = format!("{kind:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// Writes into a [`Seen`].
pub(crate) struct SeenSink(pub(crate) Arc<Mutex<Seen>>);

impl Sink for SeenSink {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        let mut seen = lock(&self.0);
        if seen.noting {
            events.iter().for_each(|event| seen.take(event));
            seen.judge(state, at);
        } else {
            seen.settled = state.health.state == HealthState::Healthy
                && state.played().all(|rendition| rendition.playlist == PlaylistState::Live);
        }
    }
}

pub(crate) fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
