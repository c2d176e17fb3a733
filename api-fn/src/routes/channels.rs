//! Channels: who is told of events, and trying them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use hlsops_notify::event::TYPES;
use hlsops_notify::{ChannelError, Webhooks, check_secret, new_secret, send_test};
use hlsops_store::{Channel, Configured, Secret};
use hlsops_wire as wire;
use hlsops_wire::List;
use http::{HeaderMap, StatusCode};

use super::deliveries::{self, page};
use super::tag::{listed, revision_tag, tagged};
use crate::app::Api;
use crate::auth::Caller;
use crate::config::{MASK, is_text};
use crate::idempotency::Idempotency;
use crate::input::{Body, Query, if_match};
use crate::middleware::json_body;
use crate::problem::{Answer, ApiError, Kind, item};
use crate::random::new_id;
use crate::times;
use crate::view::channel::{channel as view, format, with_secret};

const MAX_NAME: usize = 120;
const MAX_HEADERS: usize = 20;
/// A receiver that changes to a new secret knows the old one and the new one.
const MAX_SECRETS: usize = 2;

/// Channels
///
/// All of the account, in the order of their creation.
#[utoipa::path(
    get, path = "/channels", tag = "channels",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500; default: all"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<wire::Channel>), (status = 304, description = "the same as the caller has seen")),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let (cursor, limit) = page(query, u32::MAX)?;
    let mut channels = api.store().channels(caller.account()).await?.value;
    if let Some(cursor) = cursor {
        channels.retain(|channel| channel.id.as_str() > cursor.as_str());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_cut = channels.len() > limit;
    channels.truncate(limit);
    let next_cursor = channels.last().filter(|_| is_cut).map(|last| last.id.clone());
    let items = channels.iter().map(|channel| view(channel, caller.sees_secrets())).collect();
    Ok(listed(&headers, &List { items, next_cursor, as_of: times::text(api.now()) }))
}

/// A channel
#[utoipa::path(
    get, path = "/channels/{id}", tag = "channels",
    params(("id" = String, Path, description = "`chn_...`")),
    responses((status = 200, body = wire::Channel)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let channel = find(&api, &caller, &id).await?;
    Ok(shown(&channel, &view(&channel, caller.sees_secrets()), StatusCode::OK))
}

/// Add a channel
///
/// The answer holds the secret that messages are signed with, this once. Private addresses are refused unless
/// the operator of this installation allows them. With an `Idempotency-Key` the request may be sent again, if its
/// answer was lost: for 24 hours the same key makes the same channel, and the answer holds its secret; a refused
/// request does not use its key up.
#[utoipa::path(
    post, path = "/channels", tag = "channels",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, for example a UUID")),
    request_body = wire::ChannelCreate,
    responses((status = 201, body = wire::ChannelWithSecret)),
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
    headers: HeaderMap,
    Body(body): Body<wire::ChannelCreate>,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let now = api.now();
    let idempotency = Idempotency::read(&headers, &body)?;
    let secret = match body.secret {
        Some(secret) => Secret::new(secret),
        None => fresh_secret()?,
    };
    let mut channel = Channel {
        account: caller.account().into(),
        id: new_id("chn", now)?,
        name: body.name,
        url: body.url,
        headers: secret_headers(body.headers),
        secrets: vec![secret],
        format: format(body.format),
        enabled: body.enabled.unwrap_or(true),
        why_disabled: None,
        events: body.events,
        created_at: now,
        revision: 0,
    };
    check(&api, &channel)?;
    let refused = room(&api, &caller).await.err();
    let (store, account) = (api.store(), caller.account());
    if let Some(idempotency) = &idempotency {
        let id = match refused {
            // What refuses it may be the very channel that it made. If not, it does not use its key up.
            Some(_) => idempotency.earlier(store, account, now).await?,
            None => Some(idempotency.id(store, account, &channel.id, now).await?),
        };
        if let Some(id) = id {
            if let Some(before) = store.channel(account, &id).await?.value {
                return Ok(created(&before));
            }
            channel.id = id;
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    let id = channel.id.clone();
    match save(&api, channel).await {
        // Sent twice at once, the other one was faster.
        Err(error) if error.is_stale() && idempotency.is_some() => {
            store.channel(account, &id).await?.value.map(|twin| created(&twin)).ok_or(error)
        }
        saved => Ok(created(&saved?)),
    }
}

/// There is room for one more channel.
async fn room(api: &Api, caller: &Caller) -> Answer<()> {
    let most = Channel::MAX_OF_ACCOUNT;
    if api.store().channels(caller.account()).await?.value.len() < most {
        return Ok(());
    }
    let detail = format!("this account has {most} channels, which is all it may have");
    Err(ApiError::new(Kind::Quota, detail))
}

fn created(channel: &Channel) -> Response {
    shown(channel, &with_secret(channel), StatusCode::CREATED)
}

/// Change a channel
///
/// What is absent stays as it is. Needs the channel's ETag as `If-Match`. Enabling one that was disabled by its
/// receiver's answer forgets why.
#[utoipa::path(
    patch, path = "/channels/{id}", tag = "channels",
    params(
        ("id" = String, Path, description = "`chn_...`"),
        ("If-Match" = String, Header, description = "ETag of the channel as the caller has seen it"),
    ),
    request_body = wire::ChannelPatch,
    responses((status = 200, body = wire::Channel)),
)]
pub(super) async fn patch(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
    Body(body): Body<wire::ChannelPatch>,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let channel = patched(seen(&api, &caller, &id, &headers).await?, body);
    check(&api, &channel)?;
    let saved = save(&api, channel).await?;
    Ok(shown(&saved, &view(&saved, true), StatusCode::OK))
}

/// Remove a channel
///
/// What is on its way to it is given up. Needs the channel's ETag as `If-Match`; `*` for any.
#[utoipa::path(
    delete, path = "/channels/{id}", tag = "channels",
    params(
        ("id" = String, Path, description = "`chn_...`"),
        ("If-Match" = String, Header, description = "ETag of the channel as the caller has seen it"),
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
    let channel = seen(&api, &caller, &id, &headers).await?;
    let removed = api.store().remove_channel(caller.account(), &channel.id, channel.revision).await?.value;
    match removed {
        Configured::Saved(_) => Ok(StatusCode::NO_CONTENT),
        Configured::Conflict(_) => Err(stale()),
    }
}

/// Try a channel
///
/// Sends an event of type `test` the way every event goes, once, and says what came of it. A channel that is
/// disabled is tried as well.
#[utoipa::path(
    post, path = "/channels/{id}/test", tag = "channels",
    params(("id" = String, Path, description = "`chn_...`")),
    responses((status = 200, body = wire::Delivery, description = "delivered or not: see `delivered`")),
)]
pub(super) async fn test(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<wire::Delivery>> {
    query.only(&[], &[])?;
    let channel = find(&api, &caller, &id).await?;
    let webhooks = Webhooks::new(api.app.fetcher.clone());
    let delivery = send_test(api.store(), &webhooks, &channel, api.now()).await?;
    Ok(Json(deliveries::view(&delivery)))
}

/// Give a channel a new secret
///
/// Messages are signed with the new one and the one before until that is dropped, so that the receiver can
/// change over in its own time. The answer holds the new one, this once.
#[utoipa::path(
    post, path = "/channels/{id}/secret", tag = "channels",
    params(("id" = String, Path, description = "`chn_...`")),
    responses((status = 200, body = wire::ChannelWithSecret)),
)]
pub(super) async fn renew_secret(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let mut channel = find(&api, &caller, &id).await?;
    channel.secrets.insert(0, fresh_secret()?);
    channel.secrets.truncate(MAX_SECRETS);
    let saved = save(&api, channel).await?;
    Ok(shown(&saved, &with_secret(&saved), StatusCode::OK))
}

/// Drop a channel's old secret
///
/// Messages are signed with the newest one only. Repeating it changes nothing.
#[utoipa::path(
    delete, path = "/channels/{id}/secret", tag = "channels",
    params(("id" = String, Path, description = "`chn_...`")),
    responses((status = 200, body = wire::Channel)),
)]
pub(super) async fn drop_old_secret(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    query.only(&[], &[])?;
    let mut channel = find(&api, &caller, &id).await?;
    if channel.secrets.len() > 1 {
        channel.secrets.truncate(1);
        channel = save(&api, channel).await?;
    }
    Ok(shown(&channel, &view(&channel, true), StatusCode::OK))
}

async fn find(api: &Api, caller: &Caller, id: &str) -> Answer<Channel> {
    let unknown = || ApiError::unknown("channel");
    let possible = id
        .strip_prefix("chn_")
        .is_some_and(|ulid| ulid.len() == 26 && ulid.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !possible {
        return Err(unknown());
    }
    api.store().channel(caller.account(), id).await?.value.ok_or_else(unknown)
}

/// The channel as it is, if the caller has seen that.
async fn seen(api: &Api, caller: &Caller, id: &str, headers: &HeaderMap) -> Answer<Channel> {
    let channel = find(api, caller, id).await?;
    if if_match(headers, &revision_tag(channel.revision, &channel.id))? { Ok(channel) } else { Err(stale()) }
}

async fn save(api: &Api, channel: Channel) -> Answer<Channel> {
    match api.store().save_channel(&channel).await?.value {
        Configured::Saved(revision) => Ok(Channel { revision, ..channel }),
        Configured::Conflict(_) => Err(stale()),
    }
}

fn stale() -> ApiError {
    ApiError::new(Kind::Stale, "read the channel again, and make the change to what it is now")
}

fn fresh_secret() -> Answer<Secret> {
    new_secret().map_err(|error| ApiError::new(Kind::Failure, error.to_string()))
}

fn patched(channel: Channel, patch: wire::ChannelPatch) -> Channel {
    let headers = match patch.headers {
        Some(headers) => kept(secret_headers(headers), &channel.headers),
        None => channel.headers,
    };
    let enabled = patch.enabled.unwrap_or(channel.enabled);
    Channel {
        name: patch.name.unwrap_or(channel.name),
        url: patch.url.unwrap_or(channel.url),
        headers,
        format: patch.format.map_or(channel.format, format),
        events: patch.events.unwrap_or(channel.events),
        enabled,
        why_disabled: channel.why_disabled.filter(|_| !enabled),
        ..channel
    }
}

/// Headers whose values stay where the mask stands for them.
fn kept(mut headers: Vec<(String, Secret)>, known: &[(String, Secret)]) -> Vec<(String, Secret)> {
    for (name, value) in headers.iter_mut().filter(|(_, value)| value.reveal() == MASK) {
        if let Some((_, stored)) = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            value.clone_from(stored);
        }
    }
    headers
}

fn secret_headers(headers: Vec<wire::Header>) -> Vec<(String, Secret)> {
    headers.into_iter().map(|header| (header.name, Secret::new(header.value))).collect()
}

fn check(api: &Api, channel: &Channel) -> Answer<()> {
    let mut items = Vec::new();
    if !is_text(&channel.name, 1..=MAX_NAME) {
        items.push(item("/name", "invalid", "1 to 120 characters, no control characters"));
    }
    if channel.headers.len() > MAX_HEADERS {
        items.push(item("/headers", "invalid", format!("at most {MAX_HEADERS}")));
    }
    if channel.headers.iter().any(|(_, value)| value.reveal() == MASK) {
        items.push(item("/headers", "invalid", "`***` keeps a stored value, and there is none of that name"));
    }
    for (index, event) in
        channel.events.iter().enumerate().filter(|(_, event)| !TYPES.contains(&event.as_str()))
    {
        let shown: String = event.chars().take(80).collect();
        let detail = format!("`{shown}` is none of {}", TYPES.join(", "));
        items.push(item(format!("/events/{index}"), "invalid", detail));
    }
    if channel.events.len() > TYPES.len() {
        items.push(item("/events", "invalid", "an event is listed more than once"));
    }
    if channel.secrets.iter().any(|secret| check_secret(secret.reveal()).is_err()) {
        items.push(item("/secret", "invalid", "`whsec_` and 24 to 64 bytes in base64"));
    }
    if !items.is_empty() {
        return Err(ApiError::invalid(items));
    }
    let webhooks = Webhooks::new(api.app.fetcher.clone());
    webhooks.check(channel).map_err(|error| match error {
        ChannelError::Target(error) => {
            let detail = error.to_string();
            let wrong = item("/url", error.class(), detail.clone());
            ApiError::new(Kind::UnusableTarget, detail).with_items(vec![wrong])
        }
        ChannelError::Url(_) => ApiError::invalid(vec![item("/url", "invalid", error.to_string())]),
        ChannelError::Header(_) => ApiError::invalid(vec![item("/headers", "invalid", error.to_string())]),
        ChannelError::Secret(_) => ApiError::invalid(vec![item("/secret", "invalid", error.to_string())]),
    })
}

fn shown(channel: &Channel, body: &impl serde::Serialize, status: StatusCode) -> Response {
    let etag = format!("\"{}\"", revision_tag(channel.revision, &channel.id));
    tagged(json_body(status, serde_json::to_vec(body).unwrap_or_default()), &etag)
}
