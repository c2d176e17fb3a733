//! When to ask again, and when what was last heard is too old.

/// Between two polls of a page that is looked at. Unit: milliseconds.
pub(crate) const VISIBLE_MS: f64 = 5_000.0;
/// Between two polls of a page in a hidden tab. Unit: milliseconds.
pub(crate) const HIDDEN_MS: f64 = 30_000.0;
/// The longest wait after failures. Unit: milliseconds.
const LONGEST_MS: f64 = 60_000.0;
/// Missed polls after which the page says that it is not up to date.
const MISSED: f64 = 3.0;

/// How long an answer takes at most, from a server that is well. Unit: milliseconds.
const LATE_MS: f64 = 4_000.0;

/// How long to wait for the next poll. Unit: milliseconds.
///
/// `failures` polls in a row have failed; `luck` is from 0 to 1, so that many pages do not ask in step.
pub(crate) fn wait_ms(hidden: bool, failures: u32, luck: f64) -> f64 {
    let base = if hidden { HIDDEN_MS } else { VISIBLE_MS };
    let backed_off = base * f64::from(1_u32 << failures.saturating_sub(1).min(4));
    let jitter = 0.9 + 0.2 * luck.clamp(0.0, 1.0);
    backed_off.min(LONGEST_MS) * jitter
}

/// Whether what was heard `age_ms` ago is too old to be shown as the present.
///
/// In a hidden tab nobody is misled; when it is looked at again it asks at once.
pub(crate) fn is_stale(age_ms: f64) -> bool {
    age_ms > MISSED * VISIBLE_MS
}

/// Whether a poll has been waiting for `waited_ms`, which is longer than a server that is well takes.
pub(crate) fn is_late(waited_ms: f64) -> bool {
    waited_ms > LATE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_back_off_up_to_a_minute() {
        let waits = [0, 1, 2, 3, 4, 5, u32::MAX].map(|failures| wait_ms(false, failures, 0.5));
        assert_eq!(waits, [5_000.0, 5_000.0, 10_000.0, 20_000.0, 40_000.0, 60_000.0, 60_000.0]);
        assert_eq!(wait_ms(true, 0, 0.5), 30_000.0);
        assert_eq!(wait_ms(true, 9, 0.5), 60_000.0);
    }

    #[test]
    fn luck_moves_a_poll_by_a_tenth() {
        assert_eq!(wait_ms(false, 0, 0.0), 4_500.0);
        assert_eq!(wait_ms(false, 0, 1.0), 5_500.0);
    }

    #[test]
    fn three_missed_polls_are_stale() {
        assert!(!is_stale(15_000.0));
        assert!(is_stale(15_001.0));
        assert!(is_late(4_001.0) && !is_late(4_000.0), "that is told before");
    }
}
