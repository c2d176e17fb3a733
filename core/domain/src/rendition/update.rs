//! How a look changes a rendition.

use std::ops::Range;
use std::time::Duration;

use super::memory::Change;
use super::samples::{Loss, Sample};
use super::state::{PlaylistState, Rendition, TargetDuration};
use crate::buffer::Phase;
use crate::freshness::Pace;
use crate::limits::Limits;
use crate::observation::{Failure, Load, SegmentAttempt};
use crate::pace::{self, Cause};
use crate::playlist::MediaPlaylist;
use crate::units::{EpochMs, MediaUs};

/// What the watcher should do after a playlist load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// When to load the playlist again.
    pub reload_at: EpochMs,
    /// Which of the listed segments to fetch; GAP segments among them are not to be fetched.
    pub fetch: Range<usize>,
    /// Listed segments whose fate another watcher left open: to be fetched as well, before `fetch`.
    pub again: Vec<usize>,
    /// Use a new connection, so that a stuck one does not speak for the origin.
    pub fresh_connection: bool,
    /// Load the master again first: this URL may have gone stale.
    pub resolve_master: bool,
}

/// What a look meant, for checks and the timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What the list meant beside those before it; none when the load failed.
    pub change: Option<Change>,
    /// State of the playlist before.
    pub state_before: PlaylistState,
    /// We looked in time and without a failure since the last good load, so what is missing was lost by
    /// the origin and not by us.
    pub timely: bool,
    /// We had not looked for this long, and froze the buffer.
    pub own_gap: Option<Duration>,
    /// What the jump cost.
    pub lost: Loss,
    /// First and last media sequence number of segments that will never be asked for.
    pub not_watched: Option<(u64, u64)>,
}

impl Rendition {
    /// Takes in a playlist load that ended at `at`.
    pub fn on_playlist(
        &mut self,
        at: EpochMs,
        load: &Load<&MediaPlaylist<'_>>,
        limits: &Limits,
    ) -> (Follow, Progress) {
        let state_before = self.playlist;
        self.asked_at = None;
        let own_gap = self.note_look(at, load);
        match load.outcome {
            Ok(list) => self.loaded(at, load.requested_at, list, own_gap, state_before, limits),
            Err(Failure::NOT_MODIFIED) if self.loaded_at.is_some() => {
                let follow = self.not_modified(at, load.requested_at);
                let (change, lost) = (Some(Change::Unchanged), Loss::NONE);
                (follow, Progress { change, state_before, timely: true, own_gap, lost, not_watched: None })
            }
            Err(failure) => {
                let follow = self.failed(at, failure, load.retry_after);
                let (lost, not_watched) = (Loss::NONE, None);
                (follow, Progress { change: None, state_before, timely: false, own_gap, lost, not_watched })
            }
        }
    }

    /// Reckons the buffer up to now, and says over which gap it stood still because we did not look. A 429 is
    /// no look.
    fn note_look(&mut self, at: EpochMs, load: &Load<&MediaPlaylist<'_>>) -> Option<Duration> {
        if load.outcome.as_ref().is_err_and(|failure| failure.is_no_evidence()) {
            return None;
        }
        let gap = self.own_gap(load.requested_at);
        if gap.is_some() {
            self.changed_at = self.changed_at.map(|_| load.requested_at);
        }
        self.look(load.requested_at, at);
        gap
    }

    /// Somebody looked from `requested_at` to `at`. Before the first look, and over a gap, the buffer stands
    /// still.
    fn look(&mut self, requested_at: EpochMs, at: EpochMs) {
        if self.spec.kind.is_played() {
            if self.last_look.is_none() || self.own_gap(requested_at).is_some() {
                self.buffer.freeze(requested_at.min(at));
            }
            self.buffer.advance(at);
        }
        self.last_look = Some(at);
    }

    /// The list is as it was.
    fn not_modified(&mut self, at: EpochMs, requested_at: EpochMs) -> Follow {
        self.failed_loads = 0;
        self.loaded_at = Some(at);
        let state = self.next_state(requested_at, self.playlist.has_ended(), Change::Unchanged);
        self.set_state(at, state);
        let cause = if state.has_ended() { Cause::Ended } else { Cause::Unchanged };
        Follow {
            reload_at: next_load(at, requested_at, cause, self.target()),
            fetch: 0..0,
            again: Vec::new(),
            fresh_connection: false,
            resolve_master: false,
        }
    }

    fn failed(&mut self, at: EpochMs, failure: Failure, retry_after: Option<Duration>) -> Follow {
        let cause = if failure.is_no_evidence() {
            Cause::Throttled(retry_after)
        } else {
            self.failed_loads = self.failed_loads.saturating_add(1);
            if self.failed_loads == 1 { Cause::FirstFailure } else { Cause::Failing }
        };
        if self.failed_loads >= 2 && !failure.is_no_evidence() {
            self.set_state(at, PlaylistState::HttpError(failure));
        }
        Follow {
            reload_at: at + pace::reload_after(cause, self.target()),
            fetch: 0..0,
            again: Vec::new(),
            fresh_connection: true,
            resolve_master: self.failed_loads == 1 && failure.may_be_stale_url(),
        }
    }

    fn loaded(
        &mut self,
        at: EpochMs,
        requested_at: EpochMs,
        list: &MediaPlaylist<'_>,
        own_gap: Option<Duration>,
        state_before: PlaylistState,
        limits: &Limits,
    ) -> (Follow, Progress) {
        let change = self.memory.compare(list);
        // What passed since another watcher's look was told by two clocks.
        let looked = own_gap.is_none() && !self.taken_over;
        let timely = looked && self.failed_loads == 0 && self.keeps_pace(requested_at);
        self.failed_loads = 0;
        let fetch = self.to_fetch(list, change, own_gap.map(|_| limits.watch));
        let not_watched = self.not_watched(list, change, &fetch);
        let again = self.take_up(list, change);
        let lost = self.reckon_holes(at, list, change, timely, &fetch, limits);
        self.follow_target(list, change, fetch.len());
        if own_gap.is_some() && fetch.is_empty() && change.is_new() {
            // The gap may have begun right before a segment and end right after one: a viewer had both. Without
            // this, every gap would cost the buffer up to a segment, and some of them would empty it.
            self.buffer.excuse(list.target());
        }
        self.memory.learn(list, change);
        if matches!(change, Change::WentDown { .. }) {
            self.consecutive_lost = 0;
            self.obtained_to = None;
        }
        for segment in list.segments[fetch.clone()].iter().filter(|s| !s.gap) {
            self.expect(segment.sequence);
        }
        let state = self.next_state(requested_at, list.ended, change);
        self.loaded_at = Some(at);
        if change.is_new() || self.changed_at.is_none() {
            self.changed_at = Some(at);
        }
        self.set_state(at, state);
        self.buffer.set_ended(state.has_ended());
        let cause = match change {
            _ if state.has_ended() => Cause::Ended,
            change if change.is_new() => Cause::Changed,
            _ => Cause::Unchanged,
        };
        let reload_at = next_load(at, requested_at, cause, list.target());
        let follow = Follow { reload_at, fetch, again, fresh_connection: false, resolve_master: false };
        (follow, Progress { change: Some(change), state_before, timely, own_gap, lost, not_watched })
    }

    /// The last good load ended at most 1.5 target durations before: what came and went since then was
    /// listed for less than the standard asks, and the fault is not ours.
    fn keeps_pace(&self, requested_at: EpochMs) -> bool {
        let most = self.target().as_duration() * 3 / 2;
        self.loaded_at.is_some_and(|loaded| requested_at.since(loaded) <= most)
    }

    /// The newest segments worth max(HOLD-BACK, 3 target durations) on a first look, a restart or a jump;
    /// all new ones otherwise. After a gap of our own none, since it resumes at the current end; but between
    /// looks that are meant to be apart, the newest new ones.
    fn to_fetch(&self, list: &MediaPlaylist<'_>, change: Change, after_gap: Option<Pace>) -> Range<usize> {
        let count = list.segments.len();
        let none = count..count;
        let resumes = after_gap == Some(Pace::Continuous) && change != Change::First;
        if !self.spec.fetch_segments || resumes {
            return none;
        }
        let hold_back = list.server_control.hold_back.unwrap_or_default();
        let wanted = hold_back.max(list.target().times(3));
        let newest = || count - reach(list.segments.iter().rev().map(|s| s.duration), wanted)..count;
        match change {
            Change::First if list.ended => 0..reach(list.segments.iter().map(|s| s.duration), wanted),
            _ if list.ended => none,
            Change::First | Change::Jumped { .. } | Change::WentDown { .. } => newest(),
            Change::Advanced if after_gap.is_some() => newest().start.max(self.memory.first_new(list))..count,
            Change::Advanced => self.memory.first_new(list)..count,
            Change::Unchanged | Change::OlderCopy { .. } => none,
        }
    }

    /// Sequence numbers after the newest known one that are not among those to fetch: every number is either
    /// fetched or said to be missing.
    fn not_watched(
        &self,
        list: &MediaPlaylist<'_>,
        change: Change,
        fetch: &Range<usize>,
    ) -> Option<(u64, u64)> {
        if !matches!(change, Change::Advanced | Change::Jumped { .. }) || !self.spec.fetch_segments {
            return None;
        }
        let first = self.memory.last_sequence()?.wrapping_add(1);
        let end =
            list.segments.get(fetch.start).map_or(list.last_sequence()?.wrapping_add(1), |s| s.sequence);
        (first != end).then(|| (first, end.wrapping_sub(1)))
    }

    /// GAP segments, and what a jump cost: never credited. A jump after a failure or a gap of our own costs
    /// nothing: the failure is what went wrong, and what we missed is neither obtained nor lost.
    fn reckon_holes(
        &mut self,
        at: EpochMs,
        list: &MediaPlaylist<'_>,
        change: Change,
        timely: bool,
        fetch: &Range<usize>,
        limits: &Limits,
    ) -> Loss {
        let gaps: MediaUs = list.segments[fetch.clone()].iter().filter(|s| s.gap).map(|s| s.duration).sum();
        self.buffer.lose(gaps);
        let Change::Jumped { missing } = change else { return Loss::NONE };
        if !timely {
            return Loss::NONE;
        }
        // A numbering may leap by any amount; no more media can be missing than time has passed.
        let elapsed = self.changed_at.map_or(Duration::ZERO, |changed| at.since(changed));
        let most = (elapsed.as_millis() / list.target().as_duration().as_millis().max(1)).max(1);
        let segments = missing.min(u64::try_from(most).unwrap_or(u64::MAX));
        let media = list.target().times(segments);
        self.buffer.lose(media);
        let loss = Loss { segments, media };
        self.losses.push(at, loss, limits.window);
        loss
    }

    fn follow_target(&mut self, list: &MediaPlaylist<'_>, change: Change, new_segments: usize) {
        if change == Change::First {
            self.target = TargetDuration::only(list.target());
        } else {
            self.target.seen(list.target(), u64::try_from(new_segments).unwrap_or(u64::MAX));
        }
        // A list that is short for a moment, such as the first ones of a restarted encoder, does not shorten
        // the buffer of a player that plays.
        let held = match self.buffer.phase() {
            Phase::Playing => self.buffer.start_level(),
            Phase::Starting | Phase::Stopped => MediaUs::ZERO,
        };
        let start_level = self.target().times(3).min(list.window().max(held));
        if start_level > MediaUs::ZERO {
            self.buffer.set_target(self.target(), start_level);
        }
    }

    /// The state machine of a playlist that loaded.
    ///
    /// Stalled is confirmed by a reload, never by time alone: one that *began* more than 1.5 target
    /// durations after the last change and brought nothing new (bis 6.2.1). An older copy speaks for a
    /// cache, so it takes 3 target durations to count.
    fn next_state(&mut self, requested_at: EpochMs, ended: bool, change: Change) -> PlaylistState {
        if ended {
            return if self.was_live { PlaylistState::LiveEnd } else { PlaylistState::Vod };
        }
        // Segments after a list without any are an advance like every other.
        if change.is_new() && (change != Change::First || self.changed_at.is_some()) {
            self.was_live = true;
            return PlaylistState::Live;
        }
        let target = self.target().as_duration();
        let patience = if matches!(change, Change::OlderCopy { .. }) { target * 3 } else { target * 3 / 2 };
        let overdue = self.changed_at.is_some_and(|changed| requested_at.since(changed) > patience);
        match self.playlist {
            PlaylistState::LiveEnd => PlaylistState::LiveEnd,
            PlaylistState::Stalled => PlaylistState::Stalled,
            _ if overdue => PlaylistState::Stalled,
            PlaylistState::HttpError(_) if self.was_live => PlaylistState::Live,
            PlaylistState::HttpError(_) | PlaylistState::Vod => PlaylistState::Unknown,
            same => same,
        }
    }

    fn set_state(&mut self, at: EpochMs, state: PlaylistState) {
        if std::mem::discriminant(&state) != std::mem::discriminant(&self.playlist) {
            self.playlist_since = at;
        }
        self.playlist = state;
    }

    /// Takes in the end of an attempt at a segment. A 429 is neither a look nor a failure: the segment counts
    /// as if it had come.
    pub fn on_segment(&mut self, at: EpochMs, attempt: &SegmentAttempt, limits: &Limits) {
        let throttled = attempt.outcome.is_err_and(Failure::is_no_evidence);
        if !throttled {
            self.look(attempt.requested_at, at);
        }
        if attempt.outcome.is_ok() || attempt.last {
            self.settle(attempt.sequence);
        } else if !throttled {
            self.fail_once(attempt.sequence);
        }
        match attempt.outcome {
            Ok(()) => self.obtained(at, attempt, limits),
            Err(_) if !attempt.last => {}
            Err(_) if throttled => self.buffer.excuse(attempt.duration),
            Err(failure) => self.lost_segment(at, attempt, failure, limits),
        }
    }

    fn obtained(&mut self, at: EpochMs, attempt: &SegmentAttempt, limits: &Limits) {
        self.consecutive_lost = 0;
        self.obtained_to = self.obtained_to.max(Some(attempt.sequence));
        let download = (!attempt.is_paced()).then_some(attempt.download);
        let sample = Sample { media: attempt.duration, ttfb: attempt.ttfb, download };
        self.samples.push(at, sample, limits.window);
        if self.spec.kind.is_played() {
            self.buffer.credit(at, attempt.duration, attempt.queue, limits.min_clear);
        }
    }

    fn lost_segment(&mut self, at: EpochMs, attempt: &SegmentAttempt, failure: Failure, limits: &Limits) {
        self.losses.push(at, Loss { segments: 1, media: attempt.duration }, limits.window);
        self.buffer.lose(attempt.duration);
        let missing = failure.proves_missing() && attempt.earlier.is_none_or(Failure::proves_missing);
        // A later segment has come meanwhile: the row had already ended when this retry failed.
        let passed = self.obtained_to.is_some_and(|to| to > attempt.sequence);
        if missing && !passed {
            self.consecutive_lost = self.consecutive_lost.saturating_add(1);
        }
    }
}

/// Paced from the start of the load (RFC 8216 section 6.3.4), with a breath after a slow one.
fn next_load(at: EpochMs, requested_at: EpochMs, cause: Cause, target: MediaUs) -> EpochMs {
    (requested_at + pace::reload_after(cause, target)).max(at + Duration::from_millis(200))
}

/// How many of `durations` it takes to reach `wanted`; all of them when they do not, and never more than
/// [`Rendition::MAX_START`].
fn reach(durations: impl ExactSizeIterator<Item = MediaUs>, wanted: MediaUs) -> usize {
    let count = durations.len().min(Rendition::MAX_START);
    let mut sum = MediaUs::ZERO;
    for (taken, duration) in durations.enumerate().take(count) {
        if sum >= wanted {
            return taken;
        }
        sum += duration;
    }
    count
}
