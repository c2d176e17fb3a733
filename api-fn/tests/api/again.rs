//! Requests that come again, and those that come too often.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Got, World};
use hlsops_store::KeyScope;

const STREAMS: &str = "/api/v1/streams";

async fn add(world: &World, key: &str, body: Value) -> Got {
    world.ask(Method::POST, STREAMS, &[("idempotency-key", key)], Some(body)).await
}

fn sports(name: &str) -> Value {
    json!({"manifest_url": "https://cdn.example/a.m3u8", "name": name})
}

async fn stored(world: &World) -> usize {
    world.get(STREAMS).await.body["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_request_with_a_key_makes_one_stream_however_often_it_comes() {
    let world = World::new().await;
    let first = add(&world, "k1", sports("a")).await.is(201);
    let again = add(&world, "k1", sports("a")).await.is(201);
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(first.header("location"), again.header("location"));
    let twins = tokio::join!(add(&world, "k2", sports("b")), add(&world, "k2", sports("b")));
    assert_eq!(twins.0.is(201).body["id"], twins.1.is(201).body["id"]);
    assert_eq!(stored(&world).await, 2);
}

#[tokio::test]
async fn another_body_needs_another_key_and_a_refused_one_uses_none_up() {
    let world = World::new().await;
    let _ =
        add(&world, "k1", json!({"manifest_url": "ftp://x"})).await.problem(400, "EC100", "/manifest_url");
    let first = add(&world, "k1", sports("a")).await.is(201);
    let _ = add(&world, "k1", sports("b")).await.problem(422, "EC100", "");
    let _ = add(&world, &"x".repeat(256), sports("b")).await.problem(400, "EC100", "Idempotency-Key");
    world.wait(86_400);
    let later = add(&world, "k1", sports("b")).await.is(201);
    assert_ne!(first.body["id"], later.body["id"], "a day later it is a new key");
}

/// What it asked for may be asked for again with the same key; and what was made is found by it.
#[tokio::test]
async fn a_link_id_that_is_taken_uses_no_key_up() {
    let world = World::new().await;
    let linked = |name: &str, link: &str| json!({"manifest_url": format!("https://cdn.example/{name}.m3u8"), "name": name, "link_id": link});
    let _ = add(&world, "k1", linked("a", "s1")).await.is(201);
    let _ = add(&world, "k2", linked("b", "s1")).await.problem(400, "EC100", "/link_id");
    let second = add(&world, "k2", linked("b", "s2")).await.is(201);
    let again = add(&world, "k2", linked("b", "s2")).await.is(201);
    assert_eq!(second.body["id"], again.body["id"]);
    let _ = add(&world, "k2", linked("c", "s3")).await.problem(422, "EC100", "");
    // Nor is the key free for what would be refused anyway.
    let _ = add(&world, "k2", linked("c", "s2")).await.problem(422, "EC100", "");
    assert_eq!(stored(&world).await, 2);
}

#[tokio::test]
async fn a_stream_that_was_removed_is_not_said_to_be_there() {
    let world = World::new().await;
    let first = add(&world, "k1", sports("a")).await.is(201);
    let path = format!("{STREAMS}/{}", first.body["id"].as_str().unwrap());
    world.ask(Method::DELETE, &path, &[("if-match", "*")], None).await.is(204);
    let _ = add(&world, "k1", sports("a")).await.problem(409, "EC100", "");
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let world = World::new().await;
    let key = world.key("default", KeyScope::Viewer).await;
    let other = world.key("default", KeyScope::Viewer).await;
    let ask = |key: String| {
        let world = &world;
        async move { world.ask(Method::GET, "/api/v1/keys/self", &[("x-api-key", &key)], None).await }
    };
    let first = ask(key.as_str().into()).await.is(200);
    assert_eq!(first.header("ratelimit-policy"), "\"key\";q=1200;w=60");
    assert_eq!(first.header("ratelimit"), "\"key\";r=1199;t=60");
    for _ in 1..1_200 {
        let _ = ask(key.as_str().into()).await.is(200);
    }
    let refused = ask(key.as_str().into()).await.problem(429, "EC100", "");
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("60", "\"key\";r=0;t=60"));
    let _ = ask(other.as_str().into()).await.is(200);
    let own = world.get("/api/v1/keys/self").await.is(200);
    assert_eq!(own.header("ratelimit"), "", "the machine's own key has no limit");
    world.wait(60);
    let _ = ask(key.as_str().into()).await.is(200);
}
