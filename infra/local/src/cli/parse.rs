//! Values of the command line, checked once, here. Messages say how to write it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use hlsops_engine::EngineConfig;
use http::{HeaderName, HeaderValue};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
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

/// Where people reach a server.
pub(crate) fn public_url(text: &str) -> Result<Url, String> {
    let form = |why: &str| format!("{why}; write it as https://ops.example.com");
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => form("it does not begin with https:// or http://"),
        other => form(&other.to_string()),
    })?;
    match url.scheme() {
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            Err(form("links begin with it, so nothing may follow `?` or `#`"))
        }
        "http" | "https" => Ok(url),
        _ => Err(form("it does not begin with https:// or http://")),
    }
}

/// An address to listen on. A port alone is one of this machine, which nobody else reaches.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.strip_prefix("localhost:").unwrap_or(text).parse::<u16>();
    port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|_| {
        "write it as IP:PORT, such as 127.0.0.1:8080 for this machine alone or 0.0.0.0:8080 for its network; a \
         port alone is one of 127.0.0.1"
            .to_owned()
    })
}

/// Units of sizes. Upper and lower case are the same.
const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The most that data may take, in bytes.
pub(crate) fn max_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    let size =
        number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, bytes))| number.checked_mul(*bytes));
    size.filter(|size| *size >= EngineConfig::LEAST_BYTES).ok_or_else(|| {
        format!(
            "`{text}` is no size of {} KiB or more; write it as 4GiB, as 500MB or as a number of bytes (units: KiB, \
             MiB, GiB, TiB of 1024, kB, MB, GB, TB of 1000)",
            EngineConfig::LEAST_BYTES >> 10
        )
    })
}

/// When something ends: a time, or how long from `now`.
pub(crate) fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let after = |span: Span| now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|at| at.timestamp());
    let at = text.parse::<Timestamp>().ok().or_else(|| text.parse::<Span>().ok().and_then(after));
    at.filter(|at| *at > now).ok_or_else(|| {
        format!(
            "`{text}` is no time in the future; write it in UTC as 2030-01-31T00:00:00Z, or as how long from now: \
             90d or 12h"
        )
    })
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
    fn the_public_url_is_where_links_begin() {
        for right in ["https://ops.example.com", "http://10.0.0.5:8080/", "https://h/hls"] {
            assert!(public_url(right).is_ok(), "{right}");
        }
        for wrong in ["foo", "ops.example.com:443", "ftp://h", "https://", "https://h/?a=b", "https://h/#x"] {
            assert!(public_url(wrong).is_err_and(|e| e.contains("https://ops.example.com")), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_an_ip_and_a_port_or_a_port() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
            ("localhost:0", "127.0.0.1:0"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(listen(text).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for wrong in ["", "nowhere", "127.0.0.1", "example.com:80", "70000", "127.0.0.1:x"] {
            assert!(listen(wrong).is_err_and(|e| e.contains("127.0.0.1:8080")), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units_and_a_least() {
        for (text, expected) in [
            ("4GiB", 4 << 30),
            ("4 gib", 4 << 30),
            ("500MB", 500_000_000),
            ("262144", 262_144),
            ("1tib", 1 << 40),
        ] {
            assert_eq!(max_bytes(text), Ok(expected), "{text}");
        }
        for wrong in ["", "GiB", "4GIGA", "1.5GiB", "-1", "100KiB", "99999999999TiB", "4G"] {
            assert!(max_bytes(wrong).is_err_and(|e| e.contains("4GiB") && e.contains("256 KiB")), "{wrong}");
        }
    }

    #[test]
    fn an_end_is_a_time_or_a_length_and_lies_ahead() {
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2030-01-31T00:00:00Z", "2030-01-31T00:00:00Z"),
            ("2030-01-31T01:00:00+01:00", "2030-01-31T00:00:00Z"),
            ("90d", "2027-02-20T00:00:00Z"),
            ("12h", "2026-11-22T12:00:00Z"),
        ] {
            assert_eq!(expiry(text, now).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for wrong in ["", "soon", "2030-01-31", "2020-01-31T00:00:00Z", "0s", "-5d", "90"] {
            assert!(expiry(wrong, now).is_err_and(|e| e.contains("2030-01-31T00:00:00Z")), "{wrong}");
        }
    }

    #[test]
    fn thresholds_are_numbers() {
        assert_eq!(threshold("ttfb_ms=800"), Ok(("ttfb_ms".into(), 800.0)));
        for wrong in ["ttfb_ms", "=3", "a=b", "a=inf", "a=nan"] {
            assert!(threshold(wrong).is_err_and(|e| e.contains("name=value")), "{wrong}");
        }
    }
}
