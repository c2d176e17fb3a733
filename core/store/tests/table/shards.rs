//! Leases, summaries and findings.

use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState};
use hlsops_store::{
    Beat, FindingRow, Lease, Leased, Minute, MinuteFindings, ShardId, StoreError, StreamId, Tile,
};

use crate::support::{NOW, Table, rendition_id, report, stream, writer};

const SHARD: ShardId = ShardId(7);

#[tokio::test]
async fn the_newest_epoch_has_the_lease() {
    let table = Table::new().await;
    let store = &table.store;
    let beat = |at| Beat { at: EpochMs(at), ends: Some(EpochMs(900)), streams: 3, weight: 2_500 };
    let take = async |name: &str, epoch| {
        store.take_lease(SHARD, &writer(name, epoch), beat(epoch)).await.expect("answer")
    };
    let holder = |leased: Leased| match leased {
        Leased::Held => None,
        Leased::Superseded(lease) => lease.holder,
    };
    let first = take("a", 1).await;
    report("take a lease", first.spent);
    assert_eq!(first.value, Leased::Held);
    assert_eq!(take("a", 1).await.value, Leased::Held, "a repeat");
    assert_eq!(holder(take("b", 1).await.value), Some(writer("a", 1)));
    let (c, d) = tokio::join!(take("c", 2), take("d", 2));
    assert!((c.value == Leased::Held) != (d.value == Leased::Held));
    assert_eq!(take("e", 3).await.value, Leased::Held);
    assert!(holder(take("late", 2).await.value).is_some());
    let lossy = table.lossy();
    assert_eq!(lossy.take_lease(SHARD, &writer("f", 4), beat(4)).await.expect("answer").value, Leased::Held);
    assert_eq!(lossy.beat(SHARD, &writer("f", 4), beat(9)).await.expect("answer").value, Leased::Held);
    let late = store.beat(SHARD, &writer("e", 3), beat(10)).await.expect("answer").value;
    assert_eq!(holder(late), Some(writer("f", 4)));
    let now = store.lease(SHARD, true).await.expect("answer").value.expect("there");
    assert_eq!(now, Lease { holder: Some(writer("f", 4)), beat: beat(9), changes: 0 });
    let nobody = store.beat(ShardId(8), &writer("e", 3), beat(10)).await.expect("answer").value;
    assert_eq!(nobody, Leased::Superseded(Lease::default()));
}

#[tokio::test]
async fn changes_are_counted_whoever_has_the_lease() {
    let table = Table::new().await;
    let store = &table.store;
    let lease = async || store.lease(SHARD, true).await.expect("answer").value.expect("there");
    let first = store.bump_shard(SHARD).await.expect("answer");
    report("bump a shard", first.spent);
    assert_eq!(lease().await, Lease { changes: 1, ..Lease::default() }, "before anybody watches");
    let me = writer("a", 1);
    let beat = Beat { at: EpochMs(5), ..Beat::default() };
    assert_eq!(store.take_lease(SHARD, &me, beat).await.expect("answer").value, Leased::Held);
    let bump = async || store.bump_shard(SHARD).await.expect("answer").value;
    tokio::join!(bump(), bump());
    assert_eq!(store.beat(SHARD, &me, beat).await.expect("answer").value, Leased::Held);
    assert_eq!(lease().await, Lease { holder: Some(me.clone()), beat, changes: 3 });
    assert_eq!(store.release_lease(SHARD, &me).await.expect("answer").value, Leased::Held);
    assert_eq!(lease().await, Lease { holder: Some(me), beat: Beat::default(), changes: 3 });
}

#[tokio::test]
async fn new_streams_spread_over_as_many_shards_as_there_are() {
    let table = Table::new().await;
    let store = &table.store;
    let id = |n| StreamId::new("acme", &format!("sports-{n}")).expect("valid");
    let place = async |n| store.place(&id(n)).await.expect("answer").value;
    assert_eq!(place(1).await, ShardId(0), "there is no plan");
    for count in [4, 3] {
        let _ = store.grow_shards(count).await.expect("answer");
    }
    assert_eq!(store.shard_count().await.expect("answer").value, 4, "never fewer");
    let mut counts = [0; 4];
    for n in 0..200 {
        counts[place(n).await.0 as usize] += 1;
    }
    assert!(counts.iter().all(|count| (30..=70).contains(count)), "{counts:?}");
}

fn tiles(count: usize) -> Vec<Tile> {
    let tile = |index| Tile {
        stream: StreamId::new("acme", &format!("sports-{index}")).expect("valid"),
        health: [HealthState::NoData, HealthState::Healthy, HealthState::Degraded, HealthState::Unhealthy]
            [index % 4],
        since: EpochMs(1_740_000_000_000),
        last_look: (index % 3 > 0).then_some(EpochMs(1_740_000_060_000)),
        incident: (index % 5 == 0).then_some(EpochMs(1_740_000_030_000)),
        playlist: if index % 4 == 3 { PlaylistState::Stalled } else { PlaylistState::Live },
        reasons: if index % 4 > 1 { vec!["3 segments lost (4.1 %)".into()] } else { Vec::new() },
        reasons_at: (index % 4 > 1).then_some(EpochMs(1_740_000_058_000)),
        weight: 900,
    };
    let mut tiles: Vec<Tile> = (0..count).map(tile).collect();
    tiles.sort_by(|a, b| a.stream.cmp(&b.stream));
    tiles
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
    assert_eq!(found, [findings(NOW, 1), findings(NOW, 5)]);
    let newest = table.store.findings(&id, NOW, NOW.next(), 1).await.expect("answer").value;
    assert_eq!(newest, [findings(NOW.next(), 4)], "the oldest go where there are too many");
    let found = table.store.findings(&id, NOW.next(), Minute(NOW.0 + 9), 10).await.expect("answer").value;
    assert_eq!(found, [findings(NOW.next(), 4)]);
}
