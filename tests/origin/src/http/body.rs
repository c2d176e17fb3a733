//! Bodies that are paced or cut short, and that tell the ledger how far they got.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream as ByteStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock::Clock;
use crate::ledger::Outcome;
use crate::stream::Stream;

/// Slices handed to the connection at once: small enough that the ledger sees a client leave. Unit: bytes.
const SLICE_BYTES: usize = 64 * 1024;
/// Time between two slices of a paced body.
const PACE_STEP: Duration = Duration::from_millis(100);
/// A cut body ends so long after it began: an error at once would take back what is buffered.
const CUT_AFTER: Duration = Duration::from_millis(50);

/// Ends a ledger entry when it is dropped, however the request ends.
pub(super) struct Served {
    stream: Arc<Stream>,
    clock: Clock,
    id: u64,
    sent: u64,
    expected: u64,
}

impl Served {
    /// The request `id` is being answered with `expected` bytes.
    pub(super) const fn new(stream: Arc<Stream>, clock: Clock, id: u64, expected: u64) -> Self {
        Self { stream, clock, id, sent: 0, expected }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let outcome = if self.sent >= self.expected { Outcome::Finished } else { Outcome::Aborted };
        self.stream.finish(self.id, self.sent, outcome, self.clock.now_ms());
    }
}

/// A body in slices: a view of the media, never a copy.
pub(super) struct Sliced {
    rest: Bytes,
    pacing: Option<Pacing>,
    /// Ends the connection when it fires, after the last byte.
    cut: Option<Pin<Box<Sleep>>>,
    served: Served,
}

struct Pacing {
    total_bytes: usize,
    started: Instant,
    length: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Sliced {
    /// Sends `data` as fast as it goes.
    pub(super) const fn whole(data: Bytes, served: Served) -> Self {
        Self { rest: data, pacing: None, cut: None, served }
    }

    /// Sends the first half of `data`, then ends the connection.
    pub(super) fn cut(mut data: Bytes, served: Served) -> Self {
        data.truncate(data.len() / 2);
        let cut = Some(Box::pin(sleep_until(Instant::now() + CUT_AFTER)));
        Self { rest: data, pacing: None, cut, served }
    }

    /// Sends `data` evenly over `length`.
    pub(super) fn paced(data: Bytes, length: Duration, served: Served) -> Self {
        let started = Instant::now();
        let timer = Box::pin(sleep_until(started));
        let pacing = Pacing { total_bytes: data.len(), started, length, timer };
        Self { rest: data, pacing: Some(pacing), cut: None, served }
    }
}

impl Pacing {
    /// How many of the next bytes are due; waits until some are.
    fn poll_due(&mut self, context: &mut Context<'_>, rest: usize) -> Poll<usize> {
        ready!(self.timer.as_mut().poll(context));
        let now = Instant::now();
        let elapsed = now.duration_since(self.started).as_secs_f64() / self.length.as_secs_f64().max(1e-9);
        let due = (self.total_bytes as f64 * elapsed.min(1.0)) as usize;
        let sent = self.total_bytes - rest;
        let ends = self.started + self.length;
        self.timer.as_mut().reset((now + PACE_STEP).min(ends.max(now)));
        // One byte goes at once: the time to the first byte is not what is slow here.
        Poll::Ready(due.saturating_sub(sent).max(usize::from(sent == 0)).min(rest))
    }
}

impl ByteStream for Sliced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let Some(cut) = this.cut.as_mut() else { return Poll::Ready(None) };
            ready!(cut.as_mut().poll(context));
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        let mut length = this.rest.len().min(SLICE_BYTES);
        if let Some(pacing) = &mut this.pacing {
            length = loop {
                let due = ready!(pacing.poll_due(context, this.rest.len()));
                if due > 0 {
                    break due;
                }
            };
        }
        let slice = this.rest.split_to(length);
        this.served.sent += length as u64;
        Poll::Ready(Some(Ok(slice)))
    }
}

/// Waits until the client goes; the origin gives up after ten minutes.
pub(super) async fn silence(served: Served) {
    tokio::time::sleep(Duration::from_mins(10)).await;
    drop(served);
}
