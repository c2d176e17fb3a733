//! What only the operator of this machine may ask of a running server: who can read `serve.json` has its key.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hlsops_engine::{Engine, EngineError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::answers::{problem, wrong};
use crate::station::Station;

/// The largest body. Unit: bytes.
const MAX_BODY: usize = 64 * 1024;

/// What the routes work on.
#[derive(Clone, Debug)]
struct Local {
    engine: Engine,
    key: Arc<str>,
}

/// `/local/self` and `/local/backup`.
pub(crate) fn routes(station: &Station) -> Router {
    let local = Local { engine: station.engine.clone(), key: station.key().into() };
    Router::new()
        .route("/local/self", get(about))
        .route("/local/backup", post(backup))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(local.clone(), ask_key))
        .with_state(local)
}

/// Body of `POST /local/backup`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    /// A file that does not exist yet, on the server's machine.
    pub(crate) to: PathBuf,
}

/// Says that this is the server whose key the caller has.
async fn about() -> Response {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "pid": std::process::id()})).into_response()
}

async fn backup(State(local): State<Local>, asked: Result<Json<Backup>, JsonRejection>) -> Response {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    if !asked.to.is_absolute() {
        return wrong("/to", "write the whole path of the file");
    }
    match local.engine.backup(&asked.to).await {
        Ok(()) => {
            tracing::info!(backup.file = %asked.to.display(), "wrote the backup `{}`", asked.to.display());
            let bytes = std::fs::metadata(&asked.to).map(|file| file.len()).unwrap_or_default();
            Json(json!({"file": asked.to, "size_bytes": bytes})).into_response()
        }
        Err(error @ EngineError::Exists { .. }) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

async fn ask_key(State(local): State<Local>, request: Request, next: Next) -> Response {
    if is_bearer(request.headers(), &local.key) {
        return next.run(request).await;
    }
    problem(StatusCode::UNAUTHORIZED, "use the key of this run: `hlsops` finds it in the data folder")
}

/// In the same time, wherever they differ.
fn is_bearer(headers: &HeaderMap, key: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    given
        .and_then(|value| value.strip_prefix(b"Bearer "))
        .is_some_and(|given| given.ct_eq(key.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens() {
        for (given, expected) in [
            (Some("Bearer local_ab"), true),
            (Some("Bearer local_a"), false),
            (Some("Bearer local_abc"), false),
            (Some("Bearer "), false),
            (Some("local_ab"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::AUTHORIZATION, given.parse().unwrap());
            }
            assert_eq!(is_bearer(&headers, "local_ab"), expected, "{given:?}");
        }
    }
}
