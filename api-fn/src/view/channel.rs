//! Channels.

use hlsops_store::{Channel, Format, Secret};
use hlsops_wire as wire;
use url::Url;

use crate::config::MASK;
use crate::times;

/// How messages look, as it is stored.
pub(crate) const fn format(format: wire::ChannelFormat) -> Format {
    match format {
        wire::ChannelFormat::Event => Format::Event,
        wire::ChannelFormat::Lines => Format::Lines,
    }
}

/// With the newest of its secrets.
pub(crate) fn with_secret(channel: &Channel) -> wire::ChannelWithSecret {
    let secret = channel.secrets.first().map(Secret::reveal).unwrap_or_default();
    wire::ChannelWithSecret { channel: self::channel(channel, true), secret: secret.into() }
}

/// Where a channel leads to, for who may not use it: of many receivers the path is what lets a caller in.
fn place(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.has_host() => format!("{}/{MASK}", url.origin().ascii_serialization()),
        _ => MASK.into(),
    }
}

/// A channel; `secrets`: for who may use it.
pub(crate) fn channel(channel: &Channel, secrets: bool) -> wire::Channel {
    let header = |(name, _): &(String, Secret)| wire::Header { name: name.clone(), value: MASK.into() };
    wire::Channel {
        id: channel.id.clone(),
        name: channel.name.clone(),
        url: if secrets { channel.url.clone() } else { place(&channel.url) },
        headers: channel.headers.iter().map(header).collect(),
        format: match channel.format {
            Format::Event => wire::ChannelFormat::Event,
            Format::Lines => wire::ChannelFormat::Lines,
        },
        events: channel.events.clone(),
        enabled: channel.enabled,
        disabled_reason: channel.why_disabled.clone(),
        secret_count: u32::try_from(channel.secrets.len()).unwrap_or(u32::MAX),
        created_at: times::text(channel.created_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_no_more_than_the_host_is_shown() {
        for (url, expected) in [
            ("https://hooks.example.com/services/T0/B0/canary?x=1", "https://hooks.example.com/***"),
            ("http://user:canary@10.0.0.1:8080/", "http://10.0.0.1:8080/***"),
            ("https://[::1]:444/a", "https://[::1]:444/***"),
            ("canary", "***"),
            ("mailto:canary@example.com", "***"),
        ] {
            assert_eq!(place(url), expected);
        }
    }
}
