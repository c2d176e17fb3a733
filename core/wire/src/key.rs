//! API keys.

use serde::{Deserialize, Serialize};

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// `key_` and a ULID.
    pub id: String,
    /// For people.
    pub name: String,
    /// What its secret begins with.
    pub prefix: String,
    /// What it may do.
    pub scope: Scope,
    /// Whose streams it is for.
    pub account: String,
    /// When it was made.
    pub created_at: String,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was last used, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// What a key may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look, with secrets masked.
    #[default]
    Viewer,
    /// Change streams, acknowledge incidents.
    Operator,
    /// Make and revoke keys.
    Admin,
}

/// Body of `POST /keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({
    "name": "Wall in the control room",
    "scope": "viewer",
    "expires_at": "2099-01-01T00:00:00Z",
}))))]
#[serde(deny_unknown_fields)]
pub struct KeyCreate {
    /// For people, 1 to 80 characters.
    pub name: String,
    /// What it may do. Default: `viewer`.
    #[serde(default)]
    pub scope: Scope,
    /// When it stops working. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// A key that was just made. Its secret is shown this once and stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyCreated {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// `hlsops_` and 52 characters.
    pub secret: String,
}
