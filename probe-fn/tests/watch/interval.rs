//! Streams that are looked at now and then, over a real origin.

use hlsops_domain::HealthState;
use hlsops_origin::{SegmentLength, StreamSpec};
use hlsops_store::pack::What;
use hlsops_store::{Minute, Slot, StreamConfig, WatchMode};
use hlsops_watch::Clock;

use crate::support::{SHARD, seconds, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_stream_looked_at_now_and_then_has_no_finding() {
    let world = world(&[]).await;
    let names = SegmentLength::ALL.map(|segment| format!("s{}", segment.seconds()));
    for (segment, name) in SegmentLength::ALL.into_iter().zip(&names) {
        world.origin.add_stream(name, StreamSpec { segment, ..StreamSpec::DEFAULT }).unwrap();
        let config = StreamConfig { watch: WatchMode::Interval { every_s: 30 }, ..world.config(name) };
        let _saved = world.shared.store.save_stream(&config, SHARD).await.unwrap();
    }
    let (stop, watcher) = world.start(1);
    seconds(40).await;
    stop.send(()).unwrap();
    watcher.await.unwrap();
    let to = Minute::of(world.shared.clock.now()).next();
    for name in &names {
        let id = world.config(name).id;
        let minutes = world.shared.store.minutes(&id, Minute(0), to, 100).await.unwrap().value;
        let mut health = HealthState::NoData;
        for stored in minutes {
            let Slot::Watched { closing, log } = stored.slot else { continue };
            health = closing.health;
            let wrong = log.changes().iter().find(|change| match &change.what {
                What::Playlist { to, .. } => to.name() != "Live",
                What::Health { to, .. } => *to != HealthState::Healthy,
                What::NotWatched { .. } => false,
                _ => true,
            });
            assert!(wrong.is_none(), "{name}: {wrong:?}");
        }
        assert_eq!(health, HealthState::Healthy, "{name}");
        let asked = world.asked(name);
        assert!(asked.values().all(|times| *times <= 4), "{name}: a rendition asked twice: {asked:?}");
    }
    // Of each of the four renditions three segments a look and those until the first advance, while 20 are
    // published.
    let asked: usize = world.asked("s2").values().sum();
    assert!((4 * 3..4 * 12).contains(&asked), "{asked}");
}
