//! What a request brought.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};
use url::Url;

use crate::FetchError;

/// The outcome of one request. Everything that was learned before a failure is kept.
#[derive(Debug)]
pub struct Fetched {
    /// How long each part took.
    pub timings: Timings,
    /// The URL of the last hop: relative references in the body resolve against it.
    pub final_url: Url,
    /// How many redirects were followed.
    pub redirects: u8,
    /// The status of the last response head, if one came.
    pub status: Option<u16>,
    /// The headers of the last response head.
    pub headers: KeptHeaders,
    /// The server the last response head came from.
    pub remote: Option<SocketAddr>,
    /// Decoded bytes given to the caller.
    pub body_bytes: u64,
    /// Bytes of the body as received, before decoding and without chunk framing: what bitrates
    /// are computed from.
    pub wire_bytes: u64,
    /// Whether the whole body came.
    pub result: Result<(), FetchError>,
}

/// How long the parts of a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// In our own queue for the host, all hops together. Not the origin's time.
    pub queue: Duration,
    /// Name resolution, all hops together. `None` if no hop resolved a name: the connection was
    /// reused or the host is an address.
    pub dns: Option<Duration>,
    /// TCP and TLS, all hops together. `None` if every hop used a connection that was there.
    pub connect: Option<Duration>,
    /// From the request being sent to its response head, last hop only; without queue, name
    /// resolution and connecting. `None` if no head came.
    pub ttfb: Option<Duration>,
    /// Everything without `queue`, from the call to the last byte or the failure.
    pub total: Duration,
}

/// What the last response head says, each value cut to [`KeptHeaders::MAX_BYTES`] when it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHeaders(pub(crate) HeaderMap);

impl KeptHeaders {
    /// The most bytes given of one header.
    pub const MAX_BYTES: usize = 256;

    /// The value of a header, the first one where it stands more than once.
    #[must_use]
    pub fn get(&self, name: HeaderName) -> Option<Cow<'_, str>> {
        let bytes = self.0.get(name)?.as_bytes();
        let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(Self::MAX_BYTES)]);
        // A replacement character is longer than what it replaces.
        if text.len() > Self::MAX_BYTES {
            let text = text.to_mut();
            text.truncate(text.floor_char_boundary(Self::MAX_BYTES));
        }
        Some(text)
    }

    /// `Content-Length` is there: the server announced how long the body on the wire is.
    #[must_use]
    pub fn has_length(&self) -> bool {
        self.0.contains_key(header::CONTENT_LENGTH)
    }

    /// `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Cow<'_, str>> {
        self.get(header::RETRY_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &[u8], expected: &str) {
        let mut headers = KeptHeaders::default();
        headers.0.insert(header::SERVER, http::HeaderValue::from_bytes(value).unwrap());
        assert_eq!(headers.get(header::SERVER).as_deref(), Some(expected));
    }

    #[test]
    fn a_value_is_cut_and_never_cut_in_a_character() {
        check(b"short", "short");
        check(&[b'x'; 300], &"x".repeat(256));
        check(&[0xe9; 300], &"\u{fffd}".repeat(85));
        assert_eq!(KeptHeaders::default().get(header::SERVER), None);
    }
}
