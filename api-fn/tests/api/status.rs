//! Is the service well, and what can be set.

use hlsops_store::{ShardId, Writer};
use http::Method;
use serde_json::json;

use crate::support::World;

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
