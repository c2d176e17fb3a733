//! Which shards need a watcher: asked once a minute, answered from leases alone.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use hlsops_domain::EpochMs;
use hlsops_store::{Lease, Minute, ShardId, Spent, Store, StoreError, Writer};
use serde::{Deserialize, Serialize};

use crate::rebalance::{self, Capacity};
use crate::shard::{MISSING, Shard};

/// A shard to be watched. As JSON it is what the work queue carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkMessage {
    /// Which shard.
    pub shard: u32,
    /// The lease epoch to watch it with. Of several messages for a shard the one with the newest wins.
    pub epoch: u64,
    /// The minute of the tick, since 1970.
    pub scheduled_minute: u64,
}

impl WorkMessage {
    /// Minutes after which a message counts for nothing: later ticks have sent newer ones.
    pub const MAX_AGE: u64 = 2;

    /// Is too old to be acted upon.
    #[must_use]
    pub const fn is_stale(&self, now: EpochMs) -> bool {
        Minute::of(now).0.saturating_sub(self.scheduled_minute) > Self::MAX_AGE
    }

    /// What to hand to [`crate::watch_shard`]: the run's unique name, and when it must have ended.
    #[must_use]
    pub fn shard(&self, name: impl Into<String>, ends: Option<EpochMs>) -> Shard {
        let writer = Writer { name: name.into(), epoch: self.epoch };
        Shard { id: ShardId(self.shard), writer, ends }
    }
}

/// Which shards to find watchers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those whose watcher is missing or nears its end.
    Missing,
    /// All that have streams, whatever their leases say: for a program that has just started and has the
    /// table to itself, so that it need not wait until watchers killed with it are missed.
    All,
}

/// What a tick found.
#[derive(Clone, Debug)]
pub struct Dispatched {
    /// To be sent; empty when every shard is watched.
    pub messages: Vec<WorkMessage>,
    /// Shards there are.
    pub shards: u32,
    /// Those with a living watcher.
    pub watched: usize,
    /// Streams those watch, as far as they have said.
    pub streams: u64,
    /// Streams moved to other shards.
    pub moved: usize,
    /// What the table charged.
    pub spent: Spent,
}

/// Lease reads under way at a time.
const AT_ONCE: usize = 16;

/// A watcher's successor is sent for this long before its end: a tick may be a minute late, and a hand-over
/// takes another.
const RELIEF: Duration = Duration::from_secs(150);

/// Finds the shards that need a watcher, and moves streams away from those that have too many.
///
/// Cost: half a read unit for each shard, and as much for each that needs a watcher. What streams there are
/// is read only when a shard is overloaded.
///
/// Ticks may come twice, late, or not at all: of two watchers sent in a minute the first wins, and what one
/// tick misses the next one finds.
///
/// # Errors
/// Whatever the table says; nothing is to be sent then.
pub async fn dispatch(store: &Store, now: EpochMs, scope: Scope) -> Result<Dispatched, StoreError> {
    let mut spent = Spent::default();
    let shards = store.shard_count().await?.add_to(&mut spent);
    let leases: Vec<Lease> = stream::iter(0..shards)
        .map(|shard| async move { store.lease(ShardId(shard), false).await })
        .buffered(AT_ONCE)
        .map_ok(|lease| lease.add_to(&mut spent).unwrap_or_default())
        .try_collect()
        .await?;
    let due: Vec<u32> = (0..).zip(&leases).filter(|(_, l)| is_due(l, now, scope)).map(|(n, _)| n).collect();
    let wanted: BTreeSet<u32> = stream::iter(due)
        .map(|shard| async move { Ok((shard, store.has_streams(ShardId(shard)).await?)) })
        .buffered(AT_ONCE)
        .try_filter_map(|(shard, has)| {
            let has = has.add_to(&mut spent);
            async move { Ok::<_, StoreError>(has.then_some(shard)) }
        })
        .try_collect()
        .await?;
    let balanced = rebalance::rebalance(store, &leases, Capacity::default()).await?.add_to(&mut spent);
    // Epochs of different shards stand in no order: who gets a stream must be newer than who gives it.
    let newest = leases.iter().filter_map(epoch).max().unwrap_or_default();
    let messages = balanced
        .receivers
        .iter()
        .map(|shard| (*shard, newest))
        .chain(wanted.into_iter().map(|shard| (shard, 0)))
        .map(|(shard, above)| {
            let own = leases.get(shard as usize).and_then(epoch).unwrap_or_default();
            message(shard, own.max(above), now)
        });
    let mut messages: Vec<WorkMessage> = messages.collect();
    messages.sort_by_key(|message| (message.shard, std::cmp::Reverse(message.epoch)));
    messages.dedup_by_key(|message| message.shard);
    let alive = leases.iter().filter(|lease| is_alive(lease, now));
    Ok(Dispatched {
        messages,
        shards: shards.max(balanced.shards),
        watched: alive.clone().count(),
        streams: alive.map(|lease| lease.beat.streams).sum(),
        moved: balanced.moved,
        spent,
    })
}

/// The message of a tick in the minute of `now` for a shard whose newest epoch is `known`. Two ticks in one
/// minute give the same one.
fn message(shard: u32, known: u64, now: EpochMs) -> WorkMessage {
    let minute = Minute::of(now);
    WorkMessage { shard, epoch: (minute.start().0 / 1_000).max(known + 1), scheduled_minute: minute.0 }
}

fn epoch(lease: &Lease) -> Option<u64> {
    lease.holder.as_ref().map(|holder| holder.epoch)
}

/// Has a watcher that was heard of lately.
fn is_alive(lease: &Lease, now: EpochMs) -> bool {
    lease.holder.is_some() && now.since(lease.beat.at) < MISSING
}

/// Needs a watcher, if it has streams.
fn is_due(lease: &Lease, now: EpochMs, scope: Scope) -> bool {
    scope == Scope::All || !is_alive(lease, now) || lease.beat.ends.is_some_and(|ends| now + RELIEF >= ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_store::Beat;

    const NOW: EpochMs = EpochMs(1_790_000_000_000);

    /// A lease whose holder was heard of so many seconds ago and ends in so many.
    fn lease(heard_s: u64, ends_s: Option<u64>) -> Lease {
        Lease {
            holder: Some(Writer { name: "a".into(), epoch: 7 }),
            beat: Beat {
                at: EpochMs(NOW.0 - heard_s * 1_000),
                ends: ends_s.map(|s| EpochMs(NOW.0 + s * 1_000)),
                ..Beat::default()
            },
            changes: 0,
        }
    }

    #[test]
    fn a_shard_is_due_when_its_watcher_is_missing_or_nears_its_end() {
        let released = Lease { beat: Beat::default(), ..lease(0, None) };
        for (lease, expected) in [
            (Lease::default(), true),
            (Lease { changes: 4, ..Lease::default() }, true),
            (lease(0, None), false),
            (lease(44, None), false),
            (lease(45, None), true),
            (lease(100_000, None), true),
            (lease(5, Some(151)), false),
            (lease(5, Some(150)), true),
            (lease(5, Some(0)), true),
            (released, true),
        ] {
            assert_eq!(is_due(&lease, NOW, Scope::Missing), expected, "{lease:?}");
            assert!(is_due(&lease, NOW, Scope::All));
        }
        let ahead =
            Lease { beat: Beat { at: EpochMs(NOW.0 + 300_000), ..Beat::default() }, ..lease(0, None) };
        assert!(!is_due(&ahead, NOW, Scope::Missing), "its clock is ahead of ours");
    }

    #[test]
    fn epochs_grow_and_are_the_same_for_two_ticks_of_a_minute() {
        let minute = Minute::of(NOW);
        let start = EpochMs(minute.start().0);
        let late = EpochMs(start.0 + 59_999);
        assert_eq!(message(3, 7, start), message(3, 7, late));
        assert_eq!(message(3, 7, start).epoch, minute.start().0 / 1_000);
        let ahead = minute.start().0 / 1_000 + 300;
        assert_eq!(message(3, ahead, start).epoch, ahead + 1, "whatever the clock says");
    }

    #[test]
    fn messages_are_json_and_grow_stale() {
        let message = WorkMessage { shard: 3, epoch: 1_790_000_000, scheduled_minute: 100 };
        let json = serde_json::to_string(&message).expect("JSON");
        assert_eq!(json, r#"{"shard":3,"epoch":1790000000,"scheduled_minute":100}"#);
        assert_eq!(serde_json::from_str::<WorkMessage>(&json).expect("message"), message);
        assert!(!message.is_stale(Minute(102).start()));
        assert!(message.is_stale(Minute(103).start()));
        assert!(!message.is_stale(Minute(90).start()), "our clock is behind");
    }
}
