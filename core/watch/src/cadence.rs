//! When requests begin: on beats of the clock that streams share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hlsops_domain::EpochMs;

/// The beats of one stream. What is due waits for the next of them, so that one wake-up serves many streams: to
/// wake up costs about as much as a request.
///
/// Reloads that go well wait for a half second. Every wait of RFC 8216 section 6.3.4, a target duration or half of
/// one, is a number of those: what began on a beat is followed on a beat, and no pace is lost. What began off them,
/// such as the first load of all, is followed up to half a second late, and then on them. Second looks and tries
/// after a failure wait for a tenth of a second and no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// After every half second of the clock.
    offset: Duration,
}

/// Cadences for all streams of a process.
#[derive(Clone, Debug, Default)]
pub struct Cadences(Arc<AtomicUsize>);

impl Cadences {
    /// For one more stream.
    #[must_use]
    pub fn next(&self) -> Cadence {
        Cadence::of_nth(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Cadence {
    const BEAT: Duration = Duration::from_millis(500);
    const TENTH: Duration = Duration::from_millis(100);

    /// How often health is judged where nothing else happens.
    const TICK: Duration = Duration::from_secs(1);

    /// The pace of reloads is reckoned from when the load before really began, some milliseconds after its beat.
    /// What is due so shortly after a beat belongs to it: else every reload would slip by a whole one.
    const LAG: Duration = Duration::from_millis(50);
    const LAG_OF_TENTH: Duration = Duration::from_millis(10);

    /// Fifty streams share a beat. The next fifty have theirs somewhat later: of hundreds of answers at once the
    /// last would wait for all the others, and its time to first byte would be ours.
    const STREAMS: usize = 50;
    const LATER: Duration = Duration::from_millis(20);
    const GROUPS: usize = 25;

    /// For the `nth` stream of a process, from 0.
    #[must_use]
    pub fn of_nth(nth: usize) -> Self {
        let group = nth / Self::STREAMS % Self::GROUPS;
        Self { offset: Self::LATER * u32::try_from(group).unwrap_or_default() }
    }

    /// When that begins which is due at `at` and has gone well so far.
    pub(crate) fn beat(self, at: EpochMs) -> EpochMs {
        self.next(at - Self::LAG, Self::BEAT)
    }

    /// When that begins which is due at `at` after a failure.
    pub(crate) fn soon(self, at: EpochMs) -> EpochMs {
        self.next(at - Self::LAG_OF_TENTH, Self::TENTH)
    }

    /// When health is judged again after `judged_at`.
    pub(crate) fn tick_after(self, judged_at: EpochMs) -> EpochMs {
        self.next(judged_at + Duration::from_millis(1), Self::TICK)
    }

    /// The first time at or after `at` that is a multiple of `every`, and the offset, from the epoch.
    fn next(self, at: EpochMs, every: Duration) -> EpochMs {
        let whole = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let (every, offset) = (whole(every), whole(self.offset) % whole(every));
        EpochMs(at.0.saturating_sub(offset).div_ceil(every).saturating_mul(every).saturating_add(offset))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifty_streams_share_a_beat() {
        let offsets = [0, 49, 50, 199, 1_249, 1_250].map(|nth| Cadence::of_nth(nth).offset.as_millis());
        assert_eq!(offsets, [0, 0, 20, 60, 480, 0]);
        let all = Cadences::default();
        let first = all.next();
        assert_eq!(first, Cadence::default());
        let others: Vec<Cadence> = (1..=50).map(|_| all.clone().next()).collect();
        assert_eq!((others[48], others[49]), (first, Cadence::of_nth(50)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_began_on_a_beat_goes_on_on_beats(
            nth in 0_usize..2_000, at in 1_000_000_u64.., late_ms in 0_u64..=50, target_s in 1_u64..60, halves in 1_u32..=2,
        ) {
            let cadence = Cadence::of_nth(nth);
            let at = EpochMs(at / 2);
            let beat = cadence.beat(at);
            prop_assert!(beat >= at - Cadence::LAG && beat < at - Cadence::LAG + Cadence::BEAT);
            let wait = Duration::from_secs(target_s) * halves / 2;
            prop_assert_eq!(cadence.beat(beat + Duration::from_millis(late_ms) + wait), beat + wait);
            let soon = cadence.soon(at);
            prop_assert!(soon >= at - Cadence::LAG_OF_TENTH && soon < at + Cadence::TENTH);
            let tick = cadence.tick_after(at);
            prop_assert!(tick > at && tick <= at + Cadence::TICK);
        }
    }
}
