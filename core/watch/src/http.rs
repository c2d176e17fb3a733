//! [`Transport`] over the guarded HTTP client.

use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::Failure;
use hlsops_fetch::{Bounds, FetchError, Fetched, Fetcher, Get, Phase, Session};
use hlsops_media::{Defect, Inspector};

use crate::transport::{PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, Transport};

/// Fetches over HTTP, with the headers and cookies of one stream.
#[derive(Clone)]
pub struct HttpTransport {
    fetcher: Fetcher,
    session: Arc<Session>,
}

impl HttpTransport {
    /// For one stream.
    #[must_use]
    pub fn new(fetcher: Fetcher, session: Arc<Session>) -> Self {
        Self { fetcher, session }
    }
}

impl Transport for HttpTransport {
    async fn playlist(&self, request: PlaylistRequest) -> PlaylistAnswer {
        let get = Get {
            url: &request.url,
            session: &self.session,
            range: None,
            bounds: Bounds::playlist(request.target_duration),
            fresh_connection: request.fresh_connection,
        };
        let mut body = Vec::new();
        let fetched = self.fetcher.get(&get, &mut |chunk| body.extend_from_slice(chunk)).await;
        PlaylistAnswer {
            ttfb: fetched.timings.ttfb.unwrap_or(fetched.timings.total),
            retry_after: retry_after(&fetched),
            outcome: match &fetched.result {
                Ok(()) => Ok(body),
                Err(error) => Err(failure_of(error)),
            },
            final_url: fetched.final_url,
        }
    }

    async fn segment(&self, request: SegmentRequest) -> SegmentAnswer {
        let get = Get {
            url: &request.url,
            session: &self.session,
            range: request.byte_range.map(|range| (range.offset, range.length)),
            bounds: Bounds::segment(Some(request.target_duration)),
            fresh_connection: request.fresh_connection,
        };
        let mut inspector = if request.opaque { Inspector::opaque() } else { Inspector::new() };
        let fetched = self.fetcher.get(&get, &mut |chunk| inspector.feed(chunk)).await;
        let outcome = match &fetched.result {
            Ok(()) => inspector.finish().defect.map_or(Ok(()), |defect| Err(failure_of_content(&defect))),
            Err(error) => Err(failure_of(error)),
        };
        SegmentAnswer {
            queue: fetched.timings.queue,
            ttfb: fetched.timings.ttfb.unwrap_or(fetched.timings.total),
            download: fetched.timings.total,
            bytes: fetched.wire_bytes,
            length_known: fetched.headers.has_length(),
            outcome,
        }
    }
}

/// Retry-After as a number of seconds; the date form is rare and left to the default.
fn retry_after(fetched: &Fetched) -> Option<Duration> {
    fetched.headers.retry_after()?.trim().parse().ok().map(Duration::from_secs)
}

fn failure_of_content(defect: &Defect) -> Failure {
    match defect {
        Defect::Empty => Failure::Empty,
        Defect::Truncated { .. } => Failure::Truncated,
        _ => Failure::WrongContent,
    }
}

/// The class of a fetch error, as operators know it.
#[must_use]
pub fn failure_of(error: &FetchError) -> Failure {
    match error {
        FetchError::PrivateAddress { .. } | FetchError::Scheme { .. } | FetchError::BadUrl => {
            Failure::Blocked
        }
        FetchError::Dns { .. } => Failure::Dns,
        FetchError::Connect { .. } => Failure::Connect,
        FetchError::Tls { .. } => Failure::Tls,
        FetchError::TimedOut { phase: Phase::Dns, .. } => Failure::Dns,
        FetchError::TimedOut { phase: Phase::Connect, .. } => Failure::Connect,
        FetchError::TimedOut { phase: Phase::Queue, .. } => Failure::OwnQueue,
        FetchError::TimedOut { .. } => Failure::Timeout,
        FetchError::Refused { status } => Failure::Http(*status),
        FetchError::TooLarge { .. }
        | FetchError::TooManyLines { .. }
        | FetchError::LineTooLong { .. }
        | FetchError::TooManyRedirects { .. } => Failure::TooLarge,
        FetchError::Truncated { .. } => Failure::Truncated,
        // The server has the resource and sends another part of it.
        FetchError::WrongRange => Failure::WrongContent,
        _ => Failure::Broken,
    }
}
