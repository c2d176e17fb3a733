//! Streams that are looked at every so often instead of being watched all the time.
//!
//! A look is a short watch by the same code: the stream's own playlist, every media playlist, the newest
//! segments. Between looks a stream is what it is between two watchers, a closing state; so it does not matter
//! whether the next look is made by the same watcher.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use hlsops_domain::{EpochMs, Event, Look, RenditionId, StreamState};
use hlsops_watch::{Clock, Sink, Target, Transport, watch_from};
use tokio::sync::Notify;

use crate::recorder::Recorder;
use crate::stream::PAST;

/// When to look: every so long, each stream at a time of its own, so that looks are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    every_ms: u64,
    offset_ms: u64,
}

impl Rhythm {
    /// Looks do not follow each other faster than this: with less in between, what passes between two looks
    /// would be time watched, of which only a part was seen.
    const LEAST: Duration = Duration::from_secs(30);

    /// `seed` is the stream's own. Where the interval is a number of minutes, looks begin with the stream's
    /// own minute.
    pub(crate) fn new(every: Duration, seed: u64) -> Self {
        let every_s = every.max(Self::LEAST).as_secs();
        Self { every_ms: every_s.saturating_mul(1_000), offset_ms: (seed % every_s).saturating_mul(1_000) }
    }

    /// When to look next, if the last look ended at `last`: now if that was before the newest time to look,
    /// but never soon after a look.
    pub(crate) fn next(self, last: Option<EpochMs>, now: EpochMs) -> EpochMs {
        let Some(last) = last else { return now };
        let due = if last >= self.newest(now) { self.after(now) } else { now };
        if last <= due && due.since(last) < Self::LEAST / 2 { self.after(due) } else { due }
    }

    /// The newest time to look at `now`.
    fn newest(self, now: EpochMs) -> EpochMs {
        EpochMs(now.0 - now.0.saturating_sub(self.offset_ms) % self.every_ms)
    }

    fn after(self, at: EpochMs) -> EpochMs {
        self.newest(at) + Duration::from_millis(self.every_ms)
    }
}

/// Looks at a stream again and again until `until` ends, and returns what is known of it then. The page of
/// each look is cut at its end.
pub(crate) async fn look_again<T: Transport, C: Clock>(
    mut state: StreamState,
    target: Target,
    transport: T,
    clock: C,
    recorder: &mut Recorder,
    rhythm: Rhythm,
    until: impl Future<Output = ()> + Send,
) -> StreamState {
    let mut until = pin!(until);
    let mut looked = state.last_look;
    loop {
        tokio::select! {
            biased;
            () = &mut until => return state,
            () = clock.sleep_until(rhythm.next(looked, clock.now())) => {}
        }
        let over = Notify::new();
        let began = clock.now();
        recorder.turn(began);
        let mut looking = Looking { recorder, look: Look::new(&state, began), over: &over };
        let mut told = false;
        let enough = async {
            tokio::select! {
                biased;
                () = &mut until => told = true,
                () = over.notified() => {}
            }
        };
        state =
            watch_from(state, target.clone(), transport.clone(), clock.clone(), &mut looking, enough).await;
        let now = clock.now();
        looked = Some(now);
        recorder.flush(&state, now).await;
        if told {
            return state;
        }
        state = put_away(state, now);
    }
}

/// As the next watcher would take it over: what this look left open is taken up by the next one. A state
/// whose renditions did not come back is one already.
fn put_away(state: StreamState, now: EpochMs) -> StreamState {
    if state.renditions().next().is_none() {
        return state;
    }
    let mut away = StreamState::resume(state.closing(), &state.past(now, PAST));
    away.health = state.health;
    away
}

/// The sink of one look.
struct Looking<'a> {
    recorder: &'a mut Recorder,
    look: Look,
    over: &'a Notify,
}

impl Sink for Looking<'_> {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        self.recorder.stepped(state, at, events);
        if self.look.is_over(state, at) {
            self.over.notify_one();
        }
    }

    fn loaded(&mut self, rendition: RenditionId, ttfb: Option<Duration>) {
        self.recorder.loaded(rendition, ttfb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 1_800_000_000_000;

    #[track_caller]
    fn check(every_s: u64, seed: u64, last: Option<u64>, now: u64, next: u64) {
        let rhythm = Rhythm::new(Duration::from_secs(every_s), seed);
        let at = |seconds: u64| EpochMs(HOUR + seconds * 1_000);
        assert_eq!(rhythm.next(last.map(at), at(now)), at(next), "{every_s} s, {last:?}, {now}");
    }

    #[test]
    fn looks_keep_their_time_whoever_makes_them() {
        // Looks at 7, 67, 127...
        check(60, 7, None, 30, 30);
        check(60, 7, Some(30), 31, 67);
        check(60, 7, Some(8), 40, 67);
        check(60, 7, Some(8), 67, 67);
        check(60, 67, Some(69), 69, 127);
        // Right after a look there is nothing to see.
        check(60, 7, Some(2), 3, 67);
        check(60, 7, Some(5), 8, 67);
        // One was missed, or took too long.
        check(60, 7, Some(8), 90, 90);
        check(60, 7, Some(130), 130, 187);
        check(300, 200, Some(201), 250, 500);
        // A clock that went back by 5 minutes: the next look is in its time.
        check(60, 7, Some(330), 30, 67);
        check(0, 3, Some(4), 5, 33);
    }
}
