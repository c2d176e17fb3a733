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

/// How long ages go on after the last good answer: until the one after the next is due. Unit: milliseconds.
const AGES_MS: f64 = 2.0 * VISIBLE_MS;

/// The moment whose ages are shown: now, and no later than what the last good answer speaks for. Unit: milliseconds.
pub(crate) fn shown_ms(now_ms: f64, heard_ms: Option<f64>) -> f64 {
    heard_ms.map_or(now_ms, |heard| now_ms.min(whole_second(heard + AGES_MS)))
}

/// Whether a poll has been waiting for `waited_ms`, which is longer than a server that is well takes.
pub(crate) fn is_late(waited_ms: f64) -> bool {
    waited_ms > LATE_MS
}

/// Differences of two clocks that the travel of an answer explains. Unit: milliseconds.
const TRAVEL_MS: f64 = 1_500.0;
/// How old an answer is at most that was kept for many. Unit: milliseconds.
const KEPT_MS: f64 = 5_500.0;

/// How far the server's clock is ahead, after an answer of a time `told` ahead of the browser's clock. Unit:
/// milliseconds.
///
/// An answer is of the time when it was made, seconds before it comes where it was kept. So one that is a little
/// behind what is `known` tells nothing, and what is shown does not jump with each of them.
pub(crate) fn steady(known: Option<f64>, told: f64) -> f64 {
    match known {
        Some(known) if (known - KEPT_MS..=known + 500.0).contains(&told) => known,
        _ if told.abs() <= TRAVEL_MS => 0.0,
        _ => told,
    }
}

/// The second that a time is in. Unit: milliseconds.
pub(crate) fn whole_second(ms: f64) -> f64 {
    (ms / 1_000.0).floor() * 1_000.0
}

/// Time until the next second has begun for certain: timers may be a little early. Unit: milliseconds.
pub(crate) fn to_next_second_ms(now_ms: f64) -> f64 {
    whole_second(now_ms) + 1_020.0 - now_ms
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
    fn the_servers_clock_does_not_jump_between_answers() {
        let ahead = |told: &[f64]| told.iter().fold(None, |known, told| Some(steady(known, *told)));
        assert_eq!(
            ahead(&[-300.0, -1_700.0, 400.0, -4_900.0]),
            Some(0.0),
            "one clock, answers kept for a while"
        );
        assert_eq!(ahead(&[-4_000.0, -200.0, -4_000.0]), Some(0.0), "the first answer was an old one");
        assert_eq!(ahead(&[60_000.0, 59_000.0, 60_300.0]), Some(60_000.0));
        assert_eq!(ahead(&[60_000.0, -100.0]), Some(0.0), "a clock was set");
    }

    #[test]
    fn ticks_come_once_a_second_however_late_they_are() {
        let mut now = 1_795_316_645_678.0;
        for late in [0.0, 5.0, 300.0, 0.0, 700.0, 0.0] {
            let before = whole_second(now);
            now += to_next_second_ms(now) + late;
            assert_eq!(whole_second(now) - before, 1_000.0);
        }
    }

    #[test]
    fn ages_stop_soon_after_the_last_good_answer_and_never_run_back() {
        let heard = 100_400.0;
        let shown: Vec<f64> =
            (100..130).map(|second| shown_ms(f64::from(second) * 1_000.0, Some(heard))).collect();
        assert!(shown.windows(2).all(|pair| pair[0] <= pair[1]), "{shown:?}");
        assert_eq!((shown[5], shown[10], shown[29]), (105_000.0, 110_000.0, 110_000.0));
        assert_eq!(shown_ms(130_000.0, None), 130_000.0);
    }

    #[test]
    fn three_missed_polls_are_stale() {
        assert!(!is_stale(15_000.0));
        assert!(is_stale(15_001.0));
        assert!(is_late(4_001.0) && !is_late(4_000.0), "that is told before");
    }
}
