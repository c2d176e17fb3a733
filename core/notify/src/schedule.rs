//! When an attempt that failed is repeated. Pure.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_domain::id::StableHash;

/// For how long an event is tried.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Waits after the first attempts, in seconds; from then on the last one.
const WAITS_S: [u64; 7] = [5, 15, 60, 300, 900, 1_800, 3_600];
/// The longest wait a receiver can ask for.
const MAX_ASKED: Duration = Duration::from_secs(3_600);

/// When attempt `tries` + 1 is due after attempt `tries` (from 1) failed at `now`; none when that would be
/// later than [`GIVE_UP_AFTER`] after `since`. `key` spreads what failed together by up to a tenth.
pub(crate) fn next_attempt(
    since: EpochMs,
    tries: u64,
    now: EpochMs,
    asked: Option<Duration>,
    key: &str,
) -> Option<EpochMs> {
    let nth = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS_S.len() - 1);
    let wait = Duration::from_secs(WAITS_S[nth]).max(asked.unwrap_or_default().min(MAX_ASKED));
    let spread = StableHash::new().with(key.as_bytes()).with(&tries.to_be_bytes()).finish() % 100;
    let next = now + wait + wait.mul_f64(f64::from(u32::try_from(spread).unwrap_or_default()) / 1_000.0);
    (next.since(since) <= GIVE_UP_AFTER).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_end_after_a_day() {
        let since = EpochMs(1_000);
        let (mut now, mut tries, mut waits) = (since, 1, Vec::new());
        while let Some(next) = next_attempt(since, tries, now, None, "x") {
            waits.push(next.since(now).as_secs());
            (now, tries) = (next, tries + 1);
        }
        assert!(waits.is_sorted_by_key(|wait| wait / 1_000 * 1_000), "{waits:?}");
        assert!((5..=6).contains(&waits[0]) && (3_600..=3_960).contains(&waits[10]), "{waits:?}");
        assert!((25..=33).contains(&tries), "{tries} attempts in a day");
        assert!(now.since(since) > Duration::from_secs(22 * 3_600));
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_reason() {
        let wait = |asked| {
            let asked = Some(Duration::from_secs(asked));
            next_attempt(EpochMs(0), 1, EpochMs(0), asked, "x").map(|at| at.0 / 1_000)
        };
        assert!(wait(1).is_some_and(|s| s < 6));
        assert!(wait(120).is_some_and(|s| (120..=132).contains(&s)));
        assert!(wait(u64::MAX).is_some_and(|s| (3_600..=3_960).contains(&s)));
    }
}
