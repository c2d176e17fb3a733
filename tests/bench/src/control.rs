//! How much the machine itself is in the way: a thread that only sleeps, and notes how much longer than asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The time slept at once.
const NAP: Duration = Duration::from_millis(10);

/// Most naps of one measurement: a hundred minutes.
const MAX_NAPS: usize = 600_000;

/// Sleeps until it is stopped. Whatever else runs on the machine, this thread asks for nothing, so what it
/// oversleeps is nobody's fault but the machine's.
#[derive(Debug)]
pub struct Control {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Control {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut overslept = Vec::new();
            while !asked.load(Relaxed) && overslept.len() < MAX_NAPS {
                let began = Instant::now();
                thread::sleep(NAP);
                overslept.push(began.elapsed().saturating_sub(NAP));
            }
            overslept
        });
        Self { stop, thread }
    }

    /// Ends, and gives the 99th percentile of what was overslept. Unit: milliseconds.
    #[must_use]
    pub fn p99_ms(self) -> f64 {
        self.stop.store(true, Relaxed);
        // The thread cannot panic; if it did, the machine is no place to measure on.
        let mut overslept = self.thread.join().unwrap_or_else(|_| vec![Duration::MAX]);
        overslept.sort_unstable();
        let rank = overslept.len() * 99 / 100;
        overslept.get(rank).map_or(0.0, |length| length.as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_it_is_stopped() {
        let control = Control::start();
        thread::sleep(NAP * 3);
        assert!(control.p99_ms() >= 0.0);
    }
}
