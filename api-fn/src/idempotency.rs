//! `Idempotency-Key`: a request that was sent again makes nothing twice.
//!
//! No answer is kept. The key remembers the id of what the first request made, or was about to make when it was cut
//! off; whoever comes again goes on with that id.

use hlsops_domain::EpochMs;
use hlsops_store::{RequestClaim, Store};
use http::HeaderMap;
use serde::Serialize;

use crate::auth::Digest;
use crate::problem::{Answer, ApiError, Kind, item};

const NAME: &str = "idempotency-key";
const MAX: usize = 255;

/// The key a caller sent, and what the request says.
pub(crate) struct Idempotency {
    key: Digest,
    body: Digest,
}

impl Idempotency {
    /// Reads the header; none if there is none.
    pub(crate) fn read(headers: &HeaderMap, body: &impl Serialize) -> Answer<Option<Self>> {
        let Some(value) = headers.get(NAME) else { return Ok(None) };
        let key = value.to_str().ok().filter(|key| (1..=MAX).contains(&key.len()));
        let key = key.ok_or_else(|| {
            let detail = "1 to 255 printable ASCII characters, for example a UUID";
            ApiError::invalid(vec![item("Idempotency-Key", "invalid", detail)])
        })?;
        let body = serde_json::to_string(body).unwrap_or_default();
        Ok(Some(Self { key: Digest::of(key), body: Digest::of(&body) }))
    }

    /// The id to go on with: `fresh`, unless the request came before.
    pub(crate) async fn id(&self, store: &Store, account: &str, fresh: &str, now: EpochMs) -> Answer<String> {
        let claim = RequestClaim { body: self.body.hex(), subject: fresh.into() };
        self.subject(store.claim_request(account, &self.key.hex(), claim, now).await?.value)
    }

    /// The id that this request was given when it came before; none if it did not. Uses no key up.
    pub(crate) async fn earlier(&self, store: &Store, account: &str, now: EpochMs) -> Answer<Option<String>> {
        let held = store.request(account, &self.key.hex(), now).await?.value;
        held.map(|held| self.subject(held)).transpose()
    }

    /// The id that is held, if it is held for this request.
    fn subject(&self, held: RequestClaim) -> Answer<String> {
        if held.body != self.body.hex() {
            let detail = "this Idempotency-Key came with another body in the last 24 hours; use a new key";
            return Err(ApiError::new(Kind::KeyReused, detail));
        }
        Ok(held.subject)
    }
}
