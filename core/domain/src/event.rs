//! What happened, in the order it happened: the timeline.

use std::time::Duration;

use crate::checks::Finding;
use crate::health::{Health, HealthState};
use crate::id::RenditionId;
use crate::incident::Transition;
use crate::observation::Failure;
use crate::rendition::{Loss, PlaylistState};
use crate::units::{EpochMs, MediaUs};

/// One entry of a stream's timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: EpochMs,
    /// The rendition it is about; none for the whole stream.
    pub rendition: Option<RenditionId>,
    /// What.
    pub kind: EventKind,
}

/// What happened. A state change is an event; a broken rule is a [`Finding`]; telling someone is an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The state of a media playlist changed.
    Playlist {
        /// Before.
        from: PlaylistState,
        /// Now.
        to: PlaylistState,
    },
    /// A playlist did not load; the first time, before it counts.
    LoadFailed(Failure),
    /// Health changed.
    Health {
        /// Before.
        from: HealthState,
        /// Now, with reasons.
        to: Health,
    },
    /// An incident opened or was resolved.
    Incident(Transition),
    /// A rule was broken.
    Finding(Finding),
    /// A segment was obtained.
    SegmentObtained {
        /// Media sequence number.
        sequence: u64,
        /// EXTINF.
        media: MediaUs,
        /// Bytes.
        bytes: u64,
        /// Time to first byte.
        ttfb: Duration,
        /// Request to last byte.
        download: Duration,
        /// Media seconds per download second.
        ratio: Option<f64>,
        /// 1, or 2 for the retry.
        attempt: u8,
    },
    /// A segment was not obtained.
    SegmentFailed {
        /// Media sequence number.
        sequence: u64,
        /// EXTINF.
        media: MediaUs,
        /// Why.
        failure: Failure,
        /// 1, or 2 for the retry.
        attempt: u8,
        /// No further attempt follows: the segment is lost.
        last: bool,
    },
    /// Media was lost without an attempt at it: its numbers were jumped over while we looked.
    JumpedOver(Loss),
    /// A viewer ran out of media.
    RebufferingStarted,
    /// Media came again.
    RebufferingEnded {
        /// How long the viewer waited.
        waited: Duration,
    },
    /// The encoder or packager began a new numbering.
    EncoderRestarted {
        /// Newest media sequence number before.
        from: u64,
        /// Newest media sequence number now.
        to: u64,
    },
    /// A cache or another edge served an earlier state of the playlist.
    OlderCopy {
        /// Segments it lacked.
        behind: u64,
    },
    /// We did not look for this long. What was published meanwhile is neither obtained nor lost.
    OwnGap(Duration),
    /// Segments that were never asked for: published while we did not look, jumped over, listed together with
    /// the end of the list, or left open by another watcher and no longer listed.
    NotWatched {
        /// First media sequence number.
        first: u64,
        /// Last media sequence number.
        last: u64,
    },
    /// The set of renditions changed.
    Renditions {
        /// How many are new.
        added: usize,
        /// How many are gone.
        removed: usize,
    },
}
