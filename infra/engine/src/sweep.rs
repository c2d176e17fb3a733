//! Deleting what has expired. DynamoDB does it by itself; the embedded engine has to be told.

use crate::{engine::Engine, error::EngineError};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

impl Engine {
    /// Deletes the items whose TTL attribute (epoch seconds) has passed, and says how many.
    ///
    /// Reads every item of every table with a TTL, some 4 microseconds each, in pages of 25
    /// between which other calls go first. Until it runs, expired items are still read, as in DynamoDB.
    ///
    /// # Errors
    /// If the engine fails; what was deleted stays deleted.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        let core = Arc::clone(&self.core);
        tokio::task::spawn_blocking(move || core.db.sweep_ttl()).await?.map_err(EngineError::Sweep)
    }

    /// Sweeps at once and then at an interval, until the shutdown future resolves.
    ///
    /// A sweep under way is finished in the background. A failed one is logged and tried again at
    /// the next tick. The lock on the folder is held as long as this runs.
    pub async fn run_sweeper(&self, every: Duration, shutdown: impl Future<Output = ()>) {
        let sweeps = async {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match self.sweep().await {
                    Ok(items) => tracing::debug!(sweep.items = items, "deleted {items} expired items"),
                    Err(error) => tracing::warn!(error = %error, "{error}"),
                }
            }
        };
        tokio::select! {
            () = sweeps => {}
            () = shutdown => {}
        }
    }
}
