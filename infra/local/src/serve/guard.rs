//! Who may speak to a server that listens on this machine only.
//!
//! A page from anywhere can make its own name resolve to 127.0.0.1 and then read what a local server answers,
//! as if it were its own (DNS rebinding). The name it came by is in the `Host` header, so only names of this
//! machine are answered. And where a browser says which page asks, it must be a page of ours.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::answers::problem;

/// The names this server answers to.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// All names are good: the server listens to a network, where every caller needs a key anyway.
    any: bool,
    /// Lower case, without port.
    known: Vec<String>,
    /// That of a proxy in front.
    public: Option<String>,
}

impl Names {
    /// The names of a server at `listen` that people reach as `public`.
    pub(crate) fn new(listen: SocketAddr, public: Option<&str>) -> Self {
        let public = public.map(str::to_ascii_lowercase);
        let any = public.is_none() && !listen.ip().is_loopback();
        let mut known = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        known.extend(public.clone());
        known.push(match listen.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
        Self { any, known, public }
    }

    /// Whether a request with these headers may be answered, and what to do if not.
    fn admit(&self, headers: &HeaderMap) -> Result<(), String> {
        let host = one(headers, &header::HOST)?.unwrap_or_default();
        if !self.any && !self.knows(host) {
            return Err(format!(
                "this server does not answer to the name `{host}`: use its address, or start it with --public-url"
            ));
        }
        let Some(origin) = one(headers, &header::ORIGIN)? else { return Ok(()) };
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        if authority.eq_ignore_ascii_case(host) || self.is_public(authority) {
            return Ok(());
        }
        Err(format!(
            "a page of `{origin}` may not use this server: behind a proxy start it with --public-url"
        ))
    }

    fn knows(&self, authority: &str) -> bool {
        let name = without_port(authority).to_ascii_lowercase();
        self.known.contains(&name)
    }

    /// A page of the proxy, which may ask for us by our own name.
    fn is_public(&self, authority: &str) -> bool {
        self.public.as_deref().is_some_and(|public| without_port(authority).eq_ignore_ascii_case(public))
    }
}

/// A header that must not be there twice.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, String> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| format!("the {name} header is not text")),
        _ => Err(format!("the {name} header is there more than once")),
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => authority,
    }
}

/// Answers only what [`Names`] admit.
pub(crate) async fn check(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    match names.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(detail) => problem(StatusCode::FORBIDDEN, &detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(listen: &str, public: Option<&str>, host: &str, origin: Option<&str>, expected: bool) {
        let names = Names::new(listen.parse().unwrap(), public);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(names.admit(&headers).is_ok(), expected, "{listen} {public:?} {host} {origin:?}");
    }

    const LOCAL: &str = "127.0.0.1:8080";

    #[test]
    fn a_local_server_answers_to_local_names_only() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080"] {
            check(LOCAL, None, host, None, true);
        }
        for host in
            ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "localhost.evil", "::1"]
        {
            check(LOCAL, None, host, None, false);
        }
    }

    #[test]
    fn only_pages_of_this_server_may_ask() {
        check(LOCAL, None, LOCAL, Some("http://127.0.0.1:8080"), true);
        for origin in
            ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8080", "file://"]
        {
            check(LOCAL, None, LOCAL, Some(origin), false);
        }
    }

    #[test]
    fn a_proxy_has_its_name_allowed() {
        let public = Some("ops.example.com");
        check(LOCAL, public, "ops.example.com", Some("https://ops.example.com"), true);
        check(LOCAL, public, LOCAL, Some("https://ops.example.com"), true);
        check(LOCAL, public, LOCAL, Some("https://other.example.com"), false);
        check(LOCAL, public, LOCAL, Some("http://127.0.0.1:3000"), false);
        check(LOCAL, None, "ops.example.com", None, false);
    }

    #[test]
    fn a_server_of_a_network_answers_to_every_name_but_not_for_every_page() {
        check("0.0.0.0:8080", None, "ops.lan:8080", Some("http://ops.lan:8080"), true);
        check("0.0.0.0:8080", None, "ops.lan:8080", Some("http://evil.example"), false);
        check("0.0.0.0:8080", Some("ops.lan"), "other.lan:8080", None, false);
    }

    #[test]
    fn headers_are_not_said_twice() {
        let names = Names::new(LOCAL.parse().unwrap(), None);
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, LOCAL.parse().unwrap());
        headers.append(header::HOST, "evil.example".parse().unwrap());
        assert!(names.admit(&headers).is_err_and(|why| why.contains("more than once")));
    }
}
