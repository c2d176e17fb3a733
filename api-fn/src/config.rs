//! Configurations of streams: checked once, here, by the names of their fields.

use std::collections::BTreeMap;

use hlsops_domain::EpochMs;
use hlsops_fetch::{HeaderHosts, Session};
use hlsops_store::{PROFILES, Segments, StreamConfig, StreamId, Threshold, WatchMode};
use hlsops_wire as wire;
use hlsops_wire::ProblemItem;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::problem::{Answer, ApiError, item};

/// Stands for a value that is not shown, and for one that is to stay.
pub(crate) const MASK: &str = "***";

/// Seconds between looks.
const INTERVAL_S: std::ops::RangeInclusive<u64> = 10..=3_600;
const USUAL_INTERVAL_S: u64 = 60;
const MAX_URL: usize = 2_048;
const MAX_NAME: usize = 120;
const MAX_TAGS: usize = 20;
const MAX_HEADERS: usize = 20;

/// A configuration about to be created.
pub(crate) fn create(
    body: wire::StreamCreate,
    id: StreamId,
    link_id: String,
    now: EpochMs,
) -> Answer<(StreamConfig, Url)> {
    let name = body.name.unwrap_or_else(|| wire::usual_name(&body.manifest_url));
    let (watch, segments) = watch(body.watch.unwrap_or_default());
    let usual = StreamConfig::new(id, body.manifest_url, now);
    let config = StreamConfig {
        name,
        link_id: Some(body.link_id.unwrap_or(link_id)),
        enabled: body.enabled.unwrap_or(true),
        watch,
        segments,
        headers: pairs(body.request_headers),
        profile: body.profile.unwrap_or_else(|| usual.profile.clone()),
        overrides: body.thresholds,
        tags: body.tags.into_iter().collect(),
        ..usual
    };
    check(config)
}

/// A configuration with what a patch changes.
pub(crate) fn patch(
    mut config: StreamConfig,
    patch: wire::StreamPatch,
    now: EpochMs,
) -> Answer<(StreamConfig, Url)> {
    let known: BTreeMap<String, String> = config.headers.iter().cloned().collect();
    if let Some(url) = patch.manifest_url {
        config.url = url;
    }
    if let Some(name) = patch.name {
        config.name = name;
    }
    if let Some(link_id) = patch.link_id {
        config.link_id = link_id;
    }
    if let Some(enabled) = patch.enabled {
        config = config.switched(enabled, now);
    }
    if let Some(changed) = patch.watch {
        (config.watch, config.segments) = watch(changed);
    }
    if let Some(headers) = patch.request_headers {
        config.headers = pairs(headers);
        for (name, value) in config.headers.iter_mut().filter(|(_, value)| value == MASK) {
            if let Some(kept) = known.get(name) {
                value.clone_from(kept);
            }
        }
    }
    if let Some(profile) = patch.profile {
        config.profile = profile;
    }
    if let Some(thresholds) = patch.thresholds {
        config.overrides = thresholds;
    }
    if let Some(tags) = patch.tags {
        config.tags = tags.into_iter().collect();
    }
    check(config)
}

/// The headers of a stream, as they are sent.
pub(crate) fn session(headers: &[(String, String)], url: &Url) -> Result<Session, ProblemItem> {
    let mut map = HeaderMap::new();
    for (index, (name, value)) in headers.iter().enumerate() {
        let bad = |part: &str, detail| item(format!("/request_headers/{index}/{part}"), "invalid", detail);
        let name: HeaderName = name.parse().map_err(|_| bad("name", "no name of a header"))?;
        let value: HeaderValue = value.parse().map_err(|_| bad("value", "use printable ASCII"))?;
        if value == MASK {
            return Err(bad("value", "`***` keeps a stored value, and there is none of that name"));
        }
        map.append(name, value);
    }
    let session = Session::with_headers(map, HeaderHosts::of(url));
    session.map_err(|error| item("/request_headers", "invalid", error.to_string()))
}

fn watch(watch: wire::Watch) -> (WatchMode, Segments) {
    let mode = match watch.mode {
        wire::WatchMode::Continuous => WatchMode::Continuous,
        wire::WatchMode::Interval => {
            WatchMode::Interval { every_s: watch.interval_s.unwrap_or(USUAL_INTERVAL_S) }
        }
    };
    let segments = match watch.segments {
        wire::Segments::Full => Segments::Full,
        wire::Segments::None => Segments::None,
    };
    (mode, segments)
}

fn pairs(headers: Vec<wire::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

fn check(config: StreamConfig) -> Answer<(StreamConfig, Url)> {
    let mut items = Vec::new();
    let url = check_url(&config.url).map_err(|bad| items.push(bad)).ok();
    if !is_text(&config.name, 1..=MAX_NAME) {
        items.push(item("/name", "invalid", "1 to 120 characters, no control characters"));
    }
    if config.link_id.as_ref().is_some_and(|link| !is_link(link)) {
        items.push(item("/link_id", "invalid", "1 to 32 letters, digits, `.`, `_` or `-`"));
    }
    check_tags(&config.tags, &mut items);
    if let WatchMode::Interval { every_s } = config.watch
        && !INTERVAL_S.contains(&every_s)
    {
        let detail = format!("{every_s} is not from {} to {}", INTERVAL_S.start(), INTERVAL_S.end());
        items.push(item("/watch/interval_s", "out_of_range", detail));
    }
    if config.headers.len() > MAX_HEADERS {
        items.push(item("/request_headers", "invalid", format!("at most {MAX_HEADERS}")));
    }
    items.extend(url.as_ref().and_then(|url| session(&config.headers, url).err()));
    check_thresholds(&config, &mut items);
    match url {
        Some(url) if items.is_empty() => Ok((config, url)),
        _ => Err(ApiError::invalid(items)),
    }
}

fn check_url(text: &str) -> Result<Url, ProblemItem> {
    let bad = |detail: &str| item("/manifest_url", "invalid", detail);
    if text.len() > MAX_URL {
        return Err(bad("at most 2,048 bytes"));
    }
    let url = Url::parse(text)
        .map_err(|error| bad(&format!("this is no URL ({error}): write it as https://host/path.m3u8")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("no user name in the URL: send an Authorization header by `request_headers`"));
    }
    Ok(url)
}

fn check_tags(tags: &[(String, String)], items: &mut Vec<ProblemItem>) {
    if tags.len() > MAX_TAGS {
        items.push(item("/tags", "invalid", format!("at most {MAX_TAGS}")));
    }
    for (key, value) in tags {
        if !is_text(key, 1..=40) || !is_text(value, 0..=80) {
            let detail = "keys of 1 to 40 characters, values of at most 80, no control characters";
            items.push(item(
                format!("/tags/{}", key.replace('~', "~0").replace('/', "~1")),
                "invalid",
                detail,
            ));
        }
    }
}

fn check_thresholds(config: &StreamConfig, items: &mut Vec<ProblemItem>) {
    if !PROFILES.iter().any(|(name, _)| *name == config.profile) {
        let known: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
        let detail = format!("`{}` is none of {}", config.profile, known.join(", "));
        items.push(item("/profile", "unknown", detail));
    }
    for (name, value) in &config.overrides {
        let pointer = format!("/thresholds/{name}");
        let Some(known) = Threshold::find(name) else {
            let known: Vec<&str> = Threshold::ALL.iter().map(|known| known.name).collect();
            items.push(item(pointer, "unknown", format!("no such threshold; known: {}", known.join(", "))));
            continue;
        };
        let (least, most) = known.range;
        if !(least..=most).contains(value) {
            let detail = format!("{name} is {value}, allowed is {least} to {most}");
            items.push(item(pointer, "out_of_range", detail));
        }
    }
}

/// Text of one line of that many characters.
pub(crate) fn is_text(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_link(link: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=32).contains(&link.len()) && link.bytes().all(plain)
}
