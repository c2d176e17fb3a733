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
    /// Status, public code, the word that the `type` ends with, and title. The page at `/docs` lists them.
    const fn parts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        use StatusCode as Status;
        match self {
            Self::BadRequest => (Status::BAD_REQUEST, "EC100", "invalid", "The request is not valid"),
            Self::NoKey => (Status::UNAUTHORIZED, "EC102", "no-key", "No valid API key"),
            Self::KeyExpired => (Status::UNAUTHORIZED, "EC104", "key-expired", "The API key has expired"),
            Self::NotAllowed => (Status::FORBIDDEN, "EC103", "not-allowed", "This API key may not do that"),
            Self::Quota => (Status::FORBIDDEN, "EC101", "quota", "Quota reached"),
            Self::UnknownId => (Status::NOT_FOUND, "EC120", "unknown-id", "There is no such thing"),
            Self::UnknownRoute => (Status::NOT_FOUND, "EC100", "unknown-path", "There is no such path"),
            Self::WrongMethod => {
                (Status::METHOD_NOT_ALLOWED, "EC100", "wrong-method", "This path has no such method")
            }
            Self::Conflict => (Status::CONFLICT, "EC100", "conflict", "Not possible as things are"),
            Self::Stale => (Status::PRECONDITION_FAILED, "EC100", "stale", "Somebody changed it before"),
            Self::NoIfMatch => {
                (Status::PRECONDITION_REQUIRED, "EC100", "if-match-missing", "If-Match is missing")
            }
            Self::TooLarge => (Status::PAYLOAD_TOO_LARGE, "EC100", "too-large", "The body is too large"),
            Self::WrongType => (Status::UNSUPPORTED_MEDIA_TYPE, "EC100", "not-json", "The body is not JSON"),
            Self::Unusable => {
                (Status::UNPROCESSABLE_ENTITY, "EC110", "unusable-stream", "The stream cannot be used")
            }
            Self::UnusableTarget => {
                (Status::UNPROCESSABLE_ENTITY, "EC110", "unusable-url", "The URL cannot be used")
            }
            Self::KeyReused => {
                let title = "The Idempotency-Key is another request's";
                (Status::UNPROCESSABLE_ENTITY, "EC100", "idempotency-key-reused", title)
            }
            Self::TooOften { .. } => (Status::TOO_MANY_REQUESTS, "EC100", "too-often", "Too many requests"),
            Self::Busy => (Status::SERVICE_UNAVAILABLE, "EC100", "busy", "Too busy"),
            Self::Failure => (Status::INTERNAL_SERVER_ERROR, "EC100", "failure", "Something failed here"),
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

    /// There is no such thing.
    pub(crate) fn is_unknown(&self) -> bool {
        self.kind == Kind::UnknownId
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
        let (status, code, word, title) = self.kind.parts();
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
            kind: format!("/docs#{word}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each.
    const ALL: [Kind; 19] = [
        Kind::BadRequest,
        Kind::NoKey,
        Kind::KeyExpired,
        Kind::NotAllowed,
        Kind::Quota,
        Kind::UnknownId,
        Kind::UnknownRoute,
        Kind::WrongMethod,
        Kind::Conflict,
        Kind::Stale,
        Kind::NoIfMatch,
        Kind::TooLarge,
        Kind::WrongType,
        Kind::Unusable,
        Kind::UnusableTarget,
        Kind::KeyReused,
        Kind::TooOften { retry_after_s: 1 },
        Kind::Busy,
        Kind::Failure,
    ];

    #[test]
    fn each_kind_has_a_type_of_its_own_and_a_place_on_the_page() {
        let page = include_str!("docs/index.html");
        for (index, kind) in ALL.into_iter().enumerate() {
            let (status, code, word, title) = kind.parts();
            let row = format!(
                "<tr><td><code id=\"{word}\">{word}</code></td><td>{}</td><td>{code}</td><td>{title}</td></tr>",
                status.as_u16()
            );
            assert!(page.contains(&row), "not on the page: {row}");
            let same = |other: &Kind| other.parts().2 == word || other.parts().3 == title;
            assert!(!ALL[..index].iter().any(same), "{word}");
        }
    }
}
