//! Requests that may be sent again: what one with an idempotency key was for.

use std::time::Duration;

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::check;
use crate::item::{Item, Reading, Writing};
use crate::keys::{Key, kept};
use crate::spent::Paid;

const VERSION: u64 = 1;
const BODY: &str = "body";
const SUBJECT: &str = "sub";
const AT: &str = "at";

/// A request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestClaim {
    /// SHA-256 of what was asked for, in hexadecimal.
    pub body: String,
    /// The id of what it makes: whoever sends it again makes the same thing.
    pub subject: String,
}

impl Store {
    /// For how long a request is remembered at least.
    pub const REQUESTS_KEPT: Duration = Duration::from_secs(kept::REQUESTS);

    /// Claims an idempotency key, given by its SHA-256 in hexadecimal. Gives the claim that holds it: the one that
    /// was handed in, or an earlier one.
    ///
    /// Concurrent writers: one claim wins, and all of them are given that one. Repeating it is safe.
    ///
    /// # Errors
    /// [`StoreError::BadId`] for an account or hash that may not stand in a key, and whatever the table says.
    pub async fn claim_request(
        &self,
        account: &str,
        sha256: &str,
        claim: RequestClaim,
        now: EpochMs,
    ) -> Result<Paid<RequestClaim>, StoreError> {
        check("account", account)?;
        check("hash", sha256)?;
        let item = Writing::new(&Key::Request { account, sha256 }, VERSION)
            .text(BODY, &claim.body)
            .text(SUBJECT, &claim.subject)
            .number(AT, now.0)
            .kept(now, kept::REQUESTS)
            .done();
        // What is kept too long by the table does not count.
        let terms = Terms::default().name("#at", AT).number(":old", (now - Self::REQUESTS_KEPT).0);
        let condition = Some("attribute_not_exists(pk) OR #at <= :old");
        let verdict = self.put("claim an idempotency key", &item, condition, &terms).await?;
        verdict.try_map(|verdict| match verdict.refused().flatten() {
            None => Ok(claim),
            Some(found) => read_claim(&found),
        })
    }

    /// The claim that holds an idempotency key, if one does. Consistent.
    ///
    /// # Errors
    /// As of [`Store::claim_request`].
    pub async fn request(
        &self,
        account: &str,
        sha256: &str,
        now: EpochMs,
    ) -> Result<Paid<Option<RequestClaim>>, StoreError> {
        check("account", account)?;
        check("hash", sha256)?;
        let found = self.get("read an idempotency key", &Key::Request { account, sha256 }, true).await?;
        found.try_map(|item| {
            let Some(item) = item else { return Ok(None) };
            let at = EpochMs(Reading::new(&item, VERSION)?.number(AT)?);
            // What is kept too long by the table does not count.
            (at > now - Self::REQUESTS_KEPT).then(|| read_claim(&item)).transpose()
        })
    }
}

fn read_claim(item: &Item) -> Result<RequestClaim, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    Ok(RequestClaim { body: reading.text(BODY)?.into(), subject: reading.text(SUBJECT)?.into() })
}
