//! A watcher with an end is relieved stream by stream, in virtual time: nothing is fetched twice or left out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, TableSpec, ensure_table};
use hlsops_probe::{Network, Nudge, Shard, Shared, StreamError, watch_shard};
use hlsops_store::{Slot, Store, StreamConfig, Writer};
use hlsops_watch::{
    Cadences, Clock, PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, SystemClock, Transport,
};
use url::Url;

use crate::support::{self, SHARD, stream};

/// When a stream was asked for its playlist, or for a segment.
type Asked = Vec<(EpochMs, Option<u64>)>;

/// Streams of 2 s segments that are always well, and when each was asked for what.
#[derive(Clone)]
struct Script {
    clock: SystemClock,
    asked: Arc<Mutex<BTreeMap<String, Asked>>>,
}

const SEGMENT_MS: u64 = 2_000;
const TTFB: Duration = Duration::from_millis(20);

#[derive(Clone)]
struct Connection {
    script: Script,
    stream: String,
}

impl Connection {
    async fn asked(&self, sequence: Option<u64>) {
        let at = self.script.clock.now();
        self.script.asked.lock().unwrap().entry(self.stream.clone()).or_default().push((at, sequence));
        tokio::time::sleep(TTFB).await;
    }
}

impl Network for Script {
    type Transport = Connection;

    fn transport(&self, config: &StreamConfig, _: &Url) -> Result<Connection, StreamError> {
        Ok(Connection { script: self.clone(), stream: config.id.name().to_owned() })
    }
}

impl Transport for Connection {
    async fn playlist(&self, request: PlaylistRequest) -> PlaylistAnswer {
        self.asked(None).await;
        let newest = self.script.clock.now().0 / SEGMENT_MS;
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n", newest - 5);
        (newest - 5..=newest).for_each(|n| writeln!(text, "#EXTINF:2.0,\n{n}.ts").unwrap());
        let outcome = Ok(text.into_bytes());
        PlaylistAnswer { ttfb: TTFB, final_url: request.url, retry_after: None, outcome }
    }

    async fn segment(&self, request: SegmentRequest) -> SegmentAnswer {
        let name = request.url.path().trim_start_matches('/').trim_end_matches(".ts");
        self.asked(Some(name.parse().unwrap())).await;
        let (ttfb, download) = (TTFB, TTFB);
        SegmentAnswer { queue: Duration::ZERO, ttfb, download, bytes: 1, length_known: true, outcome: Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_near_its_end_hands_its_streams_over_one_by_one() {
    let engine = Engine::in_memory_inline().unwrap();
    ensure_table(&engine.client(), &TableSpec::new("hlsops")).await.unwrap();
    let clock = SystemClock::anchored(EpochMs(1_790_000_007_000));
    let network = Script { clock, asked: Arc::default() };
    let store = Store::new(engine.client(), "hlsops");
    let shared = Shared {
        store: store.clone(),
        network: network.clone(),
        clock,
        nudge: Nudge::default(),
        notice: Arc::default(),
        cadences: Cadences::default(),
    };
    let names: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
    for name in &names {
        let config = StreamConfig { url: "http://example.com/".into(), ..support::config(name, clock.now()) };
        let _saved = store.save_stream(&config, SHARD).await.unwrap();
    }
    let run = |epoch: u64, ends_s: u64, stop_s: u64| {
        let ends = Some(clock.now() + Duration::from_secs(ends_s));
        let shard = Shard { id: SHARD, writer: Writer { name: format!("run-{epoch}"), epoch }, ends };
        let stop = clock.now() + Duration::from_secs(stop_s);
        let until = async move { clock.sleep_until(stop).await };
        tokio::spawn(watch_shard(shared.clone(), shard, until))
    };
    let first = run(1, 200, 200);
    tokio::time::sleep(Duration::from_secs(70)).await;
    let second = run(2, 1_000, 120);
    let first = first.await.unwrap().unwrap();
    assert!(first.superseded && clock.now() < EpochMs(1_790_000_007_000) + Duration::from_secs(150));
    assert!(!second.await.unwrap().unwrap().superseded);

    for name in &names {
        let asked = network.asked.lock().unwrap()[name].clone();
        let segments: Vec<u64> = asked.iter().filter_map(|(_, sequence)| *sequence).collect();
        let row: Vec<u64> = (segments[0]..).take(segments.len()).collect();
        assert_eq!(segments, row, "{name}: each once");
        assert!(segments.len() > 90, "{name}: {}", segments.len());
        let pause = asked.windows(2).map(|pair| pair[1].0.since(pair[0].0)).max().unwrap();
        assert!(pause < Duration::from_secs(7), "{name} was left alone for {pause:?}");
        let minutes = store.newest_minutes(&stream(name), 10, true).await.unwrap().value;
        let gaps: Vec<_> = minutes.iter().filter(|stored| matches!(stored.slot, Slot::Gap(_))).collect();
        assert!(gaps.is_empty(), "{name}: {gaps:?}");
        let logs = minutes.iter().filter_map(|stored| match &stored.slot {
            Slot::Watched { log, .. } => Some(log),
            _ => None,
        });
        let rows = logs.flat_map(|log| log.renditions()).flat_map(|r| r.segments.iter());
        assert_eq!(rows.map(|row| row.sequence).collect::<Vec<_>>(), segments, "{name}: and stored once");
    }
}
