//! Leases, summaries and findings.

use hlsops_domain::{EpochMs, HealthState};
use hlsops_store::{FindingRow, Leased, Minute, MinuteFindings, ShardId, StoreError, StreamId, Tile};

use crate::support::{NOW, Table, rendition_id, report, stream, writer};

const SHARD: ShardId = ShardId(7);

#[tokio::test]
async fn the_newest_epoch_has_the_lease() {
    let table = Table::new().await;
    let store = &table.store;
    let take = async |name: &str, epoch| {
        store.take_lease(SHARD, &writer(name, epoch), EpochMs(epoch)).await.expect("answer")
    };
    let first = take("a", 1).await;
    report("take a lease", first.spent);
    assert_eq!(first.value, Leased::Held);
    assert_eq!(take("a", 1).await.value, Leased::Held, "a repeat");
    assert!(matches!(take("b", 1).await.value, Leased::Superseded(Some(lease)) if lease.holder.name == "a"));
    let (c, d) = tokio::join!(take("c", 2), take("d", 2));
    assert!((c.value == Leased::Held) != (d.value == Leased::Held));
    assert_eq!(take("e", 3).await.value, Leased::Held);
    assert!(matches!(take("late", 2).await.value, Leased::Superseded(Some(_))));
    let lossy = table.lossy();
    assert_eq!(
        lossy.take_lease(SHARD, &writer("f", 4), EpochMs(4)).await.expect("answer").value,
        Leased::Held
    );
    assert_eq!(lossy.beat(SHARD, &writer("f", 4), EpochMs(9)).await.expect("answer").value, Leased::Held);
    let late = store.beat(SHARD, &writer("e", 3), EpochMs(10)).await.expect("answer").value;
    assert!(matches!(late, Leased::Superseded(Some(lease)) if lease.holder == writer("f", 4)));
    let now = store.lease(SHARD).await.expect("answer").value.expect("there");
    assert_eq!((now.holder, now.beat), (writer("f", 4), EpochMs(9)));
    let nobody = store.beat(ShardId(8), &writer("e", 3), EpochMs(10)).await.expect("answer").value;
    assert_eq!(nobody, Leased::Superseded(None));
}

fn tiles(count: usize) -> Vec<Tile> {
    let tile = |index| Tile {
        stream: StreamId::new("acme", &format!("sports-{index}")).expect("valid"),
        health: [HealthState::NoData, HealthState::Healthy, HealthState::Degraded, HealthState::Unhealthy]
            [index % 4],
        since: EpochMs(1_740_000_000_000),
        last_look: (index % 3 > 0).then_some(EpochMs(1_740_000_060_000)),
        incident: (index % 5 == 0).then_some(EpochMs(1_740_000_030_000)),
        reason: if index % 4 > 1 { "3 segments lost (4.1 %)".into() } else { String::new() },
    };
    (0..count).map(tile).collect()
}

#[tokio::test]
async fn the_newest_summary_stays() {
    let table = Table::new().await;
    let store = &table.store;
    assert_eq!(store.summary(SHARD).await.expect("answer").value, None);
    let save = async |name: &str, epoch, at, count| {
        let tiles = tiles(count);
        store.save_summary(SHARD, &tiles, &writer(name, epoch), EpochMs(at)).await.expect("answer")
    };
    let first = save("a", 1, 10, 50).await;
    report("summary of 50 streams", first.spent);
    assert!(first.value);
    assert!(save("a", 1, 11, 49).await.value);
    assert!(!save("a", 1, 10, 50).await.value, "late");
    assert!(save("b", 2, 9, 3).await.value);
    assert!(!save("a", 1, 12, 50).await.value, "superseded");
    let stored = store.summary(SHARD).await.expect("answer").value.expect("there");
    assert_eq!((stored.at, stored.epoch, stored.tiles), (EpochMs(9), 2, tiles(3)));
    let lossy = table.lossy();
    assert!(lossy.save_summary(SHARD, &tiles(4), &writer("b", 2), EpochMs(20)).await.expect("answer").value);
    let most = lossy.save_summary(SHARD, &tiles(1_001), &writer("b", 2), EpochMs(30)).await;
    assert!(matches!(most, Err(StoreError::TooLarge { .. })));
}

fn findings(minute: Minute, count: u64) -> MinuteFindings {
    let row = |n: u64| FindingRow {
        code: "EC-2002".into(),
        rendition: n.is_multiple_of(2).then(|| rendition_id(n)),
        first: minute.start(),
        last: EpochMs(minute.start().0 + 5_000),
        count: n + 1,
        sample: format!("segment {n}: HTTP 404"),
    };
    MinuteFindings { minute, rows: (0..count).map(row).collect(), overflow: 3 }
}

#[tokio::test]
async fn findings_of_two_watchers_stand_side_by_side() {
    let table = Table::new().await;
    let store = table.lossy();
    let id = stream();
    let save = async |minute, count, name: &str, epoch| {
        let findings = findings(minute, count);
        store.save_findings(&id, &findings, &writer(name, epoch)).await.expect("answer").value
    };
    assert!(save(NOW, 2, "a", 1).await);
    assert!(save(NOW, 5, "a", 1).await, "in place of what it wrote before");
    assert!(!save(NOW, 1, "twin", 1).await);
    assert!(save(NOW, 1, "b", 2).await);
    assert!(save(NOW.next(), 4, "b", 2).await);
    let found = table.store.findings(&id, NOW, NOW, 10).await.expect("answer").value;
    assert_eq!(found, [findings(NOW, 5), findings(NOW, 1)]);
    let found = table.store.findings(&id, NOW.next(), Minute(NOW.0 + 9), 10).await.expect("answer").value;
    assert_eq!(found, [findings(NOW.next(), 4)]);
}
