//! The system's clock as it is, for what compares its time with what others stamp.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hlsops_domain::EpochMs;
use hlsops_watch::Clock;

/// The system's clock, read anew each time: it follows every step of that, and a machine's sleep. What is measured
/// against stamps of the API is measured by it; what is measured against itself, as a stream is, by
/// [`SystemClock`](hlsops_watch::SystemClock).
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> EpochMs {
        EpochMs(0) + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep_until(&self, at: EpochMs) {
        // Looks again now and then: the clock may be set meanwhile.
        const LOOK: Duration = Duration::from_secs(1);
        loop {
            let wait = at.since(self.now());
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait.min(LOOK)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokio's own time stands for the monotonic one: it leaps, as the system's does where a laptop sleeps.
    #[tokio::test(start_paused = true)]
    async fn it_tells_the_systems_time_whatever_the_monotonic_one_says() {
        let leap = Duration::from_secs(7_200);
        let before = WallClock.now();
        tokio::time::advance(leap).await;
        assert!(WallClock.now().since(before) < leap, "nobody set the system's clock");
    }
}
