//! The wall: all streams at a glance.

use serde::{Deserialize, Serialize};

/// How a stream is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Viewers are not served.
    Unhealthy,
    /// Something is wrong; viewers may still be served.
    Degraded,
    /// Nobody has looked for too long, or nothing can be said yet.
    #[default]
    NoData,
    /// A viewer has nothing to complain of.
    Healthy,
    /// Not watched, because somebody said so.
    Paused,
}

impl State {
    /// The word for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unhealthy => "UNHEALTHY",
            Self::Degraded => "DEGRADED",
            Self::NoData => "NO DATA",
            Self::Healthy => "HEALTHY",
            Self::Paused => "PAUSED",
        }
    }
}

/// Body of `GET /wall`.
///
/// The same times stand in the answer's headers `As-Of` and `Probed-At`, also when it is a 304.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wall {
    /// When it was made.
    pub as_of: String,
    /// When the watcher that is heard of least last said something; none when none ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed_at: Option<String>,
    /// What it is: give it as `since` to get only what has changed.
    pub version: String,
    /// Only what has changed since the version asked for is here; false: everything is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Streams in each state, of the whole wall.
    pub counts: WallCounts,
    /// Worst first, then newest change first, then by name.
    pub tiles: Vec<WallTile>,
    /// Streams that are gone since the version asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}

/// Streams in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the fields are named after the states")]
pub struct WallCounts {
    pub unhealthy: u32,
    pub degraded: u32,
    pub no_data: u32,
    pub healthy: u32,
    pub paused: u32,
}

impl WallCounts {
    /// One more in that state.
    pub const fn add(&mut self, state: State) {
        let count = match state {
            State::Unhealthy => &mut self.unhealthy,
            State::Degraded => &mut self.degraded,
            State::NoData => &mut self.no_data,
            State::Healthy => &mut self.healthy,
            State::Paused => &mut self.paused,
        };
        *count = count.saturating_add(1);
    }

    /// All streams.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.unhealthy + self.degraded + self.no_data + self.healthy + self.paused
    }
}

/// A stream on the wall.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallTile {
    /// Which stream.
    pub id: String,
    /// For people.
    pub name: String,
    /// Now.
    pub state: State,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<String>,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// As of when the figures in `reason` are: a few seconds older than the wall. None where there are no figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_as_of: Option<String>,
    /// State of its worst playlist: `Live`, `Stalled`, `HTTPError`, `LiveEnd`, `VOD`, `Unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playlist_state: Option<String>,
    /// An incident is open or acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<crate::IncidentStatus>,
    /// Who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// Its tags, `key=value` or `key`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
