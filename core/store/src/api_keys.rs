//! API keys. Of a key's secret only its SHA-256 is stored; whoever reads the table can use no key.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::check;
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, IndexKey, Key, attribute, kept};
use crate::spent::{Paid, Spent};
use crate::streams::Cursor;

const VERSION: u64 = 1;
const ID: &str = "id";
const NAME: &str = "name";
const PREFIX: &str = "pre";
const SCOPE: &str = "sc";
const ACCOUNT: &str = "acc";
const CREATED: &str = "at";
const EXPIRES: &str = "exp";
const USED: &str = "lu";

/// What a key may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyScope {
    /// Look, with secrets masked.
    Viewer,
    /// Change streams, acknowledge incidents.
    Operator,
    /// Make and revoke keys.
    Admin,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Which; for people and routes.
    pub id: String,
    /// Whose streams it is for.
    pub account: String,
    /// For people.
    pub name: String,
    /// What its secret begins with.
    pub prefix: String,
    /// What it may do.
    pub scope: KeyScope,
    /// When it was made.
    pub created: EpochMs,
    /// When it stops working.
    pub expires: Option<EpochMs>,
    /// When it was last used, as far as anybody noted it.
    pub last_used: Option<EpochMs>,
}

impl Store {
    /// The most keys an account should have: who creates one looks first.
    pub const MAX_API_KEYS: u32 = 1_000;

    /// Stores a key under the SHA-256 of its secret in hexadecimal. One that expires is deleted 30 days later.
    ///
    /// Concurrent writers: `false` if that secret is stored already. Repeating it is safe.
    ///
    /// # Errors
    /// [`StoreError::BadId`] for an account, id or hash that may not stand in a key, and whatever the table
    /// says.
    pub async fn create_api_key(&self, sha256: &str, key: &ApiKey) -> Result<Paid<bool>, StoreError> {
        check("account", &key.account)?;
        check("key", &key.id)?;
        check("hash", sha256)?;
        let item = Writing::new(&Key::ApiKey { sha256 }, VERSION)
            .indexed(&IndexKey::KeyOf { account: &key.account, key: &key.id })
            .text(ID, &key.id)
            .text(ACCOUNT, &key.account)
            .text(NAME, &key.name)
            .text(PREFIX, &key.prefix)
            .number(SCOPE, scope_code(key.scope))
            .number(CREATED, key.created.0)
            .maybe(key.expires, |item, at| item.number(EXPIRES, at.0).kept(at, kept::EXPIRED_KEYS))
            .maybe(key.last_used, |item, at| item.number(USED, at.0))
            .done();
        let condition = Some("attribute_not_exists(pk)");
        let verdict = self.put("create an API key", &item, condition, &Terms::default()).await?;
        // A lost reply: the stored key is this one.
        let same = |found: Item| read_key(&found).is_ok_and(|found| found.id == key.id);
        Ok(verdict.map(|verdict| match verdict.refused() {
            None => true,
            Some(found) => found.is_some_and(same),
        }))
    }

    /// The key whose secret has this SHA-256. Consistent: a revoked key is not found.
    ///
    /// # Errors
    /// As [`Store::create_api_key`].
    pub async fn api_key(&self, sha256: &str) -> Result<Paid<Option<ApiKey>>, StoreError> {
        check("hash", sha256)?;
        let item = self.get("read an API key", &Key::ApiKey { sha256 }, true).await?;
        item.try_map(|item| item.as_ref().map(read_key).transpose())
    }

    /// A page of an account's keys, oldest first, at most `most`, and where the next page begins.
    ///
    /// Concurrent writers: an index, so eventually consistent by nature; a page never repeats a key.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn api_keys(
        &self,
        account: &str,
        after: Option<&Cursor>,
        most: u32,
    ) -> Result<Paid<(Vec<ApiKey>, Option<Cursor>)>, StoreError> {
        let most = most.max(1);
        let terms = Terms::default().text(":p", keys::keys_of(account));
        let mut select = match after {
            None => Select::index("g1p = :p", terms),
            Some(after) => Select::index("g1p = :p AND g1s > :a", terms.text(":a", after.as_str())),
        };
        // One more than asked for says that there are more.
        select.limit = Some(most.saturating_add(1));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let items = self.query_all("list API keys", select, most.saturating_add(1)).await?;
        items.try_map(|items| {
            let keys: Vec<ApiKey> = items.iter().take(most).map(read_key).collect::<Result<_, _>>()?;
            let last = keys.last().filter(|_| items.len() > most);
            let next = last.map(|last| Cursor::parse(&last.id)).transpose()?;
            Ok((keys, next))
        })
    }

    /// Removes a key; it no longer works. `false` if the account has no such key.
    ///
    /// Concurrent writers: as one; repeating it is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn revoke_api_key(&self, account: &str, id: &str) -> Result<Paid<bool>, StoreError> {
        let mut spent = Spent::default();
        if check("key", id).is_err() {
            return Ok(Paid { value: false, spent });
        }
        let (partition, sort) = IndexKey::KeyOf { account, key: id }.pair();
        let terms = Terms::default().text(":p", partition).text(":i", sort);
        let select = Select::index("g1p = :p AND g1s = :i", terms);
        let items = self.query_all("find an API key", select, 1).await?.add_to(&mut spent);
        let Some(found) = items.first() else { return Ok(Paid { value: false, spent }) };
        let (pk, _) = Key::ApiKey { sha256: "" }.pair();
        let sha256 = Reading::any(found).text(attribute::PK)?.strip_prefix(&pk);
        let sha256 = sha256.ok_or_else(|| Reading::any(found).damaged(attribute::PK))?;
        let terms = Terms::default().name("#i", ID).text(":i", id);
        let writes = [self.part_delete(&Key::ApiKey { sha256 }, "#i = :i", &terms)?];
        let verdict = self.transact("revoke an API key", id, &writes).await?.add_to(&mut spent);
        Ok(Paid { value: matches!(verdict, Verdict::Done), spent })
    }

    /// Notes that a key was used. Of a key that is gone, nothing is noted.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn touch_api_key(&self, sha256: &str, at: EpochMs) -> Result<Paid<()>, StoreError> {
        let terms = Terms::default().name("#u", USED).number(":at", at.0);
        let condition = "attribute_exists(pk) AND (attribute_not_exists(#u) OR #u < :at)";
        let key = Key::ApiKey { sha256 };
        let verdict = self.update("note the use of a key", &key, "SET #u = :at", condition, &terms).await?;
        Ok(verdict.map(|_| ()))
    }
}

const fn scope_code(scope: KeyScope) -> u64 {
    match scope {
        KeyScope::Viewer => 1,
        KeyScope::Operator => 2,
        KeyScope::Admin => 3,
    }
}

fn read_key(item: &Item) -> Result<ApiKey, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    Ok(ApiKey {
        id: reading.text(ID)?.into(),
        account: reading.text(ACCOUNT)?.into(),
        name: reading.text(NAME)?.into(),
        prefix: reading.text(PREFIX)?.into(),
        scope: match reading.number(SCOPE)? {
            1 => KeyScope::Viewer,
            2 => KeyScope::Operator,
            3 => KeyScope::Admin,
            _ => return Err(reading.damaged(SCOPE)),
        },
        created: reading.time(CREATED)?,
        expires: reading.find_number(EXPIRES).map(EpochMs),
        last_used: reading.find_number(USED).map(EpochMs),
    })
}
