//! Watchers that race, die and lose replies, over streams that fail, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, Fault as CallFault, FaultPlan, TableSpec, ensure_table};
use hlsops_probe::{Nudge, Scope, Shared, WorkMessage, dispatch, watch_shard};
use hlsops_store::{Retry, Segments, ShardId, Store, StreamConfig, StreamId, WatchMode};
use hlsops_watch::{Cadences, Clock, SystemClock};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::origin::{Fault, Kind, Origin, VirtualStream};
use crate::random::Random;

/// Virtual time begins here.
pub(crate) const BEGIN: EpochMs = EpochMs(1_800_000_000_000);
/// A watcher's life where nothing happens to it.
const LIFE_MS: u64 = 15 * 60_000;
const SHARD: ShardId = ShardId(0);
/// The last watcher, which nothing happens to, watches for this long.
pub(crate) const QUIET_MS: u64 = 8 * 60_000;

/// What a simulation is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) streams: usize,
    pub(crate) minutes: u64,
    /// Clocks of watchers are up to 5 minutes off.
    pub(crate) clock_steps: bool,
    /// Watchers die, ticks are late, double or missing, and the table fails.
    pub(crate) chaos: bool,
}

/// A simulation that has ended.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) origin: Origin,
    /// The table, without faults.
    pub(crate) store: Store,
    pub(crate) configs: Vec<StreamConfig>,
    /// Watchers that were started.
    pub(crate) runs: u64,
    /// When the last watcher stopped looking.
    pub(crate) ended_ms: u64,
    engine: Engine,
}

impl World {
    /// Runs it to its end.
    pub(crate) async fn run(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed, 1);
        let streams: Vec<VirtualStream> =
            (0..plan.streams).map(|nth| stream(nth, plan.minutes, &mut random)).collect();
        let configs = streams.iter().enumerate().map(|(nth, s)| config(nth, s)).collect();
        Self::run_with(plan, streams, configs, random).await
    }

    /// Runs it with these streams.
    pub(crate) async fn run_with(
        plan: Plan,
        streams: Vec<VirtualStream>,
        configs: Vec<StreamConfig>,
        mut random: Random,
    ) -> Self {
        let engine = Engine::in_memory_inline().unwrap();
        ensure_table(&engine.client(), &TableSpec::new("hlsops")).await.unwrap();
        let store = Store::new(engine.client(), "hlsops");
        for config in &configs {
            let _saved = store.save_stream(config, SHARD).await.unwrap();
        }
        let origin = Origin { streams: Arc::new(streams), began: Instant::now() };
        let mut world = Self { plan, origin, store, configs, runs: 0, ended_ms: 0, engine };
        world.watch(&mut random).await;
        world
    }

    async fn watch(&mut self, random: &mut Random) {
        let chaos = self.plan.chaos;
        let mut runs = JoinSet::new();
        let mut sent: Vec<WorkMessage> = Vec::new();
        for minute in 0..self.plan.minutes {
            let now = minute * 60_000;
            let mut due: Vec<(u64, WorkMessage)> = Vec::new();
            if !chaos || minute == 0 || random.permille(920) {
                let scope = if chaos && random.permille(250) { Scope::All } else { Scope::Missing };
                for message in self.tick(scope, random).await {
                    sent.push(message);
                    due.push((now + random.within(0..3_000), message));
                    if chaos && random.permille(150) {
                        due.push((now + random.within(0..6_000), message));
                    }
                }
            }
            if chaos && random.permille(60) {
                due.push((now + random.within(0..50_000), random.one_of(&sent)));
            }
            due.sort_by_key(|(at, _)| *at);
            for (at, message) in due {
                self.wait_until(at).await;
                self.runs += 1;
                runs.spawn(self.one_run(message, random.next()));
            }
            self.wait_until(now + 60_000).await;
            while runs.try_join_next().is_some() {}
        }
        // Whoever still runs has to make room.
        self.quiet().await;
    }

    /// The messages of a tick, whose clock may be wrong as well.
    async fn tick(&self, scope: Scope, random: &mut Random) -> Vec<WorkMessage> {
        let clock = self.shared(self.store.clone(), self.clock_error(random)).clock;
        dispatch(&self.store, clock.now(), scope).await.unwrap().messages
    }

    /// By how many milliseconds a clock is ahead.
    fn clock_error(&self, random: &mut Random) -> i64 {
        let wrong = self.plan.clock_steps && random.permille(500);
        let error = if wrong { random.within(0..600_001) } else { 300_000 };
        i64::try_from(error).unwrap() - 300_000
    }

    async fn wait_until(&self, ms: u64) {
        tokio::time::sleep_until(self.origin.began + Duration::from_millis(ms)).await;
    }

    /// The last watcher.
    async fn quiet(&mut self) {
        let mut watchers = JoinSet::new();
        for message in self.tick(Scope::All, &mut Random::new(0, 0)).await {
            let shared = self.shared(self.store.clone(), 0);
            let until = tokio::time::sleep(Duration::from_millis(QUIET_MS));
            watchers.spawn(watch_shard(shared, message.shard("quiet", None), until));
        }
        while let Some(ended) = watchers.join_next().await {
            assert!(!ended.unwrap().unwrap().superseded, "{:?}", self.plan);
        }
        self.ended_ms = self.origin.ms();
    }

    /// A watcher that may die anywhere: at a moment, or in a call of the table.
    fn one_run(&self, message: WorkMessage, seed: u64) -> impl Future<Output = ()> + Send + use<> {
        let mut random = Random::new(seed, 2);
        let chaos = self.plan.chaos;
        let plan = if chaos { call_faults(seed, self.origin.clone()) } else { FaultPlan::none() };
        let retry = Retry { attempts: 6, base: Duration::ZERO, cap: Duration::ZERO };
        let store = Store::new(self.engine.client_with(&plan), "hlsops").with_retry(retry);
        let off =
            if self.plan.clock_steps && random.permille(500) { random.within(0..600_001) } else { 300_000 };
        let shared = self.shared(store, i64::try_from(off).unwrap() - 300_000);
        let life = Duration::from_millis(if chaos { random.within(60_000..840_000) } else { LIFE_MS });
        let ends = (!chaos || random.permille(600)).then(|| shared.clock.now() + life);
        let shard = message.shard(format!("run-{seed:016x}"), ends);
        let death = if chaos && random.permille(500) { random.within(0..600_000) } else { u64::MAX / 4 };
        async move {
            let watching = watch_shard(shared, shard, tokio::time::sleep(life));
            tokio::select! {
                biased;
                () = tokio::time::sleep(Duration::from_millis(death)) => {}
                () = plan.crashed() => {}
                _ = watching => {}
            }
        }
    }

    fn shared(&self, store: Store, off_ms: i64) -> Shared<SystemClock, Origin> {
        let now = (BEGIN.0 + self.origin.ms()).saturating_add_signed(off_ms);
        let clock = SystemClock::anchored(EpochMs(now));
        Shared {
            store,
            network: self.origin.clone(),
            clock,
            nudge: Nudge::default(),
            notice: Arc::default(),
            cadences: Cadences::default(),
        }
    }
}

/// Every call takes its time, and of 1,000 calls some 100 go wrong. Now and then the table throttles nearly
/// everything for a while.
fn call_faults(seed: u64, origin: Origin) -> FaultPlan {
    FaultPlan::new(move |call| {
        let mut random = Random::new(seed ^ call.total, 3);
        let burst = Random::new(seed, 4 + origin.ms() / 30_000).permille(15);
        if burst && random.permille(900) {
            return CallFault::Throttle;
        }
        match random.within(0..1_000) {
            0..30 => CallFault::LoseReply,
            30..40 => CallFault::TimeOut,
            40..70 => CallFault::Throttle,
            70..80 => CallFault::Fail,
            80..90 => CallFault::Conflict,
            90..92 => CallFault::CrashBefore,
            92..94 => CallFault::CrashAfter,
            _ => CallFault::Delay(Duration::from_millis(random.within(1..40))),
        }
    })
}

/// Every third stream is healthy, every fifth is looked at once a minute, every seventh without its segments.
fn stream(nth: usize, minutes: u64, random: &mut Random) -> VirtualStream {
    let target = random.one_of(&[2, 4, 6, 10, 10, 10]);
    let window = usize::try_from(random.within(4..10)).unwrap();
    let tracks = random.one_of(&[1, 1, 1, 2, 2, 3]);
    let faults = if nth.is_multiple_of(3) { Vec::new() } else { faults(tracks, minutes * 60_000, random) };
    let audio = tracks > 1 && random.permille(500);
    VirtualStream::new(&format!("s{nth}"), (target, window), (tracks, audio), faults, length(minutes))
}

/// How long streams of a simulation of so many minutes go on.
pub(crate) const fn length(minutes: u64) -> u64 {
    minutes * 60_000 + QUIET_MS + 120_000
}

fn faults(tracks: usize, length: u64, random: &mut Random) -> Vec<Fault> {
    let count = random.within(1..5);
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..count {
        let kind = match random.within(0..8) {
            0 => Kind::Status(random.one_of(&[404, 500, 503])),
            1 => Kind::Hang,
            2 | 3 => Kind::Missing,
            4 => Kind::Pause,
            5 => Kind::OlderCopy,
            6 => Kind::Jump(random.within(2..200)),
            _ => Kind::Restart,
        };
        let from = random.within(30_000..length);
        let lasts = random.within(5_000..300_000);
        let one = usize::try_from(random.within(0..tracks as u64)).unwrap();
        let track = random.permille(500).then_some(one);
        faults.push(Fault { kind, track, from, to: (from + lasts).min(length) });
    }
    faults
}

fn config(nth: usize, stream: &VirtualStream) -> StreamConfig {
    let segments = if nth % 7 == 6 { Segments::None } else { Segments::Full };
    let watch = if nth % 5 == 4 { WatchMode::Interval { every_s: 60 } } else { WatchMode::Continuous };
    StreamConfig { segments, ..config_of(stream, watch) }
}

/// Everything as it is by default.
pub(crate) fn config_of(stream: &VirtualStream, watch: WatchMode) -> StreamConfig {
    let id = StreamId::new("default", &stream.name).unwrap();
    StreamConfig { watch, ..StreamConfig::new(id, stream.url(), BEGIN) }
}
