//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_store::{ApiKey, KeyScope, Store};
use hlsops_wire::{Key, KeyCreate, KeyCreated, List, Scope};
use http::StatusCode;

use super::deliveries::page;
use crate::app::Api;
use crate::auth::{Caller, KeyError, create_key};
use crate::config::is_text;
use crate::input::{Body, Query};
use crate::problem::{Answer, ApiError, Kind, item};
use crate::times;

/// Keys of the account
///
/// Without their secrets, which are stored nowhere. Oldest first. One that has expired goes 30 days later.
#[utoipa::path(
    get, path = "/keys", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500; default: all"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<Key>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Answer<Json<List<Key>>> {
    let (cursor, limit) = page(query, Store::MAX_API_KEYS)?;
    let (keys, next) = api.store().api_keys(caller.account(), cursor.as_ref(), limit).await?.value;
    Ok(Json(List {
        items: keys.iter().map(shown).collect(),
        next_cursor: next.map(|next| next.as_str().into()),
        as_of: times::text(api.now()),
    }))
}

/// The key of this request
#[utoipa::path(get, path = "/keys/self", tag = "keys", responses((status = 200, body = Key)))]
pub(super) async fn own(Extension(caller): Extension<Caller>, query: Query) -> Answer<Json<Key>> {
    query.only(&[], &[])?;
    Ok(Json(shown(&caller.key)))
}

/// Make a key
///
/// The answer holds its secret, this once. An account may have 1,000 keys.
#[utoipa::path(
    post, path = "/keys", tag = "keys", request_body = KeyCreate,
    responses((status = 201, body = KeyCreated)),
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
    Body(body): Body<KeyCreate>,
) -> Answer<(StatusCode, Json<KeyCreated>)> {
    query.only(&[], &[])?;
    let now = api.now();
    let mut items = Vec::new();
    if !is_text(&body.name, 1..=80) {
        items.push(item("/name", "invalid", "1 to 80 characters, no control characters"));
    }
    let expires = body.expires_at.as_deref().map(times::parse);
    if expires.is_some_and(|at| at.is_none_or(|at| at <= now)) {
        items.push(item("/expires_at", "invalid", "an RFC 3339 time in the future"));
    }
    if !items.is_empty() {
        return Err(ApiError::invalid(items));
    }
    room(&api, &caller).await?;
    let scope = match body.scope {
        Scope::Viewer => KeyScope::Viewer,
        Scope::Operator => KeyScope::Operator,
        Scope::Admin => KeyScope::Admin,
    };
    let made = create_key(api.store(), caller.account(), &body.name, scope, expires.flatten(), now).await;
    let (secret, key) = made.map_err(|error| match error {
        KeyError::Random(error) => ApiError::from(error),
        KeyError::Store(error) => ApiError::from(error),
    })?;
    api.keys.forget();
    Ok((StatusCode::CREATED, Json(KeyCreated { key: shown(&key), secret: secret.as_str().into() })))
}

/// There is room for one more key.
async fn room(api: &Api, caller: &Caller) -> Answer<()> {
    let most = Store::MAX_API_KEYS;
    let (keys, _) = api.store().api_keys(caller.account(), None, most).await?.value;
    if keys.len() < usize::try_from(most).unwrap_or(usize::MAX) {
        return Ok(());
    }
    let detail =
        format!("this account has {most} keys, which is all it may have: revoke one that is not used");
    Err(ApiError::new(Kind::Quota, detail))
}

/// Revoke a key
///
/// It stops working at once here, and elsewhere within a minute.
#[utoipa::path(
    delete, path = "/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "`key_...`")),
    responses((status = 204, description = "it is gone")),
)]
pub(super) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<StatusCode> {
    query.only(&[], &[])?;
    let revoked = api.store().revoke_api_key(caller.account(), &id).await?.value;
    api.keys.forget();
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::unknown("key")) }
}

fn shown(key: &ApiKey) -> Key {
    Key {
        id: key.id.clone(),
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        scope: match key.scope {
            KeyScope::Viewer => Scope::Viewer,
            KeyScope::Operator => Scope::Operator,
            KeyScope::Admin => Scope::Admin,
        },
        account: key.account.clone(),
        created_at: times::text(key.created),
        expires_at: key.expires.map(times::text),
        last_used_at: key.last_used.map(times::text),
    }
}
