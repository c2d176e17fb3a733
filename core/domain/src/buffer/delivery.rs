//! Delivery periods: how long delivery has been inconsistent, and how much outage that made.
//!
//! A period runs from one completed segment to the next; segments that complete together are one. It is
//! inconsistent when it holds more rebuffering than max(0.2 s, 2 % of it).

use std::time::Duration;

use super::BufferClosing;
use crate::units::EpochMs;

/// Running reckoning of delivery periods.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    last_completion: EpochMs,
    rebuffering_then: Duration,
    condition: Duration,
    consistent_run: Duration,
    accumulated: Duration,
}

/// What alerts are decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFigures {
    /// How long delivery has been inconsistent: whole periods, and the open one from buffer zero.
    pub condition: Duration,
    /// All rebuffering since delivery was last in order. May exceed `condition`.
    pub accumulated: Duration,
}

impl Delivery {
    /// Completions closer than this are one.
    const TOGETHER: Duration = Duration::from_millis(50);

    pub(super) const fn new(at: EpochMs) -> Self {
        Self {
            last_completion: at,
            rebuffering_then: Duration::ZERO,
            condition: Duration::ZERO,
            consistent_run: Duration::ZERO,
            accumulated: Duration::ZERO,
        }
    }

    /// Starts a new period without judging the one that was open.
    pub(super) fn restart(&mut self, at: EpochMs, rebuffering: Duration) {
        self.last_completion = at;
        self.rebuffering_then = rebuffering;
    }

    /// The period that is open at `at` holds more rebuffering than a consistent one may.
    pub(super) fn is_inconsistent(&self, at: EpochMs, rebuffering: Duration) -> bool {
        let period = at.since(self.last_completion);
        rebuffering.saturating_sub(self.rebuffering_then) > super::Buffer::NOTICED.max(period / 50)
    }

    /// A segment completed. `rebuffering` is the sum so far; a consistent stretch longer than `pause`
    /// ends the condition.
    pub(super) fn completed(&mut self, at: EpochMs, rebuffering: Duration, pause: Duration) {
        let period = at.since(self.last_completion);
        let waited = rebuffering.saturating_sub(self.rebuffering_then);
        if period < Self::TOGETHER && waited.is_zero() {
            return;
        }
        let inconsistent = self.is_inconsistent(at, rebuffering);
        self.restart(at, rebuffering);
        if inconsistent {
            self.condition += period;
            self.accumulated += waited;
            self.consistent_run = Duration::ZERO;
        } else if !self.condition.is_zero() {
            self.accumulated += waited;
            self.consistent_run += period;
            if self.consistent_run > pause {
                *self = Self::new(at);
                self.rebuffering_then = rebuffering;
            }
        }
    }

    /// Writes what must be kept into `closing`.
    pub(super) fn close(&self, rebuffering: Duration, closing: &mut BufferClosing) {
        closing.last_completion = self.last_completion;
        closing.waited = rebuffering.saturating_sub(self.rebuffering_then);
        closing.condition = self.condition;
        closing.consistent_run = self.consistent_run;
        closing.accumulated = self.accumulated;
    }

    /// Carries on from `closing`; the sum of rebuffering begins anew with what is open.
    pub(super) fn reopen(&mut self, closing: &BufferClosing) {
        self.last_completion = closing.last_completion;
        self.rebuffering_then = Duration::ZERO;
        self.condition = closing.condition;
        self.consistent_run = closing.consistent_run;
        self.accumulated = closing.accumulated;
    }

    pub(super) fn figures(
        &self,
        now: EpochMs,
        rebuffering: Duration,
        empty_since: Option<EpochMs>,
    ) -> DeliveryFigures {
        let open = empty_since.map_or(Duration::ZERO, |since| now.since(since.max(self.last_completion)));
        let waited = rebuffering.saturating_sub(self.rebuffering_then);
        DeliveryFigures { condition: self.condition + open, accumulated: self.accumulated + waited }
    }
}
