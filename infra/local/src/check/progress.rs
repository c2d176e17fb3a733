//! Says on standard error that the look goes on: one line rewritten on a terminal, else a line per event.

use std::io::{IsTerminal, Write, stderr};

use hlsops_domain::{EpochMs, Event, EventKind, StreamState};

use crate::terminal::{Style, age, plain};

/// Progress of a look.
#[derive(Debug)]
pub(crate) struct Progress {
    rewrite: bool,
    style: Style,
    shown_at: Option<EpochMs>,
}

impl Progress {
    /// For a stream that is a terminal or not.
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        Self { rewrite: stream.is_terminal(), style: Style::of(stream), shown_at: None }
    }

    /// After every step.
    pub(crate) fn show(&mut self, state: &StreamState, at: EpochMs, until: EpochMs, events: &[Event]) {
        for event in events {
            if let Some(text) = line(state, event) {
                self.clear();
                say(&format!("{} {text}\n", super::clock(event.at)));
            }
        }
        let due = self.shown_at.is_none_or(|shown| at.since(shown).as_millis() >= 500);
        if self.rewrite && due {
            self.shown_at = Some(at);
            let health = self.style.health(state.health.state);
            let seen = state.renditions().filter(|r| r.last_look.is_some()).count();
            let plural = if seen == 1 { "" } else { "s" };
            say(&format!("\r\x1b[K{health} {seen} rendition{plural}, {} to go ", age(until.since(at))));
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.rewrite {
            say("\r\x1b[K");
        }
    }
}

/// Progress is a courtesy: a closed terminal must not end the look.
fn say(text: &str) {
    let mut err = stderr();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// The events worth a line while looking.
fn line(state: &StreamState, event: &Event) -> Option<String> {
    let whose = event
        .rendition
        .and_then(|id| state.rendition(id))
        .map_or_else(|| "stream".to_owned(), |r| plain(&r.spec.label, 40));
    let what = match &event.kind {
        EventKind::Playlist { from, to } => format!("{} -> {}", from.name(), to.name()),
        EventKind::LoadFailed(failure) => format!("load failed: {failure}"),
        EventKind::Health { to, .. } => match to.reasons.as_slice() {
            [] => to.state.name().to_owned(),
            [only] => format!("{}: {}", to.state.name(), only.what),
            [first, second, ..] => format!("{}: {}; {}", to.state.name(), first.what, second.what),
        },
        EventKind::Finding(finding) => format!("{} {}", finding.rule.code, finding.message),
        EventKind::EncoderRestarted { from, to } => format!("encoder restarted: segment {from}, now {to}"),
        EventKind::Renditions { added, removed } => format!("renditions: {added} added, {removed} gone"),
        _ => return None,
    };
    Some(format!("{whose}: {what}"))
}
