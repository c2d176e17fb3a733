//! Senders that race and die, a table that throttles and loses replies, receivers that are down a third of the
//! time: nothing is lost, repeats carry the same id, and each incident is told in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_engine::{Fault, FaultPlan};
use hlsops_notify::event::{ACKNOWLEDGED, OPENED, RESOLVED};
use hlsops_notify::{Answer, Destination, GIVE_UP_AFTER, Message, Publisher, Sender, Verdict};
use hlsops_store::{Channel, Store};

use crate::support::{NOW, Random, Table, channel, event};

const INCIDENTS: u64 = 12;
/// Two of every incident, and of every other a third.
const EVENTS: usize = 30;
const SENDERS: u64 = 3;

/// All receivers.
#[derive(Clone, Default)]
struct World {
    /// What arrived: where, and the event's id, in order.
    arrived: Arc<Mutex<Vec<(String, String)>>>,
    attempts: Arc<AtomicU64>,
}

impl Publisher for World {
    fn standing(&self) -> &[&str] {
        &["topic"]
    }

    async fn publish(&self, to: Destination<'_>, message: &Message, now: EpochMs) -> Answer {
        let to = match to {
            Destination::Channel(channel) => channel.id.as_str(),
            Destination::Standing(name) => name,
        };
        let nth = self.attempts.fetch_add(1, Relaxed);
        let mut random = Random(now.0 ^ nth.wrapping_mul(0x2545_f491_4f6c_dd1d));
        tokio::time::sleep(Duration::from_micros(random.below(500))).await;
        let (down, answer_lost) = (to == "chn_dead" || random.below(3) == 0, random.below(4) == 0);
        if !down {
            self.arrived.lock().unwrap().push((to.into(), message.id.clone()));
        }
        if down || answer_lost {
            return Answer::unsent("down");
        }
        Answer { took: Duration::ZERO, status: Some(200), text: String::new(), verdict: Verdict::Delivered }
    }
}

/// Of 100 calls, 16 go wrong; now and then the process dies before or after one.
fn faults(seed: u64) -> FaultPlan {
    FaultPlan::new(move |call| {
        match Random(seed ^ call.total.wrapping_mul(0x9e6c_63d0_876a_46ad)).below(1_000) {
            0..60 => Fault::LoseReply,
            60..80 => Fault::TimeOut,
            80..130 => Fault::Throttle,
            130..150 => Fault::Fail,
            150..160 => Fault::Conflict,
            160..164 => Fault::CrashBefore,
            164..168 => Fault::CrashAfter,
            _ => Fault::None,
        }
    })
}

/// One sender after the other under one name plate, until `end` of the clock.
async fn send(table: &Table, world: &World, clock: &AtomicU64, end: u64, seed: u64, deaths: &AtomicU64) {
    let mut life = 0;
    while clock.load(Relaxed) < end {
        life += 1;
        let plan = faults(seed * 1_000 + life);
        let sender = Sender::new(table.through(&plan), world.clone());
        let living = async {
            while clock.load(Relaxed) < end {
                // Short steps while things happen, then long ones through the day of retries.
                let step = if clock.load(Relaxed) < NOW.0 + 600_000 { 15_000 } else { 900_000 };
                let now = clock.fetch_add(step, Relaxed);
                // A sender whose table fails tries again at the next tick.
                let _ = sender.sweep(EpochMs(now)).await;
            }
        };
        tokio::select! {
            () = living => {}
            () = plan.crashed() => {
                deaths.fetch_add(1, Relaxed);
            }
        }
    }
}

/// Incidents come while the senders are at work.
async fn happen(store: &Store, clock: &AtomicU64) {
    for n in 0..INCIDENTS {
        let of = format!("inc:default:str_1:{n}");
        let at = EpochMs(clock.load(Relaxed));
        event(store, &of, 1, OPENED, at).await;
        if n % 2 == 0 {
            event(store, &of, 2, ACKNOWLEDGED, at).await;
        }
        tokio::time::sleep(Duration::from_millis(n % 5)).await;
        event(store, &of, 2 + u64::from(n % 2 == 0), RESOLVED, at).await;
    }
}

fn expected() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut expected: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for n in 0..INCIDENTS {
        let last = 2 + u64::from(n % 2 == 0);
        for seq in 1..=last {
            let id = format!("inc:default:str_1:{n}.{seq}");
            expected.entry("topic").or_default().insert(id.clone());
            expected.entry("chn_all").or_default().insert(id.clone());
            // Told of openings and ends only.
            if seq == 1 || seq == last {
                expected.entry("chn_some").or_default().insert(id);
            }
        }
    }
    expected
}

#[tokio::test]
async fn nothing_is_lost_and_every_incident_is_told_in_order() {
    let table = Table::new().await;
    let some = vec![OPENED.into(), RESOLVED.into()];
    for channel in [
        channel("chn_all", "https://a.example/"),
        Channel { events: some, ..channel("chn_some", "https://b.example/") },
        channel("chn_dead", "https://c.example/"),
    ] {
        let _ = table.store.save_channel(&channel).await.unwrap();
    }
    let world = World::default();
    let (clock, deaths) = (AtomicU64::new(NOW.0), AtomicU64::new(0));
    let end = NOW.0 + 26 * 3_600_000;
    let all = async {
        tokio::join!(
            happen(&table.store, &clock),
            send(&table, &world, &clock, end, 1, &deaths),
            send(&table, &world, &clock, end, 2, &deaths),
            send(&table, &world, &clock, end, SENDERS, &deaths),
        )
    };
    let ended = tokio::time::timeout(Duration::from_secs(120), all).await;
    let reached = EpochMs(clock.load(Relaxed)).since(NOW);
    assert!(ended.is_ok(), "nobody gets ahead: {reached:?}, {} attempts", world.attempts.load(Relaxed));
    finish(&table, &world, end).await;

    let arrived = world.arrived.lock().unwrap().clone();
    let mut first: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (at, (to, id)) in arrived.iter().enumerate() {
        first.entry((to, id)).or_insert(at);
    }
    let expected = expected();
    let wanted: usize = expected.values().map(BTreeSet::len).sum();
    for (to, ids) in &expected {
        let got: BTreeSet<String> =
            first.keys().filter(|(at, _)| at == to).map(|(_, id)| (*id).to_owned()).collect();
        assert_eq!(&got, ids, "{to}");
    }
    assert_eq!(first.len(), wanted, "and nobody else got any");
    for ((to, id), at) in &first {
        let (of, seq) = id.rsplit_once('.').unwrap();
        for before in 1..seq.parse::<u64>().unwrap() {
            let before = format!("{of}.{before}");
            let earlier = first.get(&(*to, before.as_str()));
            assert!(earlier.is_none_or(|earlier| earlier < at), "{id} at {to} before {before}");
        }
    }
    check_table(&table.store, end).await;
    let (repeats, deaths) = (arrived.len() - wanted, deaths.load(Relaxed));
    println!(
        "{wanted} letters, {repeats} repeats, {deaths} deaths, {} attempts",
        world.attempts.load(Relaxed)
    );
    assert!(repeats > 10 && deaths > 10, "{repeats} repeats, {deaths} deaths: nothing went wrong");
}

/// Long enough after the end for every letter to be delivered or given up, without faults.
async fn finish(table: &Table, world: &World, end: u64) {
    let sender = Sender::new(table.store.clone(), world.clone());
    let mut now = EpochMs(end);
    for _ in 0..3 * 26 {
        now = now + Duration::from_secs(3_600);
        sender.sweep(now).await.unwrap();
    }
}

/// Everything is settled, and what was given up was given up after a day.
async fn check_table(store: &Store, end: u64) {
    let later = EpochMs(end + 400 * 3_600_000);
    assert_eq!(store.due_notices(later, 10).await.unwrap().value.items, []);
    assert_eq!(store.due_letters(later, 10).await.unwrap().value.items, []);
    for n in 0..INCIDENTS {
        let of = format!("inc:default:str_1:{n}");
        let rows = store.notices(&of, 10).await.unwrap().value;
        assert!(rows.iter().all(|row| row.sent.is_some()), "{rows:?}");
        let dead = store.letters(&of, "chn_dead", 10).await.unwrap().value;
        assert_eq!(dead.len(), rows.len());
        for letter in &dead {
            let (ended, delivered) = letter.done.unwrap();
            assert!(!delivered, "{letter:?}");
            let tried = ended.since(letter.since);
            assert!(tried > GIVE_UP_AFTER.mul_f64(0.8), "{tried:?} {letter:?}");
        }
        for channel in ["chn_all", "chn_some", "topic"] {
            let letters = store.letters(&of, channel, 10).await.unwrap().value;
            assert!(letters.iter().all(|letter| letter.done.is_some_and(|(_, delivered)| delivered)));
        }
    }
    let (inbox, _) = store.inbox("default", None, 500).await.unwrap().value;
    let events: BTreeSet<_> = inbox.iter().map(|entry| &entry.event).collect();
    assert_eq!((inbox.len(), events.len()), (EVENTS, EVENTS), "each event once");
}
