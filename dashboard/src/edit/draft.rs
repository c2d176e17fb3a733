//! What is typed into the form of a stream, and what is sent of it.

use std::collections::BTreeMap;

use hlsops_wire::{Header, Segments, Stream, StreamCreate, StreamPatch, Threshold, Watch, WatchMode};

use super::words::range;
use crate::form::errors::Errors;
use crate::form::headers;

/// Longest name. Unit: characters.
const NAME_MAX: usize = 120;

/// The text of every field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) link_id: String,
    /// `key=value`, separated by commas.
    pub(crate) tags: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) mode: WatchMode,
    pub(crate) interval_s: String,
    pub(crate) segments: Segments,
    pub(crate) profile: String,
    /// By name; an empty text is inherited.
    pub(crate) thresholds: BTreeMap<String, String>,
    /// The thresholds that there are; none until they are loaded.
    pub(crate) known: Vec<Threshold>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: String::new(),
            link_id: String::new(),
            tags: String::new(),
            headers: Vec::new(),
            mode: WatchMode::default(),
            interval_s: String::new(),
            segments: Segments::default(),
            profile: "default".to_owned(),
            thresholds: BTreeMap::new(),
            known: Vec::new(),
        }
    }
}

impl Draft {
    /// As a stream is configured.
    pub(crate) fn of(stream: &Stream) -> Self {
        let tag = |(key, value): (&String, &String)| {
            if value.is_empty() { key.clone() } else { format!("{key}={value}") }
        };
        Self {
            url: stream.manifest_url.clone(),
            name: stream.name.clone(),
            link_id: stream.link_id.clone(),
            tags: stream.tags.iter().map(tag).collect::<Vec<_>>().join(", "),
            headers: stream.request_headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect(),
            mode: stream.watch.mode,
            interval_s: stream.watch.interval_s.map(|every| every.to_string()).unwrap_or_default(),
            segments: stream.watch.segments,
            profile: stream.profile.clone(),
            thresholds: stream
                .thresholds
                .iter()
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect(),
            known: Vec::new(),
        }
    }

    /// The body that adds the stream.
    pub(crate) fn create(&self) -> Result<StreamCreate, Errors> {
        let parts = self.parts()?;
        Ok(StreamCreate {
            manifest_url: self.url.trim().to_owned(),
            name: text(&self.name),
            link_id: text(&self.link_id),
            tags: parts.tags,
            enabled: None,
            watch: Some(parts.watch),
            request_headers: parts.headers,
            profile: Some(self.profile.clone()),
            thresholds: parts.thresholds,
        })
    }

    /// The body that has the URL looked at. What can be mended only after the look is not judged by it.
    pub(crate) fn look(&self) -> Result<StreamCreate, Errors> {
        let (url, headers) = (self.url.clone(), self.headers.clone());
        let name = self.name.chars().take(NAME_MAX).collect();
        Self { url, headers, name, ..Self::default() }.create()
    }

    /// The body that makes `stream` like this: only what differs.
    pub(crate) fn patch(&self, stream: &Stream) -> Result<StreamPatch, Errors> {
        let parts = self.parts()?;
        let before = Self::of(stream);
        let changed = |now: &str, before: &str| (now.trim() != before).then(|| now.trim().to_owned());
        Ok(StreamPatch {
            manifest_url: changed(&self.url, &before.url),
            name: changed(&self.name, &before.name),
            link_id: changed(&self.link_id, &before.link_id).map(|link_id| text(&link_id)),
            // A tag that others have given may hold a comma: who does not touch the text changes none.
            tags: (self.tags != before.tags).then_some(parts.tags),
            enabled: None,
            watch: (parts.watch != stream.watch).then_some(parts.watch),
            request_headers: (parts.headers != stream.request_headers).then_some(parts.headers),
            profile: changed(&self.profile, &before.profile),
            thresholds: (parts.thresholds != stream.thresholds).then_some(parts.thresholds),
        })
    }

    fn parts(&self) -> Result<Parts, Errors> {
        let mut errors = Errors::new();
        if self.url.trim().is_empty() {
            errors.insert("/manifest_url".into(), "give the URL of the stream's playlist".into());
        }
        let mut thresholds = BTreeMap::new();
        for (name, value) in self.thresholds.iter().filter(|(_, value)| !value.trim().is_empty()) {
            match self.threshold(name, value) {
                Ok(number) => {
                    thresholds.insert(name.clone(), number);
                }
                Err(wrong) => {
                    errors.insert(format!("/thresholds/{name}"), wrong);
                }
            }
        }
        let interval_s = match (self.mode, self.interval_s.trim()) {
            (WatchMode::Continuous, _) | (_, "") => None,
            (WatchMode::Interval, typed) => typed
                .parse::<u64>()
                .map_err(|_| {
                    errors.insert("/watch/interval_s".into(), "is a number of seconds, 10 to 3600".into());
                })
                .ok(),
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Parts {
            tags: tags(&self.tags),
            watch: Watch { mode: self.mode, interval_s, segments: self.segments },
            headers: headers(&self.headers),
            thresholds,
        })
    }
}

impl Draft {
    fn threshold(&self, name: &str, typed: &str) -> Result<f64, String> {
        let number = typed.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or("is no number; leave it empty to inherit")?;
        let known = self.known.iter().find(|known| known.name == name);
        match known.filter(|known| !(known.min..=known.max).contains(&number)) {
            Some(known) => Err(format!("allowed is {}", range(known))),
            None => Ok(number),
        }
    }
}

struct Parts {
    tags: BTreeMap<String, String>,
    watch: Watch,
    headers: Vec<Header>,
    thresholds: BTreeMap<String, f64>,
}

fn text(typed: &str) -> Option<String> {
    Some(typed.trim().to_owned()).filter(|text| !text.is_empty())
}

fn tags(typed: &str) -> BTreeMap<String, String> {
    let pair = |word: &str| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.trim().to_owned(), value.trim().to_owned())
    };
    typed.split(',').filter(|word| !word.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_wire::HealthNow;

    fn stream() -> Stream {
        Stream {
            id: "str_1".into(),
            link_id: "abc".into(),
            name: "One".into(),
            manifest_url: "https://a.example/m.m3u8".into(),
            tags: [("country".to_owned(), "CH".to_owned()), ("live".to_owned(), String::new())].into(),
            enabled: true,
            watch: Watch { mode: WatchMode::Interval, interval_s: Some(30), segments: Segments::None },
            request_headers: vec![Header { name: "X-Token".into(), value: "***".into() }],
            profile: "default".into(),
            thresholds: [("window_ms".to_owned(), 60_000.0)].into(),
            health: HealthNow::default(),
            playlist_state: None,
            last_look_at: None,
            active_incident_id: None,
            created_at: "2026-11-22T03:04:05.678Z".into(),
        }
    }

    #[test]
    fn nothing_changed_sends_nothing() {
        assert_eq!(Draft::of(&stream()).patch(&stream()), Ok(StreamPatch::default()));
    }

    #[test]
    fn a_tag_with_a_comma_stays_as_it_is() {
        let stream = Stream { tags: [("note".to_owned(), "a, b".to_owned())].into(), ..stream() };
        assert_eq!(Draft::of(&stream).patch(&stream), Ok(StreamPatch::default()));
    }

    #[test]
    fn only_what_changed_is_sent() {
        let mut draft = Draft::of(&stream());
        draft.name = " Two ".into();
        draft.link_id = String::new();
        draft.tags = "country = CH,, sports".into();
        draft.thresholds.insert("window_ms".into(), "  ".into());
        let patch = draft.patch(&stream()).unwrap();
        assert_eq!((patch.name.as_deref(), patch.link_id), (Some("Two"), Some(None)));
        assert_eq!(patch.tags.unwrap().keys().collect::<Vec<_>>(), ["country", "sports"]);
        assert_eq!(patch.thresholds, Some(BTreeMap::new()));
        assert!(patch.watch.is_none() && patch.request_headers.is_none() && patch.manifest_url.is_none());
    }

    #[test]
    fn empty_fields_are_left_out_of_a_new_stream() {
        let draft = Draft {
            url: " https://a.example/m.m3u8\n".into(),
            headers: vec![(String::new(), " ".into()), ("X".into(), "1".into())],
            ..Draft::default()
        };
        let body = draft.create().unwrap();
        assert_eq!(body.manifest_url, "https://a.example/m.m3u8");
        assert_eq!((body.name, body.link_id, body.request_headers.len()), (None, None, 1));
    }

    #[test]
    fn a_look_is_not_refused_for_what_cannot_be_mended_before_it() {
        let thresholds = [("window_ms".to_owned(), "soon".to_owned())].into();
        let (name, link_id) = ("n".repeat(121), "a b".to_owned());
        let body = Draft { name, link_id, thresholds, ..Draft::of(&stream()) }.look().unwrap();
        assert_eq!((body.name.map(|name| name.len()), body.link_id), (Some(120), None));
        assert_eq!((body.request_headers.len(), body.manifest_url), (1, stream().manifest_url));
    }

    #[test]
    fn no_url_is_said_at_its_field() {
        let draft = Draft { url: " ".into(), ..Draft::of(&stream()) };
        for errors in [draft.create().unwrap_err(), draft.patch(&stream()).unwrap_err()] {
            assert_eq!(errors.keys().collect::<Vec<_>>(), ["/manifest_url"]);
        }
    }

    #[test]
    fn what_is_no_number_is_said_at_its_field() {
        let mut draft =
            Draft { mode: WatchMode::Interval, interval_s: "soon".into(), ..Draft::of(&stream()) };
        draft.thresholds.insert("window_ms".into(), "1e999".into());
        let errors = draft.create().unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["/thresholds/window_ms", "/watch/interval_s"]);
        draft.mode = WatchMode::Continuous;
        assert_eq!(draft.create().unwrap_err().len(), 1, "an interval that is not used is not judged");
    }

    #[test]
    fn a_threshold_out_of_its_range_is_said_with_everything_else() {
        let window = Threshold {
            name: "window_ms".into(),
            about: String::new(),
            min: 10_000.0,
            max: 180_000.0,
            default: Some(120_000.0),
            seed1: None,
        };
        let of = |typed: &str, known: &Threshold| {
            let thresholds = [("window_ms".to_owned(), typed.to_owned())].into();
            Draft { thresholds, known: vec![known.clone()], ..Draft::default() }.create().unwrap_err()
        };
        let errors = of("5000", &window);
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["/manifest_url", "/thresholds/window_ms"]);
        assert_eq!(errors["/thresholds/window_ms"], "allowed is 10000 to 180000 (10 s to 3 min)");
        assert_eq!(of("10000", &window).len(), 1, "the least is allowed");
        assert_eq!(of("180000", &window).len(), 1, "the most is allowed");
        let other = Threshold { name: "other_ms".into(), ..window };
        assert_eq!(of("5000", &other).len(), 1, "of what is not known, the API says it");
    }
}
