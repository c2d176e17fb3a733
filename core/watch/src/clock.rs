//! Where time comes from.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hlsops_domain::EpochMs;
use tokio::time::Instant;

/// Tells the time and waits for it.
pub trait Clock: Clone + Send + Sync + 'static {
    /// Now.
    fn now(&self) -> EpochMs;

    /// Waits until `at`; returns at once when that has passed.
    fn sleep_until(&self, at: EpochMs) -> impl Future<Output = ()> + Send;
}

/// The system's clock, read once and then carried on by a monotonic one, so that a step of the system
/// clock never makes a stream look stalled. Under tokio's paused time it is virtual.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
    began_at: EpochMs,
}

impl SystemClock {
    /// Anchored now.
    #[must_use]
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::anchored(EpochMs(0) + since_epoch)
    }

    /// Anchored so that now is `at`.
    #[must_use]
    pub fn anchored(at: EpochMs) -> Self {
        Self { began: Instant::now(), began_at: at }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> EpochMs {
        self.began_at + self.began.elapsed()
    }

    async fn sleep_until(&self, at: EpochMs) {
        // Rounded up, so that the time asked for has come when this returns.
        let wait = at.since(self.now());
        if !wait.is_zero() {
            tokio::time::sleep(wait + Duration::from_millis(1)).await;
        }
    }
}
