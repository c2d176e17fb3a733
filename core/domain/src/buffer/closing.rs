//! A buffer between two watchers.

use std::time::Duration;

use super::{Buffer, Phase};
use crate::units::{EpochMs, MediaUs};

/// What of a buffer must be kept. The sums since the beginning are not: they begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferClosing {
    /// Where playback stands.
    pub phase: Phase,
    /// Up to when everything is reckoned.
    pub at: EpochMs,
    /// When it began to fill.
    pub began_at: EpochMs,
    /// Media in it.
    pub level: MediaUs,
    /// The level at which playback starts.
    pub start_level: MediaUs,
    /// Target duration.
    pub target: MediaUs,
    /// No media will follow.
    pub ended: bool,
    /// Since when delivery has been consistent.
    pub consistent_since: Option<EpochMs>,
    /// Since when a viewer waits.
    pub empty_since: Option<EpochMs>,
    /// When the last segment completed.
    pub last_completion: EpochMs,
    /// Rebuffering since then.
    pub waited: Duration,
    /// How long delivery has been inconsistent, whole periods only.
    pub condition: Duration,
    /// How long it has been consistent since.
    pub consistent_run: Duration,
    /// All rebuffering since it was last in order, up to the last completion.
    pub accumulated: Duration,
}

impl Buffer {
    /// What another watcher needs to carry on.
    #[must_use]
    pub fn closing(&self) -> BufferClosing {
        let mut closing = BufferClosing {
            phase: self.phase,
            at: self.at,
            began_at: self.began_at,
            level: self.level,
            start_level: self.start_level,
            target: self.target,
            ended: self.ended,
            consistent_since: self.consistent_since,
            empty_since: self.empty_since,
            last_completion: self.at,
            waited: Duration::ZERO,
            condition: Duration::ZERO,
            consistent_run: Duration::ZERO,
            accumulated: Duration::ZERO,
        };
        self.delivery.close(self.sums.rebuffering, &mut closing);
        closing
    }

    /// Carries on from `closing`. The level is booked as adjusted, so that the sums hold from here on.
    #[must_use]
    pub fn resume(closing: &BufferClosing) -> Self {
        let mut buffer = Self::new(closing.began_at, closing.target, closing.start_level);
        buffer.phase = closing.phase;
        buffer.at = closing.at;
        buffer.level = closing.level;
        buffer.ended = closing.ended;
        buffer.consistent_since = closing.consistent_since;
        buffer.empty_since = closing.empty_since;
        buffer.sums.adjust_up(closing.level);
        buffer.sums.rebuffering = closing.waited;
        buffer.delivery.reopen(closing);
        buffer
    }

    /// A stretch of waiting, as the log has it.
    pub(crate) fn recall(&mut self, from: EpochMs, to: EpochMs) {
        self.rebuffering.add(from, to);
    }

    /// Stretches of waiting in the last `window` before `now`.
    pub(crate) fn waits(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = (EpochMs, EpochMs)> {
        self.rebuffering.within(now, window)
    }
}
