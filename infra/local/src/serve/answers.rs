//! What every answer of a local server has, as the API's have it: an id, and problems as JSON.

use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hlsops_api::new_id;
use hlsops_watch::Clock;
use hlsops_wire::{Problem, ProblemItem};

use super::clock::WallClock;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// A refusal: the body is written by [`finish`], which knows the request.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    refusal(status, detail, Vec::new())
}

/// A refusal of one field of a body, which `pointer` (RFC 6901) leads to.
pub(crate) fn wrong(pointer: &str, detail: &str) -> Response {
    let item = ProblemItem { pointer: pointer.into(), code: "invalid".into(), detail: detail.into() };
    refusal(StatusCode::UNPROCESSABLE_ENTITY, &format!("{pointer}: {detail}"), vec![item])
}

fn refusal(status: StatusCode, detail: &str, errors: Vec<ProblemItem>) -> Response {
    let problem = Problem {
        kind: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("refused").into(),
        status: status.as_u16(),
        code: "EC100".into(),
        detail: detail.into(),
        errors,
        ..Problem::default()
    };
    let mut response = status.into_response();
    response.extensions_mut().insert(problem);
    response
}

/// Around everything. What the API answered is whole already.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let (began, method, path) = (Instant::now(), request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    if response.headers().contains_key(&REQUEST_ID) {
        return response;
    }
    let id = new_id("req", WallClock.now()).unwrap_or_else(|_| "req_unknown".into());
    if is_bare(&response) {
        response = problem(response.status(), "");
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let (status, ms) = (problem.status, began.elapsed().as_millis());
        // Without the path, which anybody may have put anything into.
        tracing::info!(request.id = %id, http.method = %method, http.status = status, "refused in {ms} ms");
        write(&mut response, &Problem { instance: path, request_id: id.clone(), ..problem });
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A refusal of the router itself, such as that of a method, which says nothing.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    failed
        && response.extensions().get::<Problem>().is_none()
        && response.body().size_hint().exact() == Some(0)
}

fn write(response: &mut Response, problem: &Problem) {
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    for (name, value) in [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    *response.body_mut() = Body::from(serde_json::to_vec(problem).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::to_bytes;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;

    async fn ask(method: &str, path: &str) -> (StatusCode, String, Option<Problem>) {
        let router = Router::new()
            .route("/page", get(|| async { "page" }))
            .route("/no", get(|| async { problem(StatusCode::FORBIDDEN, "not you") }))
            .route("/field", get(|| async { wrong("/to", "write the whole path") }))
            .route("/api", get(|| async { ([(REQUEST_ID, "req_api")], "its own") }))
            .layer(from_fn(finish));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let id = head.headers[REQUEST_ID].to_str().unwrap().to_owned();
        let body = to_bytes(body, 1 << 16).await.unwrap();
        (head.status, id, serde_json::from_slice(&body).ok())
    }

    #[tokio::test]
    async fn every_answer_has_an_id_and_every_refusal_the_shape_of_the_apis() {
        let (status, id, body) = ask("GET", "/page").await;
        assert!(status == StatusCode::OK && id.starts_with("req_") && body.is_none(), "{id}");
        assert_eq!(ask("GET", "/api").await.1, "req_api");
        for (method, path, status, detail) in [
            ("GET", "/no", 403, "not you"),
            ("GET", "/field", 422, "/to: write the whole path"),
            ("POST", "/page", 405, ""),
            ("GET", "/nothing", 404, ""),
        ] {
            let (got, id, body) = ask(method, path).await;
            let problem = body.unwrap();
            assert_eq!((got.as_u16(), problem.status, problem.detail.as_str()), (status, status, detail));
            assert_eq!((problem.instance.as_str(), &problem.request_id), (path, &id));
        }
        let field = ask("GET", "/field").await.2.unwrap();
        assert_eq!(field.errors[0].pointer, "/to");
    }
}
