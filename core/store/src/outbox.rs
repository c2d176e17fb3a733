//! The outbox: what is to be told to someone, written in the transaction of what happened.
//!
//! A sender claims a row for a while, publishes, and marks it sent. A row that is neither stays due and is
//! found by the next sweep. Row n+1 of an incident is claimed only after row n was sent. Publishing may
//! repeat when a sender dies between publishing and marking: the row's id is the receivers' to recognise it
//! by.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms};
use crate::error::StoreError;
use crate::ids::{StreamId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, DUE_PARTITIONS, IndexKey, Key, attribute, kept};
use crate::spent::{Paid, Spent};

const VERSION: u64 = 1;
const OF: &str = "of";
const SEQ: &str = "seq";
const STREAM: &str = "str";
const KIND: &str = "ev";
const BODY: &str = "body";
const AT: &str = "at";
const LOCKED_UNTIL: &str = "lu";
const OWNER: &str = "own";
const SENT: &str = "sent";
const TRIES: &str = "try";

/// What is to be told.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// When it happened; it is due at once.
    pub at: EpochMs,
    /// Type of the event, such as `incident.opened`.
    pub kind: &'a str,
    /// The event, as its sender wants it; at most [`Notice::MAX_BODY`] bytes.
    pub body: &'a str,
}

impl Notice<'_> {
    /// Longest body, in bytes.
    pub const MAX_BODY: usize = 64 * 1024;
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The incident or episode it tells of.
    pub of: String,
    /// Which row of it, from 1.
    pub seq: u64,
    /// The stream.
    pub stream: StreamId,
    /// Type of the event.
    pub kind: String,
    /// The event.
    pub body: String,
    /// When it happened.
    pub at: EpochMs,
    /// Claims so far.
    pub tries: u64,
    /// When it was sent.
    pub sent: Option<EpochMs>,
}

impl OutboxRow {
    /// What receivers recognise a repeated message by.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.of, self.seq)
    }
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Publish it, then mark it sent.
    Claimed(OutboxRow),
    /// Another sender has it until then.
    Taken(EpochMs),
    /// The row before it is still unsent.
    Waits,
    /// It was sent, or there is no such row.
    Done,
}

/// What became of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It is marked.
    Marked,
    /// The claim had run out and another sender has it: the message may go out twice, with one id.
    NotOurs,
}

impl Store {
    /// Adds row `seq` to an alert episode of its own, outside an incident's transaction.
    ///
    /// Concurrent writers: the first row of a number stays; `false` for the others and for a repeat.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn add_notice(
        &self,
        of: &str,
        seq: u64,
        stream: &StreamId,
        notice: &Notice<'_>,
    ) -> Result<Paid<bool>, StoreError> {
        let item = write_row(of, seq, stream, notice)?;
        let condition = Some("attribute_not_exists(pk)");
        let verdict = self.put("add an outbox row", &item, condition, &Terms::default()).await?;
        Ok(verdict.map(|verdict| verdict.refused().is_none()))
    }

    /// Rows that are due at `now`, oldest first in each of the index's partitions, at most `most` of each.
    ///
    /// Concurrent writers: an index, so a row may be missing for a moment, or be claimed already.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn due_notices(&self, now: EpochMs, most: usize) -> Result<Paid<Vec<OutboxRow>>, StoreError> {
        let mut all = Paid::free(Vec::new());
        for partition in 0..DUE_PARTITIONS {
            let terms = Terms::default().text(":p", keys::due(partition)).text(":now", keys::due_before(now));
            let mut select = Select::index("g1p = :p AND g1s < :now", terms);
            select.limit = u32::try_from(most).ok();
            let items = self.query_all("sweep the outbox", select, most).await?.add_to(&mut all.spent);
            for item in &items {
                all.value.push(read_row(item)?);
            }
        }
        Ok(all)
    }

    /// Claims a row until `until`, so that no other sender publishes it meanwhile.
    ///
    /// Concurrent writers: one gets it, the others [`Claim::Taken`]; after `until` it can be claimed again.
    /// Repeating a call whose reply was lost, with the same `until`, gives the claim.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn claim_notice(
        &self,
        row: &OutboxRow,
        writer: &Writer,
        now: EpochMs,
        until: EpochMs,
    ) -> Result<Paid<Claim>, StoreError> {
        let mut spent = Spent::default();
        if !self.before_is_sent(row).await?.add_to(&mut spent) {
            return Ok(Paid { value: Claim::Waits, spent });
        }
        let (_, due) = IndexKey::Due { of: &row.of, seq: row.seq, at: until }.pair();
        let terms = Terms::default()
            .name("#lu", LOCKED_UNTIL)
            .name("#o", OWNER)
            .name("#t", TRIES)
            .name("#s", SENT)
            .name("#g", attribute::G1S)
            .number(":now", now.0)
            .number(":until", until.0)
            .number(":one", 1)
            .text(":me", &writer.name)
            .text(":g", due);
        let free = "(attribute_not_exists(#lu) OR #lu < :now)";
        let condition = format!("attribute_exists(pk) AND attribute_not_exists(#s) AND {free}");
        let change = "SET #lu = :until, #o = :me, #g = :g ADD #t :one";
        let key = Key::Outbox { of: &row.of, seq: row.seq };
        let verdict = self.update("claim an outbox row", &key, change, &condition, &terms).await?;
        let value = match verdict.add_to(&mut spent).refused() {
            None => Claim::Claimed(OutboxRow { tries: row.tries + 1, ..row.clone() }),
            Some(None) => Claim::Done,
            Some(Some(found)) => {
                let reading = Reading::any(&found);
                let locked = EpochMs(reading.find_number(LOCKED_UNTIL).unwrap_or_default());
                if reading.find_number(SENT).is_some() {
                    Claim::Done
                } else if locked == until && reading.find_text(OWNER) == Some(&writer.name) {
                    Claim::Claimed(read_row(&found)?)
                } else {
                    Claim::Taken(locked)
                }
            }
        };
        Ok(Paid { value, spent })
    }

    /// Marks a claimed row as sent; it is due no more.
    ///
    /// Concurrent writers: only who holds the claim can, else [`Marked::NotOurs`]. Repeating it is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn mark_sent(
        &self,
        row: &OutboxRow,
        writer: &Writer,
        at: EpochMs,
    ) -> Result<Paid<Marked>, StoreError> {
        let terms = Terms::default()
            .name("#o", OWNER)
            .name("#s", SENT)
            .name("#g", attribute::G1P)
            .name("#h", attribute::G1S)
            .text(":me", &writer.name)
            .number(":at", at.0);
        let key = Key::Outbox { of: &row.of, seq: row.seq };
        let (change, condition) = ("SET #s = :at REMOVE #g, #h", "#o = :me AND attribute_not_exists(#s)");
        let verdict = self.update("mark an outbox row", &key, change, condition, &terms).await?;
        Ok(verdict.map(|verdict| match verdict.refused() {
            None => Marked::Marked,
            Some(found) => {
                let ours = |item: &Item| Reading::any(item).find_text(OWNER) == Some(&writer.name);
                if found.as_ref().is_some_and(ours) { Marked::Marked } else { Marked::NotOurs }
            }
        }))
    }

    /// The rows of an incident or episode, in order, at most `most`. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn notices(&self, of: &str, most: usize) -> Result<Paid<Vec<OutboxRow>>, StoreError> {
        let (pk, _) = Key::Outbox { of, seq: 0 }.pair();
        let mut select = Select::new("pk = :p", Terms::default().text(":p", pk));
        select.consistent = true;
        let items = self.query_all("read outbox rows", select, most).await?;
        items.try_map(|items| items.iter().map(read_row).collect())
    }

    /// A row is sent for ever, so a look before the claim is as good as one within it.
    async fn before_is_sent(&self, row: &OutboxRow) -> Result<Paid<bool>, StoreError> {
        if row.seq <= 1 {
            return Ok(Paid::free(true));
        }
        let key = Key::Outbox { of: &row.of, seq: row.seq - 1 };
        let before = self.get("read an outbox row", &key, true).await?;
        // One that is gone has expired.
        Ok(before.map(|item| item.is_none_or(|item| Reading::any(&item).find_number(SENT).is_some())))
    }
}

/// The item of a row that is due at once.
pub(crate) fn write_row(
    of: &str,
    seq: u64,
    stream: &StreamId,
    notice: &Notice<'_>,
) -> Result<Item, StoreError> {
    let got = notice.body.len();
    if got > Notice::MAX_BODY {
        return Err(StoreError::TooLarge { what: "an event", got, limit: Notice::MAX_BODY });
    }
    Ok(Writing::new(&Key::Outbox { of, seq }, VERSION)
        .indexed(&IndexKey::Due { of, seq, at: notice.at })
        .text(OF, of)
        .number(SEQ, seq)
        .text(STREAM, stream.to_string())
        .text(KIND, notice.kind)
        .text(BODY, notice.body)
        .number(AT, notice.at.0)
        .kept(notice.at, kept::DETAIL)
        .done())
}

fn read_row(item: &Item) -> Result<OutboxRow, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    Ok(OutboxRow {
        of: reading.text(OF)?.into(),
        seq: reading.number(SEQ)?,
        stream: StreamId::parse(reading.text(STREAM)?)?,
        kind: reading.text(KIND)?.into(),
        body: reading.text(BODY)?.into(),
        at: reading.time(AT)?,
        tries: reading.find_number(TRIES).unwrap_or_default(),
        sent: reading.find_number(SENT).map(EpochMs),
    })
}
