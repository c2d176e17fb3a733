//! Is the service well, and what can be set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::body::Body;
use hlsops_api::{App, build_router};
use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, Fault, FaultPlan};
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_store::{Retry, ShardId, Store, Writer};
use http::{Method, Request};
use serde_json::json;
use tower::ServiceExt;

use crate::support::{NOW, World};

const HEALTH: &str = "/api/v1/health";

#[tokio::test]
async fn health_is_red_when_nobody_watches() {
    let world = World::new().await;
    let idle = world.ask(Method::GET, HEALTH, &[("x-api-key", "")], None).await.is(200);
    assert_eq!((&idle.body["status"], &idle.body["streams_monitored"]), (&json!("ok"), &json!(0)));

    world.add("a").await;
    world.wait(10);
    assert_eq!(world.get(HEALTH).await.is(200).body["streams_monitored"], 1, "a new stream has time");
    world.wait(180);
    let silent = world.get(HEALTH).await.is(503);
    assert_eq!(silent.body["status"], "not_watching");

    let writer = Writer { name: "w".into(), epoch: 1 };
    let _ = world.store.save_summary(ShardId(0), &[], &writer, world.now()).await.unwrap();
    world.wait(6);
    assert_eq!(world.get(HEALTH).await.is(200).body["probed_at"], "2026-11-22T03:33:10.000Z");
    world.wait(181);
    world.get(HEALTH).await.is(503);
}

#[tokio::test]
async fn thresholds_have_ranges() {
    let world = World::new().await;
    let got = world.get("/api/v1/thresholds").await.is(200);
    let items = got.body["items"].as_array().unwrap();
    let ttfb = items.iter().find(|one| one["name"] == "ttfb_unhealthy_ms").unwrap();
    let about = "A median time to the first byte of segments above this makes UNHEALTHY.";
    let expected =
        json!({"name": "ttfb_unhealthy_ms", "about": about, "min": 1.0, "max": 60000.0, "seed1": 1000.0});
    assert_eq!(ttfb, &expected);
}

/// It is open to everybody: a table that fails is not asked again for each of them.
#[tokio::test]
async fn a_failure_is_remembered_for_a_moment() {
    let engine = Engine::in_memory().unwrap();
    let (asked, clock) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(NOW.0)));
    let (counted, time) = (Arc::clone(&asked), Arc::clone(&clock));
    let plan = FaultPlan::new(move |_| {
        counted.fetch_add(1, Relaxed);
        Fault::Fail
    });
    let once = Retry { attempts: 1, ..Retry::default() };
    let store = Store::new(engine.client_with(&plan), "hlsops").with_retry(once);
    let mut app = App::new(store, Fetcher::new(FetchConfig::default()).unwrap());
    app.now = Arc::new(move || EpochMs(time.load(Relaxed)));
    let router = build_router(app);
    for (wait_ms, calls) in [(0, 1), (0, 1), (4_999, 1), (1, 2)] {
        clock.fetch_add(wait_ms, Relaxed);
        let request = Request::get(HEALTH).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), asked.load(Relaxed)), (503, calls));
    }
}
