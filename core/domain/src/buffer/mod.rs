//! The hypothetical playback buffer of one rendition, and what its running dry means.
//!
//! A segment adds its EXTINF when its download completes; playback takes one second a second. At zero
//! the viewer waits: that is rebuffering, and all of it is outage. Both sums always hold:
//!
//! ```text
//! obtained + adjusted = played + buffered + skipped        (media)
//! wall = starting + played + rebuffering + frozen          (time)
//! ```

mod closing;
mod delivery;
mod ledger;
#[cfg(test)]
mod tests;

pub use closing::BufferClosing;
pub use delivery::{Delivery, DeliveryFigures};
pub use ledger::Ledger;

use std::time::Duration;

use crate::rolling::Stretches;
use crate::units::{EpochMs, MediaUs};

/// Where playback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Filling up before playback starts.
    Starting,
    /// Playing, or waiting for media when the level is zero.
    Playing,
    /// The list ended and the buffer played out: the clocks stand still.
    Stopped,
}

/// The model of one rendition. Advanced by looks only; between looks use [`Buffer::at`].
#[derive(Clone, Debug)]
pub struct Buffer {
    phase: Phase,
    /// Everything up to here is reckoned.
    at: EpochMs,
    began_at: EpochMs,
    level: MediaUs,
    start_level: MediaUs,
    target: MediaUs,
    /// No media will follow: an empty buffer is the end, not an outage.
    ended: bool,
    /// Since when delivery has been consistent while Live; the level may be slewed 300 s later.
    consistent_since: Option<EpochMs>,
    empty_since: Option<EpochMs>,
    sums: Ledger,
    rebuffering: Stretches,
    delivery: Delivery,
}

impl Buffer {
    /// A viewer notices a wait that is longer. After an outage a buffer may stay near zero for minutes while
    /// delivery is in order again, and then every few milliseconds of jitter are a wait: those are reckoned,
    /// but they are no event.
    pub const NOTICED: Duration = Duration::from_millis(200);

    /// Health and reports look back this far at most.
    const KEPT: Duration = Duration::from_secs(900);
    const SLEW_AFTER: Duration = Duration::from_secs(300);
    /// Slewing moves the level by at most 1 part in this many of the time passed (0.5 %).
    const SLEW_PARTS: u64 = 200;

    /// A buffer that starts to fill at `at`. `start_level` is min(3 target durations, window).
    #[must_use]
    pub fn new(at: EpochMs, target: MediaUs, start_level: MediaUs) -> Self {
        Self {
            phase: Phase::Starting,
            at,
            began_at: at,
            level: MediaUs::ZERO,
            start_level,
            target,
            ended: false,
            consistent_since: None,
            empty_since: None,
            sums: Ledger::default(),
            rebuffering: Stretches::default(),
            delivery: Delivery::new(at),
        }
    }

    /// A new target duration; the start level follows it, and what is now too much is skipped.
    pub fn set_target(&mut self, target: MediaUs, start_level: MediaUs) {
        self.target = target;
        self.start_level = start_level;
        self.cap();
    }

    /// Whether the list has ended. A stream that goes live again carries on.
    pub fn set_ended(&mut self, ended: bool) {
        self.ended = ended;
        if !ended && self.phase == Phase::Stopped {
            self.phase = Phase::Starting;
            self.began_at = self.at;
        }
    }

    /// The model as it will stand at `now` if nothing arrives until then.
    #[must_use]
    pub fn at(&self, now: EpochMs) -> Self {
        let mut later = self.clone();
        later.advance(now);
        later
    }

    /// Lets time pass up to `to`; an earlier time changes nothing.
    pub fn advance(&mut self, to: EpochMs) {
        let from = self.at;
        if to <= from {
            return;
        }
        self.at = to;
        match self.phase {
            Phase::Stopped => {}
            Phase::Starting => self.wait_to_start(from, to),
            Phase::Playing => self.play(from, to),
        }
        self.rebuffering.forget(to, Self::KEPT);
    }

    /// Start-up is rebuffering only after max(30 s, 3 target durations).
    fn wait_to_start(&mut self, from: EpochMs, to: EpochMs) {
        if self.ended {
            self.phase = Phase::Playing;
            return self.play(from, to);
        }
        let patience = self.target.times(3).as_duration().max(Duration::from_secs(30));
        let late_from = (self.began_at + patience).max(from).min(to);
        self.sums.starting += late_from.since(from);
        self.wait(to, to.since(late_from));
    }

    fn play(&mut self, from: EpochMs, to: EpochMs) {
        let passed = to.since(from);
        let before = self.level;
        let played = before.as_duration().min(passed);
        self.level = before.saturating_sub(MediaUs::from_duration(played));
        self.sums.play(played);
        if played == passed {
            self.slew(before, passed, to);
        } else if self.ended {
            self.stop();
        } else {
            self.wait(to, passed - played);
        }
    }

    fn stop(&mut self) {
        self.phase = Phase::Stopped;
        self.empty_since = None;
    }

    /// The last `length` before `to` passed with an empty buffer.
    fn wait(&mut self, to: EpochMs, length: Duration) {
        if length.is_zero() {
            return;
        }
        let from = to - length;
        self.sums.rebuffering += length;
        self.rebuffering.add(from, to);
        self.empty_since.get_or_insert(from);
        if self.delivery.is_inconsistent(to, self.sums.rebuffering) {
            self.consistent_since = None;
        }
    }

    /// Rounded EXTINF values and clock error drift for hours; a slow pull towards the start level keeps
    /// that from ever becoming a false outage.
    ///
    /// The level is a saw-tooth, so the pull follows the time spent above and below the start level: it
    /// ends when the middle of the tooth lies there. Looking at the level at the end of a stretch only
    /// would pull up for ever, because looks find the buffer at its lowest. Reckoning a stretch in parts
    /// may differ from reckoning it whole, but never by more than 0.5 % of it.
    fn slew(&mut self, before: MediaUs, passed: Duration, to: EpochMs) {
        let calm = self.consistent_since.is_some_and(|since| to.since(since) >= Self::SLEW_AFTER);
        if !calm || self.ended {
            return;
        }
        let passed = MediaUs::from_duration(passed);
        let above = before.saturating_sub(self.start_level).min(passed);
        let below = passed.saturating_sub(above);
        if below > above {
            let step = MediaUs((below.0 - above.0) / Self::SLEW_PARTS);
            self.level += step;
            self.sums.adjust_up(step);
        } else {
            let step = MediaUs((above.0 - below.0) / Self::SLEW_PARTS).min(self.level);
            self.level = self.level.saturating_sub(step);
            self.sums.adjust_down(step);
        }
    }

    /// Nobody looked from the last reckoning until `until`: the level stays as it was.
    pub fn freeze(&mut self, until: EpochMs) {
        let length = until.since(self.at);
        if self.phase != Phase::Stopped {
            self.sums.frozen += length;
        }
        self.at = self.at.max(until);
        self.began_at = self.began_at + length;
        self.empty_since = self.empty_since.map(|_| self.at);
        self.delivery.restart(self.at, self.sums.rebuffering);
        self.consistent_since = None;
    }

    /// A segment was obtained at `at`. `queue` is the time it waited in our own queue: rebuffering in
    /// that time was our doing and is taken back.
    pub fn credit(&mut self, at: EpochMs, media: MediaUs, queue: Duration, min_clear: Duration) {
        self.advance(at);
        if self.phase == Phase::Stopped {
            return;
        }
        let forgiven = self.forgive(at, queue.min(media.as_duration()));
        self.level += media.saturating_sub(MediaUs::from_duration(forgiven));
        self.sums.obtain(media);
        self.arrived();
        if self.phase == Phase::Playing {
            self.consistent_since.get_or_insert(at);
            let pause = self.target.times(3).as_duration().min(min_clear);
            self.delivery.completed(at, self.sums.rebuffering, pause);
        }
    }

    /// Media came: who waited for it waits no more, unless playback has yet to start.
    fn arrived(&mut self) {
        if self.phase == Phase::Starting && self.level >= self.start_level {
            self.phase = Phase::Playing;
        }
        if self.phase == Phase::Playing {
            self.empty_since = None;
        }
        self.cap();
    }

    /// Turns up to `most` of the rebuffering that is still open into playback; says how much.
    fn forgive(&mut self, at: EpochMs, most: Duration) -> Duration {
        let Some(since) = self.empty_since.filter(|_| self.phase == Phase::Playing) else {
            return Duration::ZERO;
        };
        let ours = at.since(since).min(most).min(self.sums.rebuffering);
        self.sums.rebuffering -= ours;
        self.sums.play(ours);
        self.rebuffering.trim_end(ours);
        ours
    }

    /// A player does not hold more than it started with plus one target duration: it catches up.
    fn cap(&mut self) {
        let most = self.start_level + self.target;
        let surplus = self.level.saturating_sub(most);
        self.level = self.level.saturating_sub(surplus);
        self.sums.skip(surplus);
    }

    /// Media that we did not obtain for reasons of our own, such as an origin that asked us to slow down: it
    /// counts as if it had come, and is booked as adjusted.
    pub fn excuse(&mut self, media: MediaUs) {
        if self.phase != Phase::Stopped {
            self.level += media;
            self.sums.adjust_up(media);
            self.arrived();
        }
    }

    /// Media that was published and never obtained.
    pub fn lose(&mut self, media: MediaUs) {
        self.sums.lost += media;
    }

    /// Media in the buffer.
    #[must_use]
    pub const fn level(&self) -> MediaUs {
        self.level
    }

    /// Where playback stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The sums.
    #[must_use]
    pub const fn sums(&self) -> &Ledger {
        &self.sums
    }

    /// The level at which playback starts, and around which it is kept.
    #[must_use]
    pub const fn start_level(&self) -> MediaUs {
        self.start_level
    }

    /// Up to when everything is reckoned.
    #[must_use]
    pub const fn reckoned_to(&self) -> EpochMs {
        self.at
    }

    /// A viewer waits for media right now, and since when: with an empty buffer, or for a start that is
    /// overdue.
    #[must_use]
    pub const fn waiting_since(&self) -> Option<EpochMs> {
        self.empty_since
    }

    /// Playback goes on until `now` without a wait, whatever comes.
    #[must_use]
    pub fn plays_until(&self, now: EpochMs) -> bool {
        self.phase == Phase::Playing && self.level.as_duration() >= now.since(self.at)
    }

    /// A viewer of this rendition sees something, or may still patiently wait for the start.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.phase == Phase::Stopped || self.empty_since.is_none()
    }

    /// A wait is remembered: there may have been rebuffering lately.
    pub(crate) fn has_waited(&self) -> bool {
        !self.rebuffering.is_empty()
    }

    /// Rebuffering in the last `window` before `now`.
    #[must_use]
    pub fn rebuffered(&self, now: EpochMs, window: Duration) -> Duration {
        self.rebuffering.covered(now, window)
    }

    /// Condition and accumulated outage as they stand.
    #[must_use]
    pub fn delivery(&self) -> DeliveryFigures {
        self.delivery.figures(self.at, self.sums.rebuffering, self.empty_since)
    }
}
