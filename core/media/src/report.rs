//! What an inspection found: plain values, no behaviour that looks at bytes.

/// The form of a segment's content.
///
/// RFC 8216 section 3 knows four: MPEG-2 transport streams (3.2), fragmented
/// MP4 (3.3), packed audio (3.4) and WebVTT (3.5). The others name what came
/// instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// MPEG-2 transport stream: 188-byte packets.
    MpegTs,
    /// Fragmented MP4, a media segment or an initialisation section.
    Fmp4,
    /// Audio frames without a container: an ID3 tag, ADTS, MPEG audio or (E-)AC-3.
    PackedAudio,
    /// WebVTT subtitles.
    WebVtt,
    /// An HTML page, usually somebody's error page.
    Html,
    /// Other text: a playlist, JSON, XML, a plain message.
    Text,
    /// Bytes of no form known here.
    Unknown,
    /// No bytes at all.
    Empty,
    /// Not looked into, on request: the content is encrypted as a whole.
    Opaque,
}

impl Container {
    /// Whether RFC 8216 section 3 allows a segment of this form. Encrypted
    /// content is given the benefit of the doubt.
    #[must_use]
    pub const fn is_media(self) -> bool {
        matches!(self, Self::MpegTs | Self::Fmp4 | Self::PackedAudio | Self::WebVtt | Self::Opaque)
    }
}

/// Everything known about one segment after its last byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The form of the content, decided by its first kilobyte.
    pub container: Container,
    /// Length of the content, in bytes.
    pub bytes: u64,
    /// XXH3-64 (seed 0) of the whole content: equal content has equal values,
    /// in every version and on every machine. Not meant against forgery. `None`
    /// unless it was asked for: [`crate::Inspector::hashing`].
    pub content_hash: Option<u64>,
    /// Details, if the container is [`Container::MpegTs`].
    pub ts: Option<TsReport>,
    /// Details, if the container is [`Container::Fmp4`].
    pub fmp4: Option<Fmp4Report>,
    /// Why a player could not use this as a segment; `None` if nothing says so.
    pub defect: Option<Defect>,
}

/// Why the content is no usable segment. The first that holds, in this order.
///
/// Continuity errors are not here: a player conceals a lost packet. They stand
/// in [`TsReport::continuity_errors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// The content has no bytes.
    Empty,
    /// The content is of none of the forms of RFC 8216 section 3.
    NotMedia {
        /// What it looks like instead.
        container: Container,
    },
    /// A transport stream in which packets do not follow each other.
    LostSync {
        /// How often the sync byte was missing where a packet had to begin.
        losses: u64,
        /// Bytes given up until packets were found again.
        skipped_bytes: u64,
    },
    /// Fragmented MP4 whose chain of boxes leads to something that is no box.
    BrokenBoxes {
        /// Offset of the header that cannot be one, in bytes from the start.
        at_byte: u64,
    },
    /// The content ends inside a packet or box.
    Truncated {
        /// Bytes missing, at least: to the end of the last packet or box, or to
        /// the end of its header where that was cut itself.
        missing_bytes: u64,
    },
}

/// What a transport stream holds (ISO/IEC 13818-1 section 2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TsReport {
    /// Complete packets read, null packets included.
    pub packets: u64,
    /// How often the sync byte was missing where a packet had to begin.
    pub sync_losses: u64,
    /// Bytes given up while looking for packets again.
    pub skipped_bytes: u64,
    /// Packets that carry the transport error indicator; nothing else of them
    /// is believed.
    pub transport_errors: u64,
    /// Continuity errors over all PIDs, inside this segment only. An allowed
    /// duplicate, a signalled discontinuity, null packets and the packets after
    /// a sync loss are none (section 2.4.3.3).
    pub continuity_errors: u64,
    /// The PIDs behind `continuity_errors`, by rising PID; at most
    /// [`TsReport::MAX_PIDS`].
    pub continuity: Vec<PidErrors>,
    /// A program association table begins in this segment.
    pub has_pat: bool,
    /// A program map table that the association table names begins in it.
    pub has_pmt: bool,
    /// Presentation times of video (stream ids 0xE0 to 0xEF).
    pub video: Option<PtsSpan>,
    /// Presentation times of MPEG audio (stream ids 0xC0 to 0xDF).
    pub audio: Option<PtsSpan>,
    /// Presentation times of private streams (stream id 0xBD): AC-3, timed
    /// metadata, subtitles.
    pub private: Option<PtsSpan>,
    /// Bytes of a last, incomplete packet; 0 if the content ends with a whole one.
    pub trailing_bytes: u64,
}

impl TsReport {
    /// At most so many PIDs are listed in `continuity`.
    pub const MAX_PIDS: usize = 16;
}

/// The continuity errors of one PID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PidErrors {
    /// The packet identifier, 0 to 8190.
    pub pid: u16,
    /// Its errors inside this segment.
    pub errors: u32,
}

/// First and last presentation time of one kind of elementary stream.
///
/// Unit: ticks of 90 kHz. Values wrap at 2^33 (ISO/IEC 13818-1 section
/// 2.4.3.7); "first" and "last" are by time on screen, not by order in the
/// file, and right across one wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PtsSpan {
    /// The earliest presentation time.
    pub first: u64,
    /// The latest presentation time: the *start* of the last frame.
    pub last: u64,
}

impl PtsSpan {
    /// Presentation times are counted modulo this, in ticks of 90 kHz.
    pub const MODULUS: u64 = 1 << 33;

    /// From the first to the last presentation time, in ticks of 90 kHz. One
    /// frame shorter than the media lasts.
    #[must_use]
    pub const fn ticks(self) -> u64 {
        self.last.wrapping_sub(self.first) % Self::MODULUS
    }
}

/// What a file of boxes holds (ISO/IEC 14496-12 section 4.2), top level only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fmp4Report {
    /// How many boxes of each type begin in the content.
    pub boxes: Boxes,
    /// Offset of the first header that cannot be one, in bytes; what follows it
    /// was not read. `None` if there is none.
    pub broken_at_byte: Option<u64>,
    /// Bytes missing at the end of the last box, or of its header; 0 if whole.
    pub missing_bytes: u64,
}

impl Fmp4Report {
    /// An initialisation section is present (RFC 8216 section 3.3).
    #[must_use]
    pub const fn has_init(&self) -> bool {
        self.boxes.moov > 0
    }

    /// A movie fragment and media data are present (RFC 8216 section 3.3).
    #[must_use]
    pub const fn has_media(&self) -> bool {
        self.boxes.moof > 0 && self.boxes.mdat > 0
    }
}

/// Counts of top-level boxes by type. They stop at [`u32::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Boxes {
    /// File type: begins an initialisation section.
    pub ftyp: u32,
    /// Segment type: begins a media segment.
    pub styp: u32,
    /// Movie: the tracks and their codecs.
    pub moov: u32,
    /// Segment index.
    pub sidx: u32,
    /// Event message.
    pub emsg: u32,
    /// Producer reference time.
    pub prft: u32,
    /// Movie fragment: sample times and sizes.
    pub moof: u32,
    /// Media data: the samples.
    pub mdat: u32,
    /// Any other type.
    pub other: u32,
}
