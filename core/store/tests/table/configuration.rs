//! Configuration of streams.

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::{EpochMs, Limits};
use hlsops_store::{
    Configured, Pause, Segments, ShardId, Store, StoreError, StreamConfig, StreamId, WatchMode, limits_from,
};

use crate::support::{Table, report};

fn config(name: &str) -> StreamConfig {
    StreamConfig {
        id: StreamId::new("acme", name).expect("valid"),
        url: "https://example.com/live/master.m3u8?token=x".into(),
        name: "Sports 1 \u{26bd}".into(),
        link_id: Some("5fa1ab24559c".into()),
        enabled: true,
        watch: WatchMode::Interval { every_s: 60 },
        segments: Segments::Full,
        headers: vec![("Authorization".into(), "Bearer x".into())],
        profile: "seed1".into(),
        overrides: [("ratio_degraded".to_string(), 0.95), ("window_ms".to_string(), 90_000.0)].into(),
        tags: vec![("team".into(), "sports".into())],
        created_at: EpochMs(1_740_000_000_000),
        pauses: vec![Pause { from: EpochMs(1_740_000_100_000), until: Some(EpochMs(1_740_000_200_000)) }],
        revision: 0,
    }
}

async fn save(store: &Store, config: &StreamConfig) -> Configured {
    store.save_stream(config, ShardId(1)).await.expect("answer").value
}

#[test]
fn pauses_are_remembered_for_a_while() {
    let begin = config("one");
    assert_eq!(begin.resumed_at(), Some(EpochMs(1_740_000_200_000)));
    let paused = begin.clone().switched(true, EpochMs(0)).switched(false, EpochMs(1_740_000_300_000));
    assert_eq!((paused.pauses().len(), paused.resumed_at()), (2, None));
    assert_eq!(paused.clone().switched(false, EpochMs(5)), paused, "it is paused already");
    let resumed = paused.switched(true, EpochMs(1_740_000_400_000));
    assert_eq!(resumed.resumed_at(), Some(EpochMs(1_740_000_400_000)));

    let born = StreamConfig { enabled: false, pauses: Vec::new(), ..begin.clone() };
    assert_eq!(born.pauses(), [Pause { from: begin.created_at, until: None }]);
    let born = born.switched(true, EpochMs(1_740_000_500_000));
    assert_eq!(born.pauses, [Pause { from: begin.created_at, until: Some(EpochMs(1_740_000_500_000)) }]);

    let often = (0..100).fold(begin, |config, n| config.switched(n % 2 == 1, EpochMs(1_750_000_000_000 + n)));
    assert_eq!(often.pauses.len(), StreamConfig::MAX_PAUSES);
    assert_eq!(often.resumed_at(), Some(EpochMs(1_750_000_000_099)));
}

#[tokio::test]
async fn a_configuration_comes_back_and_its_revision_guards_it() {
    let table = Table::new().await;
    let store = &table.store;
    let created = store.save_stream(&config("one"), ShardId(1)).await.expect("answer");
    report("create a stream", created.spent);
    assert_eq!(created.value, Configured::Saved(1));
    let stored = store.stream(&config("one").id).await.expect("answer").value.expect("there");
    assert_eq!(stored, StreamConfig { revision: 1, ..config("one") });
    assert_eq!(save(store, &config("one")).await, Configured::Saved(1), "a repeat");
    let other = StreamConfig { name: "other".into(), ..config("one") };
    assert_eq!(save(store, &other).await, Configured::Conflict(Some(1)));
    let changed =
        StreamConfig { enabled: false, link_id: None, watch: WatchMode::Continuous, ..stored.clone() };
    let rival = StreamConfig { name: "rival".into(), ..stored };
    let (a, b) = tokio::join!(save(store, &changed), save(store, &rival));
    assert!([a, b].contains(&Configured::Saved(2)) && [a, b].contains(&Configured::Conflict(Some(2))));
    let gone = StreamConfig { revision: 4, ..config("gone") };
    assert_eq!(save(store, &gone).await, Configured::Conflict(None));
    let large = StreamConfig { url: "x".repeat(StreamConfig::MAX), ..config("large") };
    let outcome = store.save_stream(&large, ShardId(1)).await;
    assert!(matches!(outcome, Err(StoreError::TooLarge { .. })));
}

#[tokio::test]
async fn streams_are_listed_by_account_in_pages_and_by_shard_while_enabled() {
    let table = Table::new().await;
    let store = &table.store;
    for index in 0..7 {
        let enabled = index != 3;
        let new = StreamConfig { enabled, ..config(&format!("s{index}")) };
        assert_eq!(save(store, &new).await, Configured::Saved(1));
    }
    let (mut names, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.streams("acme", cursor.as_ref(), 3).await.expect("answer").value;
        names.extend(page.streams.iter().map(|stream| stream.id.name().to_string()));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    assert_eq!(pages, 3);
    assert_eq!(store.streams("nobody", None, 3).await.expect("answer").value.streams, []);
    let shard = store.shard_streams(ShardId(1), 100).await.expect("answer");
    report("list a shard of 6", shard.spent);
    assert_eq!(shard.value.len(), 6, "without the disabled one");

    let moved = &shard.value[0];
    assert!(store.move_stream(moved, ShardId(2), 1_500).await.expect("answer").value);
    assert!(store.move_stream(moved, ShardId(2), 1_500).await.expect("answer").value, "a repeat");
    assert!(!store.move_stream(moved, ShardId(3), 1_500).await.expect("answer").value, "read before");
    let now = store.assignment(&moved.config.id).await.expect("answer").value.expect("there");
    assert_eq!((now.shard, now.weight), (ShardId(2), 1_500));
    let off = StreamConfig { enabled: false, ..now.config };
    assert_eq!(save(store, &off).await, Configured::Saved(2));
    assert_eq!(store.shard_streams(ShardId(2), 100).await.expect("answer").value, []);
}

#[tokio::test]
async fn lost_replies_change_nothing() {
    let table = Table::new().await;
    let store = table.lossy();
    assert_eq!(save(&store, &config("one")).await, Configured::Saved(1));
    let changed = StreamConfig { revision: 1, name: "changed".into(), ..config("one") };
    assert_eq!(save(&store, &changed).await, Configured::Saved(2));
    let read = table.store.assignment(&changed.id).await.expect("answer").value.expect("there");
    assert!(store.move_stream(&read, ShardId(9), 10).await.expect("answer").value);
    let removed = store.remove_stream(&changed.id, 2).await.expect("answer").value;
    assert_eq!(removed, Configured::Saved(2));
    assert_eq!(table.store.stream(&changed.id).await.expect("answer").value, None);
    assert_eq!(table.store.assignment(&changed.id).await.expect("answer").value, None);
    assert_eq!(save(&store, &config("one")).await, Configured::Saved(1), "it may come back");
}

#[test]
fn limits_come_from_a_profile_and_what_differs() {
    let of = |profile, overrides: &[(&str, f64)]| {
        let overrides: BTreeMap<String, f64> = overrides.iter().map(|(n, v)| ((*n).into(), *v)).collect();
        limits_from(profile, &overrides).map_err(ToString::to_string)
    };
    assert_eq!(of("default", &[]), Ok(Limits::default()));
    let expected = Limits {
        clear: Duration::from_secs(30),
        lost_unhealthy: Some(7),
        expect_24x7: true,
        ..Limits::seed1()
    };
    let overrides = [("clear_ms", 30_000.0), ("lost_unhealthy", 7.0), ("expect_24x7", 1.0)];
    assert_eq!(of("seed1", &overrides), Ok(expected));
    assert_eq!(of("seed9", &[]), Err("seed9".into()));
    assert_eq!(of("default", &[("cleer_ms", 1.0)]), Err("cleer_ms".into()));
}
