//! Streams: changing.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Response};
use hlsops_store::{Configured, ShardId, StreamConfig, StreamId};
use hlsops_wire::{Stream, StreamCreate, StreamDetail, StreamPatch, Validation};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::incidents::close;
use super::namesakes::{doubles, own_names};
use super::removed::close_left;
use super::streams::{config_tag, configured, detail, etag};
use super::tag::tagged;
use crate::app::Api;
use crate::auth::Caller;
use crate::config;
use crate::idempotency::Idempotency;
use crate::input::{Body, Query, if_match, stream_id};
use crate::look::{look, unusable};
use crate::middleware::json_body;
use crate::problem::{Answer, ApiError, Kind};
use crate::random::{link_id, new_id};

/// Add a stream
///
/// The stream is added without a look at its URL, so that one that is down now can be added too: only what can
/// never be watched is refused, such as an address that is not public. Send the same body with
/// `validate_only=true` first to have the URL looked at once, as the watcher would: the answer says what is there,
/// and nothing is stored. With an `Idempotency-Key` the request may be sent again: for 24 hours the same key makes
/// the same stream; a refused request does not use its key up. A `link_id` belongs to one stream alone and is nobody
/// else's name; names and URLs may be equal, and `warnings` says so.
#[utoipa::path(
    post, path = "/streams", tag = "streams",
    params(
        ("validate_only" = Option<bool>, Query, description = "true: look at the URL once, and store nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, for example a UUID"),
    ),
    request_body = StreamCreate,
    responses((status = 201, body = StreamDetail), (status = 200, body = Validation, description = "of `validate_only`")),
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
    headers: HeaderMap,
    Body(body): Body<StreamCreate>,
) -> Answer<Response> {
    let query = query.only(&["validate_only"], &[])?;
    let now = api.now();
    let idempotency = Idempotency::read(&headers, &body)?;
    let id = stream_id(caller.account(), &new_id("str", now)?)?;
    let (mut config, url) = config::create(body, id, link_id()?, now)?;
    api.app.fetcher.permits(&url).map_err(|error| unusable(&error))?;
    if query.flag("validate_only")? {
        own_names(&api, &config).await?;
        let mut found = look(&api.app.fetcher, &config, &url).await?;
        found.warnings.extend(doubles(&api, &config).await?);
        return Ok(axum::Json(found).into_response());
    }
    let refused = may_be_added(&api, &config).await.err();
    if let Some(idempotency) = &idempotency {
        let (store, account) = (api.store(), caller.account());
        let name = match refused {
            // What refuses it may be the very stream that it made. If not, it does not use its key up.
            Some(_) => idempotency.earlier(store, account, now).await?,
            None => Some(idempotency.id(store, account, config.id.name(), now).await?),
        };
        if let Some(name) = name {
            config.id = stream_id(account, &name)?;
            if let Some(before) = store.stream(&config.id).await?.value {
                return created(&api, &before).await;
            }
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    let shard = api.store().place(&config.id).await?.value;
    let id = config.id.clone();
    let saved = save(&api, config, shard).await;
    if idempotency.is_none() {
        return created(&api, &saved?).await;
    }
    // Sent twice at once, the other one may have been faster; sent again, the stream may have been removed since.
    match api.store().stream(&id).await?.value {
        Some(stream) => created(&api, &stream).await,
        None => Err(saved.err().filter(|error| !error.is_stale()).unwrap_or_else(removed_since)),
    }
}

fn removed_since() -> ApiError {
    let detail = "the stream that was made with this Idempotency-Key was removed since; use a new key";
    ApiError::new(Kind::Conflict, detail)
}

/// There is room for one more stream, and its names are its own.
async fn may_be_added(api: &Api, config: &StreamConfig) -> Answer<()> {
    let most = api.app.max_streams;
    if api.wall(config.id.account()).await?.counts.total() >= most {
        return Err(ApiError::new(
            Kind::Quota,
            format!("this account has {most} streams, which is all it may have"),
        ));
    }
    own_names(api, config).await
}

async fn created(api: &Api, stream: &StreamConfig) -> Answer<Response> {
    let mut response = changed(api, stream, StatusCode::CREATED).await?;
    if let Ok(place) = HeaderValue::from_str(&format!("{}/streams/{}", super::BASE, stream.id.name())) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Change a stream
///
/// What is absent stays as it is. Needs the stream's ETag as `If-Match`.
#[utoipa::path(
    patch, path = "/streams/{id}", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("If-Match" = String, Header, description = "ETag of the stream as the caller has seen it"),
    ),
    request_body = StreamPatch,
    responses((status = 200, body = StreamDetail)),
)]
pub(super) async fn patch(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
    Body(body): Body<StreamPatch>,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let before = seen(&api, &stream_id(caller.account(), &id)?, &headers).await?;
    let names = (before.link_id.clone(), before.name.clone());
    let (config, url) = config::patch(before, body, api.now())?;
    api.app.fetcher.permits(&url).map_err(|error| unusable(&error))?;
    if (&config.link_id, &config.name) != (&names.0, &names.1) {
        own_names(&api, &config).await?;
    }
    let saved = save(&api, config, ShardId(0)).await?;
    changed(&api, &saved, StatusCode::OK).await
}

/// Remove a stream
///
/// Its open incident is closed; what was recorded of it expires by itself. Needs the stream's ETag as `If-Match`; `*` for
/// any. Where it is gone and its incident was left open, that is closed.
#[utoipa::path(
    delete, path = "/streams/{id}", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("If-Match" = String, Header, description = "ETag of the stream as the caller has seen it"),
    ),
    responses((status = 204, description = "it is gone")),
)]
pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    query.only(&[], &[])?;
    let id = stream_id(caller.account(), &id)?;
    let seen = seen(&api, &id, &headers).await;
    // An earlier try may have failed between the stream and its incident.
    if seen.as_ref().is_err_and(ApiError::is_unknown) && close_left(&api, &id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let config = seen?;
    let removed = api.store().remove_stream(&config.id, config.revision).await?.value;
    api.changed(caller.account());
    match removed {
        Configured::Saved(_) => {
            close(&api, &config.id, Some(&config)).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Configured::Conflict(_) => Err(stale()),
    }
}

/// Stop watching a stream
///
/// Repeating it changes nothing.
#[utoipa::path(
    post, path = "/streams/{id}/pause", tag = "streams",
    params(("id" = String, Path, description = "`str_...`")),
    responses((status = 200, body = Stream)),
)]
pub(super) async fn pause(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    query.only(&[], &[])?;
    enable(&api, &stream_id(caller.account(), &id)?, false).await
}

/// Watch a stream again
///
/// Repeating it changes nothing.
#[utoipa::path(
    post, path = "/streams/{id}/resume", tag = "streams",
    params(("id" = String, Path, description = "`str_...`")),
    responses((status = 200, body = Stream)),
)]
pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    query.only(&[], &[])?;
    enable(&api, &stream_id(caller.account(), &id)?, true).await
}

/// Races with other changes that are tried again.
const TRIES: u32 = 4;

async fn enable(api: &Api, id: &StreamId, enabled: bool) -> Answer<Response> {
    for _ in 0..TRIES {
        let config = configured(api, id).await?;
        if config.enabled == enabled {
            return shown(api, &config, StatusCode::OK).await;
        }
        let changed = config.switched(enabled, api.now());
        if let Configured::Saved(revision) = api.store().save_stream(&changed, ShardId(0)).await?.value {
            api.changed(id.account());
            return shown(api, &StreamConfig { revision, ..changed }, StatusCode::OK).await;
        }
    }
    Err(ApiError::new(Kind::Busy, "others change this stream all the time; try again"))
}

/// The configuration as it is, if the caller has seen that.
async fn seen(api: &Api, id: &StreamId, headers: &HeaderMap) -> Answer<StreamConfig> {
    let config = configured(api, id).await?;
    if if_match(headers, &config_tag(&config))? { Ok(config) } else { Err(stale()) }
}

/// A stream that exists stays in its shard.
async fn save(api: &Api, config: StreamConfig, shard: ShardId) -> Answer<StreamConfig> {
    let saved = api.store().save_stream(&config, shard).await?.value;
    api.changed(config.id.account());
    match saved {
        Configured::Saved(revision) => Ok(StreamConfig { revision, ..config }),
        Configured::Conflict(_) => Err(stale()),
    }
}

fn stale() -> ApiError {
    ApiError::new(Kind::Stale, "read the stream again, and make the change to what it is now")
}

/// A stream that was added or changed, with what is worth knowing of that.
async fn changed(api: &Api, config: &StreamConfig, status: StatusCode) -> Answer<Response> {
    answer(api, config, status, doubles(api, config).await?).await
}

async fn shown(api: &Api, config: &StreamConfig, status: StatusCode) -> Answer<Response> {
    answer(api, config, status, Vec::new()).await
}

/// Whoever may change a stream may see its secrets.
async fn answer(
    api: &Api,
    config: &StreamConfig,
    status: StatusCode,
    warnings: Vec<String>,
) -> Answer<Response> {
    let detail = detail(api, config, true).await?;
    // What a GET answers, which warns of nothing.
    let etag = etag(config, &StreamDetail { as_of: String::new(), ..detail.clone() });
    let detail = StreamDetail { warnings, ..detail };
    Ok(tagged(json_body(status, serde_json::to_vec(&detail).unwrap_or_default()), &etag))
}
