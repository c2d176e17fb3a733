//! `/live/{stream}/...` and, where redirects lead, `/moved/{stream}/...`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::body::{Served, Sliced, silence};
use super::problem::Problem;
use crate::answer::{Answer, Compress, Delivery, Resource};
use crate::ledger::{Entry, Outcome};
use crate::net::Pace;
use crate::range::{Wanted, wanted};
use crate::registry::Registry;
use crate::stream::Stream;

type Request = (State<Arc<Registry>>, ConnectInfo<Pace>, Path<(String, String)>, Method, HeaderMap);

/// `GET|HEAD|OPTIONS /live/{stream}/{path}`
pub(super) async fn serve_live(
    (State(registry), ConnectInfo(pace), Path((stream, path)), method, headers): Request,
) -> Response {
    serve(&registry, &pace, &stream, &path, false, &method, &headers).await
}

/// `GET|HEAD|OPTIONS /moved/{stream}/{path}`
pub(super) async fn serve_moved(
    (State(registry), ConnectInfo(pace), Path((stream, path)), method, headers): Request,
) -> Response {
    serve(&registry, &pace, &stream, &path, true, &method, &headers).await
}

async fn serve(
    registry: &Registry,
    pace: &Pace,
    stream: &str,
    path: &str,
    moved: bool,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    match *method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return preflight(),
        _ => return method_not_allowed(),
    }
    let Some(stream) = registry.find(stream) else {
        return Problem::not_found("stream").into_response();
    };
    let now_ms = registry.clock.now_ms();
    let Some(resource) = Resource::locate(stream.spec(), path, moved) else {
        stream.record(nothing_there(now_ms));
        return Problem::not_found("path").into_response();
    };
    let answer = stream.answer(&resource, now_ms);
    send(registry, pace, stream, answer, method, headers).await
}

async fn send(
    registry: &Registry,
    pace: &Pace,
    stream: Arc<Stream>,
    mut answer: Answer,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let mut response = Response::new(Body::empty());
    let mut data = std::mem::take(&mut answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    common_headers(response.headers_mut(), &answer);
    if answer.status == 200 {
        data = encode(response.headers_mut(), &answer, data, headers);
        data = cut_range(&mut response, data, headers);
    }
    response.headers_mut().insert(CONTENT_LENGTH, data.len().into());
    if answer.status != 0 {
        answer.entry.status = response.status().as_u16();
    }
    let expected = if *method == Method::HEAD { 0 } else { data.len() as u64 };
    let id = stream.record(answer.entry);
    let clock = registry.clock;
    let served = |expected| Served::new(stream, clock, id, expected);
    let sliced = match answer.delivery {
        Delivery::Silence => {
            // More bytes are expected than there can be: however it ends, the ledger shows it as aborted.
            silence(served(u64::MAX)).await;
            pace.crawl();
            return response;
        }
        Delivery::Drip => {
            pace.crawl();
            Sliced::whole(data, served(expected))
        }
        Delivery::Truncated => Sliced::cut(data, served(expected)),
        Delivery::Paced(length_ms) => Sliced::paced(data, Duration::from_millis(length_ms), served(expected)),
        Delivery::Whole => Sliced::whole(data, served(expected)),
    };
    *response.body_mut() = Body::from_stream(sliced);
    response
}

fn common_headers(headers: &mut HeaderMap, answer: &Answer) {
    let media = matches!(answer.entry.kind, "segment" | "init");
    let cache = if media && answer.status == 200 { "public, max-age=60" } else { "no-cache, no-store" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Length, Content-Range, Date"),
    );
    if let Some(location) = answer.location.as_deref().and_then(|to| HeaderValue::from_str(to).ok()) {
        headers.insert(LOCATION, location);
    }
}

fn encode(to: &mut HeaderMap, answer: &Answer, data: Bytes, from: &HeaderMap) -> Bytes {
    let accepted = || {
        let value = from.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|coding| coding.split(';').next().is_some_and(|name| name.trim() == "gzip"))
    };
    let wanted = match answer.compress {
        Compress::No => return data,
        Compress::IfAccepted => accepted(),
        Compress::Always => true,
    };
    to.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if !wanted {
        return data;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 2), Compression::fast());
    match encoder.write_all(&data).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            to.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed.into()
        }
        // Writing to memory does not fail.
        Err(_) => data,
    }
}

/// Applies a Range header (RFC 9110 section 14.2): 206, or 416 if nothing of it exists.
fn cut_range(response: &mut Response, data: Bytes, from: &HeaderMap) -> Bytes {
    let total = data.len();
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let header = from.get(RANGE).and_then(|value| value.to_str().ok());
    let (status, content_range, data) = match wanted(header, total) {
        Wanted::All => return data,
        Wanted::Part(range) => {
            let text = format!("bytes {}-{}/{total}", range.start, range.end - 1);
            (StatusCode::PARTIAL_CONTENT, text, data.slice(range))
        }
        Wanted::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, format!("bytes */{total}"), Bytes::new()),
    };
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(&content_range) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    data
}

fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "*"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn method_not_allowed() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD, OPTIONS")]).into_response()
}

const fn nothing_there(now_ms: u64) -> Entry {
    Entry {
        at_ms: now_ms,
        done_ms: Some(now_ms),
        kind: "other",
        rendition: None,
        media_sequence: None,
        sequence: None,
        status: 404,
        bytes: 0,
        fault: None,
        outcome: Outcome::Finished,
    }
}
