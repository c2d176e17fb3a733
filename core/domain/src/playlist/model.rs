//! The shapes of a multivariant playlist and of a media playlist (RFC 8216 section 4.3).

use crate::units::{EpochMs, MediaUs};

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed<'a> {
    /// A multivariant ("master") playlist: it lists other playlists.
    Multivariant(Multivariant<'a>),
    /// A media playlist: it lists segments.
    Media(MediaPlaylist<'a>),
    /// Neither; the reason is what an operator is told.
    NotAPlaylist(NotAPlaylist),
}

/// Why a text is no playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotAPlaylist {
    /// Nothing but white space, if that.
    Empty,
    /// The first line is not `#EXTM3U` (RFC 8216 section 4.3.1.1).
    NoHeader,
    /// The header stands there, but nothing that makes a media or a multivariant playlist.
    NoContent,
}

impl NotAPlaylist {
    /// One clause for a message.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Empty => "the body is empty",
            Self::NoHeader => "the first line is not #EXTM3U",
            Self::NoContent => "it lists neither segments nor variants",
        }
    }
}

/// A multivariant playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multivariant<'a> {
    /// EXT-X-STREAM-INF entries in the order of the text.
    pub variants: Vec<Variant<'a>>,
    /// EXT-X-MEDIA entries in the order of the text.
    pub media: Vec<MediaTag<'a>>,
    /// URIs of EXT-X-I-FRAME-STREAM-INF entries.
    pub i_frame_uris: Vec<&'a str>,
    /// What could not be understood; at most [`Problem::MAX`].
    pub problems: Vec<Problem>,
}

/// One EXT-X-STREAM-INF with its URI (RFC 8216 section 4.3.4.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variant<'a> {
    /// The URI line, unresolved.
    pub uri: &'a str,
    /// BANDWIDTH, bits per second: the peak segment bit rate. Required by the standard.
    pub bandwidth_bps: Option<u64>,
    /// AVERAGE-BANDWIDTH, bits per second.
    pub average_bandwidth_bps: Option<u64>,
    /// CODECS, as written.
    pub codecs: Option<&'a str>,
    /// RESOLUTION in pixels, width by height.
    pub resolution: Option<(u64, u64)>,
    /// FRAME-RATE, frames per second.
    pub frame_rate: Option<f64>,
    /// AUDIO: the group of audio renditions that plays with this variant.
    pub audio: Option<&'a str>,
    /// SUBTITLES: the group of subtitle renditions.
    pub subtitles: Option<&'a str>,
    /// PATHWAY-ID (bis 4.4.6.2); absent means the pathway `.`.
    pub pathway: Option<&'a str>,
}

/// TYPE of an EXT-X-MEDIA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// AUDIO.
    Audio,
    /// VIDEO.
    Video,
    /// SUBTITLES.
    Subtitles,
    /// CLOSED-CAPTIONS: in the video, never a playlist of its own.
    ClosedCaptions,
}

/// One EXT-X-MEDIA (RFC 8216 section 4.3.4.1).
#[derive(Clone, Debug, PartialEq)]
pub struct MediaTag<'a> {
    /// TYPE.
    pub kind: MediaKind,
    /// GROUP-ID.
    pub group: &'a str,
    /// NAME.
    pub name: &'a str,
    /// LANGUAGE.
    pub language: Option<&'a str>,
    /// URI; absent when the rendition is muxed into the variant.
    pub uri: Option<&'a str>,
}

/// A media playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaPlaylist<'a> {
    /// EXT-X-VERSION.
    pub version: Option<u64>,
    /// EXT-X-TARGETDURATION as written. For pacing use [`MediaPlaylist::target`].
    pub target_duration: Option<MediaUs>,
    /// EXT-X-MEDIA-SEQUENCE of the first segment; 0 when absent (RFC 8216 section 4.3.3.2).
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE; 0 when absent (RFC 8216 section 4.3.3.3).
    pub discontinuity_sequence: u64,
    /// EXT-X-PLAYLIST-TYPE.
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-ENDLIST stands in the text: no segment will be added.
    pub ended: bool,
    /// EXT-X-I-FRAMES-ONLY.
    pub i_frames_only: bool,
    /// EXT-X-SERVER-CONTROL.
    pub server_control: ServerControl,
    /// Segments, oldest first.
    pub segments: Vec<Segment<'a>>,
    /// EXT-X-MAP entries; segments refer to them by index.
    pub maps: Vec<Map<'a>>,
    /// EXT-X-KEY entries other than NONE; segments refer to them by index.
    pub keys: Vec<Key<'a>>,
    /// What could not be understood; at most [`Problem::MAX`].
    pub problems: Vec<Problem>,
}

impl MediaPlaylist<'_> {
    /// The target duration to reckon with: as written, else (also when 0 is written) the longest segment in
    /// whole seconds (the rounding of RFC 8216 section 4.3.3.1), between 1 s and one hour whatever the text
    /// claims.
    ///
    /// Where segments are so much longer than written that the wait for each would look like a stall, their
    /// usual length counts: a wrong header is a fault of its own and no outage.
    #[must_use]
    pub fn target(&self) -> MediaUs {
        let longest = || self.segments.iter().map(|s| s.duration).max().unwrap_or_default();
        let claimed = self
            .target_duration
            .filter(|written| *written > MediaUs::ZERO)
            .unwrap_or_else(|| MediaUs(longest().0.saturating_add(500_000) / 1_000_000 * 1_000_000));
        let usual = self.usual_duration();
        let patience = MediaUs(claimed.0.saturating_add(claimed.0 / 2));
        let fair = if usual > patience { usual } else { claimed };
        fair.clamp(MediaUs::from_seconds(1), MediaUs::from_seconds(3_600))
    }

    /// The median of the newest five segments: a single odd one does not tell.
    fn usual_duration(&self) -> MediaUs {
        let mut newest = [MediaUs::ZERO; 5];
        let count =
            newest.iter_mut().zip(self.segments.iter().rev()).map(|(place, s)| *place = s.duration).count();
        newest[..count].sort_unstable();
        newest[count / 2]
    }

    /// Media sequence number of the newest segment.
    #[must_use]
    pub fn last_sequence(&self) -> Option<u64> {
        self.segments.last().map(|s| s.sequence)
    }

    /// Media listed, GAP segments included.
    #[must_use]
    pub fn window(&self) -> MediaUs {
        self.segments.iter().map(|s| s.duration).sum()
    }
}

/// EXT-X-PLAYLIST-TYPE (RFC 8216 section 4.3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistType {
    /// Only ever appended to.
    Event,
    /// Never changes.
    Vod,
}

/// The part of EXT-X-SERVER-CONTROL (bis 4.4.3.8) that decides where playback starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerControl {
    /// HOLD-BACK: how far from the end a client should start.
    pub hold_back: Option<MediaUs>,
    /// CAN-BLOCK-RELOAD=YES.
    pub can_block_reload: bool,
}

/// One segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<'a> {
    /// The URI line, unresolved.
    pub uri: &'a str,
    /// Media sequence number; after 2^64 - 1 follows 0.
    pub sequence: u64,
    /// Discontinuity sequence number: the header's value plus the tags up to and with this segment.
    pub discontinuity_sequence: u64,
    /// EXTINF. Zero when it could not be read; see `duration_defect`.
    pub duration: MediaUs,
    /// What is wrong with EXTINF.
    pub duration_defect: Option<DurationDefect>,
    /// EXT-X-BYTERANGE with its offset worked out.
    pub byte_range: Option<ByteRange>,
    /// EXT-X-DISCONTINUITY stands before this segment.
    pub discontinuity: bool,
    /// EXT-X-GAP: the segment is known to be missing and must not be fetched (bis 4.4.4.7).
    pub gap: bool,
    /// EXT-X-PROGRAM-DATE-TIME of this very segment, not carried on from an earlier one.
    pub program_date_time: Option<EpochMs>,
    /// Index into [`MediaPlaylist::maps`].
    pub map: Option<usize>,
    /// Index into [`MediaPlaylist::keys`]; none when the segment is in the clear.
    pub key: Option<usize>,
}

/// What is wrong with an EXTINF value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationDefect {
    /// There is no EXTINF before the URI.
    Missing,
    /// Below zero.
    Negative,
    /// Not a decimal number, not finite, or above ten years.
    Unreadable,
}

/// A range of bytes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

/// EXT-X-MAP: where the initialisation section lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map<'a> {
    /// URI, unresolved.
    pub uri: &'a str,
    /// BYTERANGE.
    pub byte_range: Option<ByteRange>,
}

/// EXT-X-KEY other than METHOD=NONE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// METHOD, as written.
    pub method: &'a str,
    /// URI, unresolved.
    pub uri: Option<&'a str>,
}

impl Key<'_> {
    /// Whole segments are encrypted, so nothing can be said of their inside without the key.
    #[must_use]
    pub fn hides_container(&self) -> bool {
        !self.method.starts_with("SAMPLE-AES")
    }
}

/// A line that could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line number, from 1.
    pub line: u32,
    /// What is wrong.
    pub kind: ProblemKind,
}

impl Problem {
    /// Most problems kept for one playlist.
    pub const MAX: usize = 100;
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// `#EXT` with nothing usable after it.
    BadTag,
    /// A value that is not of the tag's form.
    BadValue,
    /// An attribute list that cannot be split, or lacks a required attribute.
    BadAttributes,
    /// EXT-X-STREAM-INF without a URI line after it.
    VariantWithoutUri,
    /// A tag that may stand once stands again.
    Duplicate,
    /// A reference to a variable that is not defined before it (rfc8216bis section 4.3), or that has no room.
    UndefinedVariable,
}
