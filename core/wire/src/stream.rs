//! Streams: what is configured, and how they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Incident, State};

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stream {
    /// `str_` and a ULID.
    pub id: String,
    /// The operator's own identifier, shown in alerts; 12 hexadecimal digits where none was given.
    pub link_id: String,
    /// For people.
    pub name: String,
    /// A multivariant or media playlist. Viewers get the values of its query masked.
    pub manifest_url: String,
    /// For grouping.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Is watched; false: paused.
    pub enabled: bool,
    /// How it is watched.
    pub watch: Watch,
    /// Sent with every request to the stream's own host. Values are masked for viewers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<Header>,
    /// Thresholds to begin with: `default` or `seed1`.
    pub profile: String,
    /// Thresholds that differ from the profile, by name; `GET /thresholds` lists them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, f64>,
    /// How it is now.
    pub health: HealthNow,
    /// State of its worst playlist: `Live`, `Stalled`, `HTTPError`, `LiveEnd`, `VOD`, `Unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playlist_state: Option<String>,
    /// When it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look_at: Option<String>,
    /// The incident that is open or acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_incident_id: Option<String>,
    /// When it was added.
    pub created_at: String,
}

/// A stream with all there is to say about it now. Body of `GET /streams/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamDetail {
    /// The stream.
    #[serde(flatten)]
    pub stream: Stream,
    /// When this was read.
    pub as_of: String,
    /// Media in the fullest main rendition's model buffer, in seconds, at the last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_s: Option<f64>,
    /// The longest target duration; none before a media playlist was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_duration_s: Option<f64>,
    /// How far back the counts and medians of the renditions look: as far as health does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<f64>,
    /// For how long it has to be healthy before its incident is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_s: Option<f64>,
    /// The newest look that is in the figures of the renditions: at most a minute before the newest look at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures_to_at: Option<String>,
    /// The incident that is open or acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_incident: Option<Incident>,
    /// Its media playlists: video first, in the order of their bandwidth, then by name.
    pub renditions: Vec<Rendition>,
    /// Only in the answer to a change: it was done, and this is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How a stream is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// All the time, or now and then.
    #[serde(default)]
    pub mode: WatchMode,
    /// Seconds between looks, for `interval`: 10 to 3600, 60 where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u64>,
    /// Which segments are downloaded.
    #[serde(default)]
    pub segments: Segments,
}

impl Default for Watch {
    fn default() -> Self {
        Self { mode: WatchMode::Continuous, interval_s: None, segments: Segments::Full }
    }
}

/// All the time, or now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WatchMode {
    /// Every reload and every segment.
    #[default]
    Continuous,
    /// One look every `interval_s`.
    Interval,
}

/// Which segments are downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// Every one, from end to end: as much traffic as a viewer of every rendition makes.
    #[default]
    Full,
    /// None: playlists only.
    None,
}

/// A request header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// How a stream is now, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthNow {
    /// Now. NO DATA when the last look is too old, whatever it said.
    pub state: State,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<String>,
    /// Worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Of when the figures in the reasons are; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons_as_of: Option<String>,
}

/// One thing that holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// What it makes of the stream.
    pub state: State,
    /// The rendition it is about; none for the whole stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
    /// What holds, with its value and threshold.
    pub text: String,
}

/// A media playlist of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rendition {
    /// Stable over restarts and new tokens.
    pub id: String,
    /// For people: `640x360 800 kb/s`.
    pub label: String,
    /// What it is for.
    pub kind: RenditionKind,
    /// Its playlist, query masked for viewers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// BANDWIDTH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bps: Option<u64>,
    /// `Live`, `Stalled`, `HTTPError`, `LiveEnd`, `VOD`, `Unknown`.
    pub playlist_state: String,
    /// For `HTTPError`: what happened, such as `HTTP 503`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// In that state since.
    pub playlist_since_at: String,
    /// When it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look_at: Option<String>,
    /// Target duration in force; none before the playlist was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_duration_s: Option<f64>,
    /// Media in its model buffer at the last look.
    pub buffer_s: f64,
    /// A viewer of this rendition would wait since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_empty_since_at: Option<String>,
    /// Segments lost one after the other, now.
    pub consecutive_lost_count: u32,
    /// Segments obtained in the `window_s` before `figures_to_at`.
    pub segments_obtained_count: u64,
    /// Segments lost in the same time, also those that a jump of the numbering left out. A reason that counts
    /// lost segments counts those of all renditions together.
    pub segments_lost_count: u64,
    /// Median time to first byte of the segments obtained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttfb_p50_ms: Option<u64>,
    /// Media seconds per download second of the segments obtained: 2 is twice as fast as needed, below 1 too slow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_ratio: Option<f64>,
}

/// What a rendition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RenditionKind {
    /// Video, or the only thing there is.
    Main,
    /// A separate audio rendition.
    Audio,
    /// Subtitles, I-frame lists and the like: no health.
    Aux,
}

/// Body of `POST /streams`. Only the URL is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({
    "manifest_url": "https://cdn.example.com/live/sports1/master.m3u8",
    "name": "Sports 1",
    "link_id": "sports-1",
    "tags": {"country": "CH", "team": "sports"},
    "watch": {"mode": "continuous", "segments": "full"},
    "request_headers": [{"name": "Authorization", "value": "Bearer abc123"}],
    "thresholds": {"ttfb_degraded_ms": 900},
}))))]
#[serde(deny_unknown_fields)]
pub struct StreamCreate {
    /// A multivariant or media playlist, http or https.
    pub manifest_url: String,
    /// For people, 1 to 120 characters, no other stream's link id; the URL's host and file name where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The operator's own identifier, 1 to 32 of `A-Za-z0-9._-`, of one stream alone and no other's name; made up where
    /// none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// For grouping: at most 20, keys of 1 to 40 characters, values of at most 80.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// False: added, and not watched yet. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How it is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// Sent with every request to the stream's own host: at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<Header>,
    /// `default` or `seed1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Thresholds that differ from the profile, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, f64>,
}

/// Body of `PATCH /streams/{id}`: what is absent stays as it is. Lists and maps are replaced as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(examples(json!({
    "name": "Sports 1 HD",
    "watch": {"mode": "interval", "interval_s": 60, "segments": "none"},
    "thresholds": {"ttfb_degraded_ms": 900, "window_ms": 60000},
}))))]
#[serde(deny_unknown_fields)]
pub struct StreamPatch {
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_url: Option<String>,
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As in `POST /streams`; null takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "null_or")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub link_id: Option<Option<String>>,
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// False pauses the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// As in `POST /streams`. A value of `***` keeps the one that is stored under that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<Vec<Header>>,
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// As in `POST /streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<BTreeMap<String, f64>>,
}

/// A field that is there and null, told from one that is absent.
fn null_or<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Answer to `POST /streams?validate_only=true`: what one look at the URL showed. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validation {
    /// Where the playlist was found, after redirects; query masked for viewers.
    pub manifest_url: String,
    /// The name the stream would get.
    pub name: String,
    /// It is a multivariant playlist.
    pub multivariant: bool,
    /// What it lists; for a media playlist only itself.
    pub variants: Vec<ValidationVariant>,
    /// For a media playlist: its target duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_duration_s: Option<f64>,
    /// For a media playlist: segments listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments_count: Option<u64>,
    /// Time to first byte.
    pub ttfb_ms: u64,
    /// Usable, but worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A rendition that a look at a URL found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidationVariant {
    /// For people: `640x360 800 kb/s`.
    pub label: String,
    /// What it is for.
    pub kind: RenditionKind,
    /// BANDWIDTH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bps: Option<u64>,
}
