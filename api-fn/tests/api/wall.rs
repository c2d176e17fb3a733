//! The wall: states, order, what has changed, and 2,000 tiles.

use std::time::Instant;

use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState};
use hlsops_store::{NewIncident, Notice, ShardId, ShardSummary, StreamConfig, Tile, Writer};
use http::Method;
use serde_json::{Value, json};

use crate::support::{World, stream};

const WALL: &str = "/api/v1/wall";

fn tile(world: &World, id: &str, health: HealthState, reason: &str) -> Tile {
    Tile {
        stream: stream(id),
        health,
        since: EpochMs(world.now().0 - 60_000),
        last_look: Some(world.now()),
        incident: None,
        playlist: PlaylistState::Live,
        reasons: if reason.is_empty() { Vec::new() } else { vec![reason.into()] },
        reasons_at: (!reason.is_empty()).then(|| EpochMs(world.now().0 - 2_000)),
        weight: 0,
    }
}

async fn save(world: &World, shard: u32, tiles: &[Tile]) {
    let writer = Writer { name: "w".into(), epoch: 1 };
    assert!(world.store.save_summary(ShardId(shard), tiles, &writer, world.now()).await.unwrap().value);
}

fn column<'a>(wall: &'a Value, field: &str) -> Vec<&'a str> {
    wall["tiles"].as_array().unwrap().iter().map(|tile| tile[field].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn the_worst_comes_first_and_silence_is_no_data() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for name in ["fine", "bad", "odd", "off", "new"] {
        ids.push(world.add(name).await);
    }
    world.ask(Method::POST, &format!("/api/v1/streams/{}/pause", ids[3]), &[], None).await.is(200);
    let tiles = [
        tile(&world, &ids[0], HealthState::Healthy, ""),
        tile(&world, &ids[1], HealthState::Unhealthy, "playlist does not load: HTTP 503"),
        tile(&world, &ids[2], HealthState::Degraded, "TTFB 640 ms > 500 ms"),
    ];
    save(&world, 0, &tiles).await;
    world.wait(2);
    let wall = world.get(WALL).await.is(200);
    assert_eq!(column(&wall.body, "name"), ["bad", "odd", "new", "fine", "off"]);
    assert_eq!(column(&wall.body, "state"), ["unhealthy", "degraded", "no_data", "healthy", "paused"]);
    assert_eq!(wall.body["tiles"][0]["reason"], "playlist does not load: HTTP 503");
    assert_eq!(wall.body["tiles"][0]["reason_as_of"], "2026-11-22T03:29:58.000Z");
    assert_eq!(wall.body["tiles"][2]["reason"], "waiting for the first look");
    assert_eq!(column(&wall.body, "reason_as_of")[2..], ["-"; 3], "where there are no figures");
    assert_eq!(
        wall.body["counts"],
        json!({"unhealthy": 1, "degraded": 1, "no_data": 1, "healthy": 1, "paused": 1})
    );
    assert_eq!(wall.body["probed_at"], "2026-11-22T03:30:00.000Z");
    assert_eq!(wall.header("probed-at"), "2026-11-22T03:30:00.000Z");

    // Nobody says anything for three minutes: never the last colour.
    world.wait(181);
    let wall = world.get(WALL).await.is(200);
    assert_eq!(
        wall.body["counts"],
        json!({"unhealthy": 0, "degraded": 0, "no_data": 4, "healthy": 0, "paused": 1})
    );
    assert_eq!(
        wall.body["tiles"][0]["reason"].as_str().unwrap().split(" since ").next(),
        Some("nobody has looked")
    );
    assert_eq!(column(&wall.body, "reason_as_of"), ["-"; 5]);
}

#[tokio::test]
async fn only_what_has_changed_is_sent() {
    let world = World::new().await;
    let (a, b) = (world.add("a").await, world.add("b").await);
    let healthy = [tile(&world, &a, HealthState::Healthy, ""), tile(&world, &b, HealthState::Healthy, "")];
    save(&world, 0, &healthy).await;
    world.wait(2);
    let first = world.get(WALL).await.is(200);
    let (etag, version) =
        (first.header("etag").to_owned(), first.body["version"].as_str().unwrap().to_owned());

    // Looked again, and nothing is different.
    world.wait(2);
    save(&world, 0, &healthy).await;
    world.wait(2);
    let same = world.ask(Method::GET, WALL, &[("if-none-match", &etag)], None).await.is(304);
    assert_eq!(same.bytes, 0);
    assert!(
        same.header("as-of") > first.header("as-of") && same.header("probed-at") > first.header("probed-at")
    );

    save(&world, 0, &[healthy[0].clone(), tile(&world, &b, HealthState::Degraded, "slow")]).await;
    world.wait(2);
    let changed =
        world.ask(Method::GET, &format!("{WALL}?since={version}"), &[("if-none-match", &etag)], None).await;
    let changed = changed.is(200);
    assert_eq!(changed.body["partial"], true);
    assert_eq!(column(&changed.body, "name"), ["b"]);
    assert_eq!(changed.body["counts"]["healthy"], 1, "of all");

    // One that is removed is told at once, and a version nobody remembers gets everything.
    world.ask(Method::DELETE, &format!("/api/v1/streams/{a}"), &[("if-match", "*")], None).await.is(204);
    let version = changed.body["version"].as_str().unwrap();
    let gone = world.get(&format!("{WALL}?since={version}")).await.is(200);
    assert_eq!((&gone.body["removed"], column(&gone.body, "name").len()), (&json!([a]), 0));
    let whole = world.get(&format!("{WALL}?since=0000")).await.is(200);
    assert_eq!((whole.body.get("partial"), column(&whole.body, "name")), (None, vec!["b"]));
}

pub(crate) async fn open(world: &World, id: &str) {
    let notice = Notice { at: world.now(), kind: "incident.opened", body: "{}" };
    let new = NewIncident {
        at: world.now(),
        stream_name: "Sports 1",
        trigger: "unhealthy",
        title: "HTTP 503",
        notice,
    };
    let writer = Writer { name: "w".into(), epoch: 1 };
    let _ = world.store.open_incident(&stream(id), 0, &new, &writer).await.unwrap();
}

/// State and incident of the first tile, as the wall and the stream's page tell them.
async fn told(world: &World, id: &str) -> [Value; 4] {
    world.wait(2);
    let wall = world.get(WALL).await.is(200).body;
    let page = world.get(&format!("/api/v1/streams/{id}")).await.is(200).body;
    let tile = &wall["tiles"][0];
    [&tile["state"], &tile["incident"], &page["health"]["state"], &page["active_incident_id"]]
        .map(Value::clone)
}

#[tokio::test]
async fn a_tile_tells_of_an_incident_with_the_state_of_the_same_moment() {
    let world = World::new().await;
    let id = world.add("a").await;
    let incident = format!("inc:default:{id}:1");
    let healthy = tile(&world, &id, HealthState::Healthy, "");
    save(&world, 0, &[healthy]).await;
    world.wait(2);
    open(&world, &id).await;
    assert_eq!(told(&world, &id).await, [json!("healthy"), Value::Null, json!("healthy"), Value::Null]);

    let since = Some(world.now());
    let unhealthy = Tile { incident: since, ..tile(&world, &id, HealthState::Unhealthy, "HTTP 503") };
    save(&world, 0, &[unhealthy]).await;
    let both = [json!("unhealthy"), json!("open"), json!("unhealthy"), json!(incident)];
    assert_eq!(told(&world, &id).await, both);
}

#[tokio::test]
async fn an_incident_that_no_summary_tells_of_is_shown_all_the_same() {
    let world = World::new().await;
    let id = world.add("a").await;
    open(&world, &id).await;
    assert_eq!(told(&world, &id).await[..2], [json!("no_data"), Value::Null], "the first summary may come");
    world.wait(8);
    let incident = format!("inc:default:{id}:1");
    let shown = [json!("no_data"), json!("open"), json!("no_data"), json!(incident)];
    assert_eq!(told(&world, &id).await, shown, "none came");

    // One that is newer than the incident and does not know it.
    save(&world, 0, &[tile(&world, &id, HealthState::Healthy, "")]).await;
    assert_eq!(told(&world, &id).await[..2], [json!("healthy"), json!("open")]);
}

#[tokio::test]
async fn an_incident_shows_until_it_is_taken() {
    let world = World::new().await;
    let id = world.add("a").await;
    open(&world, &id).await;
    world.wait(11);
    assert_eq!(world.get(WALL).await.body["tiles"][0]["incident"], "open");
    let path = format!("/api/v1/incidents/inc:default:{id}:1/acknowledge");
    world.post(&path, json!({"by": "maria"})).await.is(200);
    let wall = world.get(WALL).await;
    assert_eq!(wall.body["tiles"][0]["incident"], "acknowledged", "at once");
    assert_eq!(wall.body["tiles"][0]["acknowledged_by"], "maria");
}

/// 2,000 streams on two shards: at most 250 bytes a tile, and answers from memory.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_tiles() {
    let world = World::new().await;
    for shard in 0..2 {
        let mut tiles = Vec::new();
        for n in 0..ShardSummary::MAX {
            let id = format!("str_01kamxhz{shard}0{n:016}");
            let name = format!("Sports Channel {n:04} HD");
            let _ = world.store.save_stream(&config(&world, &id, name), ShardId(shard)).await.unwrap();
            let (health, reason) = match n % 10 {
                0 => (HealthState::Unhealthy, "playlist does not load: HTTP 503"),
                1 => (HealthState::Degraded, "TTFB 640 ms > 500 ms"),
                _ => (HealthState::Healthy, ""),
            };
            tiles.push(tile(&world, &id, health, reason));
        }
        save(&world, shard, &tiles).await;
    }
    let _ = world.store.grow_shards(2).await.unwrap();
    let first = world.get(WALL).await.is(200);
    assert_eq!(column(&first.body, "name").len(), 2_000);
    assert_eq!(first.body["counts"]["unhealthy"], 200);
    let each = first.bytes / 2_000;
    assert!(each <= 250, "{each} bytes a tile");
    let etag = first.header("etag").to_owned();
    let (mut whole, mut none) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let began = Instant::now();
        world.get(WALL).await;
        whole.push(began.elapsed());
        let began = Instant::now();
        world.ask(Method::GET, WALL, &[("if-none-match", &etag)], None).await.is(304);
        none.push(began.elapsed());
    }
    whole.sort_unstable();
    none.sort_unstable();
    println!("{each} bytes a tile; whole p50 {:?}; 304 p50 {:?} p99 {:?}", whole[100], none[100], none[198]);
}

fn config(world: &World, id: &str, name: String) -> StreamConfig {
    let url = format!("https://cdn.example/{id}/master.m3u8");
    StreamConfig { name, ..StreamConfig::new(stream(id), url, world.now()) }
}
