//! The built-in inbox: every event once, whatever channels there are.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use hlsops_store::InboxEntry;
use hlsops_wire as wire;
use hlsops_wire::List;
use http::HeaderMap;

use super::deliveries::page;
use super::tag::listed;
use crate::app::Api;
use crate::auth::Caller;
use crate::input::Query;
use crate::problem::Answer;
use crate::times;

/// Inbox
///
/// Every event of the last 90 days as channels get it, newest first.
#[utoipa::path(
    get, path = "/inbox", tag = "channels",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<wire::InboxEntry>), (status = 304, description = "the same as the caller has seen")),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let (cursor, limit) = page(query, 100)?;
    let (entries, next) = api.store().inbox(caller.account(), cursor.as_ref(), limit).await?.value;
    let list = List {
        items: entries.into_iter().map(view).collect(),
        next_cursor: next.map(|next| next.as_str().into()),
        as_of: times::text(api.now()),
    };
    Ok(listed(&headers, &list))
}

fn view(entry: InboxEntry) -> wire::InboxEntry {
    // One of another version that cannot be read is there all the same, with what the table knows of it.
    let event = serde_json::from_str(&entry.body).unwrap_or_else(|_| wire::Event {
        kind: entry.kind,
        timestamp: times::text(entry.at),
        data: wire::EventData::default(),
    });
    wire::InboxEntry { event_id: entry.event, stream_id: entry.stream.name().into(), event }
}
