//! An event as a subject and lines of text, for receivers that show them as they are.

use serde::Serialize;

use crate::event::{ACKNOWLEDGED, Event, OPENED, RESOLVED};
use crate::text::{plain, spoken};

/// `{"subject", "alerts": [..]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// Fewer than 100 characters, none of them a control character.
    pub subject: String,
    /// What happened.
    pub alerts: Vec<String>,
}

impl Lines {
    /// Longest subject, in characters.
    pub const MAX_SUBJECT: usize = 99;
    const MAX_LINE: usize = 1_500;

    /// The same event in words.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let data = &event.data;
        let word = match event.kind.as_str() {
            OPENED => "INCIDENT",
            ACKNOWLEDGED => "ACKNOWLEDGED",
            RESOLVED => "OK",
            _ => "TEST",
        };
        let id = data.stream.as_ref().map(|stream| stream.link_id.as_ref().unwrap_or(&stream.id));
        let name = match (&data.stream, id) {
            (Some(stream), Some(id)) => format!("{} ({id}) - ", stream.name),
            _ => String::new(),
        };
        let mark = id.map(|id| format!("[{id}] ")).unwrap_or_default();
        let line = |text: String| plain(&format!("{mark}{text}"), Self::MAX_LINE);
        let mut alerts = vec![line(facts(event))];
        alerts.extend(sentence(event).map(line));
        if let Some(link) =
            data.links.as_ref().and_then(|links| links.incident.as_ref().or(links.stream.as_ref()))
        {
            alerts.push(line(format!("More: {link}")));
        }
        let subject = plain(&format!("{word}: {name}{}", data.title), Self::MAX_SUBJECT);
        Self { subject, alerts }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is known, in one line.
fn facts(event: &Event) -> String {
    let data = &event.data;
    let at = event.at().unwrap_or_default();
    let seconds = format!("{}.{:02}", at.0 / 1_000, at.0 % 1_000 / 10);
    let mut facts = format!("Time (UTC): {seconds} ({})", spoken(at));
    if let Some(duration_s) = data.condition_duration_s {
        facts.push_str(&format!(", Incident Duration: {duration_s:.2} (sec)"));
    }
    if let Some(health) = &data.health {
        facts.push_str(&format!(", Status: {health}"));
    }
    if let Some(stream) = &data.stream {
        facts.push_str(&format!(", Stream: {}", stream.manifest_url));
    }
    facts
}

/// What it means.
fn sentence(event: &Event) -> Option<String> {
    let data = &event.data;
    Some(match event.kind.as_str() {
        OPENED => format!("An incident was opened: {}.", data.title),
        ACKNOWLEDGED => {
            let note = data.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("{} has taken the incident{note}.", data.acknowledged_by.as_deref().unwrap_or("Somebody"))
        }
        RESOLVED => {
            let worst = data.worst.as_ref().map(|worst| format!(" At its worst: {}.", worst.what));
            let length = data.condition_duration_s.unwrap_or_default();
            format!("The incident is over after {length:.2} seconds.{}", worst.unwrap_or_default())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Data, Stream};

    fn event(kind: &str, name: &str) -> Event {
        let stream = Stream {
            id: "str_1".into(),
            link_id: Some("5fa1ab24559c".into()),
            name: name.into(),
            manifest_url: "https://example.com/a.m3u8?t=***".into(),
            tags: std::collections::BTreeMap::new(),
            removed: false,
        };
        let data = Data {
            title: "playlist brings no new segments".into(),
            health: Some("UNHEALTHY".into()),
            stream: Some(stream),
            ..Data::default()
        };
        Event { kind: kind.into(), timestamp: "2021-01-13T12:42:03.000Z".into(), data }
    }

    #[test]
    fn an_incident_in_words() {
        let lines = Lines::of(&event(OPENED, "Sports 1"));
        assert_eq!(lines.subject, "INCIDENT: Sports 1 (5fa1ab24559c) - playlist brings no new segments");
        let expected = [
            "[5fa1ab24559c] Time (UTC): 1610541723.00 (2021-01-13 12:42:03Z), Status: UNHEALTHY, \
             Stream: https://example.com/a.m3u8?t=***",
            "[5fa1ab24559c] An incident was opened: playlist brings no new segments.",
        ];
        assert_eq!(lines.alerts, expected);
        let mut over = event(RESOLVED, "Sports 1");
        over.data.condition_duration_s = Some(305.0);
        let over = Lines::of(&over);
        assert!(over.subject.starts_with("OK: Sports 1"), "{over:?}");
        assert!(over.alerts[1].contains("over after 305.00 seconds"), "{over:?}");
    }

    #[test]
    fn no_name_gives_an_order_or_breaks_a_line() {
        for name in ["<!channel>", "a\r\nBcc: x", &"n".repeat(180)] {
            for kind in [OPENED, ACKNOWLEDGED, RESOLVED, "test"] {
                let lines = Lines::of(&event(kind, name));
                for line in lines.alerts.iter().chain([&lines.subject]) {
                    assert!(!line.contains(|c: char| c.is_control() || c == '<'), "{line}");
                }
                assert!(lines.subject.chars().count() < 100, "{}", lines.subject);
            }
        }
    }
}
