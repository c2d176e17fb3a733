//! Points in time as the API writes them.

use hlsops_domain::EpochMs;
use jiff::Timestamp;

/// RFC 3339 in UTC with milliseconds: `2026-11-22T03:30:00.000Z`.
pub(crate) fn text(at: EpochMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    format!("{at:.3}")
}

/// Reads an RFC 3339 time, in any zone, from 1970 on.
pub(crate) fn parse(text: &str) -> Option<EpochMs> {
    let at: Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(EpochMs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_are_read_back() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_120, "2023-11-14T22:13:20.120Z"),
            (u64::MAX, "9999-12-30T22:00:00.999Z"),
        ] {
            assert_eq!(text(EpochMs(ms)), expected);
        }
        assert_eq!(parse("2023-11-14T22:13:20.120Z"), Some(EpochMs(1_700_000_000_120)));
        assert_eq!(parse("2023-11-14T23:13:20+01:00"), Some(EpochMs(1_700_000_000_000)));
        for bad in ["", "now", "2023-11-14", "1969-12-31T23:59:59Z"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
