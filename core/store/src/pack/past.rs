//! The recent past of a stream, out of the logs of its last minutes.

use std::time::Duration;

use hlsops_domain::rendition::{Loss, Sample};
use hlsops_domain::{Closing, EpochMs, MediaUs, Past, RenditionId};

use super::log::{MinuteLog, SegmentRow, What};

/// What `hlsops_domain::StreamState::resume` needs of the last `window` before `now`. `logs` are oldest
/// first; `closing` is the state at their end.
///
/// Download figures are to the millisecond. Waits that no viewer would notice are in no log, and are left
/// out.
#[must_use]
pub fn past<'a>(
    logs: impl IntoIterator<Item = &'a MinuteLog>,
    closing: &Closing,
    now: EpochMs,
    window: Duration,
) -> Vec<(RenditionId, Past)> {
    let mut all = Vec::new();
    let recent = |at: &EpochMs| now.since(*at) <= window;
    for log in logs {
        for rendition in log.renditions() {
            let rows = rendition.segments.iter().filter(|row| recent(&row.at));
            all.extend(rows.filter_map(of_row).map(|past| (rendition.id, past)));
        }
        for change in log.changes() {
            let past = match change.what {
                What::Lost { segments, media } if recent(&change.at) => {
                    Past::Lost(change.at, Loss { segments, media })
                }
                What::RebufferingEnded { waited } if recent(&change.at) => {
                    Past::Rebuffered(change.at - waited, change.at)
                }
                _ => continue,
            };
            all.extend(change.rendition.map(|id| (id, past)));
        }
    }
    // Whoever still waits has been waiting up to the last reckoning.
    for rendition in &closing.renditions {
        let waiting = rendition.buffer.empty_since.filter(|since| *since < rendition.buffer.at);
        all.extend(waiting.map(|since| (rendition.id, Past::Rebuffered(since, rendition.buffer.at))));
    }
    // The windows want their entries in order; entries of the same time stay as they are.
    all.sort_by_key(|(_, past)| match past {
        Past::Obtained(at, _) | Past::Lost(at, _) | Past::Rebuffered(_, at) => *at,
    });
    all
}

fn of_row(row: &SegmentRow) -> Option<Past> {
    if row.failure.is_some() {
        return row.loss().map(|loss| Past::Lost(row.at, loss));
    }
    let sample = Sample {
        media: MediaUs(row.media.0),
        ttfb: Duration::from_millis(row.ttfb_ms),
        download: (!row.paced).then(|| Duration::from_millis(row.download_ms)),
    };
    Some(Past::Obtained(row.at, sample))
}
