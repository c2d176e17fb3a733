//! The wall.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use hlsops_wire::Wall;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::removed;
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, none_match};
use crate::middleware::{AS_OF, json_body};
use crate::problem::Answer;
use crate::times;
use crate::wall::Snapshot;

const PROBED_AT: HeaderName = HeaderName::from_static("probed-at");

/// All streams at a glance
///
/// Worst first. Poll it with `If-None-Match`: 304 while nothing has changed; `As-Of` and `Probed-At` say how
/// old that is. With `since` set to an earlier `version`, only what has changed is sent where that version is
/// still remembered (`partial`), else everything.
#[utoipa::path(
    get, path = "/wall", tag = "wall",
    params(("since" = Option<String>, Query, description = "`version` of the wall the caller has")),
    responses((status = 200, body = Wall), (status = 304, description = "nothing has changed")),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
    headers: HeaderMap,
) -> Answer<Response> {
    let query = query.only(&["since"], &[])?;
    let wall = api.wall(caller.account()).await?;
    removed::sweep(&api, &wall).await;
    let etag = format!("\"{}\"", wall.version);
    let mut response = if none_match(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let changes = query.text("since").and_then(|since| wall.changes(since));
        let body = match changes {
            Some(changes) => serde_json::to_vec(&changes).unwrap_or_default().into(),
            None => wall.body(),
        };
        json_body(StatusCode::OK, body)
    };
    describe(&mut response, &wall, &etag);
    Ok(response)
}

fn describe(response: &mut Response, wall: &Snapshot, etag: &str) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::ETAG, etag);
    set(header::CACHE_CONTROL, "private, no-cache");
    set(AS_OF, &times::text(wall.at));
    if let Some(probed) = wall.probed {
        set(PROBED_AT, &times::text(probed));
    }
}
