//! The two sums that always hold.

use std::time::Duration;

use crate::units::MediaUs;

/// What became of all media and of all time since the model began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Media obtained.
    pub obtained: MediaUs,
    /// Media a player would have jumped over to stay live.
    pub skipped: MediaUs,
    /// Media published and never obtained: failed, GAP, or gone before we could look.
    pub lost: MediaUs,
    /// Slewed up less slewed down, in microseconds of media.
    pub adjusted_us: i64,
    /// Time played; media plays at one second a second, so it is media as well.
    pub played: Duration,
    /// Time before playback began, as far as it counts as start-up.
    pub starting: Duration,
    /// Time spent waiting with an empty buffer.
    pub rebuffering: Duration,
    /// Time in which we did not look.
    pub frozen: Duration,
}

impl Ledger {
    pub(super) fn obtain(&mut self, media: MediaUs) {
        self.obtained += media;
    }

    pub(super) fn skip(&mut self, media: MediaUs) {
        self.skipped += media;
    }

    pub(super) fn play(&mut self, length: Duration) {
        self.played += length;
    }

    pub(super) fn adjust_up(&mut self, media: MediaUs) {
        self.adjusted_us = self.adjusted_us.saturating_add_unsigned(media.0);
    }

    pub(super) fn adjust_down(&mut self, media: MediaUs) {
        self.adjusted_us = self.adjusted_us.saturating_sub_unsigned(media.0);
    }

    /// Time the clocks ran.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.starting + self.played + self.rebuffering + self.frozen
    }
}
