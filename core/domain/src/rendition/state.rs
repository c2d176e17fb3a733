//! The state of one rendition.

use std::collections::VecDeque;
use std::time::Duration;

use super::memory::{Memory, path_of};
use super::samples::{Loss, LossSum, Sample};
use super::spec::RenditionSpec;
use crate::buffer::{Buffer, Phase};
use crate::observation::Failure;
use crate::rolling::Rolling;
use crate::units::{EpochMs, MediaUs};

/// State of a media playlist, in the words operators know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistState {
    /// The starting state, until the list advances.
    Unknown,
    /// No ENDLIST, and new segments keep coming.
    Live,
    /// New segments are overdue: a reload later than 1.5 target durations after the last change brought none.
    Stalled,
    /// Two loads in a row failed.
    HttpError(Failure),
    /// Was Live, then ENDLIST. Segments are not watched until it is Live again.
    LiveEnd,
    /// Has ENDLIST and was never Live.
    Vod,
}

impl PlaylistState {
    /// The state of a stream is that of the playlist that ranks highest.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::HttpError(_) => 5,
            Self::Stalled => 4,
            Self::LiveEnd => 3,
            Self::Live => 2,
            Self::Vod => 1,
            Self::Unknown => 0,
        }
    }

    /// The name operators know it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Live => "Live",
            Self::Stalled => "Stalled",
            Self::HttpError(_) => "HTTPError",
            Self::LiveEnd => "LiveEnd",
            Self::Vod => "VOD",
        }
    }

    /// The list has ended: nothing is expected of it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::LiveEnd | Self::Vod)
    }
}

/// One rendition, as far as it is known.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// What it is.
    pub spec: RenditionSpec,
    /// State of its playlist.
    pub playlist: PlaylistState,
    /// Since when.
    pub playlist_since: EpochMs,
    /// It has been Live before.
    pub(crate) was_live: bool,
    /// Loads that failed in a row.
    pub(crate) failed_loads: u32,
    /// When the last good load ended.
    pub(crate) loaded_at: Option<EpochMs>,
    /// When the last load with something new ended; the first load counts, and so does the end of a gap of
    /// our own: what was new meanwhile nobody knows.
    pub(crate) changed_at: Option<EpochMs>,
    /// When the last look ended; 429 answers are no looks.
    pub last_look: Option<EpochMs>,
    /// What it listed before.
    pub(crate) memory: Memory,
    /// Target durations of the newest lists; the largest counts for 3 segments after a change.
    pub(crate) target: TargetDuration,
    /// Playback.
    pub buffer: Buffer,
    /// Segments obtained in the window.
    pub(crate) samples: Rolling<Sample>,
    /// Media lost in the window.
    pub(crate) losses: Rolling<Loss>,
    /// Segments lost one after the other for which the origin itself says that they are missing.
    pub(crate) consecutive_lost: u32,
    /// Newest segment obtained since the numbering began.
    pub(crate) obtained_to: Option<u64>,
    /// A viewer waits, and this was reported.
    pub(crate) dry_reported: bool,
    /// Segments that are to be fetched and whose fate is not settled, oldest first.
    pub(crate) unsettled: VecDeque<u64>,
    /// Those of them whose first attempt has failed.
    pub(crate) failed_once: VecDeque<u64>,
    /// Taken over from another watcher, and no list seen since.
    pub(crate) taken_over: bool,
    /// Segments another watcher left open that are no longer listed, until it is said that nobody fetches them.
    pub(crate) abandoned: Vec<u64>,
    /// When the playlist load that is under way began.
    pub(crate) asked_at: Option<EpochMs>,
}

impl Rendition {
    /// Most samples, and most losses, in the window: 120 s of 2 s segments are 60.
    pub const MAX_SAMPLES: usize = 512;
    /// Most segments fetched at a start: more short ones than a watcher keeps waiting would be given up at once,
    /// and counted as lost.
    pub const MAX_START: usize = 64;
    /// Most segments whose fate may be open; a watcher gives up the oldest ones before.
    pub const MAX_UNSETTLED: usize = 128;
    /// What we may be late by, whatever the target duration.
    const PATIENCE: Duration = Duration::from_secs(10);
    /// The same where it would cost the viewer something: more than the longest wait between two looks at a
    /// stream of short segments, of which a failed load is repeated after a second, or a target duration where a
    /// fresh URL is awaited.
    const PATIENCE_DRY: Duration = Duration::from_secs(2);

    /// A rendition nobody has looked at.
    #[must_use]
    pub fn new(spec: RenditionSpec, at: EpochMs) -> Self {
        let target = TargetDuration::default();
        Self {
            spec,
            playlist: PlaylistState::Unknown,
            playlist_since: at,
            was_live: false,
            failed_loads: 0,
            loaded_at: None,
            changed_at: None,
            last_look: None,
            memory: Memory::default(),
            target,
            buffer: Buffer::new(at, target.in_force(), target.in_force().times(3)),
            samples: Rolling::new(Self::MAX_SAMPLES),
            losses: Rolling::new(Self::MAX_SAMPLES),
            consecutive_lost: 0,
            obtained_to: None,
            dry_reported: false,
            unsettled: VecDeque::new(),
            failed_once: VecDeque::new(),
            taken_over: false,
            abandoned: Vec::new(),
            asked_at: None,
        }
    }

    /// The stream's own playlist lists it again, maybe with another URL.
    pub(crate) fn list_again(&mut self, spec: &RenditionSpec) {
        if self.spec == *spec {
            return;
        }
        if path_of(&self.spec.url) != path_of(&spec.url) {
            self.memory.forget_names();
        }
        self.spec.clone_from(spec);
    }

    /// A segment is to be fetched.
    pub(crate) fn expect(&mut self, sequence: u64) {
        if self.unsettled.len() == Self::MAX_UNSETTLED
            && let Some(oldest) = self.unsettled.front().copied()
        {
            self.settle(oldest);
        }
        self.unsettled.push_back(sequence);
    }

    /// A first attempt at a segment failed, and another follows.
    pub(crate) fn fail_once(&mut self, sequence: u64) {
        if self.unsettled.contains(&sequence) && !self.failed_once.contains(&sequence) {
            self.failed_once.push_back(sequence);
        }
    }

    /// A segment was obtained or given up.
    pub(crate) fn settle(&mut self, sequence: u64) {
        self.unsettled.retain(|expected| *expected != sequence);
        self.failed_once.retain(|failed| *failed != sequence);
    }

    /// The target duration to reckon with.
    #[must_use]
    pub fn target(&self) -> MediaUs {
        self.target.in_force()
    }

    /// Newest media sequence number seen.
    #[must_use]
    pub fn last_sequence(&self) -> Option<u64> {
        self.memory.last_sequence()
    }

    /// The buffer as it will stand at `now` if nothing arrives until then. Over a gap of our own it stays as
    /// it was at the last look: an outage that nobody saw is none. A load under way is a look that has not
    /// ended.
    #[must_use]
    pub fn buffer_at(&self, now: EpochMs) -> Buffer {
        if self.last_look.is_none() || self.own_gap(self.asked_at.unwrap_or(now)).is_some() {
            return self.buffer.clone();
        }
        self.buffer.at(now)
    }

    /// How long nobody had looked when a look began at `requested_at`, if that is a gap of our own: more
    /// than max(2 target durations, 10 s); more than max(2 target durations, 2 s) where the buffer would have
    /// run empty meanwhile, since a viewer who would have waited for *us* has not waited. A list that ended is
    /// looked at less often.
    pub(crate) fn own_gap(&self, requested_at: EpochMs) -> Option<Duration> {
        let gap = self.last_look.map(|last| requested_at.since(last))?;
        let pace = self.target().times(2).as_duration();
        let runs_dry = self.buffer.phase() == Phase::Playing && !self.buffer.plays_until(requested_at);
        let allowed = pace.max(if runs_dry { Self::PATIENCE_DRY } else { Self::PATIENCE });
        (gap > allowed && !self.playlist.has_ended()).then_some(gap)
    }

    /// A player could show this rendition: its playlist loads and its buffer is not empty.
    #[must_use]
    pub fn is_deliverable(&self) -> bool {
        self.plays_from(&self.buffer)
    }

    /// The same with the buffer as it stands at another time.
    pub(crate) fn plays_from(&self, buffer: &Buffer) -> bool {
        !matches!(self.playlist, PlaylistState::HttpError(_))
            && (self.playlist.has_ended() || buffer.is_served())
    }

    /// Segments obtained in the last `window` before `now`.
    pub fn samples(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = Sample> {
        self.samples.within(now, window)
    }

    /// Segments lost in the last `window` before `now`, and their media, of which no more counts than the window is
    /// long: what a playlist jumps over at the end of a long stall was mostly published before.
    #[must_use]
    pub fn lost(&self, now: EpochMs, window: Duration) -> Loss {
        let LossSum { segments, media_us } = self.losses.sum(now, window);
        let media = MediaUs(capped(media_us)).min(MediaUs::from_duration(window));
        Loss { segments: capped(segments), media }
    }

    /// Media obtained in the last `window` before `now`.
    pub(crate) fn media_obtained(&self, now: EpochMs, window: Duration) -> MediaUs {
        MediaUs(capped(self.samples.sum(now, window).media_us))
    }

    /// Media that is being fetched, and of which nothing speaks for a loss yet.
    pub(crate) fn media_awaited(&self) -> MediaUs {
        self.target().times(self.unsettled.len().saturating_sub(self.failed_once.len()) as u64)
    }

    /// Media seconds per second of downloading in the window; none below `min_samples` or without a
    /// measurable download.
    #[must_use]
    pub fn download_ratio(&self, now: EpochMs, window: Duration, min_samples: usize) -> Option<f64> {
        self.samples.sum(now, window).ratio(min_samples)
    }

    /// Time passes: what has left the window is forgotten.
    pub(crate) fn forget(&mut self, now: EpochMs, window: Duration) {
        self.samples.forget(now, window);
        self.losses.forget(now, window);
    }
}

fn capped(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// A change of the target duration takes effect for good only after 3 segments: until then the larger
/// of old and new counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetDuration {
    now: MediaUs,
    before: MediaUs,
    segments_left: u64,
}

impl Default for TargetDuration {
    /// Before any list was read: 6 s, what the authoring guides recommend.
    fn default() -> Self {
        Self { now: MediaUs::from_seconds(6), before: MediaUs::ZERO, segments_left: 0 }
    }
}

impl TargetDuration {
    pub(crate) const fn only(now: MediaUs) -> Self {
        Self { now, before: MediaUs::ZERO, segments_left: 0 }
    }

    pub(crate) fn seen(&mut self, listed: MediaUs, new_segments: u64) {
        self.segments_left = self.segments_left.saturating_sub(new_segments);
        if listed != self.now {
            *self = Self { now: listed, before: self.now, segments_left: 3 };
        }
    }

    pub(crate) fn in_force(&self) -> MediaUs {
        if self.segments_left > 0 { self.now.max(self.before) } else { self.now }
    }
}
