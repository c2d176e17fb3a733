//! Events: what happened, as it is told to others. Pure: time and everything else are arguments.
//!
//! Names and notes are cut and put on one line; query values of URLs are masked. An event is at most
//! [`Event::MAX`] bytes as JSON and only ever gains optional fields.

use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, Health, HealthState};
use hlsops_store::StreamConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::text::{cut, line, masked, read_timestamp, timestamp};

/// Type of the event: an incident was opened.
pub const OPENED: &str = "incident.opened";
/// Type of the event: somebody has taken an incident.
pub const ACKNOWLEDGED: &str = "incident.acknowledged";
/// Type of the event: an incident is over.
pub const RESOLVED: &str = "incident.resolved";
/// Type of the event: somebody tries a channel.
pub const TEST: &str = "test";
/// Types a channel can ask for.
pub const TYPES: [&str; 3] = [OPENED, ACKNOWLEDGED, RESOLVED];

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing, such as [`OPENED`].
    #[serde(rename = "type")]
    pub kind: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// The rest.
    pub data: Data,
}

/// What is said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
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
    /// The stream's health at the event, `UNHEALTHY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// What speaks for that health, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
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
    pub worst: Option<Reason>,
    /// What somebody said, or why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// Nothing happened: somebody tries a channel.
    pub test: bool,
}

/// One thing that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it made of the stream.
    pub health: String,
    /// What held, with its value and threshold.
    pub what: String,
    /// The rendition; none for the whole stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition_id: Option<String>,
}

/// A stream, for people and programs that know it by another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Ours.
    pub id: String,
    /// The operator's.
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
pub struct Links {
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Its stream; none where that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// Why an incident is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has been well for long enough.
    Healed,
    /// Nobody will look at it again.
    StreamRemoved,
}

impl End {
    /// In words.
    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::Healed => "healthy again",
            Self::StreamRemoved => "the stream was removed",
        }
    }
}

/// An incident, as far as its events need it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The stream.
    pub stream: &'a StreamConfig,
    /// The incident.
    pub incident: &'a str,
    /// Which event of it this is, from 1: the row of the outbox.
    pub seq: u64,
    /// What was wrong when it opened.
    pub title: &'a str,
    /// What opened it: `unhealthy`, `long_degraded`.
    pub trigger: &'a str,
    /// When it began.
    pub opened: EpochMs,
    /// What its watcher has seen last; none where somebody else tells of it.
    pub seen: Option<Seen>,
}

/// What was seen of a stream last.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The worst state of its playlists.
    pub playlist: PlaylistState,
    /// When it was looked at.
    pub look: EpochMs,
}

/// An incident was opened, with the health that opened it.
#[must_use]
pub fn opened(about: &About<'_>, health: &Health) -> Event {
    let data = about.data("open", about.opened);
    let reasons = health.reasons.iter().take(MAX_REASONS).map(Reason::of).collect();
    let data = Data { health: Some(health.state.name().into()), reasons, condition_duration_s: None, ..data };
    Event::new(OPENED, about.opened, data)
}

/// Somebody has taken an incident.
#[must_use]
pub fn acknowledged(about: &About<'_>, at: EpochMs, by: &str, note: Option<&str>) -> Event {
    let data = Data {
        acknowledged_at: Some(timestamp(at)),
        acknowledged_by: Some(line(by, MAX_NAME)),
        note: note.map(|note| line(note, MAX_NOTE)),
        ..about.data("acknowledged", at)
    };
    Event::new(ACKNOWLEDGED, at, data)
}

/// An incident is over: how long it took and the worst there was.
#[must_use]
pub fn resolved(about: &About<'_>, at: EpochMs, worst: Option<(HealthState, &str)>, end: End) -> Event {
    let worst = worst.map(|(health, what)| Reason {
        health: health.name().into(),
        what: line(what, MAX_NOTE),
        rendition_id: None,
    });
    let data = about.data("resolved", at);
    let removed = end == End::StreamRemoved;
    let stream = data.stream.map(|stream| Stream { removed, ..stream });
    let note = Some(end.note().into());
    let data = Data { resolved_at: Some(timestamp(at)), worst, note, stream, ..data };
    Event::new(RESOLVED, at, data)
}

/// Somebody tries a channel.
#[must_use]
pub fn test(channel: &str, name: &str, at: EpochMs) -> Event {
    let data = Data {
        dedup_key: format!("test/{channel}"),
        severity: "info".into(),
        title: format!("Test of channel {}: nothing has happened", line(name, MAX_NAME)),
        test: true,
        ..Data::default()
    };
    Event::new(TEST, at, data)
}

impl Event {
    /// Most bytes of an event as JSON.
    pub const MAX: usize = 8 * 1024;

    fn new(kind: &str, at: EpochMs, data: Data) -> Self {
        Self { kind: kind.into(), timestamp: timestamp(at), data }
    }

    /// As JSON. What helps least is left out where it would be more than [`Event::MAX`] bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut event = self.clone();
        loop {
            let json = serde_json::to_string(&event).unwrap_or_default();
            if json.len() <= Self::MAX || !event.data.shrink() {
                return json;
            }
        }
    }

    /// Reads what [`Event::to_json`] wrote, in this version or another.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// When it happened; none if the timestamp is not one.
    #[must_use]
    pub fn at(&self) -> Option<EpochMs> {
        read_timestamp(&self.timestamp)
    }

    /// With links to the dashboard that is served at `base`.
    #[must_use]
    pub fn with_links(mut self, base: &str) -> Self {
        let base = base.trim_end_matches('/');
        if let Some(stream) = &self.data.stream {
            let incident = self.data.incident_id.as_ref().map(|id| format!("{base}/incidents/{id}"));
            let stream = (!stream.removed).then(|| format!("{base}/streams/{}", stream.id));
            self.data.links = Some(Links { incident, stream });
        }
        self
    }
}

const MAX_REASONS: usize = 8;
const MAX_TAGS: usize = 20;
const MAX_NAME: usize = 180;
const MAX_NOTE: usize = 300;
const MAX_TAG: usize = 80;
const MAX_URL: usize = 1_024;

impl Data {
    /// Leaves out the next thing that can be done without; `false` when there is none.
    fn shrink(&mut self) -> bool {
        let tag = self.stream.as_mut().and_then(|stream| stream.tags.pop_last());
        tag.is_some() || self.reasons.pop().is_some()
    }
}

impl About<'_> {
    fn data(&self, state: &str, at: EpochMs) -> Data {
        let severity = if self.trigger == "unhealthy" { "critical" } else { "warning" };
        Data {
            alert_id: Some(self.incident.into()),
            alert_type: Some("incident".into()),
            incident_id: Some(self.incident.into()),
            seq: Some(self.seq),
            dedup_key: self.incident.into(),
            state: Some(state.into()),
            severity: severity.into(),
            title: line(self.title, MAX_NOTE),
            stream: Some(Stream::of(self.stream)),
            playlist_state: self.seen.map(|seen| seen.playlist.name().into()),
            last_look_at: self.seen.map(|seen| timestamp(seen.look)),
            condition_started_at: Some(timestamp(self.opened)),
            outage_time_epoch_s: Some(self.opened.since(EpochMs(0)).as_secs_f64()),
            condition_duration_s: Some(at.since(self.opened).as_secs_f64()),
            ..Data::default()
        }
    }
}

impl Stream {
    fn of(config: &StreamConfig) -> Self {
        let tags = config.tags.iter().take(MAX_TAGS);
        Self {
            id: config.id.name().into(),
            link_id: config.link_id.clone(),
            name: line(&config.name, MAX_NAME),
            manifest_url: cut(masked(&config.url), MAX_URL),
            tags: tags.map(|(name, value)| (line(name, MAX_TAG), line(value, MAX_TAG))).collect(),
            removed: false,
        }
    }
}

impl Reason {
    fn of(reason: &hlsops_domain::health::Reason) -> Self {
        Self {
            health: reason.state.name().into(),
            what: line(&reason.what.to_string(), MAX_NOTE),
            rendition_id: reason.rendition.map(|id| id.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
