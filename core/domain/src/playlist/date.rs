//! EXT-X-PROGRAM-DATE-TIME (RFC 8216 section 4.3.2.6): ISO 8601 as packagers really write it.
//!
//! Our own reading, because offsets without a colon (`+0000`, the form FFmpeg writes) and dates without an
//! offset are common, and because `-00:30` must not lose its sign.

use crate::units::EpochMs;

/// A date with its offset as a point in time. Without an offset it is taken as UTC. None before 1970 and
/// where a field is missing or out of range.
pub(super) fn read(text: &str) -> Option<EpochMs> {
    // On bytes: every segment of every list has one, and each is ASCII or none.
    let (date, time) = split(text.trim().as_bytes(), |byte| matches!(byte, b'T' | b't' | b' '))?;
    let mut date = date.splitn(3, |byte| *byte == b'-');
    let (year, month, day) =
        (number(date.next()?, 9_999)?, number(date.next()?, 12)?, number(date.next()?, 31)?);
    let (clock, offset_minutes) = match time.iter().position(|byte| b"Zz+-".contains(byte)) {
        Some(at) => (&time[..at], offset(&time[at..])?),
        None => (time, 0),
    };
    let mut clock = clock.splitn(3, |byte| *byte == b':');
    let (hour, minute) = (number(clock.next()?, 23)?, number(clock.next()?, 59)?);
    let second_ms = milliseconds(clock.next()?)?;
    if month == 0 || day == 0 {
        return None;
    }
    let minutes = days(year, month, day) * 1_440 + hour * 60 + minute - offset_minutes;
    u64::try_from(minutes * 60_000 + second_ms).ok().map(EpochMs)
}

/// What stands before and behind the first byte of its kind.
fn split(text: &[u8], is_mark: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| is_mark(*byte))?;
    Some((&text[..at], &text[at + 1..]))
}

/// One to four decimal digits and nothing else, at most `most`.
fn number(text: &[u8], most: i64) -> Option<i64> {
    if !(1..=4).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = text.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    (value <= most).then_some(value)
}

/// `Z`, `+hh:mm`, `+hhmm` or `+hh`, in minutes.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match split(digits, |byte| byte == b':') {
        Some(both) => both,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, b"0".as_slice()),
    };
    Some(sign * (number(hours, 23)? * 60 + number(minutes, 59)?))
}

/// Decimal seconds, 60 in a leap second, half a millisecond rounded up; the mark may be a comma (ISO 8601).
fn milliseconds(text: &[u8]) -> Option<i64> {
    let (whole, fraction) = split(text, |byte| matches!(byte, b'.' | b',')).unwrap_or((text, b""));
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let ms = digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5);
    Some(number(whole, 60)? * 1_000 + ms)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
