//! The inbox of an account: every event once, as its transaction addressed it.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms};
use crate::error::StoreError;
use crate::ids::{StreamId, check, spread, ulid};
use crate::item::{Item, Reading, Writing, key_item};
use crate::keys::{self, Key, kept};
use crate::outbox::OutboxRow;
use crate::spent::Paid;
use crate::streams::Cursor;

const VERSION: u64 = 1;
const ENTRY: &str = "id";
const EVENT: &str = "eid";
const STREAM: &str = "str";
const KIND: &str = "ev";
const BODY: &str = "body";
const AT: &str = "at";

/// An event in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    /// Its place in the inbox: sorts by time.
    pub id: String,
    /// The event's id, as channels get it.
    pub event: String,
    /// The stream.
    pub stream: StreamId,
    /// Type of the event.
    pub kind: String,
    /// The event, as channels get it.
    pub body: String,
    /// When it happened.
    pub at: EpochMs,
}

impl Store {
    /// A page of an account's inbox, newest first, at most `most`, and where the next page begins.
    ///
    /// Concurrent writers: eventually consistent; a page never repeats an entry.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn inbox(
        &self,
        account: &str,
        after: Option<&Cursor>,
        most: u32,
    ) -> Result<Paid<(Vec<InboxEntry>, Option<Cursor>)>, StoreError> {
        check("account", account)?;
        let terms = Terms::default().text(":p", keys::of_account(account)).text(":i", keys::INBOX);
        let mut select = Select::new("pk = :p AND begins_with(sk, :i)", terms);
        (select.newest_first, select.limit) = (true, Some(most.max(1)));
        select.after = after.map(|cursor| key_item(&Key::Inbox { account, entry: cursor.as_str() }));
        let page = self.query("read the inbox", &select).await?;
        page.try_map(|(items, more)| {
            let entries: Vec<InboxEntry> = items.iter().map(read_entry).collect::<Result<_, _>>()?;
            let last = entries.last().filter(|_| more.is_some());
            let next = last.map(|last| Cursor::parse(&last.id)).transpose()?;
            Ok((entries, next))
        })
    }
}

pub(crate) fn write_entry(row: &OutboxRow) -> Item {
    let event = row.id();
    let entry = ulid(row.at, spread(&event));
    Writing::new(&Key::Inbox { account: row.stream.account(), entry: &entry }, VERSION)
        .text(ENTRY, &entry)
        .text(EVENT, event)
        .text(STREAM, row.stream.to_string())
        .text(KIND, &row.kind)
        .text(BODY, &row.body)
        .number(AT, row.at.0)
        .kept(row.at, kept::DETAIL)
        .done()
}

fn read_entry(item: &Item) -> Result<InboxEntry, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    Ok(InboxEntry {
        id: reading.text(ENTRY)?.into(),
        event: reading.text(EVENT)?.into(),
        stream: StreamId::parse(reading.text(STREAM)?)?,
        kind: reading.text(KIND)?.into(),
        body: reading.text(BODY)?.into(),
        at: reading.time(AT)?,
    })
}
