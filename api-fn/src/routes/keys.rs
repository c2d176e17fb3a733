//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_store::{ApiKey, KeyScope};
use hlsops_wire::{Key, KeyCreate, KeyCreated, List, Scope};
use http::StatusCode;

use crate::app::Api;
use crate::auth::{Caller, KeyError, create_key};
use crate::config::is_text;
use crate::input::{Body, Query};
use crate::problem::{Answer, ApiError, item};
use crate::times;

/// Keys of the account
///
/// Without their secrets, which are stored nowhere. Oldest first.
#[utoipa::path(get, path = "/keys", tag = "keys", responses((status = 200, body = List<Key>)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Answer<Json<List<Key>>> {
    query.only(&[], &[])?;
    let keys = api.store().api_keys(caller.account()).await?.value;
    let items = keys.iter().map(shown).collect();
    Ok(Json(List { items, next_cursor: None, as_of: times::text(api.now()) }))
}

/// The key of this request
#[utoipa::path(get, path = "/keys/self", tag = "keys", responses((status = 200, body = Key)))]
pub(super) async fn own(Extension(caller): Extension<Caller>, query: Query) -> Answer<Json<Key>> {
    query.only(&[], &[])?;
    Ok(Json(shown(&caller.key)))
}

/// Make a key
///
/// The answer holds its secret, this once.
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
) -> Answer<StatusCode> {
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
