//! When a stream was paused and resumed, in its timeline.

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
