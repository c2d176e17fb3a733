//! The Range header (RFC 9110 section 14.2), for one range of bytes.

use std::ops::Range;

/// What a Range header wants of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All: there is no such header, or not one we need to understand.
    All,
    /// These bytes.
    Part(Range<usize>),
    /// Only bytes there are not.
    Nothing,
}

/// Reads `bytes=a-b`, `bytes=a-` and `bytes=-n`.
pub(crate) fn wanted(header: Option<&str>, total: usize) -> Wanted {
    let parts = header.and_then(|value| value.strip_prefix("bytes=")).and_then(|spec| spec.split_once('-'));
    let Some((from, to)) = parts else { return Wanted::All };
    let (from, to) = (from.trim(), to.trim());
    let range = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(total),
        (Ok(from), Err(_)) if to.is_empty() => from..total,
        (Err(_), Ok(last)) if from.is_empty() => total.saturating_sub(last)..total,
        _ => return Wanted::All,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        let cases = [
            (None, Wanted::All),
            (Some("bytes=0-9"), Wanted::Part(0..10)),
            (Some("bytes=90-"), Wanted::Part(90..100)),
            (Some("bytes=-10"), Wanted::Part(90..100)),
            (Some("bytes=90-1000"), Wanted::Part(90..100)),
            (Some("bytes=100-"), Wanted::Nothing),
            (Some("bytes=200-300"), Wanted::Nothing),
            (Some("bytes=9-0"), Wanted::All),
            (Some("bytes=0-1,5-6"), Wanted::All),
            (Some("lines=0-1"), Wanted::All),
        ];
        for (header, expected) in cases {
            assert_eq!(wanted(header, 100), expected, "{header:?}");
        }
    }
}
