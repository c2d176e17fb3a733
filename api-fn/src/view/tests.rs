use super::*;

#[test]
fn secrets_of_urls_are_hidden_and_names_stay() {
    for (url, expected) in [
        ("https://h/a.m3u8", "https://h/a.m3u8"),
        ("https://h/a.m3u8?tok=s&exp=9", "https://h/a.m3u8?tok=***&exp=***"),
        ("https://h/a.m3u8?s3cret", "https://h/a.m3u8?***"),
        ("https://h/a.m3u8?#s3cret", "https://h/a.m3u8?***"),
        ("nonsense?s3cret", "nonsense"),
    ] {
        assert_eq!(masked_url(url), expected);
    }
}

#[test]
fn lengths_are_for_people() {
    for (seconds, expected) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (3_600, "1 h"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ] {
        assert_eq!(length(seconds), expected);
    }
}

/// A target duration and a buffer are those of playlists that were loaded.
#[test]
fn nothing_is_made_up_of_a_playlist_that_was_never_loaded() {
    let rendition = |target: Option<f64>, buffer_s: f64| wire::Rendition {
        id: String::new(),
        label: String::new(),
        kind: wire::RenditionKind::Main,
        url: None,
        bandwidth_bps: None,
        playlist_state: "Live".into(),
        failure: None,
        playlist_since_at: String::new(),
        last_look_at: None,
        target_duration_s: target,
        buffer_s,
        buffer_empty_since_at: None,
        consecutive_lost_count: 0,
        segments_obtained_count: 0,
        segments_lost_count: 0,
        ttfb_p50_ms: None,
        download_ratio: None,
    };
    let never = rendition(None, 0.0);
    assert_eq!(stream::figures(std::slice::from_ref(&never)), (None, None));
    assert_eq!(stream::figures(&[never, rendition(Some(6.0), 12.5)]), (Some(12.5), Some(6.0)));
}

#[test]
fn a_timeline_that_is_cut_keeps_how_it_began() {
    let entry = |id: usize, kind: &str| -> hlsops_wire::TimelineEntry {
        serde_json::from_value(serde_json::json!({"id": id.to_string(), "at": "", "kind": kind, "text": ""}))
            .unwrap()
    };
    let many = || (1..=5).map(|id| entry(id, "segment_failed"));
    let mut timeline: Vec<_> = many().chain([entry(6, "health"), entry(7, "load_failed")]).collect();
    let cut = incident::shorten(&mut timeline, 4);
    assert_eq!(cut, incident::Cut { requests: 3, others: 0 });
    let ids: Vec<&str> = timeline.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["1", "5", "6", "7"]);
    let mut loads: Vec<_> = (1..=5).map(|id| entry(id, "load_failed")).chain([entry(6, "health")]).collect();
    incident::shorten(&mut loads, 2);
    assert_eq!(loads.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["5", "6"]);
    let mut few: Vec<_> = many().collect();
    incident::shorten(&mut few, 5);
    assert_eq!(few.len(), 5);
    let mut other: Vec<_> = (1..=5).map(|id| entry(id, "health")).collect();
    let cut = incident::shorten(&mut other, 4);
    assert_eq!(other.last().map(|entry| entry.id.as_str()), Some("4"));
    assert_eq!(cut, incident::Cut { requests: 0, others: 1 });
}

#[test]
fn what_a_timeline_leaves_out_is_said() {
    let said = |requests, others, unread| incident::left_out(incident::Cut { requests, others }, unread);
    assert_eq!(said(0, 0, None), None);
    assert_eq!(said(234, 0, None).as_deref(), Some("234 failed requests after the first ones"));
    let unread = Some((EpochMs(1_795_386_780_000), EpochMs(1_795_390_380_000)));
    assert_eq!(
        said(1, 2, unread).as_deref(),
        Some(
            "everything from 2026-11-22 22:33 to 2026-11-22 23:33 UTC; 1 failed request after the first ones; 2 older \
             changes"
        )
    );
}

/// Both times are read without their milliseconds: so is what lies between them.
#[test]
fn an_incident_lasted_from_the_one_time_that_is_read_to_the_other() {
    let stream = hlsops_store::StreamId::new("default", "str_1").unwrap();
    let (opened, closed) = (EpochMs(1_800_000_005_070), EpochMs(1_800_000_390_068));
    let item = hlsops_store::IncidentItem {
        id: hlsops_store::IncidentId::new(&stream, 1),
        stream,
        stream_name: "Sports 1".into(),
        version: 1,
        opened,
        closed: Some(closed),
        acknowledged: None,
        trigger: "unhealthy".into(),
        title: String::new(),
        note: None,
    };
    assert_eq!(incident::incident(&item, None, closed).duration_s, 385);
}
