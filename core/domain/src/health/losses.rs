//! Media lost in the window.

use super::{HealthState, Reasons, Seen, What};
use crate::limits::Limits;
use crate::rendition::{Loss, Rendition};
use crate::stream::StreamState;
use crate::units::{EpochMs, MediaUs};

/// Losses of a rendition from which on a young window is judged by what it holds.
const SETTLED: u64 = 3;

/// Media lost, as a share of what was published in the window.
///
/// A stream that has been watched for less than a window has published little, and one segment that is missing in
/// every rendition is a large share of that. Until a rendition has lost three, losses are weighed against a whole
/// window; then against what there was to lose.
pub(super) fn weigh(
    stream: &StreamState,
    played: &[Seen<'_>],
    now: EpochMs,
    limits: &Limits,
    found: &mut Reasons,
) {
    let window = MediaUs::from_duration(limits.window);
    let within = limits.window.min(now.since(stream.began_at));
    let (mut count, mut most, mut lost, mut published) = (0_u64, 0, MediaUs::ZERO, MediaUs::ZERO);
    for rendition in played.iter().map(|seen| seen.known) {
        let loss = rendition.lost(now, limits.window);
        count = count.saturating_add(loss.segments);
        most = most.max(loss.segments);
        lost += loss.media;
        // What is published is listed up to two target durations later.
        let due = within.saturating_sub(rendition.target().times(2).as_duration());
        published += to_lose(rendition, loss, now, limits).max(MediaUs::from_duration(due)).min(window);
    }
    if count < limits.lost_degraded.max(1) {
        return;
    }
    let (whole, of) =
        if most < SETTLED { (window.times(played.len() as u64), limits.window) } else { (published, within) };
    let share = (lost.as_seconds() / whole.as_seconds().max(1.0)).min(1.0);
    let many = share >= limits.lost_share_unhealthy || limits.lost_unhealthy.is_some_and(|n| count >= n);
    let state = if many { HealthState::Unhealthy } else { HealthState::Degraded };
    found.add(state, None, What::SegmentsLost { count, share, within, of });
}

/// What is known to have been published, also where it is still being fetched: nothing where no segments are
/// fetched, and then time says how much.
fn to_lose(rendition: &Rendition, loss: Loss, now: EpochMs, limits: &Limits) -> MediaUs {
    rendition.media_obtained(now, limits.window) + rendition.media_awaited() + loss.media
}
