//! Windows over the recent past, bounded in time and in number.

use std::collections::VecDeque;
use std::time::Duration;

use crate::units::EpochMs;

/// The newest values, each with its time. Past `max` values or the window, the oldest goes.
#[derive(Clone, Debug)]
pub struct Rolling<T> {
    values: VecDeque<(EpochMs, T)>,
    max: usize,
}

impl<T: Copy> Rolling<T> {
    /// An empty window of at most `max` values.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self { values: VecDeque::new(), max }
    }

    /// Adds a value and forgets what is older than `window`.
    pub fn push(&mut self, at: EpochMs, value: T, window: Duration) {
        let full = |values: &VecDeque<_>| values.len() >= self.max;
        while self.values.front().is_some_and(|(t, _)| full(&self.values) || at.since(*t) > window) {
            self.values.pop_front();
        }
        if !full(&self.values) {
            self.values.push_back((at, value));
        }
    }

    /// The values of the last `window` before `now`, each with its time.
    pub fn entries(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = (EpochMs, T)> {
        self.values.iter().filter(move |(at, _)| now.since(*at) <= window).copied()
    }

    /// The values of the last `window` before `now`.
    pub fn within(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = T> {
        self.entries(now, window).map(|(_, value)| value)
    }

    /// How many values are kept, in the window or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

/// Stretches of time, oldest first, never overlapping.
#[derive(Clone, Debug, Default)]
pub struct Stretches(VecDeque<(EpochMs, EpochMs)>);

impl Stretches {
    /// Most stretches kept.
    pub const MAX: usize = 256;

    /// Adds a stretch; it joins the last one when they touch.
    pub fn add(&mut self, from: EpochMs, to: EpochMs) {
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

    /// Takes `length` off the end of the newest stretch.
    pub fn trim_end(&mut self, length: Duration) {
        if let Some((from, to)) = self.0.back_mut() {
            *to = (*to - length).max(*from);
        }
    }

    /// Stretches that reach into the last `window` before `now`.
    pub fn within(&self, now: EpochMs, window: Duration) -> impl Iterator<Item = (EpochMs, EpochMs)> {
        self.0.iter().filter(move |(_, to)| now.since(*to) <= window).copied()
    }

    /// Time covered in the last `window` before `now`.
    #[must_use]
    pub fn covered(&self, now: EpochMs, window: Duration) -> Duration {
        let start = now - window;
        self.0.iter().map(|(from, to)| (*to).min(now).since((*from).max(start))).sum()
    }

    /// Forgets what ended before the last `window`.
    pub fn forget(&mut self, now: EpochMs, window: Duration) {
        while self.0.front().is_some_and(|(_, to)| now.since(*to) > window) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
