//! When a stream was paused and resumed, in its timeline.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::Pause;
use hlsops_wire::{TimelineEntry, TimelineKind};

use super::timeline::Placed;
use crate::times;

/// Two entries for each pause that is over, one for the one that holds.
pub(crate) fn switches(pauses: &[Pause]) -> impl Iterator<Item = Placed> {
    pauses.iter().flat_map(|pause| {
        let paused = placed(pause.from, 'y', "paused: nobody looks until it is resumed");
        let resumed = pause.until.map(|at| placed(at, 'z', "resumed: it is looked at again"));
        std::iter::once(paused).chain(resumed)
    })
}

/// Noticing a pause, ending for it and beginning again takes some seconds, and what is known of a gap by whole minutes
/// only, as streams have minutes of their own, is up to one more.
const SLACK: Duration = Duration::from_secs(60);

/// Whether a gap is a pause, which is told already.
pub(crate) fn explain(pauses: &[Pause], from: EpochMs, to: EpochMs) -> bool {
    let within = |pause: &Pause| pause.until.unwrap_or(to).min(to).since(pause.from.max(from));
    let paused: Duration = pauses.iter().map(within).sum();
    !paused.is_zero() && to.since(from).saturating_sub(paused) <= SLACK
}

fn placed(at: EpochMs, kind: char, text: &str) -> Placed {
    let entry = TimelineEntry {
        id: format!("evt_{:014}{kind}", at.0),
        at: times::text(at),
        kind: TimelineKind::Gap,
        text: text.into(),
        state: None,
        rendition_id: None,
        rendition: None,
        sequence: None,
        code: None,
        incident_id: None,
    };
    Placed { at, entry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_pause_where_little_else_is_in_it() {
        let s = |seconds: u64| EpochMs(seconds * 1_000);
        let pauses = [Pause { from: s(100), until: Some(s(400)) }, Pause { from: s(1_000), until: None }];
        for (from, to, expected) in [
            (98, 404, true),
            (70, 430, true),
            (98, 500, false),
            (0, 160, false),
            (420, 450, false),
            (998, 2_000, true),
            (900, 2_000, false),
        ] {
            assert_eq!(explain(&pauses, s(from), s(to)), expected, "{from} to {to}");
        }
        assert!(!explain(&[], s(1), s(2)));
    }
}
