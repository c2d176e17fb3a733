//! Watchers that race, die and lose replies, and senders that do the same, over some thousand minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hlsops_domain::{Closing, EpochMs, MediaUs};
use hlsops_engine::{Fault, FaultPlan};
use hlsops_store::pack::{MinuteLog, SegmentRow};
use hlsops_store::{
    Claim, Closed, Content, IncidentId, Minute, NewIncident, Opened, Outcome, Resolution, Saved, Slot, Store,
    StoreError, StreamId, TakeOver, Writer,
};

use crate::support::{NOW, Random, Table, closing, notice, rendition_id, writer};

const PER_MINUTE: u64 = 4;
const CHANNEL: &str = "chn_1";
/// How long a sender's claim on a letter lasts.
const CLAIM_MS: u64 = 1_000;

/// One stream, its origin, and all who watch it.
struct World {
    stream: StreamId,
    store: Store,
    /// Minutes since `NOW`.
    now: AtomicU64,
    minutes: u64,
    epoch: AtomicU64,
    /// Transitions that a call has answered for: incident, and whether it was opened.
    made: Mutex<Vec<(IncidentId, bool)>>,
    /// Message ids in the order in which they were published.
    published: Mutex<Vec<String>>,
}

/// The run is over: it lost, or it died.
struct Over;

impl From<StoreError> for Over {
    fn from(error: StoreError) -> Self {
        let expected = matches!(
            error,
            StoreError::Throttled { .. }
                | StoreError::Unanswered { .. }
                | StoreError::Contended { .. }
                | StoreError::MinutePassed { .. }
        );
        assert!(expected, "{error}");
        Self
    }
}

impl World {
    /// The last sequence number published by the end of `minute`.
    fn published_to(minute: Minute) -> u64 {
        (minute.0 - NOW.0 + 1) * PER_MINUTE
    }

    fn is_bad(minute: Minute) -> bool {
        Random(minute.0 / 5).below(3) == 0
    }

    async fn watch(&self, seed: u64) {
        let mut random = Random(seed);
        while self.now.load(Relaxed) < self.minutes {
            let epoch = self.epoch.fetch_add(1, Relaxed);
            let me = writer(&format!("w{epoch}"), epoch);
            let life = Duration::from_micros(5_000 + random.below(400_000));
            // A run that dies does so at whatever it is waiting for.
            let _ = tokio::time::timeout(life, self.run(&me, &mut random)).await;
            // Watchers that take over from each other all the time would get nothing done.
            tokio::time::sleep(Duration::from_millis(random.below(500))).await;
        }
    }

    async fn run(&self, me: &Writer, random: &mut Random) -> Result<(), Over> {
        let start = Minute(NOW.0 + self.now.load(Relaxed));
        let over = self.store.take_over(&self.stream, me, start).await?.value;
        let TakeOver::Taken(mut taken) = over else { return Err(Over) };
        let mut state = taken.closing().cloned();
        let (mut log, mut incident) = (MinuteLog::new(Minute(0)), None);
        while self.now.load(Relaxed) < self.minutes {
            let minute = taken.chain.minute_at(Minute(NOW.0 + self.now.load(Relaxed)));
            if log.minute() != minute {
                log = taken.log(minute);
            }
            let next = look(state.as_ref(), minute, &mut log);
            let content = Content { closing: &next, log: &log };
            let saved = self.store.save_minute(&mut taken.chain, minute, content).await?.value;
            let Saved::Saved = saved else { return Err(Over) };
            state = Some(next);
            if incident != Some(Self::is_bad(minute)) {
                self.settle(minute, me).await?;
                incident = Some(Self::is_bad(minute));
            }
            if random.below(3) > 0 {
                self.now.fetch_add(1 + u64::from(random.below(12) == 0) * 4, Relaxed);
            }
        }
        Ok(())
    }

    /// Makes the incident what the minute asks for, however often it takes.
    async fn settle(&self, minute: Minute, me: &Writer) -> Result<(), Over> {
        let at = minute.start();
        let pointer = self.store.incident_pointer(&self.stream).await?.value;
        match (&pointer.open, Self::is_bad(minute)) {
            (None, true) => {
                let new = NewIncident {
                    at,
                    stream_name: "Sports 1",
                    trigger: "unhealthy",
                    title: "",
                    notice: notice("opened", at.0),
                };
                let opened = self.store.open_incident(&self.stream, pointer.version, &new, me).await?.value;
                if let Opened::Opened(id) = opened {
                    self.note(id, true);
                }
            }
            (Some((id, _)), false) => {
                let resolution = Resolution { at, note: "", notice: notice("resolved", at.0) };
                let closed = self.store.close_incident(&self.stream, &pointer, &resolution, me).await?.value;
                if closed == Closed::Closed {
                    self.note(id.clone(), false);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&self, id: IncidentId, opened: bool) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push((id, opened));
    }

    /// Publishes what is due, dying now and then between publishing and marking. `until_empty` goes on until
    /// nothing is left: each turn is then longer than a claim lasts, so that what is claimed comes up again.
    async fn send(&self, seed: u64, clock: &AtomicU64, until_empty: bool) {
        let mut random = Random(seed);
        let me = writer(&format!("s{seed}"), 0);
        loop {
            let turn = if until_empty { 2 * CLAIM_MS } else { CLAIM_MS / 2 };
            let now = clock.fetch_add(turn, Relaxed) + turn;
            if !until_empty {
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            let rows = self.store.due_notices(EpochMs(now), 20).await.map(|due| due.value.items);
            for row in rows.iter().flatten() {
                let _ = self.store.address(row, &[CHANNEL], EpochMs(now)).await;
            }
            let due = self.store.due_letters(EpochMs(now), 20).await.map(|due| due.value.items);
            let done = self.now.load(Relaxed) >= self.minutes;
            let empty = matches!((&rows, &due), (Ok(rows), Ok(due)) if rows.is_empty() && due.is_empty());
            if done && (!until_empty || empty) {
                return;
            }
            for letter in due.unwrap_or_default() {
                let until = EpochMs(now + CLAIM_MS);
                let Ok(claim) = self.store.claim_letter(&letter, &me, EpochMs(now), until).await else {
                    continue;
                };
                let Claim::Claimed(letter) = claim.value else { continue };
                self.published.lock().unwrap_or_else(PoisonError::into_inner).push(letter.event());
                if random.below(4) > 0 {
                    let _ = self.store.settle_letter(&letter, &me, Outcome::Delivered, EpochMs(now)).await;
                }
            }
        }
    }

    /// What must hold at the end.
    async fn check(&self, store: &Store) -> u64 {
        let end = Minute(NOW.0 + self.minutes + 100);
        let chain = store.minutes(&self.stream, Minute(0), end, 100_000).await.expect("answer").value;
        let (mut next, mut expected, mut epoch) = (chain[0].minute, 1, 0);
        for stored in &chain {
            assert_eq!(stored.minute, next, "a hole or a fork");
            assert!(stored.holder.epoch >= epoch, "an older epoch wrote later");
            (next, epoch) = (stored.next(), stored.holder.epoch);
            let Slot::Watched { closing, log } = &stored.slot else { continue };
            for row in log.renditions().iter().flat_map(|rendition| &rendition.segments) {
                assert_eq!(row.sequence, expected, "lost or counted twice in minute {}", stored.minute.0);
                expected += 1;
            }
            assert_eq!(closing.renditions[0].obtained_to, Some(expected - 1));
        }
        self.check_incidents(store).await;
        chain.len() as u64
    }

    async fn check_incidents(&self, store: &Store) {
        let mut incidents = store.incidents(&self.stream, 10_000).await.expect("answer").value;
        incidents.sort_by_key(|incident| incident.version);
        let pointer = store.incident_pointer(&self.stream).await.expect("answer").value;
        let mut version = 1;
        let mut free_from = EpochMs(0);
        let mut transitions = BTreeSet::new();
        for incident in &incidents {
            assert_eq!(incident.version, version, "an incident without its number");
            assert!(incident.opened >= free_from, "two open at once");
            let open = pointer.open.as_ref().is_some_and(|(id, _)| *id == incident.id);
            assert_eq!(incident.closed.is_none(), open, "{incident:?}");
            free_from = incident.closed.unwrap_or(EpochMs(u64::MAX));
            transitions.insert((incident.id.clone(), true));
            transitions.extend(incident.closed.map(|_| (incident.id.clone(), false)));
            version += 2;
            let rows = store.notices(incident.id.as_str(), 10).await.expect("answer").value;
            let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
            let told = if open { &["opened"][..] } else { &["opened", "resolved"] };
            assert_eq!(kinds, told, "every transition has its row");
            assert!(rows.iter().all(|row| row.sent.is_some()), "a row was never sent: {rows:?}");
        }
        assert_eq!(pointer.version, transitions.len() as u64);
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answered: BTreeSet<_> = made.iter().cloned().collect();
        assert_eq!(answered.len(), made.len(), "two watchers were told that they made the same transition");
        assert!(answered.is_subset(&transitions), "an answered transition is gone");
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, id) in published.iter().enumerate() {
            first.entry(id).or_insert(at);
        }
        assert_eq!(first.len(), transitions.len(), "every transition was published");
        for incident in &incidents {
            let at = |seq: u64| first.get(format!("{}.{seq}", incident.id).as_str());
            assert!(at(2).is_none_or(|resolved| at(1).is_some_and(|opened| opened < resolved)));
        }
    }
}

/// What a look brings: everything published since the state was saved.
fn look(state: Option<&Closing>, minute: Minute, log: &mut MinuteLog) -> Closing {
    let from = state.and_then(|state| state.renditions[0].obtained_to).unwrap_or_default();
    let to = World::published_to(minute);
    for sequence in from + 1..=to {
        let row = SegmentRow {
            at: minute.start(),
            sequence,
            media: MediaUs(15_000_000),
            bytes: 1,
            ttfb_ms: 1,
            download_ms: 1,
            paced: false,
            attempt: 1,
            failure: None,
            last: true,
        };
        log.attempted(Some(rendition_id(0)), row);
    }
    let mut next = closing(minute, 1);
    next.renditions[0].obtained_to = Some(to.max(from));
    next
}

/// Of 100 calls, 18 go wrong.
fn faults(seed: u64) -> FaultPlan {
    FaultPlan::new(move |call| {
        match Random(seed ^ call.total.wrapping_mul(0x2545_f491_4f6c_dd1d)).below(100) {
            0..6 => Fault::LoseReply,
            6..8 => Fault::TimeOut,
            8..14 => Fault::Throttle,
            14..16 => Fault::Fail,
            16..18 => Fault::Conflict,
            _ => Fault::None,
        }
    })
}

#[tokio::test]
async fn racing_watchers_and_senders_lose_nothing_and_double_nothing() {
    let table = Table::new().await;
    let (mut minutes, mut incidents, mut runs) = (0, 0, 0);
    for seed in 0..8 {
        let world = World {
            stream: StreamId::new("acme", &format!("s{seed}")).expect("valid"),
            store: table.through(&faults(seed)),
            now: AtomicU64::new(0),
            minutes: 250,
            epoch: AtomicU64::new(1),
            made: Mutex::default(),
            published: Mutex::default(),
        };
        let clock = AtomicU64::new(NOW.start().0 + 86_400_000);
        let all = async {
            tokio::join!(
                world.watch(seed * 3),
                world.watch(seed * 3 + 1),
                world.watch(seed * 3 + 2),
                world.send(seed * 2 + 100, &clock, false),
                world.send(seed * 2 + 101, &clock, false),
            )
        };
        let ended = tokio::time::timeout(Duration::from_secs(120), all).await;
        assert!(ended.is_ok(), "seed {seed}: nobody gets ahead");
        let clear = World { store: table.store.clone(), ..world };
        clear.send(seed + 500, &clock, true).await;
        minutes += clear.check(&table.store).await;
        incidents += clear.store.incident_pointer(&clear.stream).await.expect("answer").value.version;
        runs += clear.epoch.load(Relaxed);
    }
    println!("{minutes} items of minutes, {incidents} transitions, {runs} runs of watchers");
    assert!(minutes > 1_000 && incidents > 50, "{minutes} {incidents}");
}
