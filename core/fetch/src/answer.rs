//! What a request brought.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::{self, AsHeaderName, HeaderMap};
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
    /// Some headers of the last response head.
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

/// The headers that are kept, each cut to [`KeptHeaders::MAX_BYTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Length`: of the body on the wire.
    pub content_length: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// `Age`.
    pub age: Option<String>,
    /// `Date`.
    pub date: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Via`.
    pub via: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Server`.
    pub server: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Access-Control-Allow-Origin`.
    pub access_control_allow_origin: Option<String>,
}

impl KeptHeaders {
    /// The most bytes kept of one header.
    pub const MAX_BYTES: usize = 256;

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            content_type: kept(headers, header::CONTENT_TYPE),
            content_length: kept(headers, header::CONTENT_LENGTH),
            content_encoding: kept(headers, header::CONTENT_ENCODING),
            content_range: kept(headers, header::CONTENT_RANGE),
            age: kept(headers, header::AGE),
            date: kept(headers, header::DATE),
            etag: kept(headers, header::ETAG),
            via: kept(headers, header::VIA),
            cache_control: kept(headers, header::CACHE_CONTROL),
            server: kept(headers, header::SERVER),
            retry_after: kept(headers, header::RETRY_AFTER),
            access_control_allow_origin: kept(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN),
        }
    }
}

fn kept(headers: &HeaderMap, name: impl AsHeaderName) -> Option<String> {
    let bytes = headers.get(name)?.as_bytes();
    let cut = &bytes[..bytes.len().min(KeptHeaders::MAX_BYTES)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    // A replacement character is longer than what it replaces.
    text.truncate(text.floor_char_boundary(KeptHeaders::MAX_BYTES));
    Some(text)
}
