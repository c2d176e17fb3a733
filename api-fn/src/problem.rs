//! Refusals and failures, as RFC 9457 problems.

use axum::response::{IntoResponse, Response};
use hlsops_store::StoreError;
use hlsops_wire::{Problem, ProblemItem};
use http::{HeaderValue, StatusCode, header};

use crate::random::RandomError;

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    NoKey,
    KeyExpired,
    NotAllowed,
    Quota,
    UnknownId,
    UnknownRoute,
    WrongMethod,
    Conflict,
    Stale,
    NoIfMatch,
    TooLarge,
    WrongType,
    Unusable,
    UnusableTarget,
    KeyReused,
    TooOften { retry_after_s: u64 },
    Busy,
    Failure,
}

impl Kind {
    /// Status, public code and title.
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "EC100", "The request is not valid"),
            Self::NoKey => (StatusCode::UNAUTHORIZED, "EC102", "No valid API key"),
            Self::KeyExpired => (StatusCode::UNAUTHORIZED, "EC104", "The API key has expired"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "EC103", "This API key may not do that"),
            Self::Quota => (StatusCode::FORBIDDEN, "EC101", "Quota reached"),
            Self::UnknownId => (StatusCode::NOT_FOUND, "EC120", "There is no such thing"),
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "EC100", "There is no such path"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "EC100", "This path has no such method"),
            Self::Conflict => (StatusCode::CONFLICT, "EC100", "Not possible as things are"),
            Self::Stale => (StatusCode::PRECONDITION_FAILED, "EC100", "Somebody changed it before"),
            Self::NoIfMatch => (StatusCode::PRECONDITION_REQUIRED, "EC100", "If-Match is missing"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "EC100", "The body is too large"),
            Self::WrongType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "EC100", "The body is not JSON"),
            Self::Unusable => (StatusCode::UNPROCESSABLE_ENTITY, "EC110", "The stream cannot be used"),
            Self::UnusableTarget => (StatusCode::UNPROCESSABLE_ENTITY, "EC110", "The URL cannot be used"),
            Self::KeyReused => {
                (StatusCode::UNPROCESSABLE_ENTITY, "EC100", "The Idempotency-Key is another request's")
            }
            Self::TooOften { .. } => (StatusCode::TOO_MANY_REQUESTS, "EC100", "Too many requests"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "EC100", "Too busy"),
            Self::Failure => (StatusCode::INTERNAL_SERVER_ERROR, "EC100", "Something failed here"),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    kind: Kind,
    detail: String,
    items: Vec<ProblemItem>,
}

/// What handlers return.
pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), items: Vec::new() }
    }

    /// A request with one thing or more wrong with it.
    pub(crate) fn invalid(items: Vec<ProblemItem>) -> Self {
        let detail = items.first().map(|item| match item.pointer.as_str() {
            // Of the body as a whole.
            "" => item.detail.clone(),
            pointer => format!("{pointer}: {}", item.detail),
        });
        Self { kind: Kind::BadRequest, detail: detail.unwrap_or_default(), items }
    }

    /// An id that does not exist, or belongs to somebody else: the same answer.
    pub(crate) fn unknown(what: &str) -> Self {
        Self::new(Kind::UnknownId, format!("there is no such {what} in this key's account"))
    }

    /// Somebody else was faster.
    pub(crate) fn is_stale(&self) -> bool {
        self.kind == Kind::Stale
    }

    pub(crate) fn with_items(mut self, items: Vec<ProblemItem>) -> Self {
        self.items = items;
        self
    }
}

/// One thing that is wrong.
pub(crate) fn item(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> ProblemItem {
    ProblemItem { pointer: pointer.into(), code: code.into(), detail: detail.into() }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        // The caller can do nothing with the table's words; they are for the log.
        tracing::error!("{error}");
        match error {
            StoreError::Throttled { .. } | StoreError::Contended { .. } => {
                Self::new(Kind::Busy, "the table is too busy; nothing was changed, try again")
            }
            StoreError::Unanswered { .. } => {
                Self::new(Kind::Failure, "the table did not answer; whether it was done is not known")
            }
            StoreError::TooLarge { what, got, limit } => {
                Self::new(Kind::BadRequest, format!("{what} takes {got} bytes, at most {limit} are allowed"))
            }
            _ => Self::new(Kind::Failure, "the table cannot be read or written; the log says why"),
        }
    }
}

impl From<RandomError> for ApiError {
    fn from(error: RandomError) -> Self {
        Self::new(Kind::Failure, error.to_string())
    }
}

impl IntoResponse for ApiError {
    /// The body is written by [`crate::middleware::finish`], which knows the request.
    fn into_response(self) -> Response {
        let (status, code, title) = self.kind.parts();
        let mut response = status.into_response();
        let headers = response.headers_mut();
        match self.kind {
            Kind::NoKey | Kind::KeyExpired => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Kind::TooOften { retry_after_s } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
            }
            Kind::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response.extensions_mut().insert(Problem {
            kind: format!("/docs#{code}"),
            title: title.into(),
            status: status.as_u16(),
            code: code.into(),
            detail: self.detail,
            errors: self.items,
            ..Problem::default()
        });
        response
    }
}
