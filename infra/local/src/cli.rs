//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use hlsops_fetch::{AllowList, HeaderHosts, Session, SessionError};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// Watches HLS streams: is it healthy now, what exactly went wrong, does it recur?
#[derive(Debug, Parser)]
#[command(name = "hlsops", version, about)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at one stream for a while and say what is wrong with it
    ///
    /// Exit code: 0 clean, 1 findings, 2 unreachable, 64 wrong usage, 70 internal error.
    Check(CheckOptions),
    /// Show nine streams, healthy and faulty, made on this machine
    Demo(DemoOptions),
}

/// Options of `hlsops check`.
#[derive(Args, Debug)]
pub(crate) struct CheckOptions {
    /// URL of a multivariant or media playlist
    #[arg(value_parser = parse_url)]
    pub(crate) url: Url,
    /// Print the verdict as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to watch: `30s`, `2m`, `1h`
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub(crate) length: Duration,
    /// Allow a target that is not publicly routable: exactly HOST:PORT; may be repeated. The host of URL is
    /// allowed anyway
    #[arg(
        long = "allow-target",
        value_name = "HOST:PORT",
        env = "HLSOPS_ALLOW_TARGETS",
        value_delimiter = ','
    )]
    pub(crate) allow_targets: Vec<String>,
    /// Send a header with every request to the host of URL, and to no other; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl CheckOptions {
    /// The headers and cookies to watch with.
    pub(crate) fn session(&self) -> Result<Session, SessionError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        Session::with_headers(headers, HeaderHosts::of(&self.url))
    }

    /// The exceptions from the address guard: those listed, and the target typed on the command line.
    pub(crate) fn allow_list(&self) -> Result<AllowList, hlsops_fetch::HostListError> {
        let mut allow = AllowList::parse(&self.allow_targets.join(","))?;
        if let (Some(host), Some(port)) = (self.url.host_str(), self.url.port_or_known_default()) {
            allow.insert(host, port)?;
        }
        Ok(allow)
    }
}

/// Options of `hlsops demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// Stop after this long instead of at Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) length: Option<Duration>,
}

fn parse_url(text: &str) -> Result<Url, String> {
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

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let form = || "write it as `Name: value`, both of printable ASCII".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(form)?;
    let name = name.trim().parse().map_err(|_| form())?;
    let value = value.trim().parse().map_err(|_| form())?;
    Ok((name, value))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    const RANGE: std::ops::RangeInclusive<u64> = 1..=86_400;
    let form = || format!("`{text}` is not a time between 1s and 24h; write it as 30s, 2m or 1h");
    let length: jiff::SignedDuration = text.parse().map_err(|_| form())?;
    let length = Duration::try_from(length).map_err(|_| form())?;
    if RANGE.contains(&length.as_secs()) { Ok(length) } else { Err(form()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_have_a_unit_and_a_range() {
        assert_eq!(parse_time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "30", "0s", "25h", "-5s", "soon"] {
            assert!(parse_time(wrong).is_err_and(|e| e.contains("30s")), "{wrong}");
        }
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        assert!(
            parse_header("Authorization: Bearer a:b")
                .is_ok_and(|(n, v)| n == "authorization" && v == "Bearer a:b")
        );
        for wrong in ["Authorization", ": x", "a b: c", "a: b\nc: d"] {
            assert!(parse_header(wrong).is_err_and(|e| e.contains("Name: value")), "{wrong}");
        }
    }

    #[test]
    fn only_http_is_watched() {
        assert!(parse_url("ftp://host/a.m3u8").is_err_and(|e| e.contains("http")));
        assert!(parse_url("host/a.m3u8").is_err_and(|e| e.contains("https://host")));
        assert!(parse_url("https://host/a.m3u8").is_ok());
    }
}
