//! One watcher of one shard.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_fetch::Fetcher;
use hlsops_store::{Beat, Lease, Leased, ShardId, Spent, Store, StoreError, Writer};
use hlsops_watch::{Cadences, Clock};
use tokio::sync::Notify;

use crate::crew::Crew;
use crate::network::Network;
use crate::nudge::Nudge;
use crate::stream::StreamEnd;

/// What a watcher works with.
#[derive(Clone, Debug)]
pub struct Shared<C, N = Fetcher> {
    /// The table.
    pub store: Store,
    /// How the streams are reached.
    pub network: N,
    /// Time.
    pub clock: C,
    /// Says that configuration has changed, where it was changed in this process.
    pub nudge: Nudge,
    /// Told of every event that was put into the outbox, for a sender in this process.
    pub notice: Arc<Notify>,
    /// When requests begin, for all streams of this process.
    pub cadences: Cadences,
}

/// Which shard, and as whom.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Which.
    pub id: ShardId,
    /// This run, with the lease epoch it was started for.
    pub writer: Writer,
    /// When it must have ended; none to go on for as long as it may. A watcher with an end is relieved some
    /// time before it, stream by stream.
    pub ends: Option<EpochMs>,
}

/// How a watcher ended.
#[derive(Debug)]
pub struct Ended {
    /// A newer watcher has the shard, rather than that we were told to stop.
    pub superseded: bool,
    /// How each stream ended that was watched until the end.
    pub streams: Vec<StreamEnd>,
    /// What the table charged for all of it.
    pub spent: Spent,
}

/// A watcher that was not heard of for this long is missing.
pub const MISSING: Duration = Duration::from_secs(45);

/// Takes the lease and watches the shard's streams until a newer watcher has it or `until` ends. Requests
/// under way are let end and the last pages are stored before it returns.
///
/// Streams that are added, removed or changed meanwhile are started, stopped and restarted within seconds,
/// at once after [`Nudge::ring`]; the others are not disturbed. A stream whose table or watch failed is
/// started again after a growing pause.
///
/// Two watchers of a shard: the newer epoch wins, and whatever the older one stores until it ends is in what
/// the newer one takes over, or refused. An older one that has an end and is alive hands its streams over
/// one by one within 70 s, each at the end of its minute; any other ends at its next look, within 5 s.
///
/// # Errors
/// When the lease or the list of streams cannot be read. A stream that fails is in [`Ended::streams`].
pub async fn watch_shard<C: Clock, N: Network>(
    shared: Shared<C, N>,
    shard: Shard,
    until: impl Future<Output = ()> + Send,
) -> Result<Ended, StoreError> {
    let mut nudged = shared.nudge.listen();
    let mut spent = Spent::default();
    let (store, now) = (shared.store.clone(), shared.clock.now());
    let before = store.lease(shard.id, true).await?.add_to(&mut spent).unwrap_or_default();
    let beat = Beat { at: now, ends: shard.ends, ..Beat::default() };
    if store.take_lease(shard.id, &shard.writer, beat).await?.add_to(&mut spent) != Leased::Held {
        return Ok(Ended { superseded: true, streams: Vec::new(), spent });
    }
    let relieves = is_relief(&before, now).then_some(now);
    let (id, writer) = (shard.id, shard.writer.clone());
    let mut crew = Crew::new(shared, shard, before.changes, relieves);
    let superseded = match crew.muster().await {
        Ok(()) => tokio::select! {
            biased;
            () = crew.watch(&mut nudged) => true,
            () = until => false,
        },
        Err(error) => {
            // Nobody watches: the next one need not wait until this one is missed.
            let _ = store.release_lease(id, &writer).await;
            return Err(error);
        }
    };
    let (streams, cost) = crew.dismiss().await;
    spent += cost;
    if !superseded && let Err(error) = store.release_lease(id, &writer).await {
        tracing::warn!(shard.id = id.0, "cannot release the lease: {error}");
    }
    Ok(Ended { superseded, streams, spent })
}

/// Whether the holder of `before` is alive and hands its streams over.
fn is_relief(before: &Lease, now: EpochMs) -> bool {
    before.holder.is_some() && before.beat.ends.is_some() && now.since(before.beat.at) < MISSING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_living_watcher_with_an_end_is_relieved() {
        let holder = Some(Writer { name: "a".into(), epoch: 1 });
        let lease = |at, ends: Option<u64>| Lease {
            holder: holder.clone(),
            beat: Beat { at: EpochMs(at), ends: ends.map(EpochMs), ..Beat::default() },
            changes: 0,
        };
        let now = EpochMs(1_000_000);
        for (before, expected) in [
            (lease(960_000, Some(1_100_000)), true),
            (lease(960_000, None), false),
            (lease(950_000, Some(1_100_000)), false),
            (lease(0, Some(1_100_000)), false),
            (Lease { holder: None, ..lease(960_000, Some(1_100_000)) }, false),
        ] {
            assert_eq!(is_relief(&before, now), expected, "{before:?}");
        }
    }
}
