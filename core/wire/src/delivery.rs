//! What was told, to whom, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An attempt to tell a channel something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// `dlv_` and a ULID.
    pub id: String,
    /// The event: the same at every attempt and for every channel.
    pub event_id: String,
    /// Type of the event.
    pub event_type: String,
    /// The channel.
    pub channel_id: String,
    /// Which attempt, from 1.
    pub attempt: u64,
    /// When it began.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The channel took it.
    pub delivered: bool,
    /// The HTTP status of the answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The first 256 bytes of the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An event in the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxEntry {
    /// The event's id, as channels get it.
    pub event_id: String,
    /// The stream.
    pub stream_id: String,
    /// The event, as channels get it.
    pub event: Event,
}

/// What happened, as it is told to others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// `incident.opened`, `incident.acknowledged`, `incident.resolved`, `test`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub timestamp: String,
    /// The rest.
    pub data: EventData,
}

/// What is said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventData {
    /// The incident: a message's `webhook-id` is `{alert_id}.{seq}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<String>,
    /// `incident`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_type: Option<String>,
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
    /// Which event of the incident, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The same for all events of an incident.
    pub dedup_key: String,
    /// `open`, `acknowledged` or `resolved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// What is wrong, or was, in one line.
    pub title: String,
    /// The stream's health at the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// What speaks for that health, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<EventReason>,
    /// The stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<EventStream>,
    /// The worst state of its playlists at the event, `Stalled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playlist_state: Option<String>,
    /// When it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look_at: Option<String>,
    /// When the incident began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition_started_at: Option<String>,
    /// The same in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_time_epoch_s: Option<f64>,
    /// When somebody took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// How long it has been open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition_duration_s: Option<f64>,
    /// The worst there was, where it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<EventReason>,
    /// What somebody said, or why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Pages of the dashboard, where its address is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<EventLinks>,
    /// Nothing happened: somebody tried a channel.
    pub test: bool,
}

/// One thing that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventReason {
    /// What it made of the stream.
    pub health: String,
    /// What held, with its value and threshold.
    pub what: String,
    /// The rendition; none for the whole stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
}

/// A stream in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventStream {
    /// `str_` and a ULID.
    pub id: String,
    /// The operator's own identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// For people.
    pub name: String,
    /// Its playlist, query values masked.
    pub manifest_url: String,
    /// For routing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// It is not there any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// Pages of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventLinks {
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Its stream; none where that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}
