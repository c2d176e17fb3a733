//! Who asks: keys, scopes, and a memory of at most a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hlsops_domain::EpochMs;
use hlsops_store::{ApiKey, KeyScope, Store, StoreError};
use http::{HeaderMap, header};
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use crate::app::Api;
use crate::limit::Allowance;
use crate::problem::{Answer, ApiError, Kind};
use crate::random::{RandomError, Secret, new_id};

/// SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(secret: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    /// As the table knows it.
    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// In the same time, wherever they differ.
    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The id of [`LocalKey`](crate::LocalKey), which no stored key has.
const LOCAL: &str = "key_local";

/// Who asks, after the key was checked.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) key: ApiKey,
}

impl Caller {
    pub(crate) fn account(&self) -> &str {
        &self.key.account
    }

    /// May see secrets of streams.
    pub(crate) fn sees_secrets(&self) -> bool {
        self.key.scope >= KeyScope::Operator
    }
}

/// Keys seen lately. Guessed ones are remembered too, and for a shorter time.
#[derive(Default)]
pub(crate) struct Keyring(Mutex<HashMap<Digest, (EpochMs, Option<ApiKey>)>>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// How long a key may still work after it was revoked elsewhere.
    const KNOWN: Duration = Duration::from_secs(60);
    /// How long a new key may still not work where it was tried before.
    const UNKNOWN: Duration = Duration::from_secs(5);
    /// Most keys remembered.
    const MAX: usize = 10_000;
    /// How often the use of a key is noted.
    const NOTED: Duration = Duration::from_secs(3_600);

    fn find(&self, digest: &Digest, now: EpochMs) -> Option<Option<ApiKey>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, key) = known.get(digest)?;
        let kept = if key.is_some() { Self::KNOWN } else { Self::UNKNOWN };
        (now.since(*at) < kept).then(|| key.clone())
    }

    fn keep(&self, digest: Digest, now: EpochMs, key: Option<ApiKey>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(digest, (now, key));
    }

    /// After keys were made or revoked here.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Lets only requests with a valid key pass that does not ask too often, and says who asks.
pub(crate) async fn authenticate(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let caller = match caller(&api, request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let allowance = (caller.key.id != LOCAL)
        .then(|| api.limiter.count(&caller.key.id, api.app.max_requests_per_minute, api.now()));
    request.extensions_mut().insert(caller);
    let mut response = match allowance {
        Some(Allowance { left: None, reset_s, most }) => {
            let detail = format!("this key may ask {most} times a minute; try again in {reset_s} s");
            ApiError::new(Kind::TooOften { retry_after_s: reset_s }, detail).into_response()
        }
        _ => next.run(request).await,
    };
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    response
}

/// Lets only keys of a scope pass. Inside [`authenticate`].
pub(crate) async fn require(State(scope): State<KeyScope>, request: Request, next: Next) -> Response {
    let granted = request.extensions().get::<Caller>().map(|caller| caller.key.scope);
    if granted.is_some_and(|granted| granted >= scope) {
        return next.run(request).await;
    }
    let needed = match scope {
        KeyScope::Viewer => "viewer",
        KeyScope::Operator => "operator",
        KeyScope::Admin => "admin",
    };
    ApiError::new(Kind::NotAllowed, format!("this needs a key of scope `{needed}`")).into_response()
}

async fn caller(api: &Api, headers: &HeaderMap) -> Answer<Caller> {
    let refused = |detail: &str| ApiError::new(Kind::NoKey, detail);
    let Some(presented) = presented(headers) else {
        return Err(refused("send a key as `Authorization: Bearer hlsops_...` or as `X-Api-Key`"));
    };
    // What is no key at all is not worth a look at the table.
    let secret =
        Secret::parse(presented).ok_or_else(|| refused("this is no key of ours: check how it was copied"))?;
    let (digest, now) = (Digest::of(secret.as_str()), api.now());
    if let Some(local) = &api.app.local_key
        && local.digest.is(&digest)
    {
        return Ok(Caller { key: local_key(&local.account, &secret) });
    }
    let key = match api.keys.find(&digest, now) {
        Some(known) => known,
        None => look_up(api, digest, now).await?,
    };
    let key = key.ok_or_else(|| refused("this key does not exist or was revoked"))?;
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::new(Kind::KeyExpired, "make a new key, and revoke this one"));
    }
    Ok(Caller { key })
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get("x-api-key") {
        return value.to_str().ok();
    }
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

async fn look_up(api: &Api, digest: Digest, now: EpochMs) -> Answer<Option<ApiKey>> {
    let hex = digest.hex();
    let key = api.store().api_key(&hex).await?.value;
    let unnoted = |key: &ApiKey| key.last_used.is_none_or(|used| now.since(used) >= Keyring::NOTED);
    if key.as_ref().is_some_and(unnoted)
        && let Err(error) = api.store().touch_api_key(&hex, now).await
    {
        // The request does not depend on it.
        tracing::warn!("cannot note the use of a key: {error}");
    }
    api.keys.keep(digest, now, key.clone());
    Ok(key)
}

fn local_key(account: &str, secret: &Secret) -> ApiKey {
    ApiKey {
        id: LOCAL.into(),
        account: account.into(),
        name: "this machine".into(),
        prefix: secret.prefix().into(),
        scope: KeyScope::Admin,
        created: EpochMs(0),
        expires: None,
        last_used: None,
    }
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key and stores its hash. The secret is nowhere but in the answer.
///
/// # Errors
/// [`KeyError`].
pub async fn create_key(
    store: &Store,
    account: &str,
    name: &str,
    scope: KeyScope,
    expires: Option<EpochMs>,
    now: EpochMs,
) -> Result<(Secret, ApiKey), KeyError> {
    let secret = Secret::generate()?;
    let key = ApiKey {
        id: new_id("key", now)?,
        account: account.into(),
        name: name.into(),
        prefix: secret.prefix().into(),
        scope,
        created: now,
        expires,
        last_used: None,
    };
    let _ = store.create_api_key(&Digest::of(secret.as_str()).hex(), &key).await?;
    Ok((secret, key))
}
