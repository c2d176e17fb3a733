//! What clients rely on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hlsops_wire::{Acknowledge, KeyCreate, State, StreamCreate, StreamPatch, Wall, WallCounts, WallTile};
use serde::de::DeserializeOwned;
use serde_json::{from_str, to_string};

#[track_caller]
fn refused<T: DeserializeOwned>(json: &str) {
    let error = from_str::<T>(json).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("unknown field `odd`"), "{error}");
}

#[test]
fn requests_with_unknown_fields_are_refused() {
    refused::<StreamCreate>(r#"{"manifest_url":"u","odd":1}"#);
    refused::<StreamCreate>(r#"{"manifest_url":"u","watch":{"odd":1}}"#);
    refused::<StreamPatch>(r#"{"odd":1}"#);
    refused::<Acknowledge>(r#"{"odd":1}"#);
    refused::<KeyCreate>(r#"{"name":"n","odd":1}"#);
}

/// An older client reads what a newer server sends.
#[test]
fn answers_with_unknown_fields_are_read() {
    let tile: WallTile = from_str(r#"{"id":"a","name":"A","state":"healthy","odd":1}"#).unwrap();
    assert_eq!((tile.state, tile.since_at), (State::Healthy, None));
}

/// What a client leaves out, it does not send: a patch changes what it names.
#[test]
fn a_patch_is_as_small_as_the_change() {
    assert_eq!(to_string(&StreamPatch::default()).unwrap(), "{}");
    let patch = StreamPatch { link_id: Some(None), enabled: Some(false), ..StreamPatch::default() };
    assert_eq!(to_string(&patch).unwrap(), r#"{"link_id":null,"enabled":false}"#);
}

#[test]
fn states_are_ordered_and_counted() {
    let states = [State::Unhealthy, State::Degraded, State::NoData, State::Healthy, State::Paused];
    assert!(states.is_sorted());
    let mut counts = WallCounts::default();
    states.into_iter().for_each(|state| counts.add(state));
    assert_eq!(counts.total(), 5);
}

/// A healthy stream takes at most 170 bytes of a wall, a bad one 220 without the time of its
/// figures, 262 with it.
#[test]
fn tiles_are_small() {
    let healthy = WallTile {
        id: "str_01kamxhz000000000000000000".into(),
        name: "Sports Channel 0001 HD".into(),
        state: State::Healthy,
        since_at: Some("2026-11-22T03:30:00.000Z".into()),
        reason: String::new(),
        reason_as_of: None,
        playlist_state: Some("Live".into()),
        incident: None,
        acknowledged_by: None,
        tags: Vec::new(),
    };
    let bad = WallTile {
        state: State::Unhealthy,
        reason: "playlist does not load: HTTP 503".into(),
        reason_as_of: Some("2026-11-22T03:30:05.000Z".into()),
        playlist_state: Some("HTTPError".into()),
        incident: Some(hlsops_wire::IncidentStatus::Open),
        ..healthy.clone()
    };
    let size = |tile: &WallTile| to_string(tile).unwrap().len();
    assert!(size(&healthy) <= 170, "{}", size(&healthy));
    assert!(size(&bad) <= 262, "{}", size(&bad));
    let untimed = WallTile { reason_as_of: None, ..bad.clone() };
    assert!(size(&untimed) <= 220, "{}", size(&untimed));
    let wall = Wall {
        as_of: "2026-11-22T03:30:00.000Z".into(),
        probed_at: None,
        version: "0".into(),
        partial: false,
        counts: WallCounts::default(),
        tiles: vec![healthy],
        removed: Vec::new(),
    };
    assert_eq!(from_str::<Wall>(&to_string(&wall).unwrap()).unwrap(), wall);
}
