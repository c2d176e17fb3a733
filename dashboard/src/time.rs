//! Points in time and lengths of time, as people read them.

const SECOND: i64 = 1_000;
const DAY_S: i64 = 86_400;

/// Milliseconds since 1970 of an RFC 3339 time in UTC, as the API writes them: `2026-11-22T03:04:05.678Z`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && (0..=9999).contains(&year);
    if !in_range || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let seconds = days_since_1970(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
    Some(seconds * SECOND + millis)
}

/// Days of the proleptic Gregorian calendar. The year begins in March, so that the leap day is its last.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    const DAYS_TO_1970: i64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_OF_400_YEARS + day_of_era - DAYS_TO_1970
}

/// `22:41:07` in UTC.
pub(crate) fn clock(at_ms: i64) -> String {
    let second = at_ms.div_euclid(SECOND).rem_euclid(DAY_S);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// The clock of an API time, with the day in front where it is not today's.
pub(crate) fn when(text: &str, now_ms: i64) -> String {
    let Some(at) = parse(text) else { return text.to_owned() };
    let day = |ms: i64| ms.div_euclid(DAY_S * SECOND);
    if day(at) == day(now_ms) {
        clock(at)
    } else {
        let month_and_day = text.get(5..10).unwrap_or_default();
        format!("{month_and_day} {}", clock(at))
    }
}

/// A length in its two largest units: `41 s`, `4 min 12 s`, `2 h 5 min`, `3 d 4 h`. Never negative.
pub(crate) fn length(ms: i64) -> String {
    let seconds = (ms / SECOND).max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..DAY_S => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / DAY_S, seconds % DAY_S / 3_600),
    }
}

/// A length that somebody has set, as it is: `500 ms`, `10 s`, `2 min`, `1 min 30 s`. Unit: milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "an hour or a day")]
pub(crate) fn exact(ms: f64) -> String {
    const UNITS: [(i64, &str); 5] =
        [(DAY_S * SECOND, "d"), (3_600 * SECOND, "h"), (60 * SECOND, "min"), (SECOND, "s"), (1, "ms")];
    let mut rest = ms as i64;
    let mut words = Vec::new();
    for (unit, word) in UNITS {
        if rest >= unit {
            words.push(format!("{} {word}", rest / unit));
            rest %= unit;
        }
    }
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_said_as_it_is() {
        let cases = [
            (0.0, "0 s"),
            (500.0, "500 ms"),
            (10_000.0, "10 s"),
            (90_000.0, "1 min 30 s"),
            (120_000.0, "2 min"),
            (86_400_000.0, "1 d"),
            (3_601_500.0, "1 h 1 s 500 ms"),
        ];
        for (ms, expected) in cases {
            assert_eq!(exact(ms), expected);
        }
    }

    #[test]
    fn api_times_are_read() {
        assert_eq!(parse("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(parse("2000-02-29T12:00:00Z"), Some(951_825_600_000));
        assert_eq!(parse("2026-11-22T03:04:05.678Z"), Some(1_795_316_645_678));
        assert_eq!(parse("2026-11-22T03:04:05.6Z"), Some(1_795_316_645_600));
        assert_eq!(parse("1969-12-31T23:59:59.999Z"), Some(-1));
    }

    #[test]
    fn anything_else_is_no_time() {
        for wrong in
            ["", "Z", "2026-11-22", "2026-11-22T03:04:05+01:00", "2026-13-01T00:00:00Z", "2026-11-22T03:04Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("2026-11-22T03:04:05.x78Z"), None);
        assert_eq!(parse("2026-11-22T03:04:05.ä8Z"), None);
    }

    #[test]
    fn lengths_have_at_most_two_units() {
        let cases = [
            (-5, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min 0 s"),
            (252_000, "4 min 12 s"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(length(ms), expected);
        }
    }

    #[test]
    fn the_day_is_told_where_it_is_not_today() {
        let now = parse("2026-11-22T03:04:05.000Z").unwrap();
        assert_eq!(when("2026-11-22T00:00:07.000Z", now), "00:00:07");
        assert_eq!(when("2026-11-21T23:59:59.999Z", now), "11-21 23:59:59");
        assert_eq!(when("soon", now), "soon");
        assert_eq!(clock(now), "03:04:05");
    }
}
