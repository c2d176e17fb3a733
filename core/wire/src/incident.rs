//! Incidents.

use serde::{Deserialize, Serialize};

use crate::{State, TimelineEntry};

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    /// Which. The number at its end grows from incident to incident of a stream, and leaves numbers out.
    pub id: String,
    /// Its stream.
    pub stream_id: String,
    /// What people call that stream, or called it before it was removed.
    pub stream_name: String,
    /// The stream is not there any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream_removed: bool,
    /// Where it stands.
    pub status: IncidentStatus,
    /// What opened it: `unhealthy`, `long_degraded`.
    pub trigger: String,
    /// What was wrong when it opened: how it went on is in the detail's `verdict`, and in `worst` of its last event.
    pub title: String,
    /// When it began.
    pub opened_at: String,
    /// When somebody took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// How long it lasted, or has lasted so far.
    pub duration_s: u64,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has taken it.
    Open,
    /// Somebody has, and it goes on.
    Acknowledged,
    /// Over.
    Resolved,
}

/// An incident and what happened in it. Body of `GET /incidents/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentDetail {
    /// The incident.
    #[serde(flatten)]
    pub incident: Incident,
    /// When this was read.
    pub as_of: String,
    /// What it comes down to, in one sentence.
    pub verdict: String,
    /// Segments lost in the time of the timeline, over all renditions; of a long incident, at least so many.
    #[serde(default)]
    pub segments_lost_count: u64,
    /// The same by rendition, those that lost most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<RenditionLoss>,
    /// How its stream is now.
    pub stream_state: State,
    /// What happened from shortly before it began to its end, newest first.
    pub timeline: Vec<TimelineEntry>,
    /// Up to when the timeline is complete, as in `GET /streams/{id}/timeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_to_at: Option<String>,
    /// There is more than the timeline holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// What that is, for people: `12 failed requests after the first ones`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// What a rendition lost in an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenditionLoss {
    /// Which.
    pub rendition_id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<String>,
    /// Segments lost, as health counts them: not obtained however often they were tried, or jumped over.
    pub segments_lost_count: u64,
}

/// An incident after somebody took it or gave it back. Answer to `POST /incidents/{id}/acknowledge` and
/// `/unacknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentTaken {
    /// The incident as it is now: `acknowledged_by` and `acknowledged_at` say who has it, and since when.
    #[serde(flatten)]
    pub incident: Incident,
    /// Where nothing was changed: why, with who took it before and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `POST /incidents/{id}/acknowledge` and `/unacknowledge`; may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({"by": "Maria"}))))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Who takes it, or gives it back, 1 to 80 characters; the key's name where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
