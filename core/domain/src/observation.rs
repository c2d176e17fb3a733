//! What a look at a stream brought. The watcher makes observations; only [`crate::step`] judges them.

use std::fmt;
use std::time::Duration;

use crate::id::RenditionId;
use crate::playlist::MediaPlaylist;
use crate::rendition::RenditionSpec;
use crate::units::{EpochMs, MediaUs};

/// One thing seen.
#[derive(Clone, Debug)]
pub enum Observation<'a> {
    /// The stream's own URL was loaded and is a multivariant playlist with these renditions, or failed.
    Master(Load<&'a [RenditionSpec]>),
    /// The stream's own URL is a media playlist: it is the only rendition.
    Single(&'a RenditionSpec),
    /// A load of a media playlist began; until it ends, the silence is the origin's.
    Asked(RenditionId),
    /// A media playlist was loaded, or failed.
    Playlist(RenditionId, Load<&'a MediaPlaylist<'a>>),
    /// An attempt to obtain a segment ended.
    Segment(RenditionId, SegmentAttempt),
    /// Nothing but time has passed.
    Tick,
}

/// An attempt to load a playlist.
#[derive(Clone, Copy, Debug)]
pub struct Load<T> {
    /// When the request was made; the observation's own time is when it ended.
    pub requested_at: EpochMs,
    /// Response head received after the request was sent.
    pub ttfb: Duration,
    /// Retry-After, where the answer had one.
    pub retry_after: Option<Duration>,
    /// What came.
    pub outcome: Result<T, Failure>,
}

/// An attempt to obtain one segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentAttempt {
    /// Media sequence number.
    pub sequence: u64,
    /// EXTINF.
    pub duration: MediaUs,
    /// When the request was made.
    pub requested_at: EpochMs,
    /// Time the request waited in our own queue (per-host limit); never held against the stream.
    pub queue: Duration,
    /// Response head received after the request was sent.
    pub ttfb: Duration,
    /// Request sent to last byte.
    pub download: Duration,
    /// Bytes of the body as received, before decoding.
    pub bytes: u64,
    /// The response had a Content-Length, so the server held the whole segment when it answered.
    pub length_known: bool,
    /// 1 for the first attempt, 2 for the retry.
    pub attempt: u8,
    /// Why the first attempt failed, on the second.
    pub earlier: Option<Failure>,
    /// No further attempt follows.
    pub last: bool,
    /// Whether the bytes came and are media.
    pub outcome: Result<(), Failure>,
}

impl SegmentAttempt {
    /// The server sent the segment while it was being made, at the pace of the media (chunked
    /// low-latency delivery), so its download time says nothing about the network.
    #[must_use]
    pub fn is_paced(&self) -> bool {
        let media = self.duration.as_duration();
        !self.length_known && self.download >= media / 2 && self.download <= media + media / 4
    }
}

/// Why something was not obtained. The class is kept because each has its own cause and cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The host name did not resolve.
    Dns,
    /// No TCP connection.
    Connect,
    /// No TLS session: certificate or protocol.
    Tls,
    /// No answer, or no further byte, in time.
    Timeout,
    /// An HTTP status other than success.
    Http(u16),
    /// More bytes, lines or redirects than a playlist or segment may have.
    TooLarge,
    /// The playlist's text is not a playlist.
    NotAPlaylist(crate::playlist::NotAPlaylist),
    /// The body ended before its announced end.
    Truncated,
    /// A success without a body.
    Empty,
    /// A body of another kind: an error page instead of media, a multivariant playlist instead of a media one.
    WrongContent,
    /// The segment left the playlist before its turn came: earlier downloads were too slow.
    Expired,
    /// The playlist names something that is no URI.
    BadUri,
    /// Our own address guard refused the target.
    Blocked,
    /// Too many requests of ours waited for this host.
    OwnQueue,
    /// The connection broke or spoke nonsense.
    Broken,
}

impl Failure {
    /// An edge says that a playlist is as it was, though nobody asked whether it had changed: the load counts,
    /// and brought nothing new.
    pub const NOT_MODIFIED: Self = Self::Http(304);

    /// 429, by which the origin asks us to slow down, or a queue of our own: neither says anything about
    /// the stream.
    #[must_use]
    pub const fn is_no_evidence(self) -> bool {
        matches!(self, Self::Http(429) | Self::OwnQueue)
    }

    /// Statuses after which a fresh look at the master may bring a new, working URL.
    #[must_use]
    pub const fn may_be_stale_url(self) -> bool {
        matches!(self, Self::Http(401 | 403 | 404 | 410))
    }

    /// Says for certain that the origin does not have the segment, in contrast to a slow path to it.
    #[must_use]
    pub const fn proves_missing(self) -> bool {
        matches!(self, Self::Http(404 | 410) | Self::Empty | Self::Truncated | Self::WrongContent)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("host name does not resolve"),
            Self::Connect => f.write_str("no connection"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Timeout => f.write_str("timed out"),
            Self::Http(status) => write!(f, "HTTP {status}"),
            Self::TooLarge => f.write_str("over a limit: bytes, lines or redirects"),
            Self::NotAPlaylist(why) => write!(f, "not a playlist: {}", why.describe()),
            Self::Truncated => f.write_str("cut short"),
            Self::Empty => f.write_str("empty body"),
            Self::WrongContent => f.write_str("another kind of content than it should be"),
            Self::Expired => f.write_str("left the playlist before it could be downloaded"),
            Self::BadUri => f.write_str("its URI cannot be read"),
            Self::Blocked => {
                f.write_str("address refused by the guard: allow it as HOST:PORT if it is yours")
            }
            Self::OwnQueue => f.write_str("not asked: our own queue for this host is full"),
            Self::Broken => f.write_str("connection broke"),
        }
    }
}
