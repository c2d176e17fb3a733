//! The origin's clock: wall time that never goes back.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time at the start, and steady time since. A step of the system's clock does not tear the streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started_ms: u64,
    started: Instant,
}

impl Clock {
    /// Starts now.
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started_ms: u64::try_from(since_1970.as_millis()).unwrap_or_default(),
            started: Instant::now(),
        }
    }

    /// Unit: milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.started_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or_default()
    }
}
