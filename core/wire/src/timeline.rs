//! What happened to a stream.

use serde::{Deserialize, Serialize};

use crate::State;

/// A part of what happened to a stream, newest first. Body of `GET /streams/{id}/timeline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// Newest first.
    pub items: Vec<TimelineEntry>,
    /// Where the next page begins: give it as `cursor`. None after the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// When it was read.
    pub as_of: String,
    /// Up to when it is complete. What happened since is stored at the end of the running minute at the latest;
    /// a change of health or of a playlist's state, a new finding and an incident within seconds. None on later
    /// pages, and where nothing was stored in that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_to_at: Option<String>,
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineEntry {
    /// Stable; `#` and this in an incident's URL is a link to it.
    pub id: String,
    /// When.
    pub at: String,
    /// Of what kind.
    pub kind: TimelineKind,
    /// What happened, in a sentence without a full stop.
    pub text: String,
    /// For `health`: the state from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The rendition it is about; none for the whole stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
    /// What people call that rendition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<String>,
    /// For segments: media sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// For findings: public code of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The incident it belongs to, where that is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
}

/// Kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// Health changed.
    Health,
    /// The state of a media playlist changed.
    Playlist,
    /// A playlist did not load.
    LoadFailed,
    /// A segment was not obtained, or media was lost.
    SegmentFailed,
    /// A segment was obtained. Only when asked for.
    SegmentObtained,
    /// An incident opened, was acknowledged or resolved.
    Incident,
    /// A rule was broken.
    Finding,
    /// A viewer of the rendition would have run out of media, or would have got media again.
    Rebuffering,
    /// The encoder restarted, the set of renditions changed, or an older copy was served.
    Origin,
    /// Nobody looked, or segments were never asked for.
    Gap,
}
