use super::*;
use hlsops_domain::RenditionId;
use hlsops_domain::health::What;
use hlsops_store::StreamId;
use std::time::Duration;

const AT: EpochMs = EpochMs(1_610_541_723_000);

fn config(name: &str) -> StreamConfig {
    let id = StreamId::new("default", "str_1").unwrap();
    StreamConfig {
        name: name.into(),
        link_id: Some("5fa1ab24559c".into()),
        headers: vec![("authorization".into(), "canary".into())],
        tags: vec![("team".into(), "sports".into())],
        ..StreamConfig::new(id, "https://example.com/a.m3u8?token=canary", AT)
    }
}

fn about(stream: &StreamConfig) -> About<'_> {
    About {
        stream,
        incident: "inc:default:str_1:1",
        seq: 1,
        title: "no variant can be played",
        trigger: "unhealthy",
        opened: AT,
        seen: Some(Seen { playlist: PlaylistState::Stalled, look: AT }),
    }
}

fn health() -> Health {
    let reason =
        |rendition, what| hlsops_domain::health::Reason { state: HealthState::Unhealthy, rendition, what };
    Health {
        state: HealthState::Unhealthy,
        reasons: vec![reason(None, What::NothingPlayable), reason(Some(RenditionId(7)), What::Stalled)],
    }
}

#[test]
fn an_opened_incident_says_what_is_wrong_with_which_stream() {
    let json = opened(&about(&config("Sports 1")), &health()).to_json();
    let expected = serde_json::json!({
        "type": "incident.opened", "timestamp": "2021-01-13T12:42:03.000Z",
        "data": {
            "alert_id": "inc:default:str_1:1", "alert_type": "incident",
            "incident_id": "inc:default:str_1:1", "seq": 1, "dedup_key": "inc:default:str_1:1",
            "state": "open", "severity": "critical", "title": "no variant can be played",
            "health": "UNHEALTHY",
            "reasons": [
                {"health": "UNHEALTHY", "what": "no variant can be played"},
                {"health": "UNHEALTHY", "what": "playlist brings no new segments",
                 "rendition_id": "ren_0000000000000007"},
            ],
            "stream": {
                "id": "str_1", "link_id": "5fa1ab24559c", "name": "Sports 1",
                "manifest_url": "https://example.com/a.m3u8?token=***", "tags": {"team": "sports"},
            },
            "playlist_state": "Stalled", "last_look_at": "2021-01-13T12:42:03.000Z",
            "condition_started_at": "2021-01-13T12:42:03.000Z", "outage_time_epoch_s": 1_610_541_723.0,
            "test": false,
        },
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), expected);
}

#[test]
fn what_follows_says_who_and_how_long() {
    let stream = config("Sports 1");
    let later = AT + Duration::from_millis(125_500);
    let taken = acknowledged(&About { seq: 2, ..about(&stream) }, later, "Ana\n", Some("on it"));
    assert_eq!(taken.data.acknowledged_by.as_deref(), Some("Ana"));
    assert_eq!(taken.data.state.as_deref(), Some("acknowledged"));
    let about = About { seq: 3, trigger: "long_degraded", ..about(&stream) };
    let over = resolved(&about, later, Some((HealthState::Unhealthy, "stalled")), End::Healed);
    assert_eq!(over.data.condition_duration_s, Some(125.5));
    assert_eq!(over.data.severity, "warning");
    assert_eq!(over.data.worst.as_ref().map(|worst| worst.what.as_str()), Some("stalled"));
    assert_eq!(over.data.dedup_key, taken.data.dedup_key);
    assert_eq!(Event::read(&over.to_json()).unwrap(), over, "it is read as it was written");
    assert_eq!(over.at(), Some(later));
    let linked = over.with_links("https://ops.example/").data.links.unwrap();
    assert_eq!(linked.incident.as_deref(), Some("https://ops.example/incidents/inc:default:str_1:1"));
    assert_eq!(linked.stream.as_deref(), Some("https://ops.example/streams/str_1"));
}

#[test]
fn nobody_is_sent_to_a_stream_that_was_removed() {
    let stream = config("Sports 1");
    let over = resolved(&about(&stream), AT, None, End::StreamRemoved).with_links("https://ops.example");
    assert_eq!(over.data.note.as_deref(), Some("the stream was removed"));
    let told = over.data.stream.unwrap();
    assert!(told.removed && told.name == "Sports 1");
    let links = over.data.links.unwrap();
    assert!(links.incident.is_some() && links.stream.is_none());
}

#[test]
fn any_name_makes_a_bounded_event_of_one_line() {
    let long = "ü".repeat(180);
    for (name, expected) in [
        ("Sports\r\n1", "Sports 1"),
        ("<!channel> \"x\" \\", "<!channel> \"x\" \\"),
        ("\u{0}\u{7f}\u{85}", ""),
        (&long, &long),
        ("=HYPERLINK(\"http://x\")", "=HYPERLINK(\"http://x\")"),
    ] {
        let event = opened(&about(&config(name)), &health());
        let json = event.to_json();
        assert_eq!(Event::read(&json).unwrap().data.stream.unwrap().name, expected);
        assert!(!json.contains(|c: char| c.is_control()), "{json}");
        assert!(!json.contains("canary"), "{json}");
    }
}

#[test]
fn an_event_never_grows_over_its_bound() {
    let mut stream = config(&"\u{10ffff}".repeat(500));
    stream.url = format!("https://h/{}", "\"".repeat(9_000));
    stream.tags = (0..40).map(|n| (format!("{n}{}", "😀".repeat(90)), "😀".repeat(90))).collect();
    let mut health = health();
    health.reasons = health.reasons.into_iter().cycle().take(50).collect();
    let title = "\"".repeat(5_000);
    let json = opened(&About { title: &title, ..about(&stream) }, &health).to_json();
    assert!(json.len() <= Event::MAX, "{}", json.len());
    let event = Event::read(&json).unwrap();
    assert!(!event.data.reasons.is_empty(), "tags go first");
    assert!(test("chn_1", "x", AT).data.test);
}
