//! What a stream is, faults apart.

use crate::media::{Container, LOOP_MS, PIECE_MS, Rendition};

/// What the stream's URL leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A multivariant playlist: three video renditions and an audio group.
    Master,
    /// A single media playlist with picture and sound.
    Media,
}

impl Layout {
    /// Both, in the order documents list them.
    pub const ALL: [Self; 2] = [Self::Master, Self::Media];

    /// The name in specs: `master` or `media`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Media => "media",
        }
    }

    /// The media playlists such a stream has.
    #[must_use]
    pub const fn renditions(self) -> &'static [Rendition] {
        match self {
            Self::Master => &Rendition::OF_MASTER,
            Self::Media => &Rendition::OF_MEDIA,
        }
    }
}

/// Nominal segment length; also the target duration, as every EXTINF rounds to it (RFC 8216 section 4.3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SegmentLength {
    /// 2 s, 30 segments a loop.
    S2,
    /// 4 s, 15 segments a loop.
    S4,
    /// 6 s, 10 segments a loop.
    S6,
    /// 10 s, 6 segments a loop.
    S10,
}

impl SegmentLength {
    /// All, ascending.
    pub const ALL: [Self; 4] = [Self::S2, Self::S4, Self::S6, Self::S10];

    /// Unit: seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::S2 => 2,
            Self::S4 => 4,
            Self::S6 => 6,
            Self::S10 => 10,
        }
    }

    /// Unit: milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.seconds() * 1_000
    }

    /// Segments until the media start again.
    #[must_use]
    pub const fn per_loop(self) -> u64 {
        LOOP_MS / self.ms()
    }

    /// Pieces of media a segment is made of.
    #[must_use]
    pub const fn pieces(self) -> usize {
        (self.ms() / PIECE_MS) as usize
    }
}

/// What a stream is. The default is a master, TS, 4 s segments, a window of six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// Default: a master.
    pub layout: Layout,
    /// Default: TS.
    pub container: Container,
    /// Default: 4 s.
    pub segment: SegmentLength,
    /// Segments a playlist lists. Range: 3 to 100 (RFC 8216 section 6.2.2 wants three target durations). Default: 6.
    pub window_segments: u64,
    /// Compress playlists for clients that accept gzip. Default: no.
    pub gzip: bool,
    /// Answer playlist requests under `/live` with a 302 to the same path under `/moved`. Default: no.
    pub redirect: bool,
    /// Media sequence number of the stream's first segment. Default: 0. Large values let wraparound be tested.
    pub first_sequence: u64,
}

impl StreamSpec {
    /// The default, usable in constants.
    pub const DEFAULT: Self = Self {
        layout: Layout::Master,
        container: Container::Ts,
        segment: SegmentLength::S4,
        window_segments: 6,
        gzip: false,
        redirect: false,
        first_sequence: 0,
    };
    /// Fewest and most segments in a window.
    pub const WINDOW_RANGE: std::ops::RangeInclusive<u64> = 3..=100;
    /// Largest first sequence number: leaves room for jumps below 2^63.
    pub const MAX_FIRST_SEQUENCE: u64 = 1 << 62;

    /// The media playlists of this stream.
    #[must_use]
    pub const fn renditions(&self) -> &'static [Rendition] {
        self.layout.renditions()
    }

    /// The path of the stream's own URL.
    #[must_use]
    pub fn entry_path(&self, stream: &str) -> String {
        match self.layout {
            Layout::Master => format!("/live/{stream}/master.m3u8"),
            Layout::Media => format!("/live/{stream}/index.m3u8"),
        }
    }

    /// The time its first segment starts, if it is created now: early enough that a full window, and what a
    /// client may still fetch after removal, exist at once. A part of a segment is added by name, so that
    /// hundreds of streams do not publish in the same millisecond. Unit: milliseconds since 1970.
    #[must_use]
    pub fn epoch_ms(&self, stream: &str, created_ms: u64) -> u64 {
        let hash = stream.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let history_ms = (3 * self.window_segments + 2) * self.segment.ms();
        created_ms.saturating_sub(history_ms + (hash >> 16) % self.segment.ms())
    }
}

impl Default for StreamSpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}
