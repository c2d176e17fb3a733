//! Who may do what, for every route of the document: a new route is in here by itself.

use hlsops_api::{App, openapi};
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_store::KeyScope;
use http::{Method, StatusCode};

use crate::support::World;

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

#[tokio::test]
async fn what_belongs_to_another_account_does_not_exist() {
    let world = World::new().await;
    let id = world.add("theirs").await;
    let stranger = world.key("other", KeyScope::Admin).await;
    let incident = format!("inc:default:{id}:1");
    for (id, word) in [(id.as_str(), "stream"), (incident.as_str(), "incident"), ("key_x", "key")] {
        for (method, path) in routes(&world, id).await {
            if !path.contains(id) || !path.contains(&format!("/{word}s/")) {
                continue;
            }
            let headers = [("x-api-key", stranger.as_str()), ("if-match", "*")];
            let body = (method == Method::PATCH).then(|| serde_json::json!({}));
            world.ask(method, &path, &headers, body).await.problem(404, "EC120", "");
        }
    }
    assert_eq!(world.get(&format!("/api/v1/streams/{id}")).await.status, StatusCode::OK);
    let theirs =
        world.ask(Method::GET, "/api/v1/wall", &[("x-api-key", stranger.as_str())], None).await.is(200);
    assert_eq!(theirs.body["tiles"], serde_json::json!([]));
}

#[tokio::test]
async fn unknown_query_parameters_are_named() {
    let world = World::new().await;
    let id = world.add("a").await;
    for (method, path) in routes(&world, &id).await {
        if method == Method::GET && !is_open(&path) {
            world.get(&format!("{path}?nonsense=1")).await.problem(400, "EC100", "?nonsense");
        }
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
