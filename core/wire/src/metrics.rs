//! Series of figures.

use serde::{Deserialize, Serialize};

use crate::State;

/// Body of `GET /streams/{id}/metrics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsSeries {
    /// Which stream.
    pub stream_id: String,
    /// Of this rendition alone; none: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
    /// From when, included.
    pub from_at: String,
    /// To when, excluded.
    pub to_at: String,
    /// Length of a step.
    pub step_s: u64,
    /// One for each step in which something was seen, oldest first.
    pub points: Vec<MetricsPoint>,
    /// Health over the same time, oldest first, without overlap, from when the stream was added; `paused` from when
    /// it was last looked at. What is not covered is not known.
    pub states: Vec<StateSpan>,
}

/// A step of a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsPoint {
    /// When the step begins.
    pub at: String,
    /// Median time to first byte of segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttfb_p50_ms: Option<u64>,
    /// Largest time to first byte of segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttfb_max_ms: Option<u64>,
    /// Media seconds per download second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_ratio: Option<f64>,
    /// Bits of media per second of media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u64>,
    /// Smallest model buffer of a played rendition at the end of a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_s: Option<f64>,
    /// Segments obtained.
    pub segments_obtained_count: u64,
    /// Segments that were asked for and not obtained, however often they were tried.
    pub segments_failed_count: u64,
    /// Playlist loads that failed.
    pub loads_failed_count: u64,
}

/// A stretch of one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateSpan {
    /// From when.
    pub from_at: String,
    /// To when.
    pub to_at: String,
    /// Which state.
    pub state: State,
}
