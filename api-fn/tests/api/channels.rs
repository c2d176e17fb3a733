//! Channels, trying them, deliveries and the inbox.

use hlsops_fetch::AllowList;
use hlsops_notify::{Sender, Webhooks, signatures};
use hlsops_store::{KeyScope, Notice, StreamId};
use http::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{ACCOUNT, World};

const CHANNELS: &str = "/api/v1/channels";

fn body() -> Value {
    json!({
        "name": "Operations", "url": "https://hooks.example.com/services/canary?token=canary",
        "headers": [{"name": "Authorization", "value": "Bearer canary"}],
        "events": ["incident.opened", "incident.resolved"],
    })
}

/// A receiver that says 200; its port and the bodies and signatures it got.
async fn receiver() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, got) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            let mut chunk = [0; 4_096];
            while !text.ends_with(b"}}") {
                let read = stream.read(&mut chunk).await.unwrap();
                text.extend_from_slice(&chunk[..read]);
            }
            seen.lock().unwrap().push(String::from_utf8(text).unwrap());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthanks").await;
        }
    });
    (port, got)
}

#[tokio::test]
async fn a_channel_is_made_changed_and_removed() {
    let world = World::new().await;
    let made = world.post(CHANNELS, body()).await.is(201);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let etag = made.header("etag").to_owned();
    assert!(secret.starts_with("whsec_") && etag.starts_with("\"r1."), "{etag} {}", made.body);
    let path = format!("{CHANNELS}/{}", made.body["id"].as_str().unwrap());
    let shown = world.get(&path).await.is(200);
    assert_eq!(shown.body["headers"], json!([{"name": "Authorization", "value": "***"}]));
    assert_eq!((&shown.body["enabled"], &shown.body["format"]), (&json!(true), &json!("event")));
    assert!(!shown.body.to_string().contains(&secret), "it was shown once");
    let viewer = world.key(ACCOUNT, KeyScope::Viewer).await;
    let listed = world.ask(Method::GET, CHANNELS, &[("x-api-key", viewer.as_str())], None).await.is(200);
    assert!(!listed.body.to_string().contains("canary"), "{}", listed.body);
    assert_eq!(listed.body["items"][0]["url"], "https://hooks.example.com/***");

    let change =
        json!({"headers": [{"name": "authorization", "value": "***"}], "format": "lines", "enabled": false});
    let other = world.post(CHANNELS, body()).await.is(201).header("etag").to_owned();
    for stale in ["\"r9\"", "\"r1\"", &other, &etag.replace("r1", "r2")] {
        world.patch(&path, stale, change.clone()).await.problem(412, "EC100", "");
    }
    let changed = world.patch(&path, &etag, change).await.is(200);
    assert_eq!((&changed.body["format"], &changed.body["enabled"]), (&json!("lines"), &json!(false)));
    let kept = world.store.channels(ACCOUNT).await.unwrap().value.remove(0);
    assert_eq!(kept.headers[0].1.reveal(), "Bearer canary", "the mask keeps what is stored");

    let renewed = world.post(&format!("{path}/secret"), Value::Null).await;
    assert_ne!(renewed.is(200).body["secret"], json!(secret));
    assert_eq!(world.get(&path).await.body["secret_count"], 2);
    for _ in 0..2 {
        let dropped = world.ask(Method::DELETE, &format!("{path}/secret"), &[], None).await.is(200);
        assert_eq!(dropped.body["secret_count"], 1);
    }
    world.ask(Method::DELETE, &path, &[], None).await.problem(428, "EC100", "");
    world.ask(Method::DELETE, &path, &[("if-match", "*")], None).await.is(204);
    world.get(&path).await.problem(404, "EC120", "");
}

#[tokio::test]
async fn what_cannot_work_is_refused_by_its_field() {
    let world = World::new().await;
    let with = |field: &str, value: Value| {
        let mut body = body();
        body[field] = value;
        body
    };
    for (field, value, pointer) in [
        ("name", json!(""), "/name"),
        ("name", json!("a\nb"), "/name"),
        ("url", json!("hooks.example.com"), "/url"),
        ("events", json!(["incident.exploded"]), "/events/0"),
        ("secret", json!("whsec_short"), "/secret"),
        ("headers", json!([{"name": "webhook-id", "value": "x"}]), "/headers"),
        ("headers", json!([{"name": "x", "value": "***"}]), "/headers"),
        ("id", json!("chn_mine"), "/id"),
    ] {
        world.post(CHANNELS, with(field, value)).await.problem(400, "EC100", pointer);
    }
    for url in [
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://169.254.169.254/",
        "ftp://a.b/",
    ] {
        let refused = world.post(CHANNELS, with("url", json!(url))).await.problem(422, "EC110", "/url");
        let code = if url.starts_with("ftp") { "bad_url" } else { "private_address" };
        assert_eq!(refused.body["errors"][0]["code"], code, "{}", refused.body);
    }
    assert_eq!(world.get(CHANNELS).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_test_is_sent_for_real_and_listed() {
    let (port, got) = receiver().await;
    let mut allow = AllowList::default();
    allow.insert("127.0.0.1", port).unwrap();
    let world = World::allowing(allow).await;
    let mut wanted = body();
    wanted["url"] = json!(format!("http://127.0.0.1:{port}/hook"));
    let made = world.post(CHANNELS, wanted).await.is(201);
    let path = format!("{CHANNELS}/{}", made.body["id"].as_str().unwrap());
    let tried = world.post(&format!("{path}/test"), Value::Null).await.is(200);
    assert_eq!((&tried.body["delivered"], &tried.body["status"]), (&json!(true), &json!(200)));
    assert_eq!((&tried.body["answer"], &tried.body["event_type"]), (&json!("thanks"), &json!("test")));
    let request = got.lock().unwrap().remove(0);
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name));
        line.map(|(_, value)| value).unwrap()
    };
    let secret = hlsops_store::Secret::new(made.body["secret"].as_str().unwrap());
    let at_s = header("webhook-timestamp").parse().unwrap();
    let signed = signatures(&[secret], header("webhook-id"), at_s, sent).unwrap();
    assert_eq!((header("webhook-signature"), header("authorization")), (signed.as_str(), "Bearer canary"));
    assert_eq!(serde_json::from_str::<Value>(sent).unwrap()["data"]["test"], true);
    let listed = world.get("/api/v1/deliveries").await.is(200);
    assert_eq!(listed.body["items"], json!([tried.body]));
    world.post(&format!("{CHANNELS}/chn_x/test"), Value::Null).await.problem(404, "EC120", "");
    let foreign = world.key("other", KeyScope::Operator).await;
    let key = [("x-api-key", foreign.as_str())];
    world.ask(Method::POST, &format!("{path}/test"), &key, None).await.problem(404, "EC120", "");
    let listed = world.ask(Method::GET, "/api/v1/deliveries", &key, None).await.is(200);
    assert_eq!(listed.body["items"], json!([]));
}

#[tokio::test]
async fn the_inbox_holds_every_event_once_newest_first() {
    let world = World::new().await;
    let stream = StreamId::new(ACCOUNT, "str_1").unwrap();
    let event = |n: u64| {
        json!({
            "type": "incident.opened", "timestamp": format!("2026-11-22T03:2{n}:00.000Z"),
            "data": {"dedup_key": "d", "severity": "critical", "title": format!("trouble {n}"), "test": false},
        })
    };
    for n in 0..4 {
        let (at, body) = (world.now(), event(n).to_string());
        let notice = Notice { at, kind: "incident.opened", body: &body };
        let added = world.store.add_notice(&format!("inc:{n}"), 1, &stream, &notice).await.unwrap();
        assert!(added.value);
        world.wait(60);
    }
    let fetcher = hlsops_fetch::Fetcher::new(hlsops_fetch::FetchConfig::default()).unwrap();
    let sender = Sender::new(world.store.clone(), Webhooks::new(fetcher));
    for _ in 0..2 {
        sender.sweep(world.now()).await.unwrap();
    }
    let first = world.get("/api/v1/inbox?limit=3").await.is(200);
    let next = first.body["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/inbox?limit=3&cursor={next}")).await.is(200);
    assert_eq!(rest.body["next_cursor"], Value::Null);
    let both = [first.body["items"].as_array().unwrap(), rest.body["items"].as_array().unwrap()];
    let events: Vec<&Value> = both.into_iter().flatten().map(|entry| &entry["event"]).collect();
    assert_eq!(events, [&event(3), &event(2), &event(1), &event(0)]);
    assert_eq!(first.body["items"][0]["event_id"], "inc:3.1");
    // Who has it already is told so, until there is more.
    let same = [("if-none-match", first.header("etag"))];
    world.ask(Method::GET, "/api/v1/inbox?limit=3", &same, None).await.is(304);
    let more = Notice { at: world.now(), kind: "incident.opened", body: &event(5).to_string() };
    assert!(world.store.add_notice("inc:5", 1, &stream, &more).await.unwrap().value);
    sender.sweep(world.now()).await.unwrap();
    world.ask(Method::GET, "/api/v1/inbox?limit=3", &same, None).await.is(200);
    for path in ["/api/v1/deliveries", CHANNELS, "/api/v1/incidents"] {
        let etag = world.get(path).await.is(200).header("etag").to_owned();
        world.ask(Method::GET, path, &[("if-none-match", &etag)], None).await.is(304);
    }
    world.get("/api/v1/inbox?cursor=%23").await.problem(400, "EC100", "?cursor");
    world.get("/api/v1/deliveries?limit=0").await.problem(400, "EC100", "?limit");
}

/// The answer may be lost, and with it the secret.
#[tokio::test]
async fn a_request_with_a_key_makes_one_channel_however_often_it_comes() {
    let world = World::new().await;
    let add = async |key: &str, body: Value| {
        world.ask(Method::POST, CHANNELS, &[("idempotency-key", key)], Some(body)).await
    };
    let first = add("k1", body()).await.is(201);
    assert_eq!(add("k1", body()).await.is(201).body, first.body);
    let twins = tokio::join!(add("k2", body()), add("k2", body()));
    assert_eq!(twins.0.is(201).body, twins.1.is(201).body);
    let mut other = body();
    other["name"] = json!("other");
    add("k1", other.clone()).await.problem(422, "EC100", "");
    let stored = async || world.store.channels(ACCOUNT).await.unwrap().value.len();
    assert_eq!(stored().await, 2);
    while stored().await < hlsops_store::Channel::MAX_OF_ACCOUNT {
        world.post(CHANNELS, body()).await.is(201);
    }
    add("k3", other.clone()).await.problem(403, "EC101", "");
    assert_eq!(add("k1", body()).await.is(201).body, first.body, "it has its place");
    let path = format!("{CHANNELS}/{}", first.body["id"].as_str().unwrap());
    world.ask(Method::DELETE, &path, &[("if-match", "*")], None).await.is(204);
    add("k3", other).await.is(201);
}

#[tokio::test]
async fn channels_are_listed_in_pages() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.post(CHANNELS, body()).await.is(201).body["id"].clone());
        world.wait(1);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{CHANNELS}?limit=2{cursor}")).await.is(200);
        seen.extend(page.body["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
    let whole = world.get(&format!("{CHANNELS}?limit=5")).await.is(200);
    assert_eq!(whole.body.get("next_cursor"), None);
}
