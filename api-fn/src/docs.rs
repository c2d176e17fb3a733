//! The API's own description, and a page that shows it and tries it out. Nothing is loaded from elsewhere.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "HLS Stream Operations",
        description = "Watches HLS streams, and says whether viewers are served, what went wrong and since when.\n\n\
                       Send a key as `Authorization: Bearer hlsops_...` or as `X-Api-Key`. Times are RFC 3339 in \
                       UTC; other numbers carry their unit in the name. Everything that is no success is an RFC \
                       9457 problem with a `code`, a `request_id` and a pointer to each thing that is wrong. \
                       Unknown fields and parameters are refused. `As-Of` on every answer is \
                       the server's time (of the wall, when it was made), and `Request-Id` what its log calls the request.",
    ),
    security(("bearer" = []), ("key" = [])),
    components(schemas(hlsops_wire::Problem)),
)]
struct Described;

/// The document without its paths.
pub(crate) fn document() -> Document {
    let mut document = Described::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Api-Key")));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("key", key);
    document
}

/// `/openapi.json` and `/docs`: open to everybody, they say nothing of anybody's streams.
pub(crate) fn router(document: &Document) -> Router {
    let json = Bytes::from(document.to_json().unwrap_or_default());
    Router::new()
        .route("/openapi.json", get(move || std::future::ready(file("application/json", json.clone()))))
        .route("/docs", page("text/html; charset=utf-8", include_str!("docs/index.html")))
        .route("/docs/page.js", page("text/javascript; charset=utf-8", include_str!("docs/page.js")))
        .route("/docs/page.css", page("text/css; charset=utf-8", include_str!("docs/page.css")))
}

/// For people at an address that nothing answers.
pub(crate) fn missing() -> Response {
    let body = Bytes::from_static(include_bytes!("docs/missing.html"));
    let vary = [(header::VARY, HeaderValue::from_static("accept"))];
    (StatusCode::NOT_FOUND, vary, file("text/html; charset=utf-8", body)).into_response()
}

fn page(kind: &'static str, text: &'static str) -> axum::routing::MethodRouter {
    get(move || std::future::ready(file(kind, Bytes::from_static(text.as_bytes()))))
}

fn file(kind: &'static str, body: Bytes) -> Response {
    let set = |name: HeaderName, value| (name, HeaderValue::from_static(value));
    let headers = [
        set(header::CONTENT_TYPE, kind),
        set(header::CONTENT_SECURITY_POLICY, POLICY),
        set(header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}
