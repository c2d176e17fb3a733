//! The description of the API, and the page that shows it.

use hlsops_api::{App, openapi};
use hlsops_fetch::{FetchConfig, Fetcher};
use http::Method;

use crate::support::World;

/// Rewrites `docs/openapi.json` and fails when it was stale.
#[tokio::test]
async fn the_document_is_fresh_and_whole() {
    let world = World::new().await;
    let app = App::new(world.store.clone(), Fetcher::new(FetchConfig::default()).unwrap());
    let document = serde_json::to_value(openapi(app)).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["tags"].is_array(), "{method} {path} has no tag");
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
        std::fs::write(&path, text).unwrap();
        panic!("docs/openapi.json was stale and has been rewritten: look at it and commit it");
    }
}

/// Whoever sends the example of a body is not told that the body is wrong.
#[tokio::test]
async fn every_body_has_an_example_that_is_taken() {
    let world = World::new().await;
    let got = world.ask(Method::GET, "/openapi.json", &[("x-api-key", "")], None).await.is(200);
    let mut bodies = 0;
    for (path, methods) in got.body["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let text = schema.to_string();
            let Some((_, rest)) = text.split_once("#/components/schemas/") else { continue };
            let name = rest.split('"').next().unwrap();
            let example = got.body["components"]["schemas"][name]["examples"][0].clone();
            assert!(example.is_object(), "{name} has no example");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let asked = path.replace("{id}", "none");
            let status = world.ask(method, &asked, &[("if-match", "*")], Some(example)).await;
            let expected = if path.contains("{id}") { 404 } else { 201 };
            assert_eq!(status.status.as_u16(), expected, "{name} at {path}: {}", status.body);
            bodies += 1;
        }
    }
    assert!(bodies >= 7, "{bodies}");
}

/// Every reference leads somewhere.
#[tokio::test]
async fn references_are_known() {
    let world = World::new().await;
    let got = world.ask(Method::GET, "/openapi.json", &[("x-api-key", "")], None).await.is(200);
    let text = got.body.to_string();
    let names = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    for name in names {
        assert!(got.body["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy() {
    let world = World::new().await;
    for (path, kind) in
        [("/docs", "text/html"), ("/docs/page.js", "text/javascript"), ("/docs/page.css", "text/css")]
    {
        let got = world.ask(Method::GET, path, &[("x-api-key", "")], None).await.is(200);
        assert!(got.header("content-type").starts_with(kind) && got.bytes > 500, "{path}");
        assert!(got.header("content-security-policy").contains("default-src 'none'; script-src 'self'"));
    }
}

/// People who mistype an address get a page with a way on; programs get a problem.
#[tokio::test]
async fn an_address_that_nothing_answers_says_so_to_people_and_to_programs() {
    let world = World::new().await;
    let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let got = world.ask(Method::GET, "/foo/bar", &[browser], None).await.is(404);
    assert!(got.header("content-type").starts_with("text/html"), "{}", got.header("content-type"));
    assert!(got.header("content-security-policy").contains("style-src 'self'"));
    assert!(!got.header("request-id").is_empty() && got.bytes > 200);
    for (method, path, headers) in [
        (Method::GET, "/foo", &[("accept", "*/*")][..]),
        (Method::GET, "/foo", &[("accept", "application/json, text/html;q=0.1")]),
        (Method::GET, "/foo", &[]),
        (Method::POST, "/foo", &[browser]),
        (Method::GET, "/api", &[browser]),
        (Method::GET, "/api/v1/foo", &[browser]),
    ] {
        world.ask(method, path, headers, None).await.problem(404, "EC100", "");
    }
}
