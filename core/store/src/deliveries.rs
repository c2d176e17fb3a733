//! Deliveries: every attempt to tell a channel something, and what it answered.

use std::time::Duration;

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms};
use crate::error::StoreError;
use crate::ids::{check, spread, ulid};
use crate::item::{Item, Reading, Writing, key_item};
use crate::keys::{self, Key, kept};
use crate::spent::Paid;
use crate::streams::Cursor;

const VERSION: u64 = 1;
const ID: &str = "id";
const EVENT: &str = "eid";
const KIND: &str = "ev";
const CHANNEL: &str = "chn";
const ATTEMPT: &str = "n";
const AT: &str = "at";
const TOOK: &str = "ms";
const STATUS: &str = "st";
const ANSWER: &str = "ans";
const ERROR: &str = "err";
const DELIVERED: &str = "ok";

/// An attempt to tell a channel something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The account.
    pub account: String,
    /// The event's id: the same at every attempt.
    pub event: String,
    /// Type of the event.
    pub kind: String,
    /// Identifier of the channel.
    pub channel: String,
    /// Which attempt, from 1.
    pub attempt: u64,
    /// When it began.
    pub at: EpochMs,
    /// How long it took.
    pub took: Duration,
    /// The channel took it.
    pub delivered: bool,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// The beginning of the answer, at most [`Delivery::ANSWER`] bytes.
    pub answer: String,
    /// Why it was not taken, for people.
    pub error: Option<String>,
}

impl Delivery {
    /// The most that is kept of an answer, in bytes.
    pub const ANSWER: usize = 256;
    /// The most that is kept of an error, in bytes.
    pub const ERROR: usize = 512;

    /// Its identifier: derived from what it is, so that an attempt noted twice is one delivery. Sorts by time.
    #[must_use]
    pub fn id(&self) -> String {
        let text = format!("{}#{}#{}", self.event, self.channel, self.attempt);
        format!("dlv_{}", ulid(self.at, spread(&text)))
    }
}

impl Store {
    /// Notes an attempt. Texts are cut to their bounds. Noting it again changes nothing.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn add_delivery(&self, delivery: &Delivery) -> Result<Paid<()>, StoreError> {
        check("account", &delivery.account)?;
        let verdict = self.put("note a delivery", &write(delivery), None, &Terms::default()).await?;
        Ok(verdict.map(drop))
    }

    /// A page of an account's deliveries, newest first, at most `most`, and where the next page begins.
    ///
    /// Concurrent writers: eventually consistent; a page never repeats a delivery.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn deliveries(
        &self,
        account: &str,
        after: Option<&Cursor>,
        most: u32,
    ) -> Result<Paid<(Vec<Delivery>, Option<Cursor>)>, StoreError> {
        check("account", account)?;
        let terms = Terms::default().text(":p", keys::of_account(account)).text(":d", keys::DELIVERY);
        let mut select = Select::new("pk = :p AND begins_with(sk, :d)", terms);
        (select.newest_first, select.limit) = (true, Some(most.max(1)));
        select.after = after.map(|cursor| key_item(&Key::Delivery { account, delivery: cursor.as_str() }));
        let page = self.query("list deliveries", &select).await?;
        page.try_map(|(items, more)| {
            let read = |item| read(account, item);
            let deliveries: Vec<Delivery> = items.iter().map(read).collect::<Result<_, _>>()?;
            let last = deliveries.last().filter(|_| more.is_some());
            let next = last.map(|last| Cursor::parse(&last.id())).transpose()?;
            Ok((deliveries, next))
        })
    }
}

fn write(delivery: &Delivery) -> Item {
    let id = delivery.id();
    let cut = |text: &str, most: usize| text[..text.floor_char_boundary(most)].to_owned();
    Writing::new(&Key::Delivery { account: &delivery.account, delivery: &id }, VERSION)
        .text(ID, &id)
        .text(EVENT, &delivery.event)
        .text(KIND, &delivery.kind)
        .text(CHANNEL, &delivery.channel)
        .number(ATTEMPT, delivery.attempt)
        .number(AT, delivery.at.0)
        .number(TOOK, u64::try_from(delivery.took.as_millis()).unwrap_or(u64::MAX))
        .flag(DELIVERED, delivery.delivered)
        .maybe(delivery.status, |item, status| item.number(STATUS, status.into()))
        .text(ANSWER, cut(&delivery.answer, Delivery::ANSWER))
        .maybe(delivery.error.as_ref(), |item, error| item.text(ERROR, cut(error, Delivery::ERROR)))
        .kept(delivery.at, kept::DETAIL)
        .done()
}

fn read(account: &str, item: &Item) -> Result<Delivery, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    Ok(Delivery {
        account: account.into(),
        event: reading.text(EVENT)?.into(),
        kind: reading.text(KIND)?.into(),
        channel: reading.text(CHANNEL)?.into(),
        attempt: reading.number(ATTEMPT)?,
        at: reading.time(AT)?,
        took: Duration::from_millis(reading.number(TOOK)?),
        delivered: reading.flag(DELIVERED),
        status: reading.find_number(STATUS).and_then(|status| u16::try_from(status).ok()),
        answer: reading.text(ANSWER)?.into(),
        error: reading.find_text(ERROR).map(Into::into),
    })
}
