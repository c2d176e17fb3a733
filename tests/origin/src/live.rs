//! The live model, pure: what a stream's playlists list at a moment, and which segments may be fetched then.
//!
//! Slot `k` becomes available at `epoch + (k + 1) * length`. A playlist lists the newest `window_segments` slots.

use m3u8_rs::{Map, MediaPlaylist, MediaSegment};

use crate::fault::{FaultKind, Hit};
use crate::media::{Container, LOOP_MS, Media, Rendition};
use crate::numbering::{Era, Numbering};
use crate::spec::StreamSpec;
use crate::text;

/// A stream without its faults: everything here is a function of it and of a time.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// The media compiled in.
    pub media: &'static Media,
    /// What the stream is.
    pub spec: &'a StreamSpec,
    /// When slot 0 starts. Unit: milliseconds since 1970.
    pub epoch_ms: u64,
    /// Jumps and restarts.
    pub numbering: &'a Numbering,
}

/// The slots a playlist lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Oldest.
    pub first: u64,
    /// Newest.
    pub last: u64,
    /// What they are called.
    pub era: Era,
}

/// A media playlist under faults.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The file.
    pub text: String,
    /// Its first media sequence number.
    pub media_sequence: u64,
    /// The number of its newest segment.
    pub newest_sequence: u64,
    /// Position, in the stream's list of faults, of the one that made it differ from the healthy playlist.
    pub changed_by: Option<usize>,
}

impl Live<'_> {
    /// The newest slot that is available, if any is.
    #[must_use]
    pub const fn newest_slot(&self, at_ms: u64) -> Option<u64> {
        (at_ms.saturating_sub(self.epoch_ms) / self.spec.segment.ms()).checked_sub(1)
    }

    /// The first slot that is not available yet.
    #[must_use]
    pub const fn next_slot(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.epoch_ms) / self.spec.segment.ms()
    }

    /// When a slot becomes available. Unit: milliseconds since 1970.
    #[must_use]
    pub const fn available_ms(&self, slot: u64) -> u64 {
        self.epoch_ms + (slot + 1) * self.spec.segment.ms()
    }

    /// What a playlist lists at a time; nothing before the first segment is complete.
    #[must_use]
    pub fn window(&self, at_ms: u64) -> Option<Window> {
        self.newest_slot(at_ms).map(|last| self.window_ending(last))
    }

    fn window_ending(&self, last: u64) -> Window {
        let era = self.numbering.era(last);
        let oldest = (last + 1).saturating_sub(self.spec.window_segments);
        Window { first: oldest.max(era.start_slot), last, era }
    }

    /// The pieces of media a slot is made of.
    #[must_use]
    pub const fn pieces(&self, slot: u64) -> std::ops::Range<usize> {
        let position = (slot % self.spec.segment.per_loop()) as usize;
        let pieces = self.spec.segment.pieces();
        position * pieces..(position + 1) * pieces
    }

    /// Exact start of a slot's media, by the wall clock. Unit: milliseconds since 1970.
    #[must_use]
    pub fn program_date_time_ms(&self, rendition: Rendition, slot: u64) -> u64 {
        let track = self.media.track(rendition, self.spec.container);
        let loops = slot / self.spec.segment.per_loop();
        self.epoch_ms + loops * LOOP_MS + track.start_ms(self.pieces(slot).start)
    }

    /// The playlist of a rendition as it is right at this time, as data.
    #[must_use]
    pub fn media_playlist(&self, rendition: Rendition, at_ms: u64) -> MediaPlaylist {
        let version = match self.spec.container {
            Container::Ts => 3,
            Container::Fmp4 => 6, // EXT-X-MAP without I-FRAMES-ONLY: RFC 8216 section 7.
        };
        let mut list = MediaPlaylist {
            version: Some(version),
            target_duration: self.spec.segment.seconds(),
            ..MediaPlaylist::default()
        };
        let Some(Window { first, last, era }) = self.window(at_ms) else {
            return list;
        };
        let per_loop = self.spec.segment.per_loop();
        list.media_sequence = era.number(first);
        // A discontinuity on the first listed segment has not left the playlist yet (RFC 8216 section 4.3.3.3).
        list.discontinuity_sequence =
            era.discontinuities(first, per_loop) - u64::from(era.is_discontinuity(first, per_loop));
        list.segments = (first..=last).map(|slot| self.segment(rendition, &era, slot)).collect();
        if self.spec.container == Container::Fmp4
            && let Some(segment) = list.segments.first_mut()
        {
            segment.map = Some(Map { uri: "init.mp4".to_owned(), ..Map::default() });
        }
        list
    }

    fn segment(&self, rendition: Rendition, era: &Era, slot: u64) -> MediaSegment {
        let track = self.media.track(rendition, self.spec.container);
        MediaSegment {
            uri: segment_name(self.spec.container, era.generation, era.number(slot)),
            duration: (track.duration_ms(self.pieces(slot)) as f64 / 1_000.0) as f32,
            discontinuity: era.is_discontinuity(slot, self.spec.segment.per_loop()),
            program_date_time: text::date_time(self.program_date_time_ms(rendition, slot)).parse().ok(),
            ..MediaSegment::default()
        }
    }

    /// The playlist of a rendition under faults.
    #[must_use]
    pub fn playlist(&self, rendition: Rendition, hits: &[Hit], now_ms: u64) -> Listing {
        let shown = Shown::of(self, hits, now_ms);
        let mut list = self.media_playlist(rendition, shown.at_ms);
        list.end_list = shown.ended;
        let count = list.segments.len() as u64;
        Listing {
            text: text::media(&list),
            media_sequence: list.media_sequence,
            newest_sequence: (list.media_sequence + count).saturating_sub(1),
            changed_by: shown.changed_by,
        }
    }

    /// The slot a segment's name stands for, if it may be fetched now: it was listed, and left at most a window
    /// ago (RFC 8216 section 6.2.2 asks for the segment's length plus that of the longest playlist). `frozen` are
    /// the times other than now that playlists are shown from; `ended` limits them to those.
    #[must_use]
    pub fn fetchable(&self, name: SegmentName, frozen: &[u64], ended: bool, now_ms: u64) -> Option<u64> {
        let present = (!ended).then_some(now_ms);
        let window = self.spec.window_segments;
        present.into_iter().chain(frozen.iter().copied()).find_map(|at_ms| {
            let newest = self.newest_slot(at_ms)?;
            let oldest = newest.saturating_sub(window + 1);
            (oldest..=newest).rev().find_map(|last| {
                let shown = self.window_ending(last);
                let slot = shown.era.slot(name.number)?;
                let same = name.generation == shown.era.generation;
                (same && (shown.first..=shown.last).contains(&slot)).then_some(slot)
            })
        })
    }
}

/// What a playlist is shown as, under faults.
struct Shown {
    at_ms: u64,
    ended: bool,
    changed_by: Option<usize>,
}

impl Shown {
    fn of(live: &Live<'_>, hits: &[Hit], now_ms: u64) -> Self {
        let mut shown = Self { at_ms: now_ms, ended: false, changed_by: None };
        let (mut older, mut by) = (0, None);
        for hit in hits {
            match hit.kind {
                FaultKind::End | FaultKind::PlaylistStall if hit.since_ms <= shown.at_ms => {
                    shown.at_ms = hit.since_ms;
                    by = Some(hit.index);
                }
                FaultKind::OlderCopy { segments } => {
                    older += segments * live.spec.segment.ms();
                    by = Some(hit.index);
                }
                _ => {}
            }
            if hit.kind == FaultKind::End {
                shown.ended = true;
                by = Some(hit.index);
            }
        }
        // An older copy is at most as old as the stream: it lists one segment at least.
        let oldest_ms = live.available_ms(0).min(shown.at_ms);
        shown.at_ms = shown.at_ms.saturating_sub(older).max(oldest_ms);
        let differs = shown.ended || live.newest_slot(shown.at_ms) != live.newest_slot(now_ms);
        shown.changed_by = by.filter(|_| differs);
        shown
    }
}

/// What a segment's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentName {
    /// Encoder restarts before it.
    pub generation: u64,
    /// Its media sequence number.
    pub number: u64,
}

impl SegmentName {
    /// Reads `seg-12.ts`, or `seg-e1-12.ts` after an encoder restart.
    #[must_use]
    pub fn parse(name: &str, container: Container) -> Option<Self> {
        let stem = name.strip_prefix("seg-")?.strip_suffix(container.extension())?.strip_suffix('.')?;
        let (generation, number) = match stem.strip_prefix('e') {
            Some(rest) => rest.split_once('-')?,
            None => ("0", stem),
        };
        let parsed = Self { generation: generation.parse().ok()?, number: number.parse().ok()? };
        // One name per segment: "seg-007.ts" is not "seg-7.ts".
        (segment_name(container, parsed.generation, parsed.number) == name).then_some(parsed)
    }
}

fn segment_name(container: Container, generation: u64, number: u64) -> String {
    let extension = container.extension();
    match generation {
        0 => format!("seg-{number}.{extension}"),
        _ => format!("seg-e{generation}-{number}.{extension}"),
    }
}
