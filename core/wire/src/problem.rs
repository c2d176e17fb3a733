//! Why a request failed (RFC 9457).

use serde::{Deserialize, Serialize};

/// Body of every answer that is no success, `application/problem+json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Kind of problem, a URI reference: `/docs#unknown-id`. Finer than `code`, which may stand for several.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Public code: `EC100` bad request or failure, `EC101` quota, `EC102` no valid key, `EC103` not allowed for
    /// this key, `EC104` key expired, `EC110` stream unusable, `EC120` unknown id.
    pub code: String,
    /// What happened, and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// As in the answer's `Request-Id` header and in the log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Each thing that is wrong with the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemItem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemItem {
    /// Where: a JSON pointer into the body (`/thresholds/window_ms`), or `?name` for a query parameter.
    pub pointer: String,
    /// The kind, in one word: `unknown`, `missing`, `invalid`, `out_of_range`, `taken`.
    pub code: String,
    /// What is wrong with it, and what is allowed.
    pub detail: String,
}
