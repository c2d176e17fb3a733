//! Windows over the recent past, bounded in time and in number.

use std::collections::VecDeque;
use std::time::Duration;

use crate::units::EpochMs;

/// What a window can hold: values with a sum from which each can be taken away again, so exact and without
/// saturation.
pub(crate) trait Entry: Copy {
    /// What the values of a window come to; empty by default.
    type Sum: Copy + Default;

    /// Adds this value.
    fn enter(self, sum: &mut Self::Sum);

    /// Takes this value, which was added before, away.
    fn leave(self, sum: &mut Self::Sum);
}

/// The newest values, each with its time, and their sum. Past `max` values or the window, the oldest goes.
#[derive(Clone, Debug)]
pub(crate) struct Rolling<T: Entry> {
    /// By time.
    values: VecDeque<(EpochMs, T)>,
    /// Of all of them.
    sum: T::Sum,
    max: usize,
}

impl<T: Entry> Rolling<T> {
    /// An empty window of at most `max` values.
    #[must_use]
    pub(crate) fn new(max: usize) -> Self {
        Self { values: VecDeque::new(), sum: T::Sum::default(), max }
    }

    /// Adds a value and forgets what is older than `window`. One that comes with an earlier time than the newest
    /// counts as of that one's time.
    pub(crate) fn push(&mut self, at: EpochMs, value: T, window: Duration) {
        let at = self.values.back().map_or(at, |(newest, _)| at.max(*newest));
        self.forget(at, window);
        while self.values.len() >= self.max.max(1) {
            self.drop_oldest();
        }
        if self.max > 0 {
            value.enter(&mut self.sum);
            self.values.push_back((at, value));
        }
    }

    /// Forgets what is older than `window` at `now`.
    pub(crate) fn forget(&mut self, now: EpochMs, window: Duration) {
        while self.values.front().is_some_and(|(at, _)| now.since(*at) > window) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, value)) = self.values.pop_front() {
            value.leave(&mut self.sum);
        }
    }

    /// The sum of the last `window` before `now`: at hand where nothing older is kept.
    #[must_use]
    pub(crate) fn sum(&self, now: EpochMs, window: Duration) -> T::Sum {
        if self.values.front().is_none_or(|(oldest, _)| now.since(*oldest) <= window) {
            return self.sum;
        }
        self.within(now, window).fold(T::Sum::default(), |mut sum, value| {
            value.enter(&mut sum);
            sum
        })
    }

    /// The values of the last `window` before `now`, each with its time.
    pub(crate) fn entries(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = (EpochMs, T)> {
        self.values.iter().filter(move |(at, _)| now.since(*at) <= window).copied()
    }

    /// The values of the last `window` before `now`.
    pub(crate) fn within(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = T> {
        self.entries(now, window).map(|(_, value)| value)
    }

    /// Nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values are kept, in the window or not.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

/// Stretches of time, oldest first, never overlapping.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stretches(VecDeque<(EpochMs, EpochMs)>);

impl Stretches {
    /// Most stretches kept.
    pub(crate) const MAX: usize = 256;

    /// Adds a stretch; it joins the last one when they touch.
    pub(crate) fn add(&mut self, from: EpochMs, to: EpochMs) {
        if from >= to {
            return;
        }
        match self.0.back_mut() {
            Some((_, end)) if *end >= from => *end = (*end).max(to),
            _ => {
                if self.0.len() == Self::MAX {
                    self.0.pop_front();
                }
                self.0.push_back((from, to));
            }
        }
    }

    /// Nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes `length` off the end of the newest stretch.
    pub(crate) fn trim_end(&mut self, length: Duration) {
        if let Some((from, to)) = self.0.back_mut() {
            *to = (*to - length).max(*from);
        }
    }

    /// Stretches that reach into the last `window` before `now`.
    pub(crate) fn within(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = (EpochMs, EpochMs)> {
        self.0.iter().filter(move |(_, to)| now.since(*to) <= window).copied()
    }

    /// Time covered in the last `window` before `now`.
    #[must_use]
    pub(crate) fn covered(&self, now: EpochMs, window: Duration) -> Duration {
        let start = now - window;
        self.0.iter().map(|(from, to)| (*to).min(now).since((*from).max(start))).sum()
    }

    /// Forgets what ended before the last `window`.
    pub(crate) fn forget(&mut self, now: EpochMs, window: Duration) {
        while self.0.front().is_some_and(|(_, to)| now.since(*to) > window) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Entry for u64 {
        type Sum = u64;

        fn enter(self, sum: &mut u64) {
            *sum += self;
        }

        fn leave(self, sum: &mut u64) {
            *sum -= self;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is pushed, forgotten and asked for, in whatever order of times: the sum is that of the values.
        #[test]
        fn a_sum_at_hand_is_the_sum_of_the_window(
            steps in proptest::collection::vec((0..3_u8, 0..40_u64, 0..1_000_u64, 0..30_u64), 0..80),
            max in 0..12_usize,
        ) {
            let mut values = Rolling::new(max);
            for (what, at, value, window) in steps {
                let (at, window) = (EpochMs(at), Duration::from_millis(window));
                match what {
                    0 => values.push(at, value, window),
                    1 => values.forget(at, window),
                    _ => prop_assert_eq!(values.sum(at, window), values.within(at, window).sum::<u64>()),
                }
                prop_assert!(values.len() <= max);
            }
        }
    }

    #[test]
    fn a_window_forgets_by_age_and_by_number() {
        let window = Duration::from_secs(10);
        let mut values = Rolling::new(3);
        for second in 0..5 {
            values.push(EpochMs(second * 1_000), second, window);
        }
        assert_eq!(values.within(EpochMs(4_000), window).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(values.within(EpochMs(13_500), window).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn stretches_join_and_are_cut_at_the_window() {
        let mut stretches = Stretches::default();
        stretches.add(EpochMs(1_000), EpochMs(2_000));
        stretches.add(EpochMs(2_000), EpochMs(4_000));
        stretches.add(EpochMs(9_000), EpochMs(10_000));
        assert_eq!(stretches.covered(EpochMs(10_000), Duration::from_secs(60)), Duration::from_secs(4));
        assert_eq!(stretches.covered(EpochMs(10_000), Duration::from_secs(7)), Duration::from_secs(2));
        stretches.trim_end(Duration::from_millis(400));
        assert_eq!(stretches.covered(EpochMs(10_000), Duration::from_secs(2)), Duration::from_millis(600));
    }
}
