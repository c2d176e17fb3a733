//! Streams: looking.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Response};
use hlsops_domain::incident::Incident;
use hlsops_store::{
    Cursor, IncidentItem, Minute, Outline, StoredMinute, StreamConfig, StreamId, limits_from,
};
use hlsops_wire::{List, State as HealthState, Stream, StreamDetail};
use http::{HeaderMap, StatusCode};

use super::tag::{looks, revision_tag, tagged};
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad, none_match, stream_id};
use crate::middleware::json_body;
use crate::problem::{Answer, ApiError};
use crate::times;
use crate::view::incident::incident;
use crate::view::stream::{Now, catch_up, figures, figures_at, newest, reasons, renditions, stream};
use crate::wall::Snapshot;

/// Streams read at a time while a filter looks for those it wants.
const BATCH: u32 = 500;

/// Streams
///
/// In the order of their ids, which is that of their creation.
#[utoipa::path(
    get, path = "/streams", tag = "streams",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "only those whose name, link id or URL has this in it"),
        ("state" = Option<String>, Query, description = "only those in one of these states; repeatable"),
        ("tag" = Option<String>, Query, description = "only those with all of these tags, `key` or `key=value`; repeatable"),
    ),
    responses((status = 200, body = List<Stream>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Answer<axum::Json<List<Stream>>> {
    let query = query.only(&["limit", "cursor", "q"], &["state", "tag"])?;
    let limit = usize::try_from(query.number("limit", 1..=500, 100)?).unwrap_or(100);
    let states = query.words("state", &STATES)?;
    let wanted = query.text("q").map(str::to_lowercase);
    let tags: Vec<&str> = query.all("tag").collect();
    let mut cursor = match query.text("cursor") {
        Some(text) => {
            Some(Cursor::parse(text).map_err(|_| bad("cursor", "not a `next_cursor` of this list"))?)
        }
        None => None,
    };
    let wall = api.wall(caller.account()).await?;
    let mut items = Vec::new();
    loop {
        let page = api.store().streams(caller.account(), cursor.as_ref(), BATCH).await?.value;
        for config in &page.streams {
            let shown = stream(config, now(&wall, config), caller.sees_secrets());
            let state = states.is_empty() || states.contains(&shown.health.state);
            if state && matches(config, wanted.as_deref(), &tags) {
                items.push(shown);
            }
            if items.len() >= limit {
                break;
            }
        }
        cursor = page.next;
        if items.len() >= limit || cursor.is_none() {
            break;
        }
    }
    let next = items.last().filter(|_| items.len() >= limit).map(|last| last.id.clone());
    Ok(axum::Json(List { items, next_cursor: next, as_of: times::text(api.now()) }))
}

const STATES: [(&str, HealthState); 5] = [
    ("unhealthy", HealthState::Unhealthy),
    ("degraded", HealthState::Degraded),
    ("no_data", HealthState::NoData),
    ("healthy", HealthState::Healthy),
    ("paused", HealthState::Paused),
];

fn matches(config: &StreamConfig, wanted: Option<&str>, tags: &[&str]) -> bool {
    let has = |text: &str| wanted.is_none_or(|wanted| text.to_lowercase().contains(wanted));
    // Not the query of the URL: a filter must not find out what is masked.
    let url = config.url.split('?').next().unwrap_or_default();
    let named = has(&config.name) || config.link_id.as_deref().is_some_and(has) || has(url);
    let tagged = |tag: &&str| match tag.split_once('=') {
        Some((key, value)) => config.tags.iter().any(|(k, v)| k == key && v == value),
        None => config.tags.iter().any(|(k, _)| k == tag),
    };
    named && tags.iter().all(tagged)
}

fn now<'a>(wall: &'a Snapshot, config: &StreamConfig) -> Now<'a> {
    let known = wall.tile(config.id.name());
    Now {
        tile: known.map(|(tile, _)| tile),
        summary: known.and_then(|(_, summary)| summary),
        incident: wall.incidents.get(config.id.name()).map(|open| &open.id),
    }
}

/// The newest minutes a page about a stream is made of.
const MINUTES: u32 = 4;

/// A stream
///
/// With its renditions, the reasons of its health and its open incident. The ETag is what a change needs as
/// `If-Match`.
#[utoipa::path(
    get, path = "/streams/{id}", tag = "streams",
    params(("id" = String, Path, description = "`str_...`")),
    responses((status = 200, body = StreamDetail), (status = 304, description = "nothing has changed")),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let id = stream_id(caller.account(), &id)?;
    let config = configured(&api, &id).await?;
    let detail = detail(&api, &config, caller.sees_secrets()).await?;
    // When it was read is no change.
    let etag = etag(&config, &StreamDetail { as_of: String::new(), ..detail.clone() });
    if none_match(&headers, &etag) {
        return Ok(tagged(StatusCode::NOT_MODIFIED.into_response(), &etag));
    }
    Ok(tagged(json_body(StatusCode::OK, serde_json::to_vec(&detail).unwrap_or_default()), &etag))
}

/// The configuration of a stream.
pub(super) async fn configured(api: &Api, id: &StreamId) -> Answer<StreamConfig> {
    api.store().stream(id).await?.value.ok_or_else(|| ApiError::unknown("stream"))
}

/// What a page about a stream shows.
pub(super) async fn detail(api: &Api, config: &StreamConfig, secrets: bool) -> Answer<StreamDetail> {
    let at = api.now();
    let id = &config.id;
    let (wall, outline, minutes) =
        tokio::try_join!(api.wall(id.account()), outline(api, id), recent(api, id))?;
    let known = now(&wall, config);
    let mut shown = stream(config, known, secrets);
    let is_ahead = catch_up(&mut shown, config, &minutes, &outline, at);
    let open = match wall.incidents.get(id.name()) {
        None if is_ahead => untold(api, id, &minutes).await?,
        told => told.cloned(),
    };
    shown.active_incident_id = open.as_ref().map(|open| open.id.to_string());
    let figures_at = figures_at(&minutes, &outline);
    reasons(&outline, figures_at, &mut shown.health);
    let limits = limits_from(&config.profile, &config.overrides).unwrap_or_default();
    let renditions = renditions(&minutes, &outline, limits.window, config.resumed_at());
    let (buffer_s, target_duration_s) = figures(&renditions);
    Ok(StreamDetail {
        stream: shown,
        as_of: times::text(at),
        buffer_s,
        target_duration_s,
        window_s: Some(limits.window.as_secs_f64()),
        clear_s: Some(limits.clear.as_secs_f64()),
        figures_to_at: figures_at.map(times::text),
        active_incident: open.map(|open| incident(&open, Some(&config.name), at)),
        renditions,
        warnings: Vec::new(),
    })
}

/// The incident that the newest record of a stream knows of, and the wall not yet.
async fn untold(api: &Api, id: &StreamId, minutes: &[StoredMinute]) -> Answer<Option<IncidentItem>> {
    if !newest(minutes).is_some_and(|closing| matches!(closing.incident, Incident::Open { .. })) {
        return Ok(None);
    }
    let Some((open, _)) = api.store().incident_pointer(id).await?.value.open else { return Ok(None) };
    Ok(api.store().incident(&open).await?.value)
}

/// What a stream consists of.
pub(super) async fn outline(api: &Api, id: &StreamId) -> Answer<Outline> {
    Ok(api.store().outline(id).await?.value)
}

async fn recent(api: &Api, id: &StreamId) -> Answer<Vec<StoredMinute>> {
    let newest = Minute::of(api.now()).next();
    Ok(api.store().history(id, Minute(0), newest, MINUTES).await?.value.0)
}

/// The configuration for `If-Match`, and what the stream looks like now for `If-None-Match`.
pub(super) fn etag(config: &StreamConfig, detail: &StreamDetail) -> String {
    format!("\"{}-{:016x}\"", config_tag(config), looks(detail))
}

/// Stands for the configuration alone.
pub(super) fn config_tag(config: &StreamConfig) -> String {
    revision_tag(config.revision, &config.id.to_string())
}
