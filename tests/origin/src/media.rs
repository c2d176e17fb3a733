//! The media every stream plays: 60 s of H.264 and AAC, compiled into the crate (`media/recipe.sh` makes it).
//!
//! Each rendition is one file per container with an index of pieces of about 2 s. A longer segment is a run of
//! pieces, so a segment is one slice of one static file: nothing is ever copied.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

/// Length of the media, after which it starts again. Unit: milliseconds.
pub const LOOP_MS: u64 = 60_000;
/// Length of a piece of video; audio pieces are 2.016 s and 1.984 s in turn. Unit: milliseconds.
pub const PIECE_MS: u64 = 2_000;
/// Pieces in a loop.
pub const PIECES: usize = 30;
/// Frame rate of all video. Unit: frames a second.
pub const FRAME_RATE: f64 = 25.0;

/// What a segment is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// MPEG transport stream (RFC 8216 section 3.2).
    Ts,
    /// Fragmented MP4 with a media initialisation section (RFC 8216 section 3.3).
    Fmp4,
}

impl Container {
    /// Both, in the order documents list them.
    pub const ALL: [Self; 2] = [Self::Ts, Self::Fmp4];

    /// The name in specs: `ts` or `fmp4`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ts => "ts",
            Self::Fmp4 => "fmp4",
        }
    }

    /// The extension of a segment's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ts => "ts",
            Self::Fmp4 => "m4s",
        }
    }
}

/// One distinct media playlist of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// Video, 640x360.
    V360,
    /// Video, 480x270.
    V270,
    /// Video, 320x180.
    V180,
    /// Audio, the only member of its group.
    Audio,
    /// Video 480x270 and audio in one: what a stream without a master plays.
    Muxed,
}

impl Rendition {
    /// All renditions there are media for.
    pub const ALL: [Self; 5] = [Self::V360, Self::V270, Self::V180, Self::Audio, Self::Muxed];
    /// The renditions of a stream with a master.
    pub const OF_MASTER: [Self; 4] = [Self::V360, Self::V270, Self::V180, Self::Audio];
    /// The rendition of a stream without a master.
    pub const OF_MEDIA: [Self; 1] = [Self::Muxed];

    /// The name in paths and in faults.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V360 => "360p",
            Self::V270 => "270p",
            Self::V180 => "180p",
            Self::Audio => "audio",
            Self::Muxed => "muxed",
        }
    }

    /// Width and height in pixels, for renditions with a picture.
    #[must_use]
    pub const fn resolution(self) -> Option<(u64, u64)> {
        match self {
            Self::V360 => Some((640, 360)),
            Self::V270 | Self::Muxed => Some((480, 270)),
            Self::V180 => Some((320, 180)),
            Self::Audio => None,
        }
    }

    /// The RFC 6381 codec strings of this rendition alone, as its parameter sets say (a test compares them).
    #[must_use]
    pub const fn codecs(self) -> &'static str {
        match self {
            Self::V360 => "avc1.64001e",
            Self::V270 => "avc1.4d4015",
            Self::V180 => "avc1.42c00d",
            Self::Audio => AUDIO_CODEC,
            Self::Muxed => "avc1.4d4015,mp4a.40.2",
        }
    }
}

/// AAC-LC.
pub const AUDIO_CODEC: &str = "mp4a.40.2";

/// One rendition in one container: the whole file, and where it may be cut.
#[derive(Debug)]
pub struct Track {
    file: Bytes,
    init: Option<Range<usize>>,
    /// Byte offset at which piece `n` starts; one more than there are pieces.
    offsets: Vec<usize>,
    /// Media time at which piece `n` starts; one more than there are pieces. Unit: milliseconds.
    starts_ms: Vec<u64>,
}

impl Track {
    /// The media initialisation section; transport streams have none.
    #[must_use]
    pub fn init(&self) -> Option<Bytes> {
        self.init.clone().map(|range| self.file.slice(range))
    }

    /// The bytes of these pieces: a slice of the file, not a copy. Out of range gives nothing.
    #[must_use]
    pub fn bytes(&self, pieces: Range<usize>) -> Bytes {
        match (self.offsets.get(pieces.start), self.offsets.get(pieces.end)) {
            (Some(&from), Some(&to)) => self.file.slice(from..to),
            _ => Bytes::new(),
        }
    }

    /// Media time at which a piece starts, counted from the start of the loop. Unit: milliseconds.
    #[must_use]
    pub fn start_ms(&self, piece: usize) -> u64 {
        self.starts_ms.get(piece).copied().unwrap_or(LOOP_MS)
    }

    /// Exact length of these pieces. Unit: milliseconds.
    #[must_use]
    pub fn duration_ms(&self, pieces: Range<usize>) -> u64 {
        self.start_ms(pieces.end).saturating_sub(self.start_ms(pieces.start))
    }

    /// Reads an index as ffmpeg's hls muxer writes it with `single_file`: EXTINF and EXT-X-BYTERANGE per piece.
    fn parse(name: &'static str, file: &'static [u8], index: &str) -> Result<Self, MediaError> {
        let bad = |why| MediaError { name, why };
        let list =
            m3u8_rs::parse_media_playlist_res(index.as_bytes()).map_err(|_| bad("unreadable index"))?;
        if list.segments.len() != PIECES {
            return Err(bad("not 30 pieces"));
        }
        let (mut offsets, mut starts_ms) = (Vec::with_capacity(PIECES + 1), vec![0]);
        let (mut at, mut time_ms, mut init) = (None, 0_u64, None);
        for segment in &list.segments {
            let range = segment.byte_range.as_ref().ok_or_else(|| bad("piece without a byte range"))?;
            let offset = range.offset.ok_or_else(|| bad("byte range without an offset"))? as usize;
            if at.is_some_and(|end| end != offset) {
                return Err(bad("gap between pieces"));
            }
            offsets.push(offset);
            at = Some(offset + range.length as usize);
            // The parser gives f32; whole milliseconds survive that, and all our durations are whole ones.
            time_ms += (f64::from(segment.duration) * 1_000.0).round() as u64;
            starts_ms.push(time_ms);
            if let Some(range) = segment.map.as_ref().and_then(|map| map.byte_range.as_ref()) {
                let from = range.offset.unwrap_or(0) as usize;
                init = Some(from..from + range.length as usize);
            }
        }
        if at != Some(file.len()) {
            return Err(bad("index does not end where the file ends"));
        }
        offsets.push(file.len());
        if time_ms != LOOP_MS {
            return Err(bad("pieces do not add up to 60.000 s"));
        }
        Ok(Self { file: Bytes::from_static(file), init, offsets, starts_ms })
    }
}

/// The committed media do not fit their index. Only a changed `media` folder can cause it; a test reads all of it.
#[derive(Debug, thiserror::Error)]
#[error("media `{name}`: {why}")]
pub struct MediaError {
    name: &'static str,
    why: &'static str,
}

/// All tracks.
#[derive(Debug)]
pub struct Media {
    ts: [Track; 5],
    fmp4: [Track; 5],
}

macro_rules! track {
    ($name:literal) => {
        Track::parse(
            $name,
            include_bytes!(concat!("../media/", $name)),
            include_str!(concat!("../media/", $name, ".m3u8")),
        )
    };
}

impl Media {
    /// The media compiled into this crate, read once.
    ///
    /// # Errors
    /// If an index does not describe its file.
    pub fn load() -> Result<&'static Self, &'static MediaError> {
        static MEDIA: OnceLock<Result<Media, MediaError>> = OnceLock::new();
        MEDIA.get_or_init(Self::read).as_ref()
    }

    fn read() -> Result<Self, MediaError> {
        Ok(Self {
            ts: [
                track!("v360.ts")?,
                track!("v270.ts")?,
                track!("v180.ts")?,
                track!("audio.ts")?,
                track!("av270.ts")?,
            ],
            fmp4: [
                track!("v360.mp4")?,
                track!("v270.mp4")?,
                track!("v180.mp4")?,
                track!("audio.mp4")?,
                track!("av270.mp4")?,
            ],
        })
    }

    /// One rendition in one container.
    #[must_use]
    pub fn track(&self, rendition: Rendition, container: Container) -> &Track {
        let tracks = match container {
            Container::Ts => &self.ts,
            Container::Fmp4 => &self.fmp4,
        };
        let [v360, v270, v180, audio, muxed] = tracks;
        match rendition {
            Rendition::V360 => v360,
            Rendition::V270 => v270,
            Rendition::V180 => v180,
            Rendition::Audio => audio,
            Rendition::Muxed => muxed,
        }
    }
}
