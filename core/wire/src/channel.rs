//! Channels: who is told of events.

use serde::{Deserialize, Serialize};

use crate::Header;

/// Somebody who is told of events by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    /// `chn_` and a ULID.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where events are posted to. Viewers see no more of it than the host.
    pub url: String,
    /// Headers the receiver asks for. Their values are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// How messages look.
    pub format: ChannelFormat,
    /// The types of events it is told of; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Is told.
    pub enabled: bool,
    /// Why it was disabled, where nobody did it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// How many secrets messages are signed with: two while the receiver changes to a new one.
    pub secret_count: u32,
    /// When it was created.
    pub created_at: String,
}

/// How messages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelFormat {
    /// The event as JSON.
    #[default]
    Event,
    /// A subject and lines of text: `{"subject", "alerts": [..]}`.
    Lines,
}

/// Body of `POST /channels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({
    "name": "On call",
    "url": "https://hooks.example.com/hls",
    "headers": [{"name": "Authorization", "value": "Bearer abc123"}],
    "format": "event",
    "events": ["incident.opened", "incident.resolved"],
}))))]
#[serde(deny_unknown_fields)]
pub struct ChannelCreate {
    /// For people, 1 to 120 characters.
    pub name: String,
    /// Where events are posted to, http or https.
    pub url: String,
    /// Headers the receiver asks for, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// How messages look. Default: `event`.
    #[serde(default)]
    pub format: ChannelFormat,
    /// The types of events it is told of: `incident.opened`, `incident.acknowledged`, `incident.resolved`.
    /// Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Is told. Default: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What messages are signed with: `whsec_` and 24 to 64 bytes in base64. Default: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A channel and its newest secret, which is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelWithSecret {
    /// The channel.
    #[serde(flatten)]
    pub channel: Channel,
    /// What messages are signed with, by the Standard Webhooks specification.
    pub secret: String,
}

/// Body of `PATCH /channels/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({
    "name": "On call, at night",
    "headers": [{"name": "Authorization", "value": "***"}],
    "enabled": false,
}))))]
#[serde(deny_unknown_fields)]
pub struct ChannelPatch {
    /// For people, 1 to 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where events are posted to, http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers the receiver asks for, all of them; the value `***` keeps the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<Header>>,
    /// How messages look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ChannelFormat>,
    /// The types of events it is told of; empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}
