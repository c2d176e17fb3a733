//! Reading a body: in chunks, decoded, within every bound, without copying where none is needed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, ready};

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use reqwest::Response;
use tokio::time::{Instant, sleep_until};

use crate::bounds::later;
use crate::{Bounds, FetchError, Phase, classify, decode::Decoder};

/// How one body is to be read.
pub(crate) struct Plan<'a> {
    pub(crate) bounds: &'a Bounds,
    /// The bytes asked for with a range: reading stops there, whatever else comes.
    pub(crate) stop_after: Option<u64>,
    /// When the total time is up.
    pub(crate) deadline: Instant,
}

/// How many bytes came, and how it ended.
#[derive(Default)]
pub(crate) struct Read {
    /// As received, before decoding.
    pub(crate) wire_bytes: u64,
    /// As given to the caller.
    pub(crate) body_bytes: u64,
}

/// Reads the whole body into `on_chunk`. `read` is filled in also when the result is an error.
pub(crate) async fn read(
    response: &mut Response,
    plan: &Plan<'_>,
    on_chunk: &mut (dyn FnMut(&[u8]) + Send),
    read: &mut Read,
) -> Result<(), FetchError> {
    let mut decoder = Decoder::for_header(response.headers().get(CONTENT_ENCODING))?;
    refuse_declared_excess(response, &decoder, plan)?;
    let mut sink = Sink::new(on_chunk, plan);
    let result = pump(response, plan, &mut decoder, &mut sink, &mut read.wire_bytes).await;
    read.body_bytes = sink.decoded;
    result
}

/// A body that says it is too large is not even begun. One that lies is stopped at the cap.
fn refuse_declared_excess(response: &Response, decoder: &Decoder, plan: &Plan<'_>) -> Result<(), FetchError> {
    let declared =
        response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let limit_bytes = plan.bounds.max_bytes;
    let wanted = declared.map(|declared| declared.min(plan.stop_after.unwrap_or(u64::MAX)));
    if decoder.is_identity() && wanted.is_some_and(|wanted| wanted > limit_bytes) {
        return Err(FetchError::TooLarge { limit_bytes });
    }
    Ok(())
}

async fn pump(
    response: &mut Response,
    plan: &Plan<'_>,
    decoder: &mut Decoder,
    sink: &mut Sink<'_>,
    wire_bytes: &mut u64,
) -> Result<(), FetchError> {
    // One timer for the whole body, moved only when it rings: per chunk this costs one reading
    // of the clock, not a place in the timer wheel.
    let mut heard = Instant::now();
    let mut alarm = pin!(sleep_until(plan.due(heard)));
    loop {
        let chunk = {
            let mut next = pin!(response.chunk());
            poll_fn(|cx| -> Poll<Result<_, FetchError>> {
                if let Poll::Ready(chunk) = next.as_mut().poll(cx) {
                    return Poll::Ready(Ok(chunk));
                }
                loop {
                    ready!(alarm.as_mut().poll(cx));
                    plan.check_time(heard, Instant::now())?;
                    alarm.as_mut().reset(plan.due(heard));
                }
            })
            .await?
        };
        heard = Instant::now();
        let Some(wire) = chunk.map_err(|fault| classify::body_fault(&fault, sink.decoded))? else {
            if *wire_bytes > 0 {
                decoder.finish(sink)?;
            }
            return sink.finish();
        };
        *wire_bytes += wire.len() as u64;
        decoder.push(&wire, sink)?;
        if sink.is_satisfied() {
            return sink.finish();
        }
        // A body that never lets us wait still has to end.
        plan.check_time(heard, heard)?;
    }
}

impl Plan<'_> {
    fn due(&self, heard: Instant) -> Instant {
        later(heard, self.bounds.idle).min(self.deadline)
    }

    fn check_time(&self, heard: Instant, now: Instant) -> Result<(), FetchError> {
        if now >= self.deadline {
            return Err(FetchError::TimedOut { phase: Phase::Total, limit: self.bounds.total });
        }
        if now >= later(heard, self.bounds.idle) && now > heard {
            return Err(FetchError::TimedOut { phase: Phase::Idle, limit: self.bounds.idle });
        }
        Ok(())
    }
}

/// Where decoded bytes go: counts them, refuses what is over a cap, hands on the rest.
///
/// A chunk that crosses a cap is not handed on at all.
pub(crate) struct Sink<'a> {
    on_chunk: &'a mut (dyn FnMut(&[u8]) + Send),
    decoded: u64,
    max_bytes: u64,
    stop_after: Option<u64>,
    lines: Option<Lines>,
}

impl<'a> Sink<'a> {
    fn new(on_chunk: &'a mut (dyn FnMut(&[u8]) + Send), plan: &Plan<'_>) -> Self {
        Self {
            on_chunk,
            decoded: 0,
            max_bytes: plan.bounds.max_bytes,
            stop_after: plan.stop_after,
            lines: Lines::new(plan.bounds),
        }
    }

    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.decoded
    }

    pub(crate) fn take(&mut self, mut chunk: &[u8]) -> Result<(), FetchError> {
        if let Some(wanted) = self.stop_after {
            let left = usize::try_from(wanted - self.decoded).unwrap_or(usize::MAX);
            chunk = &chunk[..chunk.len().min(left)];
        }
        if chunk.is_empty() {
            return Ok(());
        }
        let decoded = self.decoded + chunk.len() as u64;
        if decoded > self.max_bytes {
            return Err(FetchError::TooLarge { limit_bytes: self.max_bytes });
        }
        if let Some(lines) = &mut self.lines {
            lines.take(chunk)?;
        }
        self.decoded = decoded;
        (self.on_chunk)(chunk);
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        self.stop_after == Some(self.decoded)
    }

    /// At the end: a last line without a line feed counts as well.
    fn finish(&mut self) -> Result<(), FetchError> {
        self.lines.as_mut().map_or(Ok(()), Lines::finish)
    }
}

/// Counts lines and measures the longest, across chunk borders.
struct Lines {
    complete: u64,
    /// Bytes of the line that has not ended yet.
    open_bytes: u64,
    max_lines: u64,
    max_line_bytes: u64,
}

impl Lines {
    fn new(bounds: &Bounds) -> Option<Self> {
        (bounds.max_lines.is_some() || bounds.max_line_bytes.is_some()).then(|| Self {
            complete: 0,
            open_bytes: 0,
            max_lines: bounds.max_lines.unwrap_or(u64::MAX),
            max_line_bytes: bounds.max_line_bytes.unwrap_or(u64::MAX),
        })
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), FetchError> {
        let mut line_start = 0;
        for feed in memchr::memchr_iter(b'\n', chunk) {
            self.open_bytes += (feed - line_start) as u64;
            self.check_length()?;
            self.complete += 1;
            self.check_count(self.complete)?;
            self.open_bytes = 0;
            line_start = feed + 1;
        }
        self.open_bytes += (chunk.len() - line_start) as u64;
        self.check_length()
    }

    fn finish(&mut self) -> Result<(), FetchError> {
        self.check_count(self.complete + u64::from(self.open_bytes > 0))
    }

    fn check_length(&self) -> Result<(), FetchError> {
        if self.open_bytes > self.max_line_bytes {
            return Err(FetchError::LineTooLong { limit_bytes: self.max_line_bytes });
        }
        Ok(())
    }

    fn check_count(&self, lines: u64) -> Result<(), FetchError> {
        if lines > self.max_lines {
            return Err(FetchError::TooManyLines { limit: self.max_lines });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::{Bounds, FetchError};

    fn lines(chunks: &[&str], max_lines: u64, max_line_bytes: u64) -> Result<(), FetchError> {
        let bounds = Bounds {
            max_lines: Some(max_lines),
            max_line_bytes: Some(max_line_bytes),
            ..Bounds::playlist(None)
        };
        let mut lines = Lines::new(&bounds).unwrap();
        chunks.iter().try_for_each(|chunk| lines.take(chunk.as_bytes()))?;
        lines.finish()
    }

    #[test]
    fn lines_are_counted_and_measured_across_chunks() {
        let many = Err(FetchError::TooManyLines { limit: 3 });
        let long = Err(FetchError::LineTooLong { limit_bytes: 4 });
        for (chunks, expected) in [
            (&["a\nb\nc\n"][..], Ok(())),
            (&["a\nb\nc"], Ok(())),
            (&["a\nb\nc\nd"], many.clone()),
            (&["a\nb\nc\n", "\n"], many),
            (&["abcd\nabcd\n"], Ok(())),
            (&["ab", "cd", "\n"], Ok(())),
            (&["ab", "cde"], long.clone()),
            (&["a\nab", "cde\n"], long),
            (&[""], Ok(())),
        ] {
            assert_eq!(lines(chunks, 3, 4), expected, "{chunks:?}");
        }
    }
}
