//! When requests begin: on beats of the clock that streams share.

use std::time::Duration;

use hlsops_domain::EpochMs;

/// The beats of one stream. What is due waits for the next of them, so that one wake-up serves many streams: to
/// wake up costs about as much as a request.
///
/// Beats are half a second apart: every wait of RFC 8216 section 6.3.4, a target duration or half of one, is a
/// number of them, so a reload that began on a beat is followed by one that begins on a beat, and no pace is lost.
/// Only the first reload of a rendition, and the one after a slow answer, begin up to half a second late.
///
/// Fifty streams share a beat; the next fifty have theirs a tenth of a second later. Without that, the last of
/// hundreds of answers at once would wait for the first, and its time to first byte would be ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// After every half second of the clock.
    offset: Duration,
}

impl Cadence {
    const EVERY: Duration = Duration::from_millis(500);
    const STREAMS: usize = 50;
    const GROUPS: usize = 5;

    /// How often health is judged where nothing else happens.
    const TICK: Duration = Duration::from_secs(1);

    /// A reload's pace is reckoned from when the load before it really began, some milliseconds after its beat.
    /// What is due so shortly after a beat belongs to it: else every reload would slip by a whole one.
    pub(crate) const LAG: Duration = Duration::from_millis(50);

    /// For the `nth` stream of a watcher, from 0.
    #[must_use]
    pub const fn of_nth(nth: usize) -> Self {
        let groups: [u64; Self::GROUPS] = [0, 100, 200, 300, 400];
        Self { offset: Duration::from_millis(groups[nth / Self::STREAMS % Self::GROUPS]) }
    }

    /// The beat that serves what is due at `at`.
    pub(crate) fn beat_for(self, at: EpochMs) -> EpochMs {
        self.next(at - Self::LAG, Self::EVERY)
    }

    /// When health is judged again after `judged_at`.
    pub(crate) fn tick_after(self, judged_at: EpochMs) -> EpochMs {
        self.next(judged_at + Duration::from_millis(1), Self::TICK)
    }

    /// The first time at or after `at` that is a multiple of `every`, and the offset, from the epoch.
    fn next(self, at: EpochMs, every: Duration) -> EpochMs {
        let whole = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let (every, offset) = (whole(every), whole(self.offset));
        EpochMs(at.0.saturating_sub(offset).div_ceil(every).saturating_mul(every).saturating_add(offset))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifty_streams_share_a_beat() {
        let offsets = [0, 49, 50, 199, 249, 250].map(|nth| Cadence::of_nth(nth).offset.as_millis());
        assert_eq!(offsets, [0, 0, 100, 300, 400, 0]);
        assert_eq!(Cadence::of_nth(0), Cadence::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_began_on_a_beat_goes_on_on_beats(
            nth in 0_usize..1_000, at in 1_000_000_u64.., late_ms in 0_u64..=50, target_s in 1_u64..60, halves in 1_u32..=2,
        ) {
            let cadence = Cadence::of_nth(nth);
            let at = EpochMs(at / 2);
            let beat = cadence.beat_for(at);
            prop_assert!(beat >= at - Cadence::LAG && beat < at - Cadence::LAG + Cadence::EVERY);
            let wait = Duration::from_secs(target_s) * halves / 2;
            let began = beat + Duration::from_millis(late_ms);
            prop_assert_eq!(cadence.beat_for(began + wait), beat + wait);
            let tick = cadence.tick_after(at);
            prop_assert!(tick > at && tick <= at + Cadence::TICK);
        }
    }
}
