//! The dashboard's files, built into the program where they had been built before it (`cargo xtask site`).

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// A file of the page in the forms it is sent in.
#[derive(Debug)]
struct File {
    /// In the URL: `/assets/...`, or `/` for the page itself.
    path: &'static str,
    raw: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/site_files.rs"));

/// Nothing from elsewhere, nothing inline; WebAssembly needs its word.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self' data:; \
     style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the page's own views are: their URLs are typed, shared and reloaded.
const VIEWS: [&str; 9] = [
    "/",
    "/incidents",
    "/incidents/{id}",
    "/inbox",
    "/channels",
    "/channels/{id}",
    "/channels/{id}/settings",
    "/streams/{id}",
    "/streams/{id}/settings",
];

const NOT_BUILT: &str = "The dashboard is not built into this program.\n\n\
    Build both:  cargo xtask site && cargo build --release --package hlsops\n\
    or run the demo, which does it:  cargo demo\n\n\
    The API is here all the same: /docs describes it.\n";

/// The page's routes. Merge them with those of the API, which answer everything else.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new();
    for view in VIEWS {
        router = router.route(view, get(page));
    }
    for file in FILES.iter().filter(|file| file.path != "/") {
        router = router.route(file.path, get(move |headers: HeaderMap| async move { send(file, &headers) }));
    }
    router.layer(from_fn(protect))
}

/// The page asks whether this is a demo, and this one is not. No answer at all would be an error in its console.
pub(crate) fn no_demo<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/local/demo", get(|| async { StatusCode::NO_CONTENT }))
}

async fn page(headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.path == "/") {
        Some(file) => send(file, &headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// The file in the smallest form that the client takes.
fn send(file: &'static File, headers: &HeaderMap) -> Response {
    let (coding, bytes) = choose(file, headers);
    let is_page = file.path == "/";
    // The name of an asset changes with its content; the page keeps its name, and its assets' names are in it.
    let validator = is_page.then(|| format!("\"{:016x}\"", twox_hash::XxHash3_64::oneshot(file.raw)));
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = validator.as_deref().is_some_and(|tag| known.is_some_and(|known| known.contains(tag)));
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(bytes) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONTENT_TYPE, content_type(file.path));
    set(VARY, "accept-encoding");
    set(CACHE_CONTROL, if is_page { "no-cache" } else { "public, max-age=31536000, immutable" });
    if let Some(tag) = &validator {
        set(ETAG, tag);
    }
    if let Some(coding) = coding {
        set(CONTENT_ENCODING, coding);
    }
    response
}

fn choose(file: &'static File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |coding: &str| {
        accepted.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case(coding) && !refused
        })
    };
    match () {
        () if takes("br") => (Some("br"), file.brotli),
        () if takes("gzip") => (Some("gzip"), file.gzip),
        () => (None, file.raw),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "text/html; charset=utf-8",
    }
}

/// What a browser must not do with the page.
async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt as _;

    async fn ask(path: &str) -> Response {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        routes::<()>().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_view_is_the_page_or_says_how_to_get_it() {
        for path in [
            "/",
            "/incidents",
            "/inbox",
            "/channels/new",
            "/streams/str_1",
            "/streams/str_1/settings",
            "/streams/new",
        ] {
            let answer = ask(path).await;
            let expected = if FILES.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(answer.status(), expected, "{path}");
            assert_eq!(answer.headers()["content-security-policy"], POLICY);
        }
        assert_eq!(ask("/elsewhere").await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn every_file_is_there_and_typed() {
        for file in FILES {
            let answer = ask(file.path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{}", file.path);
            assert_eq!(answer.headers()[CONTENT_TYPE], content_type(file.path));
        }
    }

    #[test]
    fn the_smallest_form_that_is_taken_is_sent() {
        static FILE: File = File { path: "/assets/a.js", raw: b"raw", brotli: b"br", gzip: b"gz" };
        let coding = |accepted: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            choose(&FILE, &headers).1
        };
        assert_eq!(coding("gzip, deflate, br;q=0.9"), b"br");
        assert_eq!(coding("gzip, br;q=0"), b"gz");
        assert_eq!(coding("identity"), b"raw");
        assert_eq!(
            send(&FILE, &HeaderMap::new()).headers()[CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        static PAGE: File = File { path: "/", raw: b"page", brotli: b"", gzip: b"" };
        let tag = send(&PAGE, &HeaderMap::new()).headers()[ETAG].clone();
        let answer = send(&PAGE, &HeaderMap::from_iter([(IF_NONE_MATCH, tag)]));
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    }
}
