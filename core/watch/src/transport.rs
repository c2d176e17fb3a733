//! How bytes come: HTTP in production, a script in tests.

use std::future::Future;
use std::time::Duration;

use hlsops_domain::Failure;
use hlsops_domain::playlist::ByteRange;
use url::Url;

/// Fetches playlists and segments.
pub trait Transport: Clone + Send + Sync + 'static {
    /// Fetches a playlist.
    fn playlist(&self, request: PlaylistRequest) -> impl Future<Output = PlaylistAnswer> + Send;

    /// Fetches a segment and looks inside; the bytes themselves are not kept.
    fn segment(&self, request: SegmentRequest) -> impl Future<Output = SegmentAnswer> + Send;
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct PlaylistRequest {
    /// Where.
    pub url: Url,
    /// The stream's target duration as far as it is known; the time allowed depends on it.
    pub target_duration: Option<Duration>,
    /// Use a new connection.
    pub fresh_connection: bool,
}

/// What came.
#[derive(Clone, Debug)]
pub struct PlaylistAnswer {
    /// Request sent to response head.
    pub ttfb: Duration,
    /// The URL after redirects: what the list names is resolved against it.
    pub final_url: Url,
    /// Retry-After, in seconds form.
    pub retry_after: Option<Duration>,
    /// The body.
    pub outcome: Result<Vec<u8>, Failure>,
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct SegmentRequest {
    /// Where.
    pub url: Url,
    /// Part of the resource.
    pub byte_range: Option<ByteRange>,
    /// The stream's target duration.
    pub target_duration: Duration,
    /// The whole segment is encrypted: only its arrival can be judged.
    pub opaque: bool,
    /// Use a new connection.
    pub fresh_connection: bool,
}

/// What came.
#[derive(Clone, Copy, Debug)]
pub struct SegmentAnswer {
    /// Time in our own queue for the host.
    pub queue: Duration,
    /// Request sent to response head.
    pub ttfb: Duration,
    /// Request to last byte, without `queue`.
    pub download: Duration,
    /// Bytes received, before decoding.
    pub bytes: u64,
    /// The answer announced its length.
    pub length_known: bool,
    /// Whether all of it came and is media.
    pub outcome: Result<(), Failure>,
}
