//! How much and how long one request may take.

use std::time::Duration;

use tokio::time::Instant;

/// The limits of one request. All are arguments: the client has no limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most body bytes after decoding. Default: 8 MiB for a playlist, 64 MiB for a segment.
    pub max_bytes: u64,
    /// The most lines of the decoded body; `None` does not count lines. Default for a playlist:
    /// 200,000 (a 24 h list of 2 s segments has about 90,000).
    pub max_lines: Option<u64>,
    /// The most bytes of one line without its line feed; `None` does not measure lines. Default
    /// for a playlist: 64 KiB.
    pub max_line_bytes: Option<u64>,
    /// For name resolution, TCP and TLS together, per hop. Default: 5 s.
    pub connect: Duration,
    /// From the request being sent to the complete response head, per hop. Default: 10 s.
    pub first_byte: Duration,
    /// The longest silence inside a body. Default: 5 s.
    pub idle: Duration,
    /// For everything, all redirects included, less the wait in our own queue, which has the
    /// same limit again. Default: the larger of 30 s and 3 target durations.
    pub total: Duration,
}

impl Bounds {
    /// Limits for a playlist; `target_duration` is the stream's, if it is known yet.
    #[must_use]
    pub fn playlist(target_duration: Option<Duration>) -> Self {
        Self {
            max_bytes: 8 << 20,
            max_lines: Some(200_000),
            max_line_bytes: Some(64 << 10),
            ..Self::segment(target_duration)
        }
    }

    /// Limits for a media segment, an initialisation section or a key.
    #[must_use]
    pub fn segment(target_duration: Option<Duration>) -> Self {
        Self {
            max_bytes: 64 << 20,
            max_lines: None,
            max_line_bytes: None,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            idle: Duration::from_secs(5),
            total: total_for(target_duration),
        }
    }
}

/// No playlist of the real world has a target duration over an hour; a crafted one must not keep
/// a connection open for ever.
const MAX_TOTAL: Duration = Duration::from_secs(3_600);

fn total_for(target_duration: Option<Duration>) -> Duration {
    let three = target_duration.unwrap_or_default().saturating_mul(3);
    three.clamp(Duration::from_secs(30), MAX_TOTAL)
}

/// A point in time so much later. A limit given as "for ever" is a day, not an overflow.
pub(crate) fn later(from: Instant, by: Duration) -> Instant {
    from + by.min(Duration::from_secs(86_400))
}

/// The part of a request in which a time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// In our own queue for the host: the origin is not to blame.
    Queue,
    /// Resolving the name.
    Dns,
    /// Opening the TCP connection, or the TLS handshake.
    Connect,
    /// Waiting for the response head.
    FirstByte,
    /// A silence inside the body.
    Idle,
    /// The whole request.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queue => "waiting for a free connection slot",
            Self::Dns => "resolving the name",
            Self::Connect => "connecting",
            Self::FirstByte => "waiting for the response head",
            Self::Idle => "waiting for more of the body",
            Self::Total => "the whole request",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, later};
    use std::time::Duration;

    #[test]
    fn for_ever_is_no_overflow() {
        let now = tokio::time::Instant::now();
        assert_eq!(later(now, Duration::MAX) - now, Duration::from_secs(86_400));
    }

    #[test]
    fn total_is_the_larger_of_30_s_and_3_target_durations() {
        for (target, expected) in [(None, 30), (Some(6), 30), (Some(11), 33), (Some(u64::MAX), 3_600)] {
            let bounds = Bounds::playlist(target.map(Duration::from_secs));
            assert_eq!(bounds.total, Duration::from_secs(expected), "{target:?}");
        }
    }
}
