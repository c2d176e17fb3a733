//! Gaps in what is on record: each told once, and before what follows from it.

use std::time::Duration;

use hlsops_domain::{EpochMs, HealthState};
use hlsops_store::Pause;
use hlsops_store::pack::{Change, What};

use crate::view::length;
use crate::view::pauses::explain;

/// A change as it is told.
pub(super) struct Told {
    /// Its place in the timeline.
    pub(super) at: EpochMs,
    pub(super) change: Change,
    /// A jump of the numbering is a loss and a gap. Of either part: how many segments the other one is about.
    pub(super) beside: Option<u64>,
}

/// The changes of a minute with their indices. Adjoining gaps of a rendition are one, with the index of the first;
/// those that a pause explains are none.
pub(super) fn told(changes: &[Change], pauses: &[Pause]) -> Vec<(usize, Told)> {
    let mut all: Vec<(usize, Told)> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        if gap(changes, change).is_some_and(|gap| explain(pauses, change.at - gap, change.at)) {
            continue;
        }
        if all.last_mut().is_some_and(|(_, before)| extend(&mut before.change, change)) {
            continue;
        }
        let (at, beside) = (place(changes, change), None);
        all.push((index, Told { at, change: change.clone(), beside }));
    }
    let parts: Vec<Option<u64>> = all.iter().map(|(_, one)| other_part(&all, &one.change)).collect();
    for ((_, one), part) in all.iter_mut().zip(parts) {
        one.beside = part;
    }
    all
}

/// For how long nobody looked, in whole seconds.
pub(super) fn own(gap: Duration) -> String {
    format!("no look on record for {}", length((gap + Duration::from_millis(500)).as_secs()))
}

/// Segments that were never asked for.
pub(super) fn unseen(first: u64, last: u64, is_jump: bool) -> String {
    let why = if is_jump { "; the numbering jumped" } else { "" };
    match last.saturating_sub(first).saturating_add(1) {
        1 => format!("no record of segment {first}{why}"),
        count => format!("no record of {count} segments: {first} to {last}{why}"),
    }
}

/// Takes `change` into the gap before it, if it goes on there.
fn extend(before: &mut Change, change: &Change) -> bool {
    if !is_same_step(before, change) {
        return false;
    }
    match (&mut before.what, &change.what) {
        (What::NotWatched { last, .. }, What::NotWatched { first, last: end })
            if last.checked_add(1) == Some(*first) =>
        {
            *last = *end;
            true
        }
        _ => false,
    }
}

fn is_same_step(a: &Change, b: &Change) -> bool {
    a.at == b.at && a.rendition == b.rendition
}

fn other_part(all: &[(usize, Told)], change: &Change) -> Option<u64> {
    let beside = all.iter().map(|(_, told)| &told.change).filter(|other| is_same_step(change, other));
    let mut whats = beside.map(|other| &other.what);
    match &change.what {
        What::NotWatched { .. } => whats.find_map(|what| match what {
            What::Lost { segments, .. } => Some(*segments),
            _ => None,
        }),
        What::Lost { .. } => whats.find_map(|what| match what {
            What::NotWatched { first, last } => Some(last.saturating_sub(*first).saturating_add(1)),
            _ => None,
        }),
        _ => None,
    }
}

/// How long nobody looked, of a change that says so or follows from it.
fn gap(changes: &[Change], change: &Change) -> Option<Duration> {
    match change.what {
        What::OwnGap(gap) => Some(gap),
        What::NotWatched { .. } => {
            changes.iter().filter(|other| is_same_step(change, other)).find_map(|other| match other.what {
                What::OwnGap(gap) => Some(gap),
                _ => None,
            })
        }
        _ => None,
    }
}

/// A gap is known at its end. Where health has become NO DATA in it, it is told before that: nobody looked is why.
fn place(changes: &[Change], change: &Change) -> EpochMs {
    let Some(gap) = gap(changes, change) else { return change.at };
    let in_gap = |other: &&Change| {
        matches!(other.what, What::Health { to: HealthState::NoData, .. })
            && other.at <= change.at
            && change.at.since(other.at) < gap
    };
    changes.iter().find(in_gap).map_or(change.at, |other| other.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_domain::{MediaUs, RenditionId};

    fn change(at: u64, rendition: u64, what: What) -> Change {
        Change { at: EpochMs(at), rendition: (rendition > 0).then_some(RenditionId(rendition)), what }
    }

    fn health(at: u64, from: HealthState, to: HealthState) -> Change {
        change(at, 0, What::Health { from, to, reason: if to == HealthState::NoData { 2 } else { 0 } })
    }

    /// Place, index and text of each.
    #[track_caller]
    fn check(changes: &[Change], expected: &[(u64, usize, &str)]) {
        check_paused(changes, &[], expected);
    }

    #[track_caller]
    fn check_paused(changes: &[Change], pauses: &[Pause], expected: &[(u64, usize, &str)]) {
        let found: Vec<(u64, usize, String)> = told(changes, pauses)
            .into_iter()
            .map(|(index, told)| {
                (told.at.0, index, crate::view::timeline::describe(told.at, &told.change.what, told.beside).1)
            })
            .collect();
        let found: Vec<(u64, usize, &str)> =
            found.iter().map(|(at, index, text)| (*at, *index, text.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_gap_is_told_once_and_before_what_followed_from_it() {
        use HealthState::{Healthy, NoData};
        let gap = || What::OwnGap(Duration::from_millis(30_611));
        check(
            &[
                health(40_090, Healthy, NoData),
                change(40_110, 1, gap()),
                change(40_110, 1, What::NotWatched { first: 391, last: 391 }),
                change(40_110, 1, What::NotWatched { first: 392, last: 398 }),
                health(40_110, NoData, Healthy),
                change(40_120, 2, gap()),
                change(40_120, 2, What::NotWatched { first: 391, last: 391 }),
            ],
            &[
                (40_090, 0, "NO DATA (was HEALTHY): no look for too long"),
                (40_090, 1, "no look on record for 31 s"),
                (40_090, 2, "no record of 8 segments: 391 to 398"),
                (40_110, 4, "HEALTHY (was NO DATA)"),
                (40_090, 5, "no look on record for 31 s"),
                (40_090, 6, "no record of segment 391"),
            ],
        );
        // Neither of another time nor of another rendition.
        check(
            &[
                health(1_000, Healthy, NoData),
                change(40_110, 1, What::OwnGap(Duration::from_secs(12))),
                change(40_110, 1, What::NotWatched { first: 5, last: 6 }),
                change(40_110, 2, What::NotWatched { first: 7, last: 7 }),
            ],
            &[
                (1_000, 0, "NO DATA (was HEALTHY): no look for too long"),
                (40_110, 1, "no look on record for 12 s"),
                (40_110, 2, "no record of 2 segments: 5 to 6"),
                (40_110, 3, "no record of segment 7"),
            ],
        );
    }

    #[test]
    fn a_gap_that_a_pause_explains_is_not_told_again() {
        let changes = [
            change(200_000, 1, What::OwnGap(Duration::from_secs(95))),
            change(200_000, 1, What::NotWatched { first: 5, last: 50 }),
            health(200_000, HealthState::NoData, HealthState::Healthy),
        ];
        let paused = |until| [Pause { from: EpochMs(106_000), until: Some(EpochMs(until)) }];
        let healthy = (200_000, 2, "HEALTHY (was NO DATA)");
        check_paused(&changes, &paused(198_000), &[healthy]);
        let gap = [
            (200_000, 0, "no look on record for 1 min 35 s"),
            (200_000, 1, "no record of 46 segments: 5 to 50"),
        ];
        check_paused(&changes, &paused(130_000), &[&gap[..], &[healthy]].concat());
    }

    #[test]
    fn a_jump_says_what_of_it_is_a_loss() {
        let lost = |segments| What::Lost { segments, media: MediaUs(2_000_000 * segments) };
        check(
            &[
                change(5, 1, What::NotWatched { first: 101, last: 148 }),
                change(5, 1, lost(1)),
                change(6, 1, What::NotWatched { first: 160, last: 161 }),
                change(6, 1, lost(2)),
            ],
            &[
                (5, 0, "no record of 48 segments: 101 to 148; the numbering jumped"),
                (
                    5,
                    1,
                    "1 segment lost (2 s of media): the numbering jumped, and no more can have been published since \
                     the last look",
                ),
                (6, 2, "no record of 2 segments: 160 to 161; the numbering jumped"),
                (6, 3, "2 segments lost (4 s of media): the numbering jumped"),
            ],
        );
    }
}
