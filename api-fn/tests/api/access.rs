//! Who may do what, for every route of the document: a new route is in here by itself.

use hlsops_api::{App, openapi};
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_store::KeyScope;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::incidents;
use crate::support::{Got, World};

/// Method and path of every route, `{id}` filled in with `id`.
async fn routes(world: &World, id: &str) -> Vec<(Method, String)> {
    let app = App::new(world.store.clone(), Fetcher::new(FetchConfig::default()).unwrap());
    let document = serde_json::to_value(openapi(app)).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            routes.push((method, path.replace("{id}", id)));
        }
    }
    assert!(routes.len() >= 20, "{routes:?}");
    routes
}

fn is_open(path: &str) -> bool {
    path == "/api/v1/health"
}

#[tokio::test]
async fn without_a_key_everything_but_health_is_closed() {
    let world = World::new().await;
    for (method, path) in routes(&world, "str_x").await {
        for key in ["", "hlsops_x", &"x".repeat(59)] {
            let got = world.ask(method.clone(), &path, &[("x-api-key", key)], None).await;
            if is_open(&path) {
                got.is(200);
            } else {
                let got = got.problem(401, "EC102", "");
                assert_eq!(got.header("www-authenticate"), "Bearer");
            }
        }
    }
}

#[tokio::test]
async fn each_scope_may_do_what_it_is_for() {
    let world = World::new().await;
    for scope in [KeyScope::Viewer, KeyScope::Operator, KeyScope::Admin] {
        let key = world.key("default", scope).await;
        for (method, path) in routes(&world, "none").await {
            let needed = match (&method, path.as_str()) {
                (_, "/api/v1/keys/self") => KeyScope::Viewer,
                (_, path) if path.starts_with("/api/v1/keys") => KeyScope::Admin,
                (&Method::GET, _) => KeyScope::Viewer,
                _ => KeyScope::Operator,
            };
            let got = world.ask(method.clone(), &path, &[("x-api-key", key.as_str())], None).await;
            if scope < needed {
                got.problem(403, "EC103", "");
            } else {
                assert_ne!(got.status, StatusCode::FORBIDDEN, "{method} {path} with {scope:?}");
                assert_ne!(got.status, StatusCode::UNAUTHORIZED, "{method} {path} with {scope:?}");
            }
        }
    }
}

/// One thing of each kind that a route may name: the word in its path, and an id.
async fn things(world: &World) -> [(&'static str, String); 4] {
    let id = world.add("theirs").await;
    let incident = incidents::open(world, &id, world.now()).await;
    let key = world.post("/api/v1/keys", json!({"name": "theirs"})).await.is(201);
    let channel = json!({"name": "theirs", "url": "https://hooks.example.com/a"});
    let channel = world.post("/api/v1/channels", channel).await.is(201);
    let id_of = |made: &Got| made.body["id"].as_str().unwrap().to_owned();
    [("streams", id), ("incidents", incident), ("keys", id_of(&key)), ("channels", id_of(&channel))]
}

/// The body that the document shows as an example for a route.
async fn example(world: &World, method: &Method, path: &str) -> Option<Value> {
    let app = App::new(world.store.clone(), Fetcher::new(FetchConfig::default()).unwrap());
    let document = serde_json::to_value(openapi(app)).unwrap();
    let body = &document["paths"][path][method.as_str().to_lowercase()]["requestBody"];
    let schema = body["content"]["application/json"]["schema"].to_string();
    let (_, rest) = schema.split_once("#/components/schemas/")?;
    Some(document["components"]["schemas"][rest.split('"').next()?]["examples"][0].clone())
}

#[tokio::test]
async fn what_belongs_to_another_account_does_not_exist() {
    let world = World::new().await;
    let stranger = world.key("other", KeyScope::Admin).await;
    let headers = [("x-api-key", stranger.as_str()), ("if-match", "*")];
    let things = things(&world).await;
    for (word, id) in &things {
        let mut tried = 0;
        for (method, path) in routes(&world, "{id}").await {
            if !path.contains("{id}") || !path.contains(&format!("/{word}/")) {
                continue;
            }
            let body = example(&world, &method, &path).await;
            let asked = path.replace("{id}", id);
            world.ask(method, &asked, &headers, body).await.problem(404, "EC120", "");
            tried += 1;
        }
        assert!(tried > 0, "{word}");
    }
    // They are all there: it was the account that was refused, and nothing was changed.
    for (word, id) in &things {
        match *word {
            "keys" => assert!(world.get("/api/v1/keys").await.body.to_string().contains(id.as_str())),
            word => _ = world.get(&format!("/api/v1/{word}/{id}")).await.is(200),
        }
    }
    assert_eq!(world.get(&format!("/api/v1/incidents/{}", things[1].1)).await.body["status"], "open");
    for list in ["streams", "incidents", "channels", "inbox", "deliveries"] {
        let path = format!("/api/v1/{list}");
        let theirs = world.ask(Method::GET, &path, &headers, None).await.is(200);
        assert_eq!(theirs.body["items"], json!([]), "{list}");
    }
    let theirs = world.ask(Method::GET, "/api/v1/keys", &headers, None).await.is(200);
    assert_eq!(theirs.body["items"].as_array().unwrap().len(), 1, "their own");
    let theirs = world.ask(Method::GET, "/api/v1/wall", &headers, None).await.is(200);
    assert_eq!(theirs.body["tiles"], json!([]));
}

#[tokio::test]
async fn unknown_query_parameters_are_named() {
    let world = World::new().await;
    let things = things(&world).await;
    for (method, path) in routes(&world, "{id}").await {
        let body = example(&world, &method, &path).await;
        let thing = things.iter().find(|(word, _)| path.contains(&format!("/{word}/")));
        let asked = path.replace("{id}", thing.map_or("", |(_, id)| id));
        let got = world.ask(method.clone(), &format!("{asked}?nonsense=1"), &[("if-match", "*")], body).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{method} {path}");
        got.problem(400, "EC100", "?nonsense");
    }
    assert_eq!(world.get(&format!("/api/v1/streams/{}", things[0].1)).await.body["enabled"], true);
}

#[tokio::test]
async fn every_answer_says_as_of_when_it_is() {
    let world = World::new().await;
    for (method, path) in routes(&world, "none").await {
        let got = world.ask(method.clone(), &path, &[], None).await;
        assert_eq!(got.header("as-of"), "2026-11-22T03:30:00.000Z", "{method} {path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_with_the_usual_headers() {
    let world = World::new().await;
    for (method, path, status) in [
        (Method::GET, "/nothing", 404),
        (Method::GET, "/api/v1/nothing", 404),
        (Method::PUT, "/api/v1/wall", 405),
        (Method::DELETE, "/api/v1/health", 405),
    ] {
        let got = world.ask(method, path, &[], None).await.problem(status, "EC100", "");
        assert_eq!(got.body["instance"], path);
        for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
            assert_eq!(got.header(name), value);
        }
        assert!(got.header("request-id").starts_with("req_"));
        assert!(got.header("content-security-policy").contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn a_bearer_key_is_as_good() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.secret.as_str());
    let request = http::Request::get("/api/v1/keys/self").header("authorization", bearer);
    let got = world.send(request.body(axum::body::Body::empty()).unwrap()).await.is(200);
    assert_eq!((got.body["id"].as_str(), got.body["scope"].as_str()), (Some("key_local"), Some("admin")));
}
