//! About the service itself.

use serde::{Deserialize, Serialize};

/// Body of `GET /health`, with status 200 or 503.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceHealth {
    /// 503 unless it is `ok`.
    pub status: ServiceStatus,
    /// Now.
    pub timestamp: String,
    /// Version of the program.
    pub version: String,
    /// Streams that are to be watched.
    pub streams_monitored: u32,
    /// Incidents that go on, of streams that are watched; those of paused ones are not among them.
    pub active_incidents: u32,
    /// When the watcher that is heard of least last said something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed_at: Option<String>,
    /// What is wrong, and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceStatus {
    /// All is well.
    Ok,
    /// Streams are to be watched and nobody has been heard of for too long.
    NotWatching,
    /// The table does not answer.
    NoTable,
}

/// A threshold that can be set for a stream. An item of `GET /thresholds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Threshold {
    /// With its unit: `ttfb_degraded_ms`; `_share` and `ratio_` are parts of one.
    pub name: String,
    /// What it decides, as a sentence for people.
    #[serde(default)]
    pub about: String,
    /// Least allowed.
    pub min: f64,
    /// Most allowed.
    pub max: f64,
    /// In the profile `default`; none: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<f64>,
    /// In the profile `seed1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed1: Option<f64>,
}
