//! Rules that were broken.

use serde::{Deserialize, Serialize};

/// Equal findings of a stream, folded. An item of `GET /streams/{id}/findings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Public code of the rule: `EC-2002`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The fault in one clause.
    pub summary: String,
    /// What to do about it.
    pub fix: String,
    /// Where the standard says so.
    pub clause: String,
    /// The rendition; none for the stream's own playlist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
    /// What people call that rendition; its id where it is in the stream no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<String>,
    /// First seen.
    pub first_at: String,
    /// Last seen.
    pub last_at: String,
    /// How often.
    pub count: u64,
    /// What was seen the last time.
    pub sample: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Broken.
    Error,
}
