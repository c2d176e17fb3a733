//! What one stream carries from request to request: custom headers and cookies.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cookie_store::{CookieStore, RawCookie};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use crate::HeaderHosts;

/// The custom headers and cookies of one stream. Share it by reference among all requests of
/// that stream, and with no other stream.
///
/// - Custom headers go to the listed hosts only. From the first hop to a host that is not listed
///   they stay dropped for the rest of that request, even if it returns; and they never go over
///   http when the request began with https.
/// - Cookies go where their own domain, path and `Secure` attribute say (RFC 6265). They live as
///   long as the session and are never written anywhere.
#[derive(Debug, Default)]
pub struct Session {
    headers: Secret,
    hosts: HeaderHosts,
    jar: Mutex<Jar>,
    /// How many cookies were stored so far: 0 saves taking the lock, and a change tells a
    /// redirect that sets a cookie from a redirect that goes in a circle.
    stored: AtomicU64,
}

impl Session {
    /// The most custom headers a stream may have.
    pub const MAX_HEADERS: usize = 32;
    /// The most bytes of all custom header names and values together.
    pub const MAX_HEADER_BYTES: usize = 16 << 10;
    /// The most cookies kept; when they are reached the jar starts afresh.
    pub const MAX_COOKIES: usize = 100;
    /// The longest `Set-Cookie` line read, in bytes; a longer one is ignored.
    pub const MAX_COOKIE_BYTES: usize = 4 << 10;
    /// The longest `Cookie` header sent, in bytes; further cookies are left out.
    pub const MAX_COOKIE_HEADER_BYTES: usize = 8 << 10;

    /// A session without custom headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A session whose `headers` go to `hosts` and nowhere else.
    pub fn with_headers(mut headers: HeaderMap, hosts: HeaderHosts) -> Result<Self, SessionError> {
        if headers.len() > Self::MAX_HEADERS {
            return Err(SessionError::TooManyHeaders { got: headers.len(), limit: Self::MAX_HEADERS });
        }
        let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        if bytes > Self::MAX_HEADER_BYTES {
            return Err(SessionError::HeadersTooLarge {
                got_bytes: bytes,
                limit_bytes: Self::MAX_HEADER_BYTES,
            });
        }
        if let Some(name) = headers.keys().find(|name| OURS.contains(name)) {
            return Err(SessionError::ReservedHeader { name: name.clone() });
        }
        headers.values_mut().for_each(|value| value.set_sensitive(true));
        Ok(Self { headers: Secret(headers), hosts, ..Self::default() })
    }

    /// The custom headers if this URL's host is listed.
    pub(crate) fn headers_for(&self, url: &Url) -> Option<&HeaderMap> {
        (!self.headers.0.is_empty() && self.hosts.contain(url)).then_some(&self.headers.0)
    }

    /// The `Cookie` header for a URL, if any cookie matches.
    pub(crate) fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
        if self.stored.load(Relaxed) == 0 {
            return None;
        }
        let jar = self.jar();
        let mut line = String::new();
        for (name, value) in jar.0.get_request_values(url) {
            if line.len() + name.len() + value.len() + 3 > Self::MAX_COOKIE_HEADER_BYTES {
                break;
            }
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(name);
            line.push('=');
            line.push_str(value);
        }
        let mut value = HeaderValue::from_str(&line).ok().filter(|_| !line.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Keeps the cookies that a response from `url` sets.
    pub(crate) fn keep_cookies(&self, url: &Url, headers: &HeaderMap) {
        let lines = headers.get_all(header::SET_COOKIE).iter().take(Self::MAX_COOKIES);
        for line in lines.filter(|line| line.len() <= Self::MAX_COOKIE_BYTES) {
            let cookie = line.to_str().ok().and_then(|line| RawCookie::parse(line.to_owned()).ok());
            let Some(cookie) = cookie.filter(|cookie| may_set(cookie, url)) else {
                continue;
            };
            let mut jar = self.jar();
            if jar.0.iter_any().count() >= Self::MAX_COOKIES {
                jar.0.clear();
            }
            if jar.0.insert_raw(&cookie, url).is_ok() {
                self.stored.fetch_add(1, Relaxed);
            }
        }
    }

    /// Grows with each cookie stored.
    pub(crate) fn revision(&self) -> u64 {
        self.stored.load(Relaxed)
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        // The jar stays consistent even if a thread dies holding it: every change is one call.
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Headers the client writes itself, or that steer the connection.
const OURS: [HeaderName; 11] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether a cookie may be kept. One for a whole top-level domain (`Domain=com`) would reach
/// foreign hosts, so a `Domain` must have a dot inside unless it is the host itself. An IP
/// address has no parent domain at all.
fn may_set(cookie: &RawCookie<'_>, url: &Url) -> bool {
    let Some(domain) = cookie.domain() else {
        return true;
    };
    let domain = domain.trim_start_matches('.');
    match url.host() {
        Some(Host::Domain(host)) => domain.contains('.') || domain.eq_ignore_ascii_case(host),
        Some(_) => Some(domain) == url.host_str(),
        None => false,
    }
}

/// Headers that are not printed.
#[derive(Default)]
struct Secret(HeaderMap);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[derive(Default)]
struct Jar(CookieStore);

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cookies", self.0.iter_any().count())
    }
}

/// Why custom headers were not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Too many headers.
    #[error("{got} custom headers; a stream may have {limit}")]
    TooManyHeaders {
        /// How many were given.
        got: usize,
        /// The most allowed.
        limit: usize,
    },
    /// Headers too long.
    #[error("the custom headers have {got_bytes} bytes; a stream may have {limit_bytes}")]
    HeadersTooLarge {
        /// Bytes of all names and values.
        got_bytes: usize,
        /// The most allowed.
        limit_bytes: usize,
    },
    /// A header that the client writes itself.
    #[error("the header `{name}` is set by the client; remove it from the custom headers")]
    ReservedHeader {
        /// The header's name.
        name: HeaderName,
    },
}

#[cfg(test)]
mod tests {
    use super::Session;
    use crate::{HeaderHosts, SessionError};
    use http::header::{COOKIE, HOST, HeaderMap, HeaderValue, SET_COOKIE};

    fn url(text: &str) -> url::Url {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(set_by: &str, line: &str, asked: &str, expected: Option<&str>) {
        let session = Session::new();
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_str(line).unwrap());
        session.keep_cookies(&url(set_by), &headers);
        let sent = session.cookies_for(&url(asked));
        assert_eq!(sent.as_ref().and_then(|v| v.to_str().ok()), expected, "{set_by} {line} {asked}");
    }

    #[test]
    fn a_cookie_goes_where_its_domain_says() {
        let a = "http://a.cdn.example/x/y";
        check(a, "k=v", "http://a.cdn.example/x/z", Some("k=v"));
        check(a, "k=v", "http://a.cdn.example/other", None);
        check(a, "k=v; Path=/", "http://a.cdn.example/other", Some("k=v"));
        check(a, "k=v; Path=/", "http://b.cdn.example/", None);
        check(a, "k=v; Path=/; Domain=cdn.example", "http://b.cdn.example/", Some("k=v"));
        check(a, "k=v; Path=/; Domain=cdn.example", "http://evil-cdn.example/", None);
        check(a, "k=v; Path=/; Domain=example", "http://b.example/", None);
        check(a, "k=v; Path=/; Domain=other.example", "http://other.example/", None);
        check(a, "k=v; Path=/; Secure", "http://a.cdn.example/", None);
        check("http://127.0.0.1/", "k=v; Path=/; Domain=0.0.1", "http://127.0.0.1/", None);
        check("http://127.0.0.1/", "k=v; Path=/", "http://127.0.0.2/", None);
    }

    #[test]
    fn the_jar_is_bounded() {
        let session = Session::new();
        for n in 0..1_000 {
            let mut headers = HeaderMap::new();
            headers.insert(
                SET_COOKIE,
                HeaderValue::from_str(&format!("k{n}={}; Path=/", "v".repeat(200))).unwrap(),
            );
            session.keep_cookies(&url("http://h/"), &headers);
        }
        assert!(session.jar().0.iter_any().count() <= Session::MAX_COOKIES);
        let line = session.cookies_for(&url("http://h/")).unwrap();
        assert!(line.len() <= Session::MAX_COOKIE_HEADER_BYTES, "{}", line.len());
    }

    #[test]
    fn headers_are_checked_and_never_printed() {
        let hosts = || HeaderHosts::of(&url("http://h/"));
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("token=canary"));
        let session = Session::with_headers(headers.clone(), hosts()).unwrap();
        assert!(!format!("{session:?}").contains("canary"), "{session:?}");
        assert!(session.headers_for(&url("http://h/")).is_some());
        assert!(session.headers_for(&url("http://i/")).is_none());
        headers.insert(HOST, HeaderValue::from_static("inside"));
        let refused = Session::with_headers(headers, hosts()).unwrap_err();
        assert_eq!(refused, SessionError::ReservedHeader { name: HOST });
        let mut headers = HeaderMap::new();
        headers.insert("x-long", HeaderValue::from_str(&"x".repeat(20_000)).unwrap());
        assert!(matches!(Session::with_headers(headers, hosts()), Err(SessionError::HeadersTooLarge { .. })));
    }
}
