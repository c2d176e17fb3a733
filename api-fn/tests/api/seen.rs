//! What was seen of a stream: detail, timeline, metrics, findings.

use std::time::Duration;

use hlsops_domain::buffer::{BufferClosing, Phase};
use hlsops_domain::incident::Incident;
use hlsops_domain::rendition::{Loss, PlaylistState, RenditionKind};
use hlsops_domain::{Closing, EpochMs, Failure, HealthState, MediaUs, RenditionClosing, RenditionId};
use hlsops_store::pack::{MinuteLog, SegmentRow, What};
use hlsops_store::{
    Content, FindingRow, Minute, MinuteFindings, Outline, OutlineReason, OutlineRendition, ShardId, StreamId,
    TakeOver, Tile, Writer,
};
use http::Method;
use serde_json::{Value, json};

use crate::support::{NOW, World, stream};

pub(crate) const MAIN: RenditionId = RenditionId(0xa1);
pub(crate) const AUDIO: RenditionId = RenditionId(0xb2);
const MINUTES: u64 = 10;

fn writer() -> Writer {
    Writer { name: "w".into(), epoch: 1 }
}

fn row(at: EpochMs, sequence: u64) -> SegmentRow {
    SegmentRow {
        at,
        sequence,
        media: MediaUs(6_000_000),
        bytes: 750_000,
        ttfb_ms: 40 + sequence % 10,
        download_ms: 2_000,
        paced: false,
        attempt: 1,
        failure: None,
        last: true,
    }
}

fn closing(at: EpochMs, health: HealthState) -> Closing {
    let rendition = |id, playlist| RenditionClosing {
        id,
        attributes: id.0,
        playlist,
        playlist_since: EpochMs(at.0 - 30_000),
        was_live: true,
        failed_loads: 0,
        loaded_at: Some(at),
        changed_at: Some(at),
        last_look: Some(at),
        target: MediaUs(6_000_000),
        remembered: Vec::new(),
        unsettled: Vec::new(),
        consecutive_lost: 0,
        obtained_to: None,
        dry_reported: false,
        buffer: BufferClosing {
            phase: Phase::Playing,
            at,
            began_at: EpochMs(at.0 - 60_000),
            level: MediaUs(12_340_000),
            start_level: MediaUs(12_000_000),
            target: MediaUs(6_000_000),
            ended: false,
            consistent_since: None,
            empty_since: None,
            last_completion: at,
            waited: Duration::ZERO,
            condition: Duration::ZERO,
            consistent_run: Duration::ZERO,
            accumulated: Duration::ZERO,
        },
    };
    Closing {
        began_at: EpochMs(at.0 - 600_000),
        last_look: Some(at),
        health,
        health_since: EpochMs(at.0 - 5_000),
        incident: match health {
            HealthState::Degraded => Incident::Open { since: at, healthy_since: None },
            _ => Incident::None,
        },
        master: (0, None),
        renditions: vec![
            rendition(AUDIO, PlaylistState::Live),
            rendition(MAIN, PlaylistState::HttpError(Failure::Http(503))),
        ],
    }
}

/// Ten minutes: good ones, and in the newest a segment is lost and health turns. A gap stands in between.
async fn watched(world: &World) -> String {
    watched_with(world, |_, _| {}).await
}

/// The same, with `more` in the newest minute.
pub(crate) async fn watched_with(world: &World, more: impl Fn(&mut MinuteLog, EpochMs)) -> String {
    watched_since(world, 3_600, more).await
}

/// The same of a stream that was added so many seconds ago.
async fn watched_since(world: &World, ago_s: u64, more: impl Fn(&mut MinuteLog, EpochMs)) -> String {
    world.back(ago_s);
    let id = world.add("sports").await;
    world.wait(ago_s);
    let stream = stream(&id);
    let first = Minute::of(NOW).0 - MINUTES;
    let taken = match world.store.take_over(&stream, &writer(), Minute(first)).await.unwrap().value {
        TakeOver::Taken(taken) => *taken,
        TakeOver::Lost(holder) => panic!("{holder:?}"),
    };
    let mut chain = taken.chain;
    for minute in first..first + MINUTES {
        // Two minutes nobody watched.
        if (first + 3..first + 5).contains(&minute) {
            continue;
        }
        let mut log = MinuteLog::new(Minute(minute));
        let start = Minute(minute).start();
        for n in 0..10 {
            let at = EpochMs(start.0 + n * 6_000);
            log.attempted(Some(MAIN), row(at, minute * 10 + n));
        }
        let newest = minute == first + MINUTES - 1;
        if newest {
            let at = EpochMs(start.0 + 50_000);
            let lost = SegmentRow {
                at,
                failure: Some(Failure::Http(404)),
                bytes: 0,
                ttfb_ms: 0,
                download_ms: 0,
                ..row(at, 7)
            };
            log.attempted(Some(MAIN), lost);
            more(&mut log, start);
            log.change(at, Some(MAIN), What::Found { code: "EC-2002".into(), count: 1 });
            log.change(
                at,
                None,
                What::Health { from: HealthState::Healthy, to: HealthState::Degraded, reason: 8 },
            );
        }
        let health = if newest { HealthState::Degraded } else { HealthState::Healthy };
        let closing = closing(EpochMs(start.0 + 59_000), health);
        let content = Content { closing: &closing, log: &log };
        let _ = world.store.save_minute(&mut chain, Minute(minute), content).await.unwrap();
    }
    describe(world, &stream).await;
    id
}

async fn describe(world: &World, stream: &StreamId) {
    let rendition = |id, kind, label: &str| OutlineRendition {
        id,
        kind,
        label: label.into(),
        url: "https://cdn.example/a.m3u8".into(),
        bandwidth_bps: Some(800_000),
    };
    let outline = Outline {
        at: NOW,
        renditions: vec![
            rendition(MAIN, RenditionKind::Main, "640x360 800 kb/s"),
            rendition(AUDIO, RenditionKind::Audio, "audio English"),
        ],
        reasons: vec![OutlineReason {
            state: HealthState::Degraded,
            rendition: Some(MAIN),
            text: "1 segment lost, 1.7 % of the media".into(),
        }],
    };
    assert!(world.store.save_outline(stream, &outline, &writer()).await.unwrap().value);
    let tile = Tile {
        stream: stream.clone(),
        health: HealthState::Degraded,
        since: EpochMs(NOW.0 - 10_000),
        last_look: Some(NOW),
        incident: None,
        playlist: PlaylistState::HttpError(Failure::Http(503)),
        reasons: vec!["1 segment lost".into()],
        reasons_at: Some(NOW),
        weight: 0,
    };
    let _ = world.store.save_summary(ShardId(0), &[tile], &writer(), NOW).await.unwrap();
    let minute = Minute::of(EpochMs(NOW.0 - 10_000));
    let row = |first: u64, last: u64, count, sample: &str| FindingRow {
        code: "EC-2002".into(),
        rendition: Some(MAIN),
        first: EpochMs(first),
        last: EpochMs(last),
        count,
        sample: sample.into(),
    };
    for (minute, rows) in [
        (Minute(minute.0 - 1), vec![row(NOW.0 - 90_000, NOW.0 - 80_000, 2, "segment 5: HTTP 404")]),
        (minute, vec![row(NOW.0 - 10_000, NOW.0 - 10_000, 1, "segment 7: HTTP 404")]),
    ] {
        let findings = MinuteFindings { minute, rows, overflow: 0 };
        assert!(world.store.save_findings(stream, &findings, &writer()).await.unwrap().value);
    }
}

#[tokio::test]
async fn a_page_about_a_stream_has_renditions_and_reasons() {
    let world = World::new().await;
    let id = watched(&world).await;
    world.wait(2);
    let got = world.get(&format!("/api/v1/streams/{id}")).await.is(200);
    let (body, main) = (&got.body, &got.body["renditions"][0]);
    assert_eq!(body["health"]["state"], "degraded");
    assert_eq!(
        body["health"]["reasons"],
        json!([{"state": "degraded", "rendition_id": "ren_00000000000000a1", "text": "1 segment lost, 1.7 % of the media"}])
    );
    assert_eq!((&body["playlist_state"], &body["buffer_s"]), (&json!("HTTPError"), &json!(12.34)));
    assert_eq!((&main["label"], &main["failure"]), (&json!("640x360 800 kb/s"), &json!("HTTP 503")));
    assert_eq!((&main["segments_lost_count"], &main["download_ratio"]), (&json!(1), &json!(3.0)));
    assert!(main["ttfb_p50_ms"].as_u64().is_some_and(|ms| (40..50).contains(&ms)));
    assert_eq!(body["renditions"][1]["kind"], "audio");
}

/// Of the window before the newest look: what failed but was not told to leave alone, and what a jump left out.
#[tokio::test]
async fn lost_segments_are_counted_as_health_counts_them() {
    let world = World::new().await;
    let id = watched_with(&world, |log, start| {
        let at = EpochMs(start.0 + 52_000);
        let throttled = SegmentRow { failure: Some(Failure::Http(429)), ..row(at, 8) };
        log.attempted(Some(MAIN), throttled);
        log.lost(at, MAIN, Loss { segments: 3, media: MediaUs(18_000_000) });
    })
    .await;
    let path = format!("/api/v1/streams/{id}");
    let counts = |got: &Value| {
        let main = &got["renditions"][0];
        (main["segments_lost_count"].as_u64().unwrap(), main["segments_obtained_count"].as_u64().unwrap())
    };
    let got = world.get(&path).await.is(200);
    assert_eq!(
        (&got.body["window_s"], &got.body["figures_to_at"]),
        (&json!(120.0), &json!("2026-11-22T03:30:00.000Z")),
        "when health was judged, shortly after the newest look"
    );
    assert_eq!(counts(&got.body), (4, 20));
    world.wait(100);
    assert_eq!(counts(&world.get(&path).await.is(200).body), (4, 20), "of the time that is known");
    let etag = world.get(&path).await.header("etag").to_owned();
    let short = world.patch(&path, &etag, json!({"thresholds": {"window_ms": 10_000}})).await.is(200);
    assert_eq!((&short.body["window_s"], counts(&short.body)), (&json!(10.0), (4, 1)));
}

async fn timeline(world: &World, id: &str, query: &str) -> Value {
    world.get(&format!("/api/v1/streams/{id}/timeline?{query}")).await.is(200).body
}

#[tokio::test]
async fn a_timeline_is_read_newest_first_and_in_pages() {
    let world = World::new().await;
    let id = watched(&world).await;
    let all = timeline(&world, &id, "").await;
    let texts: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "DEGRADED (was HEALTHY): segments lost",
            "EC-2002: could not download the segment",
            "segment 7: HTTP 404; lost",
            "nobody watched for 2 min",
        ],
        "of one moment the cause comes before what followed from it"
    );
    assert_eq!(all["items"][2]["rendition"], "640x360 800 kb/s");
    assert_eq!(all["items"][0]["state"], "degraded");
    assert_eq!(all.get("next_cursor"), None);
    assert_eq!(all["complete_to_at"], "2026-11-22T03:29:59.000Z", "the newest look that is stored");
    let earlier = timeline(&world, &id, "to=2026-11-22T03:25:30Z").await;
    assert_eq!(earlier["complete_to_at"], "2026-11-22T03:25:30.000Z");

    let everything = timeline(&world, &id, "kind=segment_obtained&kind=gap&limit=500").await;
    assert_eq!(everything["items"].as_array().unwrap().len(), 81);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = timeline(&world, &id, &format!("kind=segment_obtained,gap&limit=7{cursor}")).await;
        paged.extend(page["items"].as_array().unwrap().iter().cloned());
        assert_eq!(page.get("complete_to_at").is_some(), cursor.is_empty(), "only the newest page grows");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&json!(paged), &everything["items"]);
    let none = timeline(&world, &id, "to=2026-11-22T03:00:00Z").await;
    assert_eq!((&none["items"], none.get("complete_to_at")), (&json!([]), None));
    for (query, pointer) in
        [("kind=x", "?kind"), ("cursor=x", "?cursor"), ("from=x", "?from"), ("limit=0", "?limit")]
    {
        let path = format!("/api/v1/streams/{id}/timeline?{query}");
        world.get(&path).await.problem(400, "EC100", pointer);
    }
}

/// What nobody looked at comes before what that made of the stream, on every page.
#[tokio::test]
async fn a_gap_comes_before_what_follows_from_it() {
    use HealthState::{Healthy, NoData};
    let world = World::new().await;
    let id = watched_with(&world, |log, start| {
        let at = |s: u64| EpochMs(start.0 + 30_000 + s);
        log.change(at(90), None, What::Health { from: Healthy, to: NoData, reason: 2 });
        for (rendition, end) in [(MAIN, at(110)), (AUDIO, at(130))] {
            log.change(end, Some(rendition), What::OwnGap(Duration::from_millis(30_611)));
            log.change(end, Some(rendition), What::NotWatched { first: 5, last: 5 });
            log.change(end, Some(rendition), What::NotWatched { first: 6, last: 8 });
        }
        log.change(at(130), None, What::Health { from: NoData, to: Healthy, reason: 0 });
    })
    .await;
    let mut told: Vec<String> = Vec::new();
    let mut cursor = String::new();
    for _ in 0..6 {
        let query = format!("kind=gap,health&from=2026-11-22T03:29:00Z&limit=2{cursor}");
        let page = timeline(&world, &id, &query).await;
        let texts =
            page["items"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned());
        told.extend(texts);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    told.reverse();
    let (look, record) = ("no look on record for 31 s", "no record of 4 segments: 5 to 8");
    assert_eq!(
        told,
        [
            look,
            record,
            look,
            record,
            "NO DATA (was HEALTHY): no look for too long",
            "HEALTHY (was NO DATA)",
            "DEGRADED (was HEALTHY): segments lost",
        ]
    );
}

/// A stream's minutes begin at a second of their own, here the 40th: what is stored in one reaches into the next.
#[tokio::test]
async fn no_entry_is_lost_where_a_page_ends() {
    const STORED: u64 = 320;
    let world = World::new().await;
    world.back(STORED * 60);
    let id = world.add("sports").await;
    world.wait(STORED * 60);
    let first = Minute::of(NOW).0 - STORED;
    let taken = match world.store.take_over(&stream(&id), &writer(), Minute(first)).await.unwrap().value {
        TakeOver::Taken(taken) => *taken,
        TakeOver::Lost(holder) => panic!("{holder:?}"),
    };
    let mut chain = taken.chain;
    for minute in first..first + STORED {
        let start = Minute(minute).start().0 + 40_000;
        let mut log = MinuteLog::new(Minute(minute));
        log.change(EpochMs(start + 50_000), Some(MAIN), What::Found { code: "EC-2002".into(), count: 1 });
        let closing = closing(EpochMs(start + 59_000), HealthState::Healthy);
        let content = Content { closing: &closing, log: &log };
        let _ = world.store.save_minute(&mut chain, Minute(minute), content).await.unwrap();
    }
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = timeline(&world, &id, &format!("limit=500{cursor}")).await;
        paged.extend(page["items"].as_array().unwrap().iter().map(|one| one["at"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(paged.is_sorted_by(|a, b| a > b), "newest first, none twice");
    assert_eq!(paged.len() as u64, STORED);
}

#[tokio::test]
async fn series_have_figures_and_states() {
    let world = World::new().await;
    let id = watched(&world).await;
    let got = world.get(&format!("/api/v1/streams/{id}/metrics?step_s=60")).await.is(200);
    let points = got.body["points"].as_array().unwrap();
    assert_eq!(points.len(), 8, "no point where nobody watched");
    let last = points.last().unwrap();
    assert_eq!(last["at"], "2026-11-22T03:29:00.000Z");
    assert_eq!((&last["segments_obtained_count"], &last["segments_failed_count"]), (&json!(10), &json!(1)));
    assert_eq!((&last["ttfb_p50_ms"], &last["ttfb_max_ms"]), (&json!(44), &json!(49)));
    assert_eq!((&last["download_ratio"], &last["bitrate_bps"]), (&json!(3.0), &json!(1_000_000)));
    assert_eq!(last["buffer_s"], 12.34);
    let states: Vec<(&str, &str)> = got.body["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| (span["state"].as_str().unwrap(), span["from_at"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("healthy", "2026-11-22T03:20:00.000Z"),
            ("no_data", "2026-11-22T03:23:00.000Z"),
            ("healthy", "2026-11-22T03:25:00.000Z"),
            ("degraded", "2026-11-22T03:29:50.000Z"),
        ]
    );
    let path = |query: &str| format!("/api/v1/streams/{id}/metrics?{query}");
    let audio = world.get(&path("rendition=ren_00000000000000b2")).await.is(200);
    assert_eq!(audio.body["points"][0]["segments_obtained_count"], 0);
    for (query, pointer) in [
        ("step_s=4", "?step_s"),
        ("from=2026-11-21T00:00:00Z", "?from"),
        ("from=2026-11-22T04:00:00Z", "?from"),
        ("from=2026-11-21T04:00:00Z&step_s=5", "?step_s"),
        ("rendition=x", "?rendition"),
    ] {
        world.get(&path(query)).await.problem(400, "EC100", pointer);
    }
}

async fn series(world: &World, id: &str) -> Value {
    world.get(&format!("/api/v1/streams/{id}/metrics?step_s=60")).await.is(200).body
}

/// A segment that was tried twice is one segment; one that came at the second try is none.
#[tokio::test]
async fn segments_that_failed_are_counted_once() {
    let world = World::new().await;
    let id = watched_with(&world, |log, start| {
        let failed = |sequence, attempt, last| {
            let at = EpochMs(start.0 + 40_000);
            let failure = Some(Failure::Http(404));
            SegmentRow { failure, attempt, last, ..row(at, sequence) }
        };
        for row in [failed(8, 1, false), failed(8, 2, true), failed(9, 1, false)] {
            log.attempted(Some(MAIN), row);
        }
    })
    .await;
    let got = series(&world, &id).await;
    assert_eq!(got["points"].as_array().unwrap().last().unwrap()["segments_failed_count"], 2);
}

#[tokio::test]
async fn states_begin_when_the_stream_was_added() {
    let world = World::new().await;
    let id = watched_since(&world, 150, |_, _| {}).await;
    let first = &series(&world, &id).await["states"][0];
    assert_eq!((&first["state"], &first["from_at"]), (&json!("healthy"), &json!("2026-11-22T03:27:30.000Z")));
}

#[tokio::test]
async fn a_pause_is_told_with_its_beginning_and_its_end() {
    let world = World::new().await;
    let id = watched(&world).await;
    let last = |got: &Value| got["states"].as_array().unwrap().last().unwrap().clone();
    let switch = async |how: &str| {
        world.ask(Method::POST, &format!("/api/v1/streams/{id}/{how}"), &[], None).await.is(200)
    };
    assert_eq!(last(&series(&world, &id).await)["state"], "degraded");
    switch("pause").await;
    world.wait(30);
    let expected = json!({
        "from_at": "2026-11-22T03:30:00.000Z", "to_at": "2026-11-22T03:30:30.000Z", "state": "paused",
    });
    assert_eq!(last(&series(&world, &id).await), expected);
    let resumed = switch("resume").await.body;
    assert_eq!(resumed["health"]["state"], "no_data", "what was seen before it was paused says nothing");
    assert_eq!(resumed["health"]["reasons"][0]["text"], "waiting for the first look");
    assert_eq!(resumed["health"]["since_at"], "2026-11-22T03:30:30.000Z");
    world.wait(30);
    assert!(series(&world, &id).await["states"].as_array().unwrap().contains(&expected));
    let got = timeline(&world, &id, "kind=gap&from=2026-11-22T03:29:59Z").await;
    let told: Vec<_> =
        got["items"].as_array().unwrap().iter().map(|entry| (&entry["at"], &entry["text"])).collect();
    assert_eq!(
        told,
        [
            (&json!("2026-11-22T03:30:30.000Z"), &json!("resumed: it is looked at again")),
            (&json!("2026-11-22T03:30:00.000Z"), &json!("paused: nobody looks until it is resumed")),
        ]
    );
}

#[tokio::test]
async fn what_was_lost_before_a_pause_does_not_count_after_it() {
    let world = World::new().await;
    let id = watched(&world).await;
    let path = format!("/api/v1/streams/{id}");
    let lost = async || world.get(&path).await.is(200).body["renditions"][0]["segments_lost_count"].clone();
    assert_eq!(lost().await, 1);
    // Resumed before the newest record, and after its loss.
    world.back(5);
    for how in ["pause", "resume"] {
        world.ask(Method::POST, &format!("{path}/{how}"), &[], None).await.is(200);
    }
    world.wait(5);
    assert_eq!(lost().await, 0);
}

/// The wall's summary comes a moment later: the page does not contradict its own timeline meanwhile.
#[tokio::test]
async fn the_head_of_a_page_is_not_older_than_its_timeline() {
    let world = World::new().await;
    let id = watched(&world).await;
    let path = format!("/api/v1/streams/{id}");
    let tile = Tile {
        stream: stream(&id),
        health: HealthState::Healthy,
        since: EpochMs(NOW.0 - 300_000),
        last_look: Some(EpochMs(NOW.0 - 30_000)),
        incident: None,
        playlist: PlaylistState::Live,
        reasons: Vec::new(),
        reasons_at: None,
        weight: 0,
    };
    world.wait(2);
    let _ = world.store.save_summary(ShardId(0), &[tile], &writer(), world.now()).await.unwrap();
    crate::wall::open(&world, &id).await;
    let got = world.get(&path).await.is(200).body;
    let incident = json!(format!("inc:default:{id}:1"));
    assert_eq!((&got["active_incident_id"], &got["active_incident"]["id"]), (&incident, &incident));
    assert_eq!(
        (&got["health"]["state"], &got["last_look_at"]),
        (&json!("degraded"), &json!("2026-11-22T03:29:59.000Z"))
    );
    assert_eq!(got["health"]["reasons"][0]["text"], "1 segment lost, 1.7 % of the media");
}

#[tokio::test]
async fn findings_are_folded_and_say_what_to_do() {
    let world = World::new().await;
    let id = watched(&world).await;
    let got = world.get(&format!("/api/v1/streams/{id}/findings")).await.is(200);
    let items = got.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["code"], &items[0]["count"]), (&json!("EC-2002"), &json!(3)));
    assert_eq!(
        (&items[0]["sample"], &items[0]["severity"]),
        (&json!("segment 7: HTTP 404"), &json!("error"))
    );
    assert_eq!(items[0]["rendition"], "640x360 800 kb/s");
    assert_eq!(items[0]["first_at"], "2026-11-22T03:28:30.000Z");
    assert!(items[0]["fix"].as_str().is_some_and(|fix| fix.ends_with('.')));
    let limited = world.get(&format!("/api/v1/streams/{id}/findings?limit=1")).await.is(200);
    assert_eq!((&limited.body["items"], limited.body.get("next_cursor")), (&got.body["items"], None));
    let none = world.get(&format!("/api/v1/streams/{id}/findings?cursor=5.0")).await.is(200);
    assert_eq!(none.body["items"], json!([]), "what is before that minute");
    world.get(&format!("/api/v1/streams/{id}/findings?cursor=x")).await.problem(400, "EC100", "?cursor");
    let path = format!("/api/v1/streams/{id}/findings?from=2026-11-01T00:00:00Z");
    world.ask(Method::GET, &path, &[], None).await.problem(400, "EC100", "?from");
}
