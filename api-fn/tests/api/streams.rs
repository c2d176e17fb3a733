//! Streams: adding, changing, pausing, removing.

use std::sync::atomic::Ordering::Relaxed;

use hlsops_fetch::AllowList;
use hlsops_origin::{Fault, FaultKind, Origin, OriginConfig};
use hlsops_store::KeyScope;
use http::Method;
use serde_json::{Value, json};

use crate::support::{World, stream};

const STREAMS: &str = "/api/v1/streams";

#[tokio::test]
async fn a_stream_is_added_read_changed_and_removed() {
    let world = World::new().await;
    let body = json!({
        "manifest_url": "https://cdn.example/live/sports.m3u8?token=abc&exp=9",
        "tags": {"team": "sports"},
        "watch": {"mode": "interval", "interval_s": 30, "segments": "none"},
        "request_headers": [{"name": "X-Token", "value": "s3cret"}],
        "thresholds": {"ttfb_degraded_ms": 900},
    });
    let got = world.post(STREAMS, body).await.is(201);
    let id = got.body["id"].as_str().unwrap().to_owned();
    let path = format!("{STREAMS}/{id}");
    assert_eq!(got.header("location"), path);
    assert!(id.starts_with("str_") && id.len() == 30, "{id}");
    assert_eq!(got.body["name"], "cdn.example live sports");
    assert_eq!(got.body["link_id"].as_str().unwrap().len(), 12);
    assert_eq!(got.body["watch"], json!({"mode": "interval", "interval_s": 30, "segments": "none"}));
    assert_eq!(got.body["health"]["state"], "no_data");
    assert_eq!(got.body["created_at"], "2026-11-22T03:30:00.000Z");
    assert_eq!(world.changes.load(Relaxed), 1);

    let read = world.get(&path).await.is(200);
    let etag = read.header("etag").to_owned();
    assert_eq!(etag, got.header("etag"));
    world.ask(Method::GET, &path, &[("if-none-match", &etag)], None).await.is(304);

    let changed = world.patch(&path, &etag, json!({"name": "Sports 1", "link_id": "S1"})).await.is(200);
    assert_eq!(
        (changed.body["name"].as_str(), changed.body["link_id"].as_str()),
        (Some("Sports 1"), Some("S1"))
    );
    assert_eq!(changed.body["thresholds"], json!({"ttfb_degraded_ms": 900.0}), "stays");
    world.patch(&path, &etag, json!({"name": "late"})).await.problem(412, "EC100", "");
    world.ask(Method::PATCH, &path, &[], Some(json!({"name": "x"}))).await.problem(428, "EC100", "");

    world.ask(Method::DELETE, &path, &[], None).await.problem(428, "EC100", "");
    world.ask(Method::DELETE, &path, &[("if-match", &etag)], None).await.problem(412, "EC100", "");
    world.ask(Method::DELETE, &path, &[("if-match", changed.header("etag"))], None).await.is(204);
    world.get(&path).await.problem(404, "EC120", "");
    assert_eq!(world.get("/api/v1/wall").await.body["tiles"], json!([]));
}

#[tokio::test]
async fn pause_and_resume_may_be_repeated() {
    let world = World::new().await;
    let id = world.add("a").await;
    for (what, enabled, state) in
        [("pause", false, "paused"), ("pause", false, "paused"), ("resume", true, "no_data")]
    {
        let got = world.ask(Method::POST, &format!("{STREAMS}/{id}/{what}"), &[], None).await.is(200);
        assert_eq!((&got.body["enabled"], &got.body["health"]["state"]), (&json!(enabled), &json!(state)));
    }
    assert_eq!(world.store.stream(&stream(&id)).await.unwrap().value.unwrap().revision, 3);
}

#[tokio::test]
async fn viewers_see_no_secrets() {
    let world = World::new().await;
    let body = json!({
        "manifest_url": "https://cdn.example/a.m3u8?token=s3cret&s3cret",
        "request_headers": [{"name": "Authorization", "value": "Bearer s3cret"}],
    });
    let id = world.post(STREAMS, body).await.is(201).body["id"].as_str().unwrap().to_owned();
    let viewer = world.key("default", KeyScope::Viewer).await;
    let headers = [("x-api-key", viewer.as_str())];
    for path in [STREAMS.to_owned(), format!("{STREAMS}/{id}"), "/api/v1/wall".to_owned()] {
        let got = world.ask(Method::GET, &path, &headers, None).await.is(200);
        assert!(!got.body.to_string().contains("s3cret"), "{}", got.body);
    }
    let got = world.ask(Method::GET, &format!("{STREAMS}/{id}"), &headers, None).await;
    assert_eq!(got.body["manifest_url"], "https://cdn.example/a.m3u8?token=***&***");
    assert_eq!(got.body["request_headers"], json!([{"name": "Authorization", "value": "***"}]));
    let found = |q: &str| format!("{STREAMS}?q={q}");
    let hidden = world.ask(Method::GET, &found("s3cret"), &headers, None).await.is(200);
    assert_eq!(hidden.body["items"], json!([]), "a filter tells no secrets");
    let shown = world.ask(Method::GET, &found("CDN.exa"), &headers, None).await.is(200);
    assert_eq!(shown.body["items"].as_array().unwrap().len(), 1);

    // Writing a masked value back keeps the stored one.
    let got = world.get(&format!("{STREAMS}/{id}")).await;
    let patch = json!({"request_headers": [{"name": "Authorization", "value": "***"}, {"name": "X-A", "value": "b"}]});
    let got = world.patch(&format!("{STREAMS}/{id}"), got.header("etag"), patch).await.is(200);
    assert_eq!(got.body["request_headers"][0]["value"], "Bearer s3cret");
    let patch = json!({"request_headers": [{"name": "X-New", "value": "***"}]});
    let etag = got.header("etag").to_owned();
    world.patch(&format!("{STREAMS}/{id}"), &etag, patch).await.problem(
        400,
        "EC100",
        "/request_headers/0/value",
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_stream_is_named() {
    let world = World::new().await;
    let good = json!({"manifest_url": "https://cdn.example/a.m3u8"});
    for (field, value, pointer) in [
        ("manifest_url", json!("ftp://x/a"), "/manifest_url"),
        ("manifest_url", json!("nonsense"), "/manifest_url"),
        ("manifest_url", json!("https://u:p@x/a"), "/manifest_url"),
        ("manifest_url", json!(format!("https://x/{}", "a".repeat(2_100))), "/manifest_url"),
        ("name", json!(""), "/name"),
        ("name", json!("a\nb"), "/name"),
        ("name", json!("x".repeat(121)), "/name"),
        ("link_id", json!("a b"), "/link_id"),
        ("profile", json!("gold"), "/profile"),
        ("thresholds", json!({"ttfb": 5}), "/thresholds/ttfb"),
        ("thresholds", json!({"ttfb_degraded_ms": 0}), "/thresholds/ttfb_degraded_ms"),
        ("watch", json!({"mode": "interval", "interval_s": 9}), "/watch/interval_s"),
        ("watch", json!({"mode": "now and then"}), "/watch/mode"),
        ("request_headers", json!([{"name": "a b", "value": "x"}]), "/request_headers/0/name"),
        ("request_headers", json!([{"name": "Host", "value": "x"}]), "/request_headers"),
        ("tags", json!({"": "x"}), "/tags/"),
        ("id", json!("mine"), "/id"),
        ("created_at", json!("2020-01-01T00:00:00Z"), "/created_at"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        world.post(STREAMS, body).await.problem(400, "EC100", pointer);
    }
    let got = world.post(STREAMS, json!({"name": "x"})).await.problem(400, "EC100", "/manifest_url");
    assert_eq!(got.body["detail"], "/manifest_url: is missing, and is required: add it");
    let got = world.post(STREAMS, json!([])).await.problem(400, "EC100", "");
    assert_eq!(got.body["detail"], "the body is a list, and must be an object in { }");
    let got =
        world.post(STREAMS, json!({"manifest_url": "https://x/a", "thresholds": {"window_ms": 1}})).await;
    let detail = got.body["errors"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, "window_ms is 1, allowed is 10000 to 180000");
    world.ask(Method::POST, STREAMS, &[], None).await.problem(400, "EC100", "");
    assert_eq!(world.changes.load(Relaxed), 0);
}

#[tokio::test]
async fn a_link_id_is_of_one_stream_alone() {
    let world = World::new().await;
    let body =
        |link: &str| json!({"manifest_url": "https://cdn.example/a.m3u8", "name": "Sports", "link_id": link});
    let first = world.post(STREAMS, body("s1")).await.is(201);
    let id = first.body["id"].as_str().unwrap();
    for path in [STREAMS.to_owned(), format!("{STREAMS}?validate_only=true")] {
        let got = world.post(&path, body("s1")).await.problem(400, "EC100", "/link_id");
        assert_eq!(got.body["errors"][0]["code"], "taken");
        let expected = format!(
            "`s1` is the link id of the stream `Sports` ({id}) already: choose another, or leave it out"
        );
        assert_eq!(got.body["errors"][0]["detail"], expected);
    }
    let second = world.post(STREAMS, body("s2")).await.is(201);
    let path = format!("{STREAMS}/{}", second.body["id"].as_str().unwrap());
    let etag = second.header("etag");
    world.patch(&path, etag, json!({"link_id": "s1"})).await.problem(400, "EC100", "/link_id");
    let kept = world.patch(&path, etag, json!({"link_id": "s2", "name": "News"})).await.is(200);
    let freed = world.patch(&path, kept.header("etag"), json!({"link_id": null})).await.is(200);
    world.post(STREAMS, body("s2")).await.is(201);
    // The one that is made up stands for the stream as well.
    let made_up = freed.body["link_id"].as_str().unwrap();
    world.post(STREAMS, body(made_up)).await.problem(400, "EC100", "/link_id");
}

/// A command that is given such a name would find the other stream.
#[tokio::test]
async fn a_name_is_no_other_streams_link_id() {
    let world = World::new().await;
    let body = |name: &str, link: &str| json!({"manifest_url": format!("https://cdn.example/{name}.m3u8"), "name": name, "link_id": link});
    let first = world.post(STREAMS, body("Sports", "s1")).await.is(201);
    let id = first.body["id"].as_str().unwrap();
    let got = world.post(STREAMS, body("s1", "s2")).await.problem(400, "EC100", "/name");
    assert_eq!(got.body["errors"][0]["code"], "taken");
    let expected = format!("`s1` is the link id of the stream `Sports` ({id}) already: choose another");
    assert_eq!(got.body["errors"][0]["detail"], expected);
    world.post(STREAMS, body("News", "Sports")).await.problem(400, "EC100", "/link_id");
    let own = world.post(STREAMS, body("s3", "s3")).await.is(201);
    let path = format!("{STREAMS}/{}", own.body["id"].as_str().unwrap());
    world.patch(&path, own.header("etag"), json!({"name": "s1"})).await.problem(400, "EC100", "/name");
}

#[tokio::test]
async fn a_url_that_others_have_is_told() {
    let world = World::new().await;
    let add = async |name: &str, url: &str| {
        let body = json!({"manifest_url": url, "name": name, "enabled": false});
        world.post(STREAMS, body).await.is(201).body
    };
    let url = "https://cdn.example/a.m3u8?token=s3cret";
    let first = add("A", url).await;
    assert_eq!(first.get("warnings"), None);
    let a = format!("`A` ({})", first["id"].as_str().unwrap());
    // Another spelling of it.
    let second = add("B", "HTTPS://CDN.example:443/a.m3u8?token=s3cret").await;
    assert_eq!(second["warnings"], json!([format!("The stream {a} has the same URL")]));
    let third = add("C", url).await["warnings"].to_string();
    assert!(third.contains(&a) && third.contains("`B`") && third.contains("have the same URL"), "{third}");
    add("D", url).await;
    let fifth = add("E", url).await["warnings"].to_string();
    assert!(fifth.contains(" and 1 more have the same URL"), "{fifth}");
    assert_eq!(add("F", "https://cdn.example/a.m3u8").await.get("warnings"), None);
}

#[tokio::test]
async fn everything_wrong_with_a_body_is_told_in_one_answer() {
    let world = World::new().await;
    let body = json!({"name": 5, "nmae": "x", "watch": {"mode": "now"}});
    let got = world.post(STREAMS, body).await.is(400);
    let pointers: Vec<_> = got.body["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert_eq!(json!(pointers), json!(["/name", "/nmae", "/watch/mode", "/manifest_url"]));
}

/// Of two streams in the same revision each has an ETag of its own.
#[tokio::test]
async fn an_etag_is_compared_as_a_whole() {
    let world = World::new().await;
    let (a, b) = (world.add("a").await, world.add("b").await);
    let etag = world.get(&format!("{STREAMS}/{a}")).await.is(200).header("etag").to_owned();
    let change = json!({"name": "x"});
    for stale in ["\"r1\"", "\"r1-0000000000000000\"", &etag] {
        world.patch(&format!("{STREAMS}/{b}"), stale, change.clone()).await.problem(412, "EC100", "");
    }
    world.wait(60);
    world.patch(&format!("{STREAMS}/{a}"), &etag, change).await.is(200);
}

/// Names are for people, and two streams may have the same: whoever gives it hears of it.
#[tokio::test]
async fn a_name_that_is_given_twice_is_told() {
    let world = World::new().await;
    let body = |file: &str| json!({"manifest_url": format!("https://cdn.example/{file}"), "name": "Sports"});
    let first = world.post(STREAMS, body("a.m3u8")).await.is(201);
    assert_eq!(first.body.get("warnings"), None);
    let second = world.post(STREAMS, body("b.m3u8")).await.is(201);
    let warning = second.body["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("`Sports`") && warning.contains(first.body["id"].as_str().unwrap()),
        "{warning}"
    );
    let path = format!("{STREAMS}/{}", second.body["id"].as_str().unwrap());
    let shown = world.get(&path).await.is(200);
    assert_eq!((shown.body.get("warnings"), shown.header("etag")), (None, second.header("etag")));
    let renamed = world.patch(&path, second.header("etag"), json!({"name": "News"})).await.is(200);
    assert_eq!(renamed.body.get("warnings"), None);
}

#[tokio::test]
async fn bodies_have_a_bound_and_a_type() {
    let world = World::new().await;
    let long = json!({"manifest_url": "https://x/a", "name": "x".repeat(300_000)});
    world.post(STREAMS, long).await.problem(413, "EC100", "");
    let request = http::Request::post(STREAMS).header("x-api-key", world.secret.as_str());
    let request = request.header("content-type", "text/plain").body(axum::body::Body::from("{}")).unwrap();
    world.send(request).await.problem(415, "EC100", "");
}

#[tokio::test]
async fn private_targets_are_refused_before_anything_is_stored() {
    let world = World::new().await;
    for url in ["http://127.0.0.1/a.m3u8", "http://169.254.169.254/", "http://[::1]/", "http://0x7f.1/a.m3u8"]
    {
        for path in [STREAMS.to_owned(), format!("{STREAMS}?validate_only=true")] {
            let got =
                world.post(&path, json!({"manifest_url": url})).await.problem(422, "EC110", "/manifest_url");
            assert_eq!(got.body["errors"][0]["code"], "private_address", "{url}");
        }
    }
    assert_eq!(world.get(STREAMS).await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_says_what_is_there_and_stores_nothing() {
    let origin = Origin::start(OriginConfig::default()).await.unwrap();
    let mut allow = AllowList::default();
    let address = origin.addresses()[0];
    allow.insert(&address.ip().to_string(), address.port()).unwrap();
    let world = World::allowing(allow).await;
    let path = format!("{STREAMS}?validate_only=true");

    let got = world.post(&path, json!({"manifest_url": origin.url("auto-a")})).await.is(200);
    assert_eq!(got.body["multivariant"], true);
    let kinds: Vec<&Value> =
        got.body["variants"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["main", "main", "main", "audio"]);
    assert_eq!(got.body.get("warnings"), None);
    let other =
        json!({"manifest_url": "https://cdn.example/a.m3u8", "name": got.body["name"], "enabled": false});
    let added = world.post(STREAMS, other).await.is(201);
    let got = world.post(&path, json!({"manifest_url": origin.url("auto-a")})).await.is(200);
    assert!(got.body["warnings"][0].as_str().is_some_and(|text| text.contains("Another stream is called")));
    let place = format!("{STREAMS}/{}", added.body["id"].as_str().unwrap());
    world.ask(Method::DELETE, &place, &[("if-match", "*")], None).await.is(204);
    let changes = world.changes.load(Relaxed);

    let fault = Fault::new(FaultKind::MasterStatus(500));
    origin.set_fault("auto-a", fault).unwrap();
    let got = world.post(&path, json!({"manifest_url": origin.url("auto-a")})).await;
    let got = got.problem(422, "EC110", "/manifest_url");
    assert_eq!(got.body["detail"], "the origin answered 500");

    let text = format!("{}/", origin.base_url().trim_end_matches('/'));
    let got = world.post(&path, json!({"manifest_url": text})).await;
    assert!(matches!(got.status.as_u16(), 422), "{}", got.body);
    assert_eq!(world.get(STREAMS).await.body["items"], json!([]));
    assert_eq!(world.changes.load(Relaxed), changes);
}

#[tokio::test]
async fn lists_are_read_in_pages() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(world.add(name).await);
        world.wait(1);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{STREAMS}?limit=2{cursor}")).await.is(200);
        seen.extend(
            page.body["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    world.get(&format!("{STREAMS}?limit=501")).await.problem(400, "EC100", "?limit");
    world.get(&format!("{STREAMS}?cursor=%23")).await.problem(400, "EC100", "?cursor");
    world.get(&format!("{STREAMS}?state=bad")).await.problem(400, "EC100", "?state");
}
