//! What is typed into the form of a channel, and what is sent of it.

use hlsops_wire::{Channel, ChannelCreate, ChannelFormat, ChannelPatch};

use crate::form::errors::Errors;
use crate::form::headers;

/// The events a channel can be told of: their type, and what they say.
pub(crate) const EVENTS: [(&str, &str); 3] = [
    ("incident.opened", "An incident opens"),
    ("incident.acknowledged", "Somebody takes it"),
    ("incident.resolved", "It is over"),
];

/// The text of every field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) format: ChannelFormat,
    /// Of [`EVENTS`], in their order.
    pub(crate) events: [bool; EVENTS.len()],
    pub(crate) headers: Vec<(String, String)>,
    /// The receiver's own secret, where there is one already. Only of a new channel.
    pub(crate) secret: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            format: ChannelFormat::default(),
            events: [true; EVENTS.len()],
            headers: Vec::new(),
            secret: String::new(),
        }
    }
}

impl Draft {
    /// As a channel is configured.
    pub(crate) fn of(channel: &Channel) -> Self {
        let is_told = |event: &str| channel.events.is_empty() || channel.events.iter().any(|e| e == event);
        Self {
            name: channel.name.clone(),
            url: channel.url.clone(),
            format: channel.format,
            events: EVENTS.map(|(event, _)| is_told(event)),
            headers: channel.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect(),
            secret: String::new(),
        }
    }

    /// The body that adds the channel.
    pub(crate) fn create(&self) -> Result<ChannelCreate, Errors> {
        self.check()?;
        Ok(ChannelCreate {
            name: self.name.trim().to_owned(),
            url: self.url.trim().to_owned(),
            headers: headers(&self.headers),
            format: self.format,
            events: self.told(),
            enabled: None,
            secret: Some(self.secret.trim().to_owned()).filter(|secret| !secret.is_empty()),
        })
    }

    /// The body that makes `channel` like this: only what differs.
    pub(crate) fn patch(&self, channel: &Channel) -> Result<ChannelPatch, Errors> {
        self.check()?;
        let before = Self::of(channel);
        let changed = |now: &str, before: &str| (now.trim() != before).then(|| now.trim().to_owned());
        let (events, headers) = (self.told(), headers(&self.headers));
        Ok(ChannelPatch {
            name: changed(&self.name, &before.name),
            url: changed(&self.url, &before.url),
            headers: (headers != channel.headers).then_some(headers),
            format: (self.format != before.format).then_some(self.format),
            events: (self.events != before.events).then_some(events),
            enabled: None,
        })
    }

    /// Everything that can be seen to be wrong before it is sent, at once.
    fn check(&self) -> Result<(), Errors> {
        let wrong = [
            (self.name.trim().is_empty(), "/name", "give it a name"),
            (!is_web(&self.url), "/url", "give a URL that begins with http:// or https://"),
            (!self.events.contains(&true), "/events", "choose at least one"),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, ..)| *is_wrong);
        let errors: Errors = wrong.map(|(_, at, what)| (at.to_owned(), what.to_owned())).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The types that are asked for; all of them are spelt as none, so that later ones come too.
    fn told(&self) -> Vec<String> {
        if self.events == [true; EVENTS.len()] {
            return Vec::new();
        }
        let told = EVENTS.iter().zip(self.events).filter(|(_, is_told)| *is_told);
        told.map(|((event, _), _)| (*event).to_owned()).collect()
    }
}

fn is_web(url: &str) -> bool {
    let scheme = url.trim().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// Scheme, host and port of a URL: who is told, without the path, which may be a secret.
pub(crate) fn host(url: &str) -> &str {
    let end = url.find("://").map_or(0, |at| at + "://".len());
    let rest = &url[end..];
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_wire::Header;

    fn channel() -> Channel {
        Channel {
            id: "chn_1".into(),
            name: "On call".into(),
            url: "https://hooks.example/t/abc".into(),
            headers: vec![Header { name: "X-Token".into(), value: "***".into() }],
            format: ChannelFormat::Event,
            events: vec!["incident.opened".into()],
            enabled: true,
            disabled_reason: None,
            secret_count: 1,
            created_at: "2026-11-22T03:04:05.678Z".into(),
        }
    }

    #[test]
    fn nothing_changed_sends_nothing() {
        assert_eq!(Draft::of(&channel()).patch(&channel()), Ok(ChannelPatch::default()));
    }

    #[test]
    fn only_what_changed_is_sent() {
        let draft = Draft { name: " Night ".into(), events: [true; 3], ..Draft::of(&channel()) };
        let patch = draft.patch(&channel()).unwrap();
        let expected =
            ChannelPatch { name: Some("Night".into()), events: Some(Vec::new()), ..ChannelPatch::default() };
        assert_eq!(patch, expected, "all events are spelt as none");
    }

    #[test]
    fn a_channel_that_is_told_nothing_is_refused_at_its_field() {
        let draft = Draft { events: [false; 3], ..Draft::of(&channel()) };
        assert_eq!(draft.create().unwrap_err().keys().collect::<Vec<_>>(), ["/events"]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let errors = |draft: &Draft| draft.create().unwrap_err().into_keys().collect::<Vec<_>>();
        assert_eq!(errors(&Draft::default()), ["/name", "/url"]);
        for url in ["", "hooks.example", "ftp://hooks.example", "://"] {
            let draft = Draft { url: url.into(), ..Draft::of(&channel()) };
            assert_eq!(errors(&draft), ["/url"], "{url}");
        }
        let draft = Draft { url: " HTTPS://hooks.example".into(), ..Draft::of(&channel()) };
        assert!(draft.create().is_ok());
    }

    #[test]
    fn a_new_channel_asks_for_what_is_ticked() {
        let draft = Draft { events: [true, false, true], secret: "  ".into(), ..Draft::of(&channel()) };
        let body = draft.create().unwrap();
        assert_eq!(body.events, ["incident.opened", "incident.resolved"]);
        assert_eq!(body.secret, None);
    }

    #[test]
    fn the_host_is_shown_without_what_may_be_secret() {
        let cases = [
            ("https://hooks.example/t/abc?x=1", "hooks.example"),
            ("http://user:word@10.0.0.5:8080/a@b", "10.0.0.5:8080"),
            ("https://[::1]:9?q", "[::1]:9"),
            ("elsewhere", "elsewhere"),
            ("", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
