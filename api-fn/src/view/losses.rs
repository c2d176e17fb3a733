//! What was lost over a time, by rendition.

use std::collections::HashMap;

use hlsops_domain::{EpochMs, RenditionId};
use hlsops_store::pack::What;
use hlsops_store::{Slot, StoredMinute};
use hlsops_wire::RenditionLoss;

use super::Labels;
use super::incident::counted;
use super::metrics::is_lost;

/// What each rendition lost from `from` to `to`, those that lost most first.
pub(crate) fn losses(
    minutes: &[StoredMinute],
    labels: &Labels,
    from: EpochMs,
    to: EpochMs,
) -> Vec<RenditionLoss> {
    let loss = |(id, count): (RenditionId, u64)| RenditionLoss {
        rendition_id: id.to_string(),
        rendition: labels.get(id),
        segments_lost_count: count,
    };
    let mut all: Vec<RenditionLoss> =
        count(minutes, |at| from <= at && at <= to).into_iter().map(loss).collect();
    all.sort_by(|a, b| {
        let most = b.segments_lost_count.cmp(&a.segments_lost_count);
        most.then_with(|| a.rendition_id.cmp(&b.rendition_id))
    });
    all
}

/// Over all renditions.
pub(crate) fn total(lost: &[RenditionLoss]) -> u64 {
    lost.iter().map(|one| one.segments_lost_count).fold(0, u64::saturating_add)
}

/// The whole of it in words; a title tells of the window in which an incident began. `is_cut`: there may be more.
pub(crate) fn in_all(lost: &[RenditionLoss], is_cut: bool) -> Option<String> {
    let counts = || lost.iter().map(|one| one.segments_lost_count);
    let (least, most) = (counts().min()?, counts().max()?);
    let at_least = if is_cut { "at least " } else { "" };
    let all = format!("in all {at_least}{} lost", counted(total(lost), "segment"));
    Some(match lost.len() {
        1 => all,
        many if least == most => format!("{all}, {most} on each of {many} renditions"),
        many => format!("{all}, {least} to {most} on each of {many} renditions"),
    })
}

fn count(minutes: &[StoredMinute], is_meant: impl Fn(EpochMs) -> bool) -> HashMap<RenditionId, u64> {
    let mut lost: HashMap<RenditionId, u64> = HashMap::new();
    let mut add = |id, count: u64| {
        let sum = lost.entry(id).or_default();
        *sum = count.saturating_add(*sum);
    };
    for stored in minutes {
        let Slot::Watched { log, .. } = &stored.slot else { continue };
        for rendition in log.renditions() {
            let rows = rendition.segments.iter().filter(|row| is_lost(row) && is_meant(row.at));
            rows.for_each(|_| add(rendition.id, 1));
        }
        for change in log.changes().iter().filter(|change| is_meant(change.at)) {
            if let (What::Lost { segments, .. }, Some(id)) = (&change.what, change.rendition) {
                add(id, *segments);
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_summed_over_renditions() {
        let of = |counts: &[u64]| -> Vec<RenditionLoss> {
            let one = |count: &u64| RenditionLoss {
                rendition_id: String::new(),
                rendition: None,
                segments_lost_count: *count,
            };
            counts.iter().map(one).collect()
        };
        for (counts, is_cut, expected) in [
            (&[][..], false, None),
            (&[1], false, Some("in all 1 segment lost")),
            (&[37, 37, 37, 37], false, Some("in all 148 segments lost, 37 on each of 4 renditions")),
            (&[9, 4], true, Some("in all at least 13 segments lost, 4 to 9 on each of 2 renditions")),
        ] {
            assert_eq!(in_all(&of(counts), is_cut).as_deref(), expected);
        }
    }
}
