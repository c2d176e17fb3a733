//! What the tests share: a table in memory, writers, states and logs.

use std::time::Duration;

use hlsops_domain::buffer::{BufferClosing, Phase};
use hlsops_domain::incident::Incident;
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{Closing, EpochMs, HealthState, MediaUs, RenditionClosing, RenditionId};
use hlsops_engine::{Engine, Fault, FaultPlan};
use hlsops_store::pack::{MinuteLog, SegmentRow};
use hlsops_store::{Minute, Notice, Retry, Spent, Store, StreamId, TakeOver, Taken, Writer};

pub(crate) const NOW: Minute = Minute(29_000_000);

pub(crate) struct Table {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let engine = Engine::in_memory().expect("SQLite");
        let store = Store::new(engine.client(), "hlsops");
        store.ensure_table().await.expect("table");
        Self { engine, store }
    }

    /// The same table through these faults.
    pub(crate) fn through(&self, plan: &FaultPlan) -> Store {
        let retry = Retry { attempts: 8, base: Duration::from_micros(1), cap: Duration::from_micros(50) };
        Store::new(self.engine.client_with(plan), "hlsops").with_retry(retry)
    }

    /// The same table where every first reply is lost and every second call is throttled.
    pub(crate) fn lossy(&self) -> Store {
        self.through(&FaultPlan::new(|call| match call.total % 3 {
            1 => Fault::LoseReply,
            2 => Fault::Throttle,
            _ => Fault::None,
        }))
    }
}

pub(crate) fn stream() -> StreamId {
    StreamId::new("acme", "sports-1").expect("valid")
}

pub(crate) fn writer(name: &str, epoch: u64) -> Writer {
    Writer { name: name.into(), epoch }
}

pub(crate) fn notice(kind: &'static str, at: u64) -> Notice<'static> {
    Notice { at: EpochMs(at), kind, body: "{}" }
}

/// Takes the chain or fails.
#[track_caller]
pub(crate) fn taken(outcome: TakeOver) -> Taken {
    match outcome {
        TakeOver::Taken(taken) => *taken,
        TakeOver::Lost(holder) => panic!("lost to {holder:?}"),
    }
}

/// A small random sequence, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % most.max(1)
    }
}

/// A usual minute: `renditions` of `segments` each, with the jitter of real ones.
pub(crate) fn log(minute: Minute, renditions: u64, segments: u64) -> MinuteLog {
    let mut random = Random(minute.0);
    let mut log = MinuteLog::new(minute);
    let period = 60_000 / segments.max(1);
    for index in 0..renditions {
        let id = rendition_id(index);
        for nth in 0..segments {
            let ttfb_ms = 20 + random.below(40);
            let row = SegmentRow {
                at: EpochMs(minute.start().0 + nth * period + 300 + random.below(200)),
                sequence: minute.0 * segments + nth,
                media: MediaUs(period * 1_000),
                bytes: (index + 1) * 400_000 + random.below((index + 1) * 60_000),
                ttfb_ms,
                download_ms: ttfb_ms + 100 + random.below(200),
                paced: false,
                attempt: 1,
                failure: None,
                last: true,
            };
            log.attempted(Some(id), row);
            log.loaded(id, Some(Duration::from_millis(20 + random.below(30))));
        }
    }
    log
}

pub(crate) fn rendition_id(index: u64) -> RenditionId {
    RenditionId((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A usual state at the end of a minute.
pub(crate) fn closing(minute: Minute, renditions: u64) -> Closing {
    let mut random = Random(minute.0);
    let now = EpochMs(minute.next().start().0 - 900);
    let began = EpochMs(now.0 - 86_400_000 * 3);
    let rendition = |index| {
        let first = minute.0 * 15;
        RenditionClosing {
            id: rendition_id(index),
            attributes: rendition_id(index).0.rotate_left(32),
            playlist: PlaylistState::Live,
            playlist_since: EpochMs(began.0 + 4_312),
            was_live: true,
            failed_loads: 0,
            loaded_at: Some(EpochMs(now.0 - random.below(4_000))),
            changed_at: Some(EpochMs(now.0 - random.below(4_000))),
            last_look: Some(EpochMs(now.0 - random.below(4_000))),
            target: MediaUs(4_000_000),
            remembered: (0..16).map(|n| (first + n, random.below(u64::MAX))).collect(),
            unsettled: Vec::new(),
            consecutive_lost: 0,
            obtained_to: Some(first + 15),
            dry_reported: false,
            buffer: buffer(now, began, random.below(4_000_000)),
        }
    };
    Closing {
        began_at: began,
        last_look: Some(now),
        health: HealthState::Healthy,
        health_since: EpochMs(began.0 + 12_345),
        incident: Incident::None,
        master: (0, None),
        renditions: (0..renditions).map(rendition).collect(),
    }
}

fn buffer(now: EpochMs, began: EpochMs, level: u64) -> BufferClosing {
    BufferClosing {
        phase: Phase::Playing,
        at: now,
        began_at: EpochMs(began.0 + 700),
        level: MediaUs(9_000_000 + level),
        start_level: MediaUs(12_000_000),
        target: MediaUs(4_000_000),
        ended: false,
        consistent_since: Some(EpochMs(began.0 + 8_700)),
        empty_since: None,
        last_completion: EpochMs(now.0 - level / 1_000),
        waited: Duration::ZERO,
        condition: Duration::ZERO,
        consistent_run: Duration::ZERO,
        accumulated: Duration::ZERO,
    }
}

/// Prints what something cost.
#[expect(clippy::print_stdout, reason = "costs are to be read, not only asserted")]
pub(crate) fn report(what: &str, spent: Spent) {
    println!("{what}: {} write units, {} read units", spent.write_units, spent.read_units);
}
