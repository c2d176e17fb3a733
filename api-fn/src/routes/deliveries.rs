//! Deliveries: every attempt to tell a channel something.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use hlsops_store::{Cursor, Delivery};
use hlsops_wire as wire;
use hlsops_wire::List;
use http::HeaderMap;

use super::tag::listed;
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad};
use crate::problem::Answer;
use crate::times;

/// Deliveries
///
/// Every attempt of the last 90 days, newest first, with what the receiver answered.
#[utoipa::path(
    get, path = "/deliveries", tag = "channels",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<wire::Delivery>), (status = 304, description = "the same as the caller has seen")),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let (cursor, limit) = page(query, 100)?;
    let (deliveries, next) = api.store().deliveries(caller.account(), cursor.as_ref(), limit).await?.value;
    let list = List {
        items: deliveries.iter().map(view).collect(),
        next_cursor: next.map(|next| next.as_str().into()),
        as_of: times::text(api.now()),
    };
    Ok(listed(&headers, &list))
}

/// Which page of a list is asked for; `usual` where no limit is named.
pub(super) fn page(query: Query, usual: u32) -> Answer<(Option<Cursor>, u32)> {
    let query = query.only(&["limit", "cursor"], &[])?;
    let limit = u32::try_from(query.number("limit", 1..=500, usual.into())?).unwrap_or(usual);
    let cursor = query.text("cursor").map(Cursor::parse).transpose();
    Ok((cursor.map_err(|_| bad("cursor", "not a `next_cursor` of this list"))?, limit))
}

pub(super) fn view(delivery: &Delivery) -> wire::Delivery {
    wire::Delivery {
        id: delivery.id(),
        event_id: delivery.event.clone(),
        event_type: delivery.kind.clone(),
        channel_id: delivery.channel.clone(),
        attempt: delivery.attempt,
        started_at: times::text(delivery.at),
        duration_ms: u64::try_from(delivery.took.as_millis()).unwrap_or(u64::MAX),
        delivered: delivery.delivered,
        status: delivery.status,
        answer: delivery.answer.clone(),
        error: delivery.error.clone(),
    }
}
