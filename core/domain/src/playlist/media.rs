//! Reading a media playlist.

use super::attributes::{self, Attributes};
use super::date;
use super::model::{
    ByteRange, DurationDefect, Key, Map, MediaPlaylist, PlaylistType, ProblemKind, Segment, ServerControl,
};
use super::read::{Problems, Tag};
use crate::units::{EpochMs, MediaUs};

#[derive(Default)]
pub(super) struct MediaReader<'a> {
    list: MediaPlaylist<'a>,
    next: Pending,
    map: Option<usize>,
    key: Option<usize>,
    /// Up to the last URI.
    discontinuities: u64,
    range_end: Option<(&'a str, u64)>,
    saw_sequence: bool,
}

/// What stands before the next URI.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pending {
    extinf: Option<Result<MediaUs, DurationDefect>>,
    byte_range: Option<(u64, Option<u64>)>,
    /// How many EXT-X-DISCONTINUITY stand there.
    discontinuities: u64,
    gap: bool,
    program_date_time: Option<EpochMs>,
    /// An EXT-X-KEY stands there.
    keyed: bool,
}

/// What a tag speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing that we read.
    Nothing,
    /// The next segment alone.
    Segment,
    /// The list, or its segments from here on.
    List,
}

impl<'a> MediaReader<'a> {
    pub(super) fn has_content(&self) -> bool {
        self.list.target_duration.is_some()
            || self.list.ended
            || self.list.segments.iter().any(|s| s.duration_defect != Some(DurationDefect::Missing))
    }

    /// Makes room for so many segments.
    pub(super) fn expect(&mut self, segments: usize) {
        self.list.segments.reserve(segments);
    }

    /// The number of the first segment, as far as it has been read.
    pub(super) const fn first_sequence(&self) -> u64 {
        self.list.media_sequence
    }

    /// How many segments have been read.
    pub(super) const fn segments(&self) -> usize {
        self.list.segments.len()
    }

    pub(super) fn tag(&mut self, tag: &Tag<'a>, problems: &mut Problems) -> Scope {
        if self.next.tag(tag, problems) {
            return Scope::Segment;
        }
        match tag.name {
            "-X-ENDLIST" => self.list.ended = true,
            "-X-I-FRAMES-ONLY" => self.list.i_frames_only = true,
            "-X-MAP" => self.map(tag, problems),
            "-X-KEY" => self.key(tag, problems),
            _ => return self.header(tag, problems),
        }
        Scope::List
    }

    fn header(&mut self, tag: &Tag<'a>, problems: &mut Problems) -> Scope {
        match tag.name {
            "-X-VERSION" => once(&mut self.list.version, tag.integer(), problems),
            // Some packagers write 6.006; players read it, so do we. The value is checked by a rule.
            "-X-TARGETDURATION" => {
                let value = tag.text().and_then(|t| t.parse().ok()).and_then(attributes::seconds);
                once(&mut self.list.target_duration, value, problems);
            }
            "-X-MEDIA-SEQUENCE" => {
                problem_if(self.saw_sequence, ProblemKind::Duplicate, problems);
                match tag.integer() {
                    Some(value) if !self.saw_sequence => self.list.media_sequence = value,
                    Some(_) => {}
                    None => problems.add(ProblemKind::BadValue),
                }
                self.saw_sequence = true;
            }
            "-X-DISCONTINUITY-SEQUENCE" => match tag.integer() {
                Some(value) => self.list.discontinuity_sequence = value,
                None => problems.add(ProblemKind::BadValue),
            },
            "-X-PLAYLIST-TYPE" => {
                let value = match tag.text() {
                    Some("EVENT") => Some(PlaylistType::Event),
                    Some("VOD") => Some(PlaylistType::Vod),
                    _ => None,
                };
                once(&mut self.list.playlist_type, value, problems);
            }
            "-X-SERVER-CONTROL" => {
                let a = Attributes::of(tag.value, problems);
                self.list.server_control = ServerControl {
                    hold_back: a.seconds("HOLD-BACK"),
                    can_block_reload: a.yes("CAN-BLOCK-RELOAD"),
                };
            }
            _ => return Scope::Nothing,
        }
        Scope::List
    }

    fn map(&mut self, tag: &Tag<'a>, problems: &mut Problems) {
        let a = Attributes::of(tag.value, problems);
        match a.text("URI") {
            Some(uri) => {
                self.list.maps.push(Map { uri, byte_range: a.byte_range("BYTERANGE") });
                self.map = Some(self.list.maps.len() - 1);
            }
            None => problems.add(ProblemKind::BadAttributes),
        }
    }

    /// The first of several EXT-X-KEY tags for one segment counts: they carry the same key in
    /// different formats (RFC 8216 section 4.3.2.4).
    fn key(&mut self, tag: &Tag<'a>, problems: &mut Problems) {
        let a = Attributes::of(tag.value, problems);
        let Some(method) = a.text("METHOD") else { return problems.add(ProblemKind::BadAttributes) };
        let first = !std::mem::replace(&mut self.next.keyed, true);
        if method == "NONE" {
            self.key = None;
            return;
        }
        self.list.keys.push(Key { method, uri: a.text("URI") });
        if first || self.key.is_none() {
            self.key = Some(self.list.keys.len() - 1);
        }
    }

    /// Takes a URI, and gives what stood before it.
    pub(super) fn uri(&mut self, uri: &'a str, problems: &mut Problems) -> Pending {
        let next = self.next;
        self.segment(uri, next, problems);
        next
    }

    /// A segment before whose URI stands `next`.
    pub(super) fn segment(&mut self, uri: &'a str, next: Pending, problems: &mut Problems) {
        self.next = Pending::default();
        let (duration, duration_defect) = match next.extinf {
            Some(Ok(duration)) => (duration, None),
            Some(Err(defect)) => (MediaUs::ZERO, Some(defect)),
            None => (MediaUs::ZERO, Some(DurationDefect::Missing)),
        };
        problem_if(duration_defect.is_some(), ProblemKind::BadValue, problems);
        let byte_range = self.place_range(uri, next.byte_range);
        self.discontinuities += next.discontinuities;
        self.list.segments.push(Segment {
            uri,
            // Numbered in `finish`: EXT-X-MEDIA-SEQUENCE may come late in a sloppy playlist.
            sequence: 0,
            discontinuity_sequence: self.discontinuities,
            duration,
            duration_defect,
            byte_range,
            discontinuity: next.discontinuities > 0,
            gap: next.gap,
            program_date_time: next.program_date_time,
            map: self.map,
            key: self.key,
        });
    }

    /// A range without an offset follows the previous range of the same resource
    /// (RFC 8216 section 4.3.2.2).
    fn place_range(&mut self, uri: &'a str, range: Option<(u64, Option<u64>)>) -> Option<ByteRange> {
        let (length, offset) = range?;
        let follows = || match self.range_end {
            Some((before, end)) if before == uri => end,
            _ => 0,
        };
        let offset = offset.unwrap_or_else(follows);
        self.range_end = Some((uri, offset.saturating_add(length)));
        Some(ByteRange { offset, length })
    }

    pub(super) fn finish(mut self, problems: Problems) -> MediaPlaylist<'a> {
        let (first, base) = (self.list.media_sequence, self.list.discontinuity_sequence);
        for (segment, index) in self.list.segments.iter_mut().zip(0_u64..) {
            // Past 2^64 - 1 they go on from 0, so that neighbours always have different numbers.
            segment.sequence = first.wrapping_add(index);
            segment.discontinuity_sequence = segment.discontinuity_sequence.saturating_add(base);
        }
        self.list.problems = problems.found;
        self.list
    }
}

impl Pending {
    /// Takes a tag that speaks of the next segment alone; false when it is none.
    fn tag(&mut self, tag: &Tag<'_>, problems: &mut Problems) -> bool {
        match tag.name {
            "INF" => self.extinf = Some(extinf(tag)),
            "-X-DISCONTINUITY" => self.discontinuities += 1,
            "-X-GAP" => self.gap = true,
            "-X-BYTERANGE" => {
                self.byte_range = tag.text().and_then(attributes::split_range);
                problem_if(self.byte_range.is_none(), ProblemKind::BadValue, problems);
            }
            "-X-PROGRAM-DATE-TIME" => {
                self.program_date_time = tag.text().and_then(date::read);
                problem_if(self.program_date_time.is_none(), ProblemKind::BadValue, problems);
            }
            _ => return false,
        }
        true
    }
}

fn problem_if(wrong: bool, kind: ProblemKind, problems: &mut Problems) {
    if wrong {
        problems.add(kind);
    }
}

/// Sets a header that may stand once; the first value counts.
fn once<T>(slot: &mut Option<T>, value: Option<T>, problems: &mut Problems) {
    match value {
        Some(_) if slot.is_some() => problems.add(ProblemKind::Duplicate),
        Some(value) => *slot = Some(value),
        None => problems.add(ProblemKind::BadValue),
    }
}

fn extinf(tag: &Tag<'_>) -> Result<MediaUs, DurationDefect> {
    let text = tag.text().unwrap_or_default();
    // What follows the first comma is the title, further commas included.
    let comma = text.bytes().position(|byte| byte == b',');
    let number = text[..comma.unwrap_or(text.len())].trim();
    let number: f64 = number.parse().map_err(|_| DurationDefect::Unreadable)?;
    if number.is_finite() && number < 0.0 {
        return Err(DurationDefect::Negative);
    }
    attributes::seconds(number).ok_or(DurationDefect::Unreadable)
}
