//! Host lists: which private targets may be fetched, and which hosts may see custom headers.

use std::collections::HashMap;

use url::{Host, Url};

/// The private targets an operator has allowed, each as an exact `host:port`.
///
/// Default: empty, so that only globally routable addresses are fetched. There are no patterns
/// and no address ranges on purpose: one entry opens one service. The host is compared as the
/// URL spells it after normalisation (lower case, IDNA, `0x7f.1` as `127.0.0.1`); allowing
/// `127.0.0.1:80` does not allow `localhost:80`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    ports: HashMap<String, Vec<u16>>,
}

impl AllowList {
    /// The most entries one list may have.
    pub const MAX: usize = 1_000;

    /// Reads `host:port,host:port`. Spaces around an entry are ignored; an empty text is an
    /// empty list.
    pub fn parse(text: &str) -> Result<Self, HostListError> {
        let mut list = Self::default();
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for entry in entries {
            let bad = || HostListError::NotHostPort { entry: shortened(entry) };
            let (host, port) = split_port(entry).ok_or_else(bad)?;
            let port = port.ok_or_else(bad)?;
            list.insert(host, port)?;
        }
        Ok(list)
    }

    /// Allows one more target. An IPv6 address may stand with or without brackets.
    pub fn insert(&mut self, host: &str, port: u16) -> Result<(), HostListError> {
        if self.len() >= Self::MAX {
            return Err(HostListError::TooMany { limit: Self::MAX });
        }
        let host = normalised(host)
            .filter(|_| port != 0)
            .ok_or_else(|| HostListError::NotHostPort { entry: shortened(&format!("{host}:{port}")) })?;
        let ports = self.ports.entry(host).or_default();
        if !ports.contains(&port) {
            ports.push(port);
        }
        Ok(())
    }

    /// Whether exactly this URL's host and port are on the list.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        self.ports.get(host).is_some_and(|ports| ports.contains(&port))
    }

    /// How many targets are allowed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ports.values().map(Vec::len).sum()
    }

    /// Whether no private target is allowed, which is the default.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }
}

impl std::str::FromStr for AllowList {
    type Err = HostListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The hosts that may receive a stream's custom headers.
///
/// An entry `host:port` is exact; an entry `host` means the standard port of the scheme (80 for
/// http, 443 for https). Default: nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderHosts(Vec<(String, Option<u16>)>);

impl HeaderHosts {
    /// The most entries one list may have.
    pub const MAX: usize = 32;

    /// The host and port of one URL: what a stream starts with when its operator lists no hosts.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().map(str::to_owned);
        Self(host.map(|host| (host, url.port())).into_iter().collect())
    }

    /// Reads `host,host:port`. Spaces around an entry are ignored.
    pub fn parse(text: &str) -> Result<Self, HostListError> {
        let mut list = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            list.insert(entry)?;
        }
        Ok(list)
    }

    /// Adds one entry, `host` or `host:port`.
    pub fn insert(&mut self, entry: &str) -> Result<(), HostListError> {
        if self.0.len() >= Self::MAX {
            return Err(HostListError::TooMany { limit: Self::MAX });
        }
        let read = split_port(entry).and_then(|(host, port)| Some((normalised(host)?, port)));
        let read = read.ok_or_else(|| HostListError::NotHost { entry: shortened(entry) })?;
        if !self.0.contains(&read) {
            self.0.push(read);
        }
        Ok(())
    }

    /// Whether this URL's host and port are on the list.
    #[must_use]
    pub fn contain(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        // `Url::port` is `None` exactly when the port is the standard one of the scheme.
        let matches =
            |listed: &Option<u16>| listed.map_or(url.port().is_none(), |listed| Some(listed) == port);
        self.0.iter().any(|(host, listed)| Some(host.as_str()) == url.host_str() && matches(listed))
    }
}

/// Why a host list could not be read. The message names the entry and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostListError {
    /// An entry of an [`AllowList`] is not an exact host and port.
    #[error(
        "allowed target `{entry}` is not an exact host:port; write it as `origin.example:8080`, `10.0.0.7:80` or `[fd00::1]:443`, without scheme, path or pattern"
    )]
    NotHostPort {
        /// The entry, cut to 100 characters.
        entry: String,
    },
    /// An entry of [`HeaderHosts`] is not a host.
    #[error(
        "header host `{entry}` is not a host; write it as `cdn.example` or `cdn.example:8443`, without scheme, path or pattern"
    )]
    NotHost {
        /// The entry, cut to 100 characters.
        entry: String,
    },
    /// The list is longer than its bound.
    #[error("the host list has more than {limit} entries; remove the ones no stream uses")]
    TooMany {
        /// The most entries such a list may have.
        limit: usize,
    },
}

/// Splits `host:port`, `[v6]:port`, `host` or a bare IPv6 address. `None` if the port is bad.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    let bare_v6 = entry.parse::<std::net::Ipv6Addr>().is_ok();
    let bracketed = entry.starts_with('[') && entry.ends_with(']');
    match entry.rsplit_once(':') {
        Some((host, port)) if !bare_v6 && !bracketed => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| *port != 0 && digits)?;
            Some((host, Some(port)))
        }
        _ => Some((entry, None)),
    }
}

/// The host as [`Url::host_str`] would spell it.
fn normalised(host: &str) -> Option<String> {
    if let Ok(v6) = host.parse::<std::net::Ipv6Addr>() {
        return Some(format!("[{v6}]"));
    }
    // The URL standard lets a `*` stand in a host name; here it would look like a pattern.
    let host = Some(host).filter(|host| !host.contains('*'))?;
    Host::parse(host).ok().map(|host| host.to_string())
}

fn shortened(entry: &str) -> String {
    entry.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::{AllowList, HeaderHosts};

    fn url(text: &str) -> url::Url {
        text.parse().unwrap()
    }

    #[test]
    fn an_allowed_target_is_exact() {
        let list = AllowList::parse(" 127.0.0.1:8080, [::1]:9000 ,Origin.Local:80,fd00::1:7").unwrap_err();
        assert!(list.to_string().contains("`fd00::1:7`"), "{list}");
        let list = AllowList::parse(" 127.0.0.1:8080, [::1]:9000 ,Origin.Local:80").unwrap();
        for (text, expected) in [
            ("http://127.0.0.1:8080/x", true),
            ("http://0x7f.1:8080/x", true),
            ("http://[::1]:9000/", true),
            ("http://origin.local/", true),
            ("http://ORIGIN.local:80/", true),
            ("https://origin.local/", false),
            ("http://127.0.0.1/", false),
            ("http://127.0.0.2:8080/", false),
            ("http://localhost:8080/", false),
            ("http://a.origin.local/", false),
            ("http://[::ffff:127.0.0.1]:8080/", false),
        ] {
            assert_eq!(list.allows(&url(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_bad_entry_is_named() {
        for bad in [
            "host",
            "host:",
            ":80",
            "host:0",
            "host:65536",
            "http://h:80",
            "h:80/x",
            "*.h:80",
            "10.0.0.0/8:80",
            "h:+80",
        ] {
            let message = AllowList::parse(&format!("ok:1,{bad}")).unwrap_err().to_string();
            assert!(message.contains(&format!("`{bad}`")), "{bad}: {message}");
        }
        assert!(AllowList::parse("").unwrap().is_empty());
    }

    #[test]
    fn header_hosts_match_host_and_port() {
        let hosts = HeaderHosts::parse("cdn.example,edge.example:8443,[::1]:81").unwrap();
        for (text, expected) in [
            ("http://cdn.example/", true),
            ("https://cdn.example/", true),
            ("http://cdn.example:8080/", false),
            ("https://edge.example:8443/", true),
            ("https://edge.example/", false),
            ("http://[::1]:81/", true),
            ("http://evil-cdn.example/", false),
            ("http://cdn.example.evil/", false),
        ] {
            assert_eq!(hosts.contain(&url(text)), expected, "{text}");
        }
        assert!(HeaderHosts::of(&url("http://a:81/x")).contain(&url("http://a:81/y")));
        assert!(!HeaderHosts::of(&url("http://a:81/x")).contain(&url("http://a/y")));
        assert!(HeaderHosts::parse("*").is_err());
    }
}
