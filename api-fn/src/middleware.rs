//! What every answer has: an id, its time, headers that keep browsers safe, a log line, and problems as JSON.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hlsops_domain::EpochMs;
use hlsops_wire::Problem;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::Instrument;

use crate::app::Api;
use crate::docs;
use crate::problem::{ApiError, Kind};
use crate::random::new_id;
use crate::times;

/// As of when an answer is: the server's time, so that a client whose clock is wrong shows right ages.
pub(crate) const AS_OF: HeaderName = HeaderName::from_static("as-of");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Headers of every answer that does not set them itself.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Around everything.
pub(crate) async fn finish(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = new_id("req", EpochMs(epoch_ms())).unwrap_or_else(|_| "req_unknown".into());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // The path as it is routed: logs hold neither queries nor what is no path of ours.
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request.id = %id);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        write_problem(&mut response, Problem { instance: path, request_id: id.clone(), ..problem });
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(now) = HeaderValue::from_str(&times::text(api.now())) {
        headers.entry(AS_OF).or_insert(now);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
    span.in_scope(
        || tracing::info!(http.method = %method, http.route = %route, http.status = status, "{ms} ms"),
    );
    response
}

fn write_problem(response: &mut Response, problem: Problem) {
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}

/// Answers what no route answers: a page for people who look for one, else a problem.
pub(crate) async fn no_route(request: Request) -> Response {
    let is_api = request.uri().path().split('/').nth(1) == Some("api");
    if !is_api && wants_page(&request) {
        return docs::missing();
    }
    ApiError::new(Kind::UnknownRoute, "the paths are listed at /docs").into_response()
}

/// Whether it comes out of the address bar of a browser, which names pages first of all that it accepts.
fn wants_page(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let first = accepted.and_then(|accepted| accepted.split([',', ';']).next());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    reads && first.is_some_and(|first| first.trim().eq_ignore_ascii_case("text/html"))
}

/// Answers a method that a path does not have.
pub(crate) async fn no_method() -> ApiError {
    ApiError::new(Kind::WrongMethod, "the methods of each path are listed at /docs")
}

/// The system's own clock: an id only wants to be distinct, whatever time the application lives in.
fn epoch_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// A body of JSON that is there already.
pub(crate) fn json_body(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
