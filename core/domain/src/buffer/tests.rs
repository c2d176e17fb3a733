use proptest::prelude::*;

use super::*;

/// Target 6 s, playback from 18 s. Runs a script, one word a step, each at a second of its own:
/// `12+6` a segment of 6 s came, `12+6q2` and waited 2 s in our queue, `12` time passed, `12f` nobody looked
/// until then, `12e` the list ended, `12l` it went live again, `12x6` we owe 6 s to a 429.
fn run(script: &str) -> Buffer {
    run_with(6, script)
}

fn run_with(target: u64, script: &str) -> Buffer {
    let target = MediaUs::from_seconds(target);
    let mut buffer = Buffer::new(EpochMs(0), target, target.times(3));
    for word in script.split_whitespace() {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let at = EpochMs(ms(&word[..end]));
        match word[end..].split_at_checked(1) {
            None => buffer.advance(at),
            Some(("+", rest)) => {
                let (media, queue) = rest.split_once('q').unwrap_or((rest, "0"));
                let queue = Duration::from_millis(ms(queue));
                buffer.credit(at, MediaUs(ms(media) * 1_000), queue, Duration::from_secs(120));
            }
            Some(("x", media)) => {
                buffer.excuse(MediaUs(ms(media) * 1_000));
                buffer.advance(at);
            }
            Some(("f", _)) => buffer.freeze(at),
            Some((mark, _)) => {
                buffer.advance(at);
                buffer.set_ended(mark == "e");
            }
        }
    }
    buffer
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
fn ms(seconds: &str) -> u64 {
    (seconds.parse::<f64>().expect("a number") * 1e3).round() as u64
}

/// `level played rebuffering | condition accumulated`, in seconds.
fn show(buffer: &Buffer) -> String {
    let (sums, figures) = (buffer.sums(), buffer.delivery());
    let seconds = |length: Duration| (length.as_secs_f64() * 1e3).round() / 1e3;
    format!(
        "{} {} {} | {} {}",
        buffer.level().as_seconds(),
        seconds(sums.played),
        seconds(sums.rebuffering),
        seconds(figures.condition),
        seconds(figures.accumulated)
    )
}

#[track_caller]
fn check(script: &str, expected: &str) {
    let buffer = run(script);
    assert_eq!(show(&buffer), expected, "{script}: {buffer:?}");
    assert_conserved(&buffer);
}

#[track_caller]
fn assert_conserved(buffer: &Buffer) {
    let sums = buffer.sums();
    let obtained = i128::from(sums.obtained.0) + i128::from(sums.adjusted_us);
    let spent = i128::from(MediaUs::from_duration(sums.played).0)
        + i128::from(buffer.level().0)
        + i128::from(sums.skipped.0);
    assert_eq!(obtained, spent, "obtained + adjusted = played + buffered + skipped: {buffer:?}");
}

#[test]
fn playback_starts_at_the_start_level() {
    check("1+6 2+6", "12 0 0 | 0 0");
    check("1+6 2+6 9", "12 0 0 | 0 0");
    check("1+6 2+6 3+6 9", "12 6 0 | 0 0");
    assert_eq!(run("1+6 2+6 3+6 9").sums().starting, Duration::from_secs(3));
}

#[test]
fn a_late_start_counts_after_patience() {
    check("30", "0 0 0 | 0 0");
    check("31", "0 0 1 | 1 1");
    assert!(run("30").is_served());
    assert!(!run("31").is_served());
    check("1+6 45", "6 0 15 | 15 15");
    // Three target durations where those are longer.
    assert_eq!(show(&run_with(20, "60")), "0 0 0 | 0 0");
    assert_eq!(show(&run_with(20, "61")), "0 0 1 | 1 1");
}

#[test]
fn waiting_for_the_start_ends_when_playback_starts_not_at_the_first_segment() {
    assert!(!run("40+6").is_served());
    assert!(!run("40+6 41").is_served());
    assert!(run("40+6 41+6 42+6").is_served());
}

#[test]
fn an_empty_buffer_is_rebuffering_and_all_of_it_is_outage() {
    check("0+6 0+6 0+6 18", "0 18 0 | 0 0");
    check("0+6 0+6 0+6 20", "0 18 2 | 2 2");
    check("0+6 0+6 0+6 20+6 21", "5 19 2 | 20 2");
    assert_eq!(run("0+6 0+6 0+6 20").waiting_since(), Some(EpochMs(18_000)));
    assert_eq!(run("0+6 0+6 0+6 20+6").waiting_since(), None);
}

/// An outage of 59 s: 6 s segments stop for 77 s. While it lasts the condition counts from buffer zero, and
/// whole when the segment comes.
#[test]
fn an_outage_of_59_seconds() {
    let start = "0+6 0+6 0+6";
    check(&format!("{start} 77"), "0 18 59 | 59 59");
    check(&format!("{start} 77+6"), "6 18 59 | 77 59");
    check(&format!("{start} 77+6 77+6 77+6"), "18 18 59 | 77 59");
}

/// 10 s segments every 12 s: 2 s are missing each time, and the whole 12 s are inconsistent.
#[test]
fn slow_segments_cost_their_lateness_and_make_whole_periods_inconsistent() {
    let mut script = String::from("0+10 0+10 0+10");
    let figures = |script: &str| run_with(10, script).delivery();
    let mut before = figures(&script);
    for period in 1..=30_u64 {
        script += &format!(" {}+10", period * 12);
        let now = figures(&script);
        let change = (now.condition - before.condition, now.accumulated - before.accumulated);
        // The first 12 s take what is left of the start level from 30 s to 18 s, each further period 2 s.
        let expected = if period > 10 { (12, 2) } else { (0, 0) };
        let seconds = |(a, b): (u64, u64)| (Duration::from_secs(a), Duration::from_secs(b));
        assert_eq!(change, seconds(expected), "period {period}");
        before = now;
    }
    assert_eq!(before.condition, Duration::from_secs(240));
    assert_conserved(&run_with(10, &script));
}

#[test]
fn a_short_consistent_stretch_pauses_the_condition_and_a_long_one_ends_it() {
    let bad = "0+6 0+6 0+6 20+6";
    check(bad, "6 18 2 | 20 2");
    // 18 s are min(min_clear, 3 target durations): not yet longer.
    check(&format!("{bad} 26+6 32+6 38+6"), "6 36 2 | 20 2");
    check(&format!("{bad} 26+6 32+6 38+6 44+6"), "6 42 2 | 0 0");
    check(&format!("{bad} 26+6 34+6"), "6 30 4 | 28 4");
}

#[test]
fn a_little_rebuffering_is_no_inconsistency() {
    // 0.2 s or 2 % of the period, whichever is larger.
    check("0+6 0+6 0+6 18.2+6", "6 18 0.2 | 0 0");
    check("0+6 0+6 0+6 18.3+6", "6 18 0.3 | 0 0");
    check("0+6 0+6 0+6 18.4+6", "6 18 0.4 | 18.4 0.4");
    check("0+60 24.2+6", "6 24 0.2 | 0 0");
}

#[test]
fn arrivals_at_once_are_one_delivery() {
    check("0+6 0+6 0+6 24+6 24+6 24.04+6", "17.96 18.04 6 | 24 6");
}

#[test]
fn our_own_queue_is_forgiven() {
    check("0+6 0+6 0+6 20+6q5", "4 20 0 | 0 0");
    check("0+6 0+6 0+6 20+6q0.5", "5.5 18.5 1.5 | 20 1.5");
    // No more than the segment's media, and nothing while the buffer was not empty.
    check("0+6 0+6 0+6 30+6q20", "0 24 6 | 30 6");
    check("0+6 0+6 0+6 10+6q5", "14 10 0 | 0 0");
}

#[test]
fn what_a_429_withheld_counts_as_if_it_had_come() {
    check("0+6 0+6 0+6 20x6", "4 20 0 | 0 0");
    assert_eq!(run("0+6 0+6 0+6 20x6").sums().adjusted_us, 6_000_000);
}

#[test]
fn what_nobody_saw_is_frozen() {
    check("0+6 0+6 0+6 6 306f", "12 6 0 | 0 0");
    check("0+6 0+6 0+6 6 306f 318", "0 18 0 | 0 0");
    check("0+6 0+6 0+6 6 306f 320", "0 18 2 | 2 2");
    // Patience at the start does not run meanwhile.
    check("1+6 101f 130", "6 0 0 | 0 0");
    let sums = *run("0+6 0+6 0+6 6 306f 318").sums();
    assert_eq!((sums.frozen, sums.wall()), (Duration::from_secs(300), Duration::from_secs(318)));
}

#[test]
fn an_ended_list_plays_out_and_the_clocks_stop() {
    check("0+6 0+6 0+6 6e 60", "0 18 0 | 0 0");
    assert_eq!(run("0+6 0+6 0+6 6e 60").phase(), Phase::Stopped);
    assert_eq!(run("0+6 0+6 0+6 6e 60").sums().wall(), Duration::from_secs(18));
    // Also when it ended before it had started, or while a viewer waited.
    check("1+6 2e 60", "0 6 0 | 0 0");
    assert_eq!(run("40 40e 60").phase(), Phase::Stopped);
    check("0+6 0+6 0+6 20 20e 60", "0 18 2 | 0 2");
    let waiting = run("0+6 0+6 0+6 20 20e 60");
    assert_eq!((waiting.waiting_since(), waiting.is_served()), (None, true));
}

#[test]
fn a_list_that_goes_live_again_starts_anew() {
    let buffer = run("0+6 0+6 0+6 6e 60 60l");
    assert_eq!((buffer.phase(), buffer.is_served()), (Phase::Starting, true));
    check("0+6 0+6 0+6 6e 60 60l 89", "0 18 0 | 0 0");
    check("0+6 0+6 0+6 6e 60 60l 61+6 61+6 61+6 67", "12 24 0 | 0 0");
}

#[test]
fn a_player_skips_what_is_more_than_it_holds() {
    check("0+6 0+6 0+6 0+6", "24 0 0 | 0 0");
    check("0+6 0+6 0+6 0+6 0+6", "24 0 0 | 0 0");
    assert_eq!(run("0+6 0+6 0+6 0+6 0+6").sums().skipped, MediaUs::from_seconds(6));
}

/// EXTINF says 6.000, the encoder makes 6.006: a minute an hour... in 3.3 hours the buffer would be empty.
#[test]
fn rounded_durations_never_make_an_outage() {
    for (extinf, real_ms) in [(6_000_000, 6_006_u64), (6_000_000, 5_994), (5_990_000, 6_010)] {
        let target = MediaUs::from_seconds(6);
        let mut buffer = Buffer::new(EpochMs(0), target, target.times(3));
        for _ in 0..3 {
            buffer.credit(EpochMs(0), MediaUs(extinf), Duration::ZERO, Duration::from_secs(120));
        }
        // Playback needs the start level; the third of these falls a little short of it.
        for index in 1..6_000 {
            let at = EpochMs(index * real_ms);
            buffer.advance(EpochMs(at.0 - 50));
            buffer.credit(at, MediaUs(extinf), Duration::ZERO, Duration::from_secs(120));
        }
        assert_eq!(buffer.sums().rebuffering, Duration::ZERO, "{extinf} us every {real_ms} ms");
        assert_conserved(&buffer);
    }
}

/// A stream that is right to the millisecond is hardly touched: the pull follows the middle of the saw-tooth,
/// wherever in it we happen to look.
#[test]
fn slewing_settles_and_is_slow() {
    let mut buffer = run("0+6 0+6 0+6");
    for index in 1..=1_200 {
        let at = EpochMs(index * 6_000);
        buffer.advance(EpochMs(at.0 - 100));
        let before = buffer.sums().adjusted_us;
        buffer.credit(at, MediaUs::from_seconds(6), Duration::ZERO, Duration::from_secs(120));
        assert!(buffer.sums().adjusted_us - before <= 30_000, "0.5 % of 6 s");
    }
    assert_eq!(buffer.sums().skipped, MediaUs::ZERO);
    let level = buffer.level().as_seconds();
    assert!((20.9..=21.1).contains(&level), "3 s above the start level, and 3 s below before: {level}");
    assert_eq!(run("0+6 0+6 0+6 300+6").sums().adjusted_us, 0, "not after an outage");
}

/// After an outage nothing fills the buffer but the slow pull, and a few milliseconds of jitter must not hold
/// that up.
#[test]
fn a_buffer_near_zero_fills_up_again() {
    let mut buffer = run("0+6 0+6 0+6 60");
    for index in 0..400 {
        let jitter = [0, 40, 15, 70][index % 4];
        let at = EpochMs(60_000 + 6_000 * index as u64 + jitter);
        buffer.credit(at, MediaUs::from_seconds(6), Duration::ZERO, Duration::from_secs(120));
    }
    assert!(buffer.sums().rebuffering < Duration::from_millis(42_200), "{buffer:?}");
    assert!(buffer.level().as_seconds() > 14.0, "{buffer:?}");
    assert_conserved(&buffer);
}

#[derive(Clone, Debug)]
enum Op {
    Advance(u64),
    Credit(u64, u64, u64),
    Excuse(u64),
    Freeze(u64),
    Ended(bool),
    Target(u64, u64),
    Lose(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let time = prop_oneof![0_u64..10, 0_u64..30_000, Just(400_000_u64)];
    let media = prop_oneof![0_u64..20_000_000, Just(6_000_000_u64)];
    prop_oneof![
        4 => time.clone().prop_map(Op::Advance),
        8 => (time.clone(), media.clone(), prop_oneof![Just(0), 0_u64..60_000])
            .prop_map(|(t, m, q)| Op::Credit(t, m, q)),
        1 => media.clone().prop_map(Op::Excuse),
        1 => time.prop_map(Op::Freeze),
        1 => any::<bool>().prop_map(Op::Ended),
        1 => (1_u64..20, 1_u64..60).prop_map(|(t, s)| Op::Target(t, s)),
        1 => media.prop_map(Op::Lose),
    ]
}

/// Applies an operation; times are relative to where the buffer is. Says how much time the clocks ran.
fn apply(buffer: &mut Buffer, op: &Op, parts: u64) -> Duration {
    let from = buffer.reckoned_to();
    let running = buffer.phase() != Phase::Stopped;
    let plays_out = buffer.ended && running;
    let most = buffer.level().as_duration();
    let pass = |buffer: &mut Buffer, ms: u64| {
        for part in 1..=parts {
            buffer.advance(EpochMs(from.0 + ms * part / parts));
        }
        let passed = Duration::from_millis(ms);
        if plays_out {
            passed.min(most)
        } else if running {
            passed
        } else {
            Duration::ZERO
        }
    };
    match *op {
        Op::Advance(ms) => pass(buffer, ms),
        Op::Credit(ms, media, queue) => {
            let ran = pass(buffer, ms);
            let queue = Duration::from_millis(queue);
            buffer.credit(EpochMs(from.0 + ms), MediaUs(media), queue, Duration::from_secs(120));
            ran
        }
        Op::Excuse(media) => {
            buffer.excuse(MediaUs(media));
            Duration::ZERO
        }
        Op::Freeze(ms) => {
            buffer.freeze(EpochMs(from.0 + ms));
            if running { Duration::from_millis(ms) } else { Duration::ZERO }
        }
        Op::Ended(ended) => {
            buffer.set_ended(ended);
            Duration::ZERO
        }
        Op::Target(target, start) => {
            buffer.set_target(MediaUs::from_seconds(target), MediaUs::from_seconds(start));
            Duration::ZERO
        }
        Op::Lose(media) => {
            buffer.lose(MediaUs(media));
            Duration::ZERO
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn media_and_time_are_conserved(ops in proptest::collection::vec(op(), 0..80)) {
        let mut buffer = run("");
        let mut wall = Duration::ZERO;
        for op in &ops {
            wall += apply(&mut buffer, op, 1);
            assert_conserved(&buffer);
            prop_assert_eq!(buffer.sums().wall(), wall, "after {:?}: {:?}", op, buffer);
            prop_assert!(buffer.level() <= buffer.start_level + buffer.target, "after {op:?}: {buffer:?}");
            let waiting = buffer.waiting_since();
            prop_assert!(waiting.is_none_or(|since| since <= buffer.reckoned_to()));
            prop_assert!(waiting.is_none() || buffer.phase() != Phase::Stopped);
        }
    }

    /// Where nothing is slewed, in parts or at once is the same to the microsecond. Slewing looks at where in
    /// a stretch the start level is crossed, and pulls the crossing itself a little: that may differ, by less
    /// than the pull, 0.5 % of the time.
    #[test]
    fn time_passes_in_parts_as_it_passes_at_once(
        ops in proptest::collection::vec(op(), 0..40),
        parts in 2_u64..7,
    ) {
        let (mut whole, mut split) = (run(""), run(""));
        for op in &ops {
            apply(&mut whole, op, 1);
            apply(&mut split, op, parts);
            if whole.sums().adjusted_us == split.sums().adjusted_us {
                prop_assert_eq!(whole.level(), split.level(), "after {:?}", op);
                prop_assert_eq!(whole.sums(), split.sums(), "after {:?}", op);
            } else {
                break;
            }
        }
    }

    #[test]
    fn slewing_in_parts_differs_by_less_than_the_pull(parts in 2_u64..50, gap in 1_u64..20_000) {
        let mut whole = run("0+6 0+6 0+6");
        for second in (6..=306).step_by(6) {
            whole.credit(EpochMs(second * 1_000), MediaUs::from_seconds(6), Duration::ZERO, Duration::ZERO);
        }
        let mut split = whole.clone();
        apply(&mut whole, &Op::Advance(gap), 1);
        apply(&mut split, &Op::Advance(gap), parts);
        let apart = whole.sums().adjusted_us.abs_diff(split.sums().adjusted_us);
        prop_assert!(apart <= gap * 1_000 / Buffer::SLEW_PARTS + parts, "{apart} us in {gap} ms");
    }

    #[test]
    fn nothing_panics_on_extreme_values(
        values in proptest::collection::vec((prop_oneof![Just(u64::MAX), Just(0), any::<u64>()], 0_u8..7), 0..30),
    ) {
        let mut buffer = Buffer::new(EpochMs(values.first().map_or(0, |v| v.0)), MediaUs(u64::MAX), MediaUs(1));
        for (value, kind) in values {
            let queue = Duration::from_millis(value);
            match kind {
                0 => buffer.advance(EpochMs(value)),
                1 => buffer.credit(EpochMs(value), MediaUs(value), queue, queue),
                2 => buffer.freeze(EpochMs(value)),
                3 => buffer.set_target(MediaUs(value), MediaUs(value / 3)),
                4 => buffer.set_ended(value % 2 == 0),
                5 => buffer.excuse(MediaUs(value)),
                _ => buffer.lose(MediaUs(value)),
            }
            let _ = (buffer.delivery(), buffer.sums().wall(), buffer.rebuffered(EpochMs(value), queue));
            let _ = buffer.at(EpochMs(u64::MAX));
        }
    }
}
