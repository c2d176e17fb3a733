//! In the place of scheduler and queue: dispatches at each minute (UTC) and when the configuration has changed,
//! and runs a watcher for each message, under the same leases as everywhere.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_probe::{Ended, Scope, Shared, WorkMessage, dispatch, watch_shard};
use hlsops_store::{ShardId, Store, StoreError};
use hlsops_watch::{Clock, SystemClock};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::clock::WallClock;
use crate::station::Station;

/// Messages that may wait for a watcher to start.
const QUEUE: usize = 64;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a watcher runs before the next one relieves it. Each has a clock of its own, read from the system's
/// when it starts, so a clock that was set right counts from then on.
const RUN: Duration = Duration::from_secs(24 * 3_600);

/// Keeps every shard watched until `stopped` says so and all last pages are stored.
pub(crate) async fn run(station: Station, stopped: watch::Receiver<bool>) {
    let (send, work) = mpsc::channel(QUEUE);
    tokio::join!(tick(&station, send, told(stopped.clone())), work_off(&station, work, &stopped));
}

async fn tick(station: &Station, work: mpsc::Sender<WorkMessage>, stopped: impl Future<Output = ()>) {
    let mut nudged = station.nudge.listen();
    if let Err(error) = retire(&station.store).await {
        tracing::warn!("cannot release the leases of an earlier run, its watchers are waited for: {error}");
    }
    tokio::pin!(stopped);
    loop {
        match dispatch(&station.store, WallClock.now(), Scope::Missing).await {
            Ok(dispatched) => {
                for message in dispatched.messages {
                    // Fails only when nobody works any more: the program ends.
                    let _ = work.send(message).await;
                }
            }
            Err(error) => tracing::warn!("cannot dispatch, the next minute tries again: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(until_next_minute()) => {}
            () = nudged.rung() => {}
            () = &mut stopped => return,
        }
    }
}

/// Releases the leases of watchers that died with an earlier process. The lock on the folder proves that none of
/// them lives; otherwise they would be waited for, to be missed or to hand their streams over.
async fn retire(store: &Store) -> Result<(), StoreError> {
    for shard in (0..store.shard_count().await?.value).map(ShardId) {
        let lease = store.lease(shard, true).await?.value.unwrap_or_default();
        if let Some(holder) = lease.holder.filter(|_| lease.beat.at > EpochMs(0)) {
            // Nobody else is there who could have it.
            let _ = store.release_lease(shard, &holder).await?;
        }
    }
    Ok(())
}

async fn work_off(station: &Station, mut work: mpsc::Receiver<WorkMessage>, stopped: &watch::Receiver<bool>) {
    let mut watchers = JoinSet::new();
    loop {
        tokio::select! {
            Some(message) = work.recv() => {
                watchers.spawn(watcher(station.clone(), message, stopped.clone()));
            }
            Some(ended) = watchers.join_next() => match ended {
                Ok((shard, ended)) => say(shard, &ended),
                Err(panic) => tracing::error!("a watcher ended by {panic}"),
            },
            else => return,
        }
    }
}

async fn watcher(
    station: Station,
    message: WorkMessage,
    stopped: watch::Receiver<bool>,
) -> (u32, Result<Ended, StoreError>) {
    let WorkMessage { shard, epoch, .. } = message;
    let clock = SystemClock::new();
    let work = message.shard(format!("{}.{shard}.{epoch}", station.run), Some(clock.now() + RUN));
    let Station { store, fetcher: network, nudge, notice, cadences, .. } = station;
    let shared = Shared { store, network, clock, nudge, notice, cadences };
    tracing::info!(shard.id = shard, shard.epoch = epoch, "watching shard {shard}, epoch {epoch}");
    (shard, watch_shard(shared, work, told(stopped)).await)
}

fn say(shard: u32, ended: &Result<Ended, StoreError>) {
    match ended {
        Ok(ended) => {
            for stream in &ended.streams {
                if let Err(error) = &stream.outcome {
                    tracing::warn!(stream.id = %stream.stream, "`{}` was not watched: {error}", stream.stream);
                }
            }
            let why = if ended.superseded { "another one took over" } else { "its last minutes are stored" };
            tracing::info!(
                shard.id = shard,
                table.write_units = ended.spent.write_units,
                table.read_units = ended.spent.read_units,
                "watcher of shard {shard} ended: {why}"
            );
        }
        Err(error) => tracing::error!(shard.id = shard, "watcher of shard {shard} ended: {error}"),
    }
}

/// Ends when `stopped` becomes true, or nobody can say so any more.
pub(crate) async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the program is gone: that is a reason to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn until_next_minute() -> Duration {
    let into = Duration::from_millis(WallClock.now().0 % 60_000);
    MINUTE.saturating_sub(into)
}
