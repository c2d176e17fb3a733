//! Values of the command line, checked once, here. Messages say how to write it.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

pub(crate) fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            "it does not say how to fetch it; write it as https://host/path.m3u8".to_owned()
        }
        other => format!("{other}; write it as https://host/path.m3u8"),
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`{other}` is not fetched; use an http or https URL")),
    }
}

pub(crate) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let form = || "write it as `Name: value`, both of printable ASCII".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(form)?;
    let name = name.trim().parse().map_err(|_| form())?;
    let value = value.trim().parse().map_err(|_| form())?;
    Ok((name, value))
}

/// A length of time from 1 s to 24 h.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    time_in(text, 1..=86_400, "1s and 24h")
}

/// A length of time from 1 s to 8 days: as long as minutes are kept.
pub(crate) fn past(text: &str) -> Result<Duration, String> {
    time_in(text, 1..=8 * 86_400, "1s and 192h")
}

/// Time between two looks, from 10 s to 1 h.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    time_in(text, 10..=3_600, "10s and 1h")
}

fn time_in(text: &str, range_s: RangeInclusive<u64>, range: &str) -> Result<Duration, String> {
    let form = || format!("`{text}` is not a time between {range}; write it as 30s, 2m or 1h");
    let length: jiff::SignedDuration = text.parse().map_err(|_| form())?;
    let length = Duration::try_from(length).map_err(|_| form())?;
    if range_s.contains(&length.as_secs()) { Ok(length) } else { Err(form()) }
}

/// `name=value` with a number.
pub(crate) fn threshold(text: &str) -> Result<(String, f64), String> {
    let form = || format!("`{text}` is no threshold; write it as name=value with a number");
    let (name, value) = text.split_once('=').ok_or_else(form)?;
    let value: f64 = value.trim().parse().map_err(|_| form())?;
    let name = name.trim();
    if name.is_empty() || !value.is_finite() { Err(form()) } else { Ok((name.to_owned(), value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_a_range() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(past("48h"), Ok(Duration::from_secs(172_800)));
        for wrong in ["", "30", "0s", "25h", "-5s", "soon"] {
            assert!(time(wrong).is_err_and(|e| e.contains("30s")), "{wrong}");
        }
        assert!(interval("9s").is_err_and(|e| e.contains("10s")));
        assert!(past("193h").is_err_and(|e| e.contains("192h")));
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        assert!(
            header("Authorization: Bearer a:b").is_ok_and(|(n, v)| n == "authorization" && v == "Bearer a:b")
        );
        for wrong in ["Authorization", ": x", "a b: c", "a: b\nc: d"] {
            assert!(header(wrong).is_err_and(|e| e.contains("Name: value")), "{wrong}");
        }
    }

    #[test]
    fn only_http_is_watched() {
        assert!(url("ftp://host/a.m3u8").is_err_and(|e| e.contains("http")));
        assert!(url("host/a.m3u8").is_err_and(|e| e.contains("https://host")));
        assert!(url("https://host/a.m3u8").is_ok());
    }

    #[test]
    fn thresholds_are_numbers() {
        assert_eq!(threshold("ttfb_ms=800"), Ok(("ttfb_ms".into(), 800.0)));
        for wrong in ["ttfb_ms", "=3", "a=b", "a=inf", "a=nan"] {
            assert!(threshold(wrong).is_err_and(|e| e.contains("name=value")), "{wrong}");
        }
    }
}
