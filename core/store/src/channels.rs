//! Channels: who is told of events, and how.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::check;
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, Key};
use crate::outbox::OutboxRow;
use crate::spent::{Paid, Spent};
use crate::streams::Configured;

const VERSION: u64 = 1;
const ID: &str = "id";
const NAME: &str = "name";
const URL: &str = "url";
const HEADERS: &str = "hdr";
const SECRETS: &str = "sec";
const LINES: &str = "lines";
const ENABLED: &str = "on";
const WHY: &str = "why";
const EVENTS: &str = "evs";
const CREATED: &str = "at";
const REVISION: &str = "rev";

/// Somebody who is told of events by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The account.
    pub account: String,
    /// Unique in the account.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// Headers the receiver asks for.
    pub headers: Vec<(String, Secret)>,
    /// What messages are signed with: one, or two while the receiver changes to a new one.
    pub secrets: Vec<Secret>,
    /// How messages look.
    pub format: Format,
    /// Is told.
    pub enabled: bool,
    /// Why it was disabled, where nobody did it by hand.
    pub why_disabled: Option<String>,
    /// The types of events it is told of; empty: all.
    pub events: Vec<String>,
    /// When it was created.
    pub created_at: EpochMs,
    /// How often it was written; 0 before it is created.
    pub revision: u64,
}

impl Channel {
    /// The most channels an account should have: who creates one looks first.
    pub const MAX_OF_ACCOUNT: usize = 50;
    /// Most bytes of a channel, all texts together.
    pub const MAX: usize = 16 * 1024;

    /// Whether it is told of events of this type.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.enabled && (self.events.is_empty() || self.events.iter().any(|wanted| wanted == kind))
    }

    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.0.len()).sum();
        let secrets: usize = self.secrets.iter().map(|secret| secret.0.len()).sum();
        let events: usize = self.events.iter().map(String::len).sum();
        let why = self.why_disabled.as_ref().map_or(0, String::len);
        self.id.len() + self.name.len() + self.url.len() + headers + secrets + events + why
    }
}

/// How messages to a channel look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The event as it is.
    Event,
    /// A subject and lines of text: `{"subject", "alerts": [..]}`.
    Lines,
}

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret")
    }
}

impl Store {
    /// Stores a channel on condition that it still has `channel.revision`; 0 creates it.
    ///
    /// Concurrent writers: one is stored, the others get [`Configured::Conflict`]. Whoever repeats a call
    /// whose reply was lost gets the first call's outcome.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], and whatever the table says.
    pub async fn save_channel(&self, channel: &Channel) -> Result<Paid<Configured>, StoreError> {
        check("account", &channel.account)?;
        check("channel", &channel.id)?;
        let got = channel.size();
        if got > Channel::MAX {
            return Err(StoreError::TooLarge { what: "a channel", got, limit: Channel::MAX });
        }
        let (condition, terms) = as_read(channel.revision);
        let next = Channel { revision: channel.revision + 1, ..channel.clone() };
        let verdict = self.put("write a channel", &write(&next), Some(condition), &terms).await?;
        verdict.try_map(|verdict| match verdict.refused() {
            None => Ok(Configured::Saved(next.revision)),
            Some(None) => Ok(Configured::Conflict(None)),
            Some(Some(found)) => match read(&channel.account, &found)? {
                found if found == next => Ok(Configured::Saved(next.revision)),
                found => Ok(Configured::Conflict(Some(found.revision))),
            },
        })
    }

    /// Removes a channel on condition that it has this revision. What is on its way to it is given up.
    ///
    /// Concurrent writers: as [`Store::save_channel`]; a channel that is gone already counts as removed.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn remove_channel(
        &self,
        account: &str,
        id: &str,
        revision: u64,
    ) -> Result<Paid<Configured>, StoreError> {
        check("account", account)?;
        check("channel", id)?;
        let (condition, terms) = as_read(revision);
        let writes = [self.part_delete(&Key::Channel { account, channel: id }, condition, &terms)?];
        let hash = hlsops_domain::id::StableHash::new().with(account.as_bytes()).with(id.as_bytes()).finish();
        let mut spent = Spent::default();
        let token = format!("c-{hash:016x}-{revision}");
        let verdict = self.transact("remove a channel", &token, &writes).await?.add_to(&mut spent);
        let Verdict::Refused(_) = verdict else {
            return Ok(Paid { value: Configured::Saved(revision), spent });
        };
        let value = match self.channel(account, id).await?.add_to(&mut spent) {
            None => Configured::Saved(revision),
            Some(now) => Configured::Conflict(Some(now.revision)),
        };
        Ok(Paid { value, spent })
    }

    /// A channel. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn channel(&self, account: &str, id: &str) -> Result<Paid<Option<Channel>>, StoreError> {
        check("account", account)?;
        check("channel", id)?;
        let item = self.get("read a channel", &Key::Channel { account, channel: id }, true).await?;
        item.try_map(|item| item.as_ref().map(|item| read(account, item)).transpose())
    }

    /// All channels of an account, by identifier, as many as an event can be addressed to. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn channels(&self, account: &str) -> Result<Paid<Vec<Channel>>, StoreError> {
        check("account", account)?;
        let terms = Terms::default().text(":p", keys::of_account(account)).text(":c", keys::CHANNEL);
        let mut select = Select::new("pk = :p AND begins_with(sk, :c)", terms);
        select.consistent = true;
        let items = self.query_all("list channels", select, OutboxRow::MAX_CHANNELS).await?;
        items.try_map(|items| items.iter().map(|item| read(account, item)).collect())
    }
}

/// The condition that the item is as it was read; revision 0: that there is none.
fn as_read(revision: u64) -> (&'static str, Terms) {
    match revision {
        0 => ("attribute_not_exists(pk)", Terms::default()),
        revision => ("#r = :r", Terms::default().name("#r", REVISION).number(":r", revision)),
    }
}

fn write(channel: &Channel) -> Item {
    let headers: Vec<(String, String)> =
        channel.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
    let list = |texts: Vec<String>| AttributeValue::L(texts.into_iter().map(AttributeValue::S).collect());
    let secrets = channel.secrets.iter().map(|secret| secret.0.clone()).collect();
    Writing::new(&Key::Channel { account: &channel.account, channel: &channel.id }, VERSION)
        .text(ID, &channel.id)
        .text(NAME, &channel.name)
        .text(URL, &channel.url)
        .texts(HEADERS, &headers)
        .value(SECRETS, list(secrets))
        .flag(LINES, channel.format == Format::Lines)
        .flag(ENABLED, channel.enabled)
        .maybe(channel.why_disabled.as_ref(), |item, why| item.text(WHY, why))
        .value(EVENTS, list(channel.events.clone()))
        .number(CREATED, channel.created_at.0)
        .number(REVISION, channel.revision)
        .done()
}

fn read(account: &str, item: &Item) -> Result<Channel, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let headers = reading.texts(HEADERS).into_iter();
    let list = |name| -> Vec<String> {
        let list = item.get(name).and_then(|value| value.as_l().ok());
        list.map(|list| list.iter().filter_map(|text| text.as_s().ok().cloned()).collect())
            .unwrap_or_default()
    };
    Ok(Channel {
        account: account.into(),
        id: reading.text(ID)?.into(),
        name: reading.text(NAME)?.into(),
        url: reading.text(URL)?.into(),
        headers: headers.map(|(name, value)| (name, Secret(value))).collect(),
        secrets: list(SECRETS).into_iter().map(Secret).collect(),
        format: if reading.flag(LINES) { Format::Lines } else { Format::Event },
        enabled: reading.flag(ENABLED),
        why_disabled: reading.find_text(WHY).map(Into::into),
        events: list(EVENTS),
        created_at: reading.time(CREATED)?,
        revision: reading.number(REVISION)?,
    })
}
