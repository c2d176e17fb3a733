//! Incidents: listed, shown, taken, given back.

use std::sync::atomic::Ordering::Relaxed;

use hlsops_domain::rendition::Loss;
use hlsops_domain::{EpochMs, MediaUs};
use hlsops_store::{Configured, NewIncident, Notice, Opened, Resolution, Writer};
use http::Method;
use serde_json::{Value, json};

use crate::seen::{AUDIO, MAIN, watched_with};
use crate::support::{World, stream};

const INCIDENTS: &str = "/api/v1/incidents";
const DAY_MS: u64 = 86_400_000;

fn writer() -> Writer {
    Writer { name: "w".into(), epoch: 1 }
}

pub(crate) async fn open(world: &World, id: &str, at: EpochMs) -> String {
    let read = world.store.incident_pointer(&stream(id)).await.unwrap().value.version;
    let notice = Notice { at, kind: "incident.opened", body: "{}" };
    let new = NewIncident {
        at,
        stream_name: "Sports 1",
        trigger: "unhealthy",
        title: "playlist does not load: HTTP 503",
        notice,
    };
    match world.store.open_incident(&stream(id), read, &new, &writer()).await.unwrap().value {
        Opened::Opened(id) => id.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn close(world: &World, id: &str, at: EpochMs) {
    let pointer = world.store.incident_pointer(&stream(id)).await.unwrap().value;
    let notice = Notice { at, kind: "incident.resolved", body: "{}" };
    let resolution = Resolution { at, note: "healthy again", notice };
    let _ = world.store.close_incident(&stream(id), &pointer, &resolution, &writer()).await.unwrap();
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_incident_is_taken_once_and_told_once() {
    let world = World::new().await;
    let id = world.add("sports").await;
    let incident = open(&world, &id, world.now()).await;
    world.wait(252);
    let path = format!("{INCIDENTS}/{incident}");
    let shown = world.get(&path).await.is(200);
    assert_eq!((&shown.body["status"], &shown.body["stream_name"]), (&json!("open"), &json!("sports")));
    assert_eq!(
        shown.body["verdict"],
        "Began with: playlist does not load: HTTP 503; open for 4 min 12 s, nobody has taken it"
    );

    let taken = world.post(&format!("{path}/acknowledge"), json!({"by": "maria"})).await.is(200);
    assert_eq!(
        (&taken.body["status"], &taken.body["acknowledged_by"]),
        (&json!("acknowledged"), &json!("maria"))
    );
    world.wait(5);
    let again = world.post(&format!("{path}/acknowledge"), json!({"by": "max"})).await.is(200);
    assert_eq!(again.body["acknowledged_by"], "maria", "the first one stands");
    assert_eq!(
        (taken.body.get("note"), again.body["note"].as_str()),
        (
            None,
            Some(
                "looked after by maria since 2026-11-22T03:34:12.000Z: nothing was changed, and nobody was told \
                 again"
            )
        )
    );
    let bare = world.ask(Method::POST, &format!("{path}/acknowledge"), &[], None).await.is(200);
    assert_eq!(bare.body["acknowledged_at"], taken.body["acknowledged_at"]);

    let rows = world.store.notices(&incident, 10).await.unwrap().value;
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["incident.opened", "incident.acknowledged"]);
    let event: Value = serde_json::from_str(&rows[1].body).unwrap();
    assert_eq!((&event["data"]["acknowledged_by"], &event["data"]["seq"]), (&json!("maria"), &json!(2)));
    assert!(world.notices.load(Relaxed) >= 1);

    let shown = world.get(&path).await.is(200);
    assert_eq!(shown.body["timeline"][0]["text"], "maria looks after it");
    let timeline = world.get(&format!("/api/v1/streams/{id}/timeline")).await.is(200);
    assert_eq!(timeline.body["items"][0]["incident_id"], json!(incident));

    // The watcher closes it all the same: it reads the pointer again.
    close(&world, &id, world.now()).await;
    let over = world.get(&path).await.is(200);
    assert_eq!(
        (&over.body["status"], &over.body["resolution"]),
        (&json!("resolved"), &json!("healthy again"))
    );
    assert_eq!(over.body["acknowledged_by"], "maria");
    world.post(&format!("{path}/acknowledge"), json!({})).await.problem(409, "EC100", "");
    let rows = world.store.notices(&incident, 10).await.unwrap().value;
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2, 3]);
}

/// A watcher that knows nothing of the acknowledgement is refused once, reads, and closes.
#[tokio::test]
async fn a_watcher_with_an_old_pointer_learns_of_it() {
    let world = World::new().await;
    let id = world.add("a").await;
    let incident = open(&world, &id, world.now()).await;
    let old = world.store.incident_pointer(&stream(&id)).await.unwrap().value;
    world.post(&format!("{INCIDENTS}/{incident}/acknowledge"), json!({})).await.is(200);
    let notice = Notice { at: world.now(), kind: "incident.resolved", body: "{}" };
    let resolution = Resolution { at: world.now(), note: "", notice };
    let closed = world.store.close_incident(&stream(&id), &old, &resolution, &writer()).await.unwrap().value;
    let hlsops_store::Closed::Moved(new) = closed else { panic!("{closed:?}") };
    assert_eq!((new.version, new.seq), (old.version, old.seq + 1));
    let closed = world.store.close_incident(&stream(&id), &new, &resolution, &writer()).await.unwrap().value;
    assert_eq!(closed, hlsops_store::Closed::Closed);
}

#[tokio::test]
async fn an_incident_is_given_back_and_taken_again() {
    let world = World::new().await;
    let id = world.add("a").await;
    let incident = open(&world, &id, world.now()).await;
    let path = |what: &str| format!("{INCIDENTS}/{incident}/{what}");
    world.post(&path("acknowledge"), json!({"by": "maria"})).await.is(200);
    world.wait(1);
    let free = world.post(&path("unacknowledge"), json!({"by": "ada"})).await.is(200);
    assert_eq!((&free.body["status"], free.body.get("acknowledged_by")), (&json!("open"), None));
    assert_eq!(free.body.get("note"), None);
    let free = world.ask(Method::POST, &path("unacknowledge"), &[], None).await.is(200);
    assert_eq!(free.body["note"], "nobody looked after it: nothing was changed");
    world.wait(1);
    let taken = world.post(&path("acknowledge"), json!({"by": "max"})).await.is(200);
    assert_eq!(taken.body["acknowledged_by"], "max");
    let shown = world.get(&format!("{INCIDENTS}/{incident}")).await.is(200);
    let texts: Vec<&str> =
        shown.body["timeline"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["max looks after it", "ada gave it back", "maria looks after it"]);
    world.wait(1);
    world.ask(Method::POST, &path("unacknowledge"), &[], None).await.is(200);
    let shown = world.get(&format!("{INCIDENTS}/{incident}")).await.is(200);
    assert_eq!(shown.body["timeline"][0]["text"], "this machine gave it back", "the key's name");
}

/// A title is of the window in which it began; what was lost from then on is told beside it.
#[tokio::test]
async fn an_incident_tells_what_was_lost_in_all() {
    let world = World::new().await;
    let id = watched_with(&world, |log, start| {
        let at = EpochMs(start.0 + 40_000);
        let segments = |segments| Loss { segments, media: MediaUs(6_000_000 * segments) };
        log.lost(at, AUDIO, segments(2));
        log.lost(at, MAIN, segments(3));
        // Before the time of the timeline.
        log.lost(EpochMs(start.0 - 180_000), MAIN, segments(9));
    })
    .await;
    let incident = open(&world, &id, EpochMs(world.now().0 - 10_000)).await;
    let shown = world.get(&format!("{INCIDENTS}/{incident}")).await.is(200).body;
    assert_eq!(
        shown["verdict"],
        "Began with: playlist does not load: HTTP 503 (since 03:29:40 UTC: in all 6 segments lost, 2 to 4 on each of 2 renditions; 1 failed segment \
         request; 2 jumps in the numbering); open for 10 s, nobody has taken it"
    );
    let of = |rendition: &str, label: &str, count: u64| json!({"rendition_id": rendition, "rendition": label, "segments_lost_count": count});
    let expected =
        [of("ren_00000000000000a1", "640x360 800 kb/s", 4), of("ren_00000000000000b2", "audio English", 2)];
    assert_eq!((&shown["segments_lost_count"], &shown["lost"]), (&json!(6), &json!(expected)));
}

#[tokio::test]
async fn incidents_are_listed_over_months_in_pages() {
    let world = World::new().await;
    let (a, b) = (world.add("a").await, world.add("b").await);
    let mut expected = Vec::new();
    for days in [400_u64, 40, 39, 1] {
        let at = EpochMs(world.now().0 - days * DAY_MS);
        expected.push(open(&world, &a, at).await);
        close(&world, &a, EpochMs(at.0 + 60_000)).await;
    }
    expected.push(open(&world, &b, EpochMs(world.now().0 - 5_000)).await);
    // Closed more than 14 months before: kept no more.
    expected.reverse();
    let all = world.get(INCIDENTS).await.is(200);
    assert_eq!(ids(&all.body), expected);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = world.get(&format!("{INCIDENTS}?limit=2{cursor}")).await.is(200);
        paged.extend(ids(&page.body));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, expected);
    for (query, count) in [
        ("status=open", 1),
        ("status=resolved", 4),
        ("status=acknowledged", 0),
        (&format!("stream={a}"), 4),
        (&format!("stream={b}&status=open,acknowledged"), 1),
    ] {
        let got = world.get(&format!("{INCIDENTS}?{query}")).await.is(200);
        assert_eq!(ids(&got.body).len(), count, "{query}");
    }
    world.get(&format!("{INCIDENTS}?cursor=99.x")).await.problem(400, "EC100", "?cursor");
    world.get(&format!("{INCIDENTS}/inc:default:{a}:99")).await.problem(404, "EC120", "");
    world.get(&format!("{INCIDENTS}/nonsense")).await.problem(404, "EC120", "");
}

#[tokio::test]
async fn what_is_wrong_with_an_acknowledgement_is_named() {
    let world = World::new().await;
    let id = world.add("a").await;
    let path = format!("{INCIDENTS}/{}/acknowledge", open(&world, &id, world.now()).await);
    world.post(&path, json!({"by": ""})).await.problem(400, "EC100", "/by");
    world.post(&path.replace("/ack", "/unack"), json!({"by": ""})).await.problem(400, "EC100", "/by");
    world.post(&path, json!({"who": "x"})).await.problem(400, "EC100", "/who");
}

#[tokio::test]
async fn the_incident_of_a_removed_stream_is_closed() {
    let world = World::new().await;
    let id = world.add("a").await;
    let incident = open(&world, &id, world.now()).await;
    world.ask(Method::DELETE, &format!("/api/v1/streams/{id}"), &[("if-match", "*")], None).await.is(204);
    let got = world.get(&format!("{INCIDENTS}/{incident}")).await.is(200);
    assert_eq!(
        (&got.body["status"], &got.body["resolution"]),
        (&json!("resolved"), &json!("the stream was removed"))
    );
    assert_eq!(
        (&got.body["stream_name"], &got.body["stream_removed"]),
        (&json!("Sports 1"), &json!(true)),
        "as it was called when it began"
    );
    assert_eq!(got.body["timeline"][0]["text"], "incident closed: the stream was removed");
}

/// It was removed, and closing its incident failed; or its watcher opened one with its last page.
#[tokio::test]
async fn an_incident_that_outlives_its_stream_is_closed_by_whoever_looks() {
    let world = World::new().await;
    let gone = async |name: &str| {
        let id = world.add(name).await;
        assert_eq!(world.store.remove_stream(&stream(&id), 1).await.unwrap().value, Configured::Saved(1));
        let incident = open(&world, &id, world.now()).await;
        world.wait(11);
        (format!("/api/v1/streams/{id}"), incident)
    };
    let status = async |incident: &str| {
        let got = world.get(&format!("{INCIDENTS}/{incident}")).await.is(200);
        (got.body["status"].clone(), got.body["resolution"].clone())
    };
    let over = (json!("resolved"), json!("the stream was removed"));

    let (path, incident) = gone("a").await;
    let any = [("if-match", "*")];
    world.ask(Method::DELETE, &path, &any, None).await.is(204);
    assert_eq!(status(&incident).await, over);
    world.ask(Method::DELETE, &path, &any, None).await.problem(404, "EC120", "");

    for look in [INCIDENTS, "/api/v1/wall"] {
        let (_, incident) = gone(look).await;
        assert_eq!(status(&incident).await.0, "open");
        world.wait(11);
        world.get(look).await.is(200);
        assert_eq!(status(&incident).await, over, "{look}");
        let rows = world.store.notices(&incident, 10).await.unwrap().value;
        assert_eq!(rows.last().unwrap().kind, "incident.resolved");
    }
}

#[tokio::test]
async fn a_stream_that_nobody_knows_is_not_one_without_incidents() {
    let world = World::new().await;
    let id = world.add("sports").await;
    let listed = world.get(&format!("{INCIDENTS}?stream={id}")).await.is(200);
    assert_eq!(listed.body["items"], json!([]));
    world.get(&format!("{INCIDENTS}?stream=str_x")).await.problem(404, "EC120", "");
}

#[tokio::test]
async fn a_list_stays_the_same_while_an_incident_goes_on() {
    let world = World::new().await;
    let id = world.add("sports").await;
    let incident = open(&world, &id, world.now()).await;
    let etag = world.get(INCIDENTS).await.is(200).header("etag").to_owned();
    let known = [("if-none-match", etag.as_str())];
    world.wait(7);
    world.ask(Method::GET, INCIDENTS, &known, None).await.is(304);
    world.post(&format!("{INCIDENTS}/{incident}/acknowledge"), json!({"by": "maria"})).await.is(200);
    let changed = world.ask(Method::GET, INCIDENTS, &known, None).await.is(200);
    assert_eq!(changed.header("cache-control"), "no-store");
}
