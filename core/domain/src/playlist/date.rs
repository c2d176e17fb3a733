//! EXT-X-PROGRAM-DATE-TIME (RFC 8216 section 4.3.2.6): ISO 8601 as packagers really write it.
//!
//! Our own reading, because offsets without a colon (`+0000`, the form FFmpeg writes) and dates without an
//! offset are common, and because `-00:30` must not lose its sign.

use crate::units::EpochMs;

/// A date with its offset as a point in time. Without an offset it is taken as UTC. None before 1970 and
/// where a field is missing or out of range.
pub(super) fn read(text: &str) -> Option<EpochMs> {
    // In one pass over bytes: every segment of every list may have a date.
    let mut date = Cursor(text.trim().as_bytes());
    let year = date.number(9_999)?;
    date.one_of(b"-")?;
    let month = date.number(12)?;
    date.one_of(b"-")?;
    let day = date.number(31)?;
    date.one_of(b"Tt ")?;
    let hour = date.number(23)?;
    date.one_of(b":")?;
    let minute = date.number(59)?;
    date.one_of(b":")?;
    // 60 in a leap second.
    let second = date.number(60)?;
    let ms = date.milliseconds();
    if month == 0 || day == 0 {
        return None;
    }
    let minutes = days(year, month, day) * 1_440 + hour * 60 + minute - date.offset()?;
    u64::try_from((minutes * 60 + second) * 1_000 + ms).ok().map(EpochMs)
}

/// What of a date has not been read yet.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, marks: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| marks.contains(first))?;
        self.0 = rest;
        Some(*first)
    }

    fn digit(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| first.is_ascii_digit())?;
        self.0 = rest;
        Some(i64::from(first - b'0'))
    }

    /// One to four decimal digits, at most `most`.
    fn number(&mut self, most: i64) -> Option<i64> {
        let mut value = self.digit()?;
        for _ in 1..4 {
            let Some(digit) = self.digit() else { break };
            value = value * 10 + digit;
        }
        (value <= most).then_some(value)
    }

    /// The fraction of a second, if there is one: half a millisecond rounded up. The mark may be a comma
    /// (ISO 8601).
    fn milliseconds(&mut self) -> i64 {
        if self.one_of(b".,").is_none() {
            return 0;
        }
        let mut digit = || self.digit().unwrap_or(0);
        let ms = digit() * 100 + digit() * 10 + digit() + i64::from(digit() >= 5);
        while self.digit().is_some() {}
        ms
    }

    /// The rest: nothing, `Z`, `+hh:mm`, `+hhmm` or `+hh`, in minutes.
    fn offset(mut self) -> Option<i64> {
        let Some(mark) = self.one_of(b"Zz+-") else { return self.0.is_empty().then_some(0) };
        if matches!(mark, b'Z' | b'z') {
            return self.0.is_empty().then_some(0);
        }
        let before = self.0.len();
        let digits = self.number(9_999)?;
        let (hours, minutes) = match self.one_of(b":") {
            Some(_) => (digits, self.number(59)?),
            None if before - self.0.len() == 4 => (digits / 100, digits % 100),
            None => (digits, 0),
        };
        let all_read = self.0.is_empty() && hours <= 23 && minutes <= 59;
        let sign = if mark == b'-' { -1 } else { 1 };
        all_read.then_some(sign * (hours * 60 + minutes))
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
