//! One watcher of one shard.

use std::future::Future;
use std::time::Duration;

use hlsops_fetch::Fetcher;
use hlsops_store::{Leased, ShardId, Spent, Store, StoreError, Writer};
use hlsops_watch::Clock;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::network::Network;
use crate::stream::{StreamEnd, watch_stream};

/// What a watcher works with.
#[derive(Clone, Debug)]
pub struct Shared<C, N = Fetcher> {
    /// The table.
    pub store: Store,
    /// How the streams are reached.
    pub network: N,
    /// Time.
    pub clock: C,
}

/// Which shard, and as whom.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Which.
    pub id: ShardId,
    /// This run, with the lease epoch it was started for.
    pub writer: Writer,
}

/// How a watcher ended.
#[derive(Debug)]
pub struct Ended {
    /// A newer watcher has the shard, rather than that we were told to stop.
    pub superseded: bool,
    /// How each stream ended.
    pub streams: Vec<StreamEnd>,
    /// What the table charged for all of it.
    pub spent: Spent,
}

/// How often a watcher looks whether it is superseded.
const BEAT: Duration = Duration::from_secs(5);

/// Most streams of a shard.
const MAX_STREAMS: usize = 1_000;

/// Takes the lease and watches the shard's streams until a newer watcher has it or `until` ends. Requests
/// under way are let end and the last pages are stored before it returns.
///
/// Two watchers of a shard: the newer epoch wins; the older one ends at its next beat, and whatever it
/// stores until then is in what the newer one takes over, or refused.
///
/// # Errors
/// When the lease or the list of streams cannot be read. A stream that fails is in [`Ended::streams`].
pub async fn watch_shard<C: Clock, N: Network>(
    shared: Shared<C, N>,
    shard: Shard,
    until: impl Future<Output = ()> + Send,
) -> Result<Ended, StoreError> {
    let mut spent = Spent::default();
    let lease = shared.store.take_lease(shard.id, &shard.writer, shared.clock.now()).await?;
    if lease.add_to(&mut spent) != Leased::Held {
        return Ok(Ended { superseded: true, streams: Vec::new(), spent });
    }
    let streams = shared.store.shard_streams(shard.id, MAX_STREAMS).await?.add_to(&mut spent);
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for assignment in streams {
        let (shared, writer, stopped) = (shared.clone(), shard.writer.clone(), stopped.clone());
        tasks.spawn(async move { watch_stream(shared, assignment.config, writer, told(stopped)).await });
    }
    let superseded = tokio::select! {
        lost = hold(&shared, &shard, &mut spent) => lost,
        () = until => false,
    };
    // Nobody listening means that all streams have ended already.
    let _ = stop.send(true);
    let mut ends = Vec::new();
    while let Some(end) = tasks.join_next().await {
        match end {
            Ok(end) => {
                spent += end.spent;
                ends.push(end);
            }
            Err(panic) => tracing::error!("watching a stream ended by {panic}"),
        }
    }
    Ok(Ended { superseded, streams: ends, spent })
}

/// Ends when `stopped` becomes true, or nobody can say so any more.
async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the shard's watcher is gone: that is a reason to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Keeps the lease until it is lost. A table that does not answer is no reason to stop watching: the next
/// page will tell.
async fn hold<C: Clock, N: Network>(shared: &Shared<C, N>, shard: &Shard, spent: &mut Spent) -> bool {
    loop {
        shared.clock.sleep_until(shared.clock.now() + BEAT).await;
        match shared.store.lease(shard.id).await.map(|paid| paid.add_to(spent)) {
            Ok(Some(lease)) if lease.holder.name != shard.writer.name => return true,
            Ok(_) => {}
            Err(error) => tracing::warn!(shard.id = shard.id.0, "cannot read the lease: {error}"),
        }
    }
}
