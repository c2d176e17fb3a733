//! Errors of the control interface as problem documents (RFC 9457).

use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::fields::FieldError;
use crate::registry::StreamRefused;
use crate::stream::FaultRefused;

/// An error as the client sees it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<(String, Vec<String>)>,
}

impl Problem {
    /// There is no such thing.
    pub(super) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: format!("no such {what}"), field: None }
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            detail: error.to_string(),
            field: Some((error.field, error.allowed)),
        }
    }
}

impl From<FaultRefused> for Problem {
    fn from(error: FaultRefused) -> Self {
        match error {
            FaultRefused::JumpTooShort { least } => FieldError {
                field: "by".to_owned(),
                got: "less".to_owned(),
                allowed: vec![format!("at least {least}: more than two windows, as names are kept so long")],
            }
            .into(),
            FaultRefused::TooMany | FaultRefused::RenumberedTooOften => {
                Self { status: StatusCode::CONFLICT, detail: error.to_string(), field: None }
            }
        }
    }
}

impl From<StreamRefused> for Problem {
    fn from(error: StreamRefused) -> Self {
        let status = match error {
            StreamRefused::BadName => StatusCode::BAD_REQUEST,
            StreamRefused::TooMany => StatusCode::CONFLICT,
        };
        Self { status, detail: error.to_string(), field: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail,
        });
        if let (Some((field, allowed)), Some(object)) = (self.field, body.as_object_mut()) {
            object.insert("field".to_owned(), field.into());
            object.insert("allowed".to_owned(), allowed.into());
        }
        let headers = [(CONTENT_TYPE, "application/problem+json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        (self.status, headers, body.to_string()).into_response()
    }
}
