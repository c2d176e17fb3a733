//! Keys: made, used, revoked, expired.

use hlsops_domain::EpochMs;
use hlsops_store::{ApiKey, KeyScope, Store};
use http::Method;
use serde_json::json;

use crate::support::{ACCOUNT, Got, World};

const KEYS: &str = "/api/v1/keys";

async fn whoami(world: &World, secret: &str) -> Got {
    world.ask(Method::GET, "/api/v1/keys/self", &[("x-api-key", secret)], None).await
}

#[tokio::test]
async fn a_key_works_until_it_is_revoked() {
    let world = World::new().await;
    let made = world.post(KEYS, json!({"name": "Wall", "scope": "viewer"})).await.is(201);
    let (id, secret) = (made.body["id"].as_str().unwrap(), made.body["secret"].as_str().unwrap().to_owned());
    assert!(id.starts_with("key_") && secret.starts_with(made.body["prefix"].as_str().unwrap()));
    let own = world.ask(Method::GET, "/api/v1/keys/self", &[("x-api-key", &secret)], None).await.is(200);
    assert_eq!((&own.body["name"], &own.body["scope"]), (&json!("Wall"), &json!("viewer")));

    let listed = world.get(KEYS).await.is(200);
    assert!(!listed.body.to_string().contains(&secret[13..]), "no secret");
    assert_eq!(listed.body["items"][0]["id"], id);
    assert_eq!(listed.body["items"][0]["last_used_at"], "2026-11-22T03:30:00.000Z");

    world.ask(Method::DELETE, &format!("{KEYS}/{id}"), &[], None).await.is(204);
    world
        .ask(Method::GET, "/api/v1/keys/self", &[("x-api-key", &secret)], None)
        .await
        .problem(401, "EC102", "");
    world.ask(Method::DELETE, &format!("{KEYS}/{id}"), &[], None).await.problem(404, "EC120", "");
}

#[tokio::test]
async fn a_key_that_has_expired_says_so() {
    let world = World::new().await;
    let body = json!({"name": "Guest", "expires_at": "2026-11-22T03:31:00Z"});
    let made = world.post(KEYS, body).await.is(201);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let own = || whoami(&world, &secret);
    own().await.is(200);
    world.wait(60);
    own().await.problem(401, "EC104", "");
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named() {
    let world = World::new().await;
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x", "scope": "root"}), "/scope"),
        (json!({"name": "x", "expires_at": "tomorrow"}), "/expires_at"),
        (json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
        (json!({"name": "x", "account": "other"}), "/account"),
    ] {
        world.post(KEYS, body).await.problem(400, "EC100", pointer);
    }
}

/// A key revoked by another process works for a minute at most.
#[tokio::test]
async fn what_is_remembered_of_keys_is_forgotten() {
    let world = World::new().await;
    let secret = world.key("default", KeyScope::Viewer).await;
    let own = || whoami(&world, secret.as_str());
    let id = own().await.is(200).body["id"].as_str().unwrap().to_owned();
    assert!(world.store.revoke_api_key("default", &id).await.unwrap().value);
    own().await.is(200);
    world.wait(61);
    own().await.problem(401, "EC102", "");
}

/// The use of a key is written once an hour.
#[tokio::test]
async fn use_is_noted_by_the_hour() {
    let world = World::new().await;
    let secret = world.key("default", KeyScope::Viewer).await;
    let used = async |store: &Store| {
        store.api_keys("default", None, 1).await.unwrap().value.0[0].last_used.unwrap().0
    };
    let own = || whoami(&world, secret.as_str());
    own().await.is(200);
    let first = used(&world.store).await;
    world.wait(1_800);
    own().await.is(200);
    assert_eq!(used(&world.store).await, first);
    world.wait(1_801);
    own().await.is(200);
    assert_eq!(used(&world.store).await, first + 3_601_000);
}

/// As many keys as an account may have, and `more`.
async fn full(world: &World, more: u64) -> u64 {
    let most = u64::from(Store::MAX_API_KEYS) + more;
    for n in 0..most {
        let key = ApiKey {
            id: format!("key_{n:05}"),
            account: ACCOUNT.into(),
            name: "many".into(),
            prefix: "hlsops_many".into(),
            scope: KeyScope::Viewer,
            created: EpochMs(n),
            expires: None,
            last_used: None,
        };
        assert!(world.store.create_api_key(&format!("{n:064x}"), &key).await.unwrap().value);
    }
    most
}

#[tokio::test]
async fn an_account_has_so_many_keys_and_each_can_be_found_and_revoked() {
    let world = World::new().await;
    let most = full(&world, 5).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{KEYS}?limit=500{cursor}")).await.is(200);
        seen.extend(page.body["items"].as_array().unwrap().iter().map(|key| key["id"].to_string()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, most);
    let new = json!({"name": "one too many"});
    world.post(KEYS, new.clone()).await.problem(403, "EC101", "");
    for n in most - 6..most {
        world.ask(Method::DELETE, &format!("{KEYS}/key_{n:05}"), &[], None).await.is(204);
    }
    world.post(KEYS, new).await.is(201);
    world.get(&format!("{KEYS}?limit=0")).await.problem(400, "EC100", "?limit");
    world.get(&format!("{KEYS}?cursor=%23")).await.problem(400, "EC100", "?cursor");
}
