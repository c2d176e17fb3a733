//! The outbox: what is to be told to someone, written in the transaction of what happened.
//!
//! A row is due until it is addressed: one transaction turns it into a [`Letter`] for each channel and an
//! entry of the inbox. From then on each letter goes its own way, so that a channel that does not take it
//! neither holds up the others nor makes them hear it twice. The row counts the letters under way and is sent
//! when none is left. Row n+1 of an incident is addressed only after row n, and a letter of it goes out only
//! after those before it to the same channel.

use hlsops_domain::EpochMs;
use hlsops_domain::id::StableHash;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::StreamId;
use crate::inbox::write_entry;
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, DUE_PARTITIONS, IndexKey, Key, attribute, kept};
use crate::letters::{Letter, write_letter};
use crate::spent::{Paid, Spent};

const VERSION: u64 = 1;
const OF: &str = "of";
const SEQ: &str = "seq";
const STREAM: &str = "str";
const KIND: &str = "ev";
const BODY: &str = "body";
const AT: &str = "at";
/// When it was addressed.
const ADDRESSED: &str = "adr";
/// Letters under way.
pub(crate) const LEFT: &str = "left";
/// When the newest of its letters was settled.
pub(crate) const SETTLED: &str = "lat";

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
    /// When it was addressed.
    pub addressed: Option<EpochMs>,
    /// When the last of its letters was delivered or given up.
    pub sent: Option<EpochMs>,
}

impl OutboxRow {
    /// Most channels of a row: more do not fit into a transaction.
    pub const MAX_CHANNELS: usize = 98;

    /// What receivers recognise a repeated message by.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.of, self.seq)
    }
}

/// What became of addressing a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressed {
    /// These letters are under way, and due.
    Addressed(Vec<Letter>),
    /// It was addressed before, or there is no such row.
    Already,
    /// The row before it is not addressed yet.
    Waits,
}

/// What is due.
#[derive(Debug)]
pub struct Due<T> {
    /// What can be read.
    pub items: Vec<T>,
    /// Why the others cannot.
    pub unreadable: Vec<StoreError>,
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
    /// Concurrent writers: an index, so a row may be missing for a moment, or be addressed already.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn due_notices(&self, now: EpochMs, most: usize) -> Result<Paid<Due<OutboxRow>>, StoreError> {
        self.due("sweep the outbox", keys::due, now, most, read_row).await
    }

    /// Addresses a row: a letter for each of `channels`, due at once, and an entry of the account's inbox, all
    /// in one transaction with the row, which is due no more.
    ///
    /// Concurrent writers: one addresses it, the others get [`Addressed::Already`]; a row whose predecessor
    /// is not addressed yet [`Addressed::Waits`]. Whoever repeats a call, or makes the same one at the same
    /// time, may get either: the letters are due anyway.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for more than [`OutboxRow::MAX_CHANNELS`], and whatever the table says.
    pub async fn address(
        &self,
        row: &OutboxRow,
        channels: &[&str],
        now: EpochMs,
    ) -> Result<Paid<Addressed>, StoreError> {
        if channels.len() > OutboxRow::MAX_CHANNELS {
            let (got, limit) = (channels.len(), OutboxRow::MAX_CHANNELS);
            return Err(StoreError::TooLarge { what: "the list of channels", got, limit });
        }
        let mut spent = Spent::default();
        if !self.before_is_addressed(row).await?.add_to(&mut spent) {
            return Ok(Paid { value: Addressed::Waits, spent });
        }
        let letters: Vec<Letter> = channels.iter().map(|channel| Letter::new(row, channel, now)).collect();
        let terms = Terms::default()
            .name("#a", ADDRESSED)
            .name("#l", LEFT)
            .name("#d", SETTLED)
            .name("#g", attribute::G1P)
            .name("#h", attribute::G1S)
            .number(":now", now.0)
            .number(":n", letters.len() as u64);
        let key = Key::Outbox { of: &row.of, seq: row.seq };
        let change = "SET #a = :now, #l = :n, #d = :now REMOVE #g, #h";
        let condition = "attribute_exists(pk) AND attribute_not_exists(#a)";
        let mut writes = vec![self.part_update(&key, change, condition, &terms)?];
        writes.push(self.part_put(write_entry(row), None, &Terms::default())?);
        for letter in &letters {
            let condition = Some("attribute_not_exists(pk)");
            writes.push(self.part_put(write_letter(letter), condition, &Terms::default())?);
        }
        // Another hand may address another list of channels: then the condition decides, not the token.
        let of_list = |hash: StableHash, channel: &&str| hash.with(channel.as_bytes());
        let list = channels.iter().fold(StableHash::new().with(row.id().as_bytes()), of_list);
        let token = format!("a-{:016x}-{}", list.finish(), now.0);
        let verdict = self.transact("address an outbox row", &token, &writes).await?.add_to(&mut spent);
        let value = match verdict {
            Verdict::Done => Addressed::Addressed(letters),
            Verdict::Refused(_) => Addressed::Already,
        };
        Ok(Paid { value, spent })
    }

    /// A row of an incident or episode. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn notice(&self, of: &str, seq: u64) -> Result<Paid<Option<OutboxRow>>, StoreError> {
        let item = self.get("read an outbox row", &Key::Outbox { of, seq }, true).await?;
        item.try_map(|item| item.as_ref().map(read_row).transpose())
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

    /// A row stays addressed for ever, so a look before the transaction is as good as one within it.
    async fn before_is_addressed(&self, row: &OutboxRow) -> Result<Paid<bool>, StoreError> {
        if row.seq <= 1 {
            return Ok(Paid::free(true));
        }
        let key = Key::Outbox { of: &row.of, seq: row.seq - 1 };
        let before = self.get("read an outbox row", &key, true).await?;
        // One that is gone has expired.
        Ok(before.map(|item| item.is_none_or(|item| Reading::any(&item).find_number(ADDRESSED).is_some())))
    }

    /// What is due in one kind of partition. What cannot be read does not stand in the way of the rest.
    pub(crate) async fn due<T>(
        &self,
        operation: &'static str,
        partition: fn(u8) -> String,
        now: EpochMs,
        most: usize,
        read: fn(&Item) -> Result<T, StoreError>,
    ) -> Result<Paid<Due<T>>, StoreError> {
        let mut all = Paid::free(Due { items: Vec::new(), unreadable: Vec::new() });
        for nth in 0..DUE_PARTITIONS {
            let terms = Terms::default().text(":p", partition(nth)).text(":now", keys::due_before(now));
            let mut select = Select::index("g1p = :p AND g1s < :now", terms);
            select.limit = u32::try_from(most).ok();
            for item in &self.query_all(operation, select, most).await?.add_to(&mut all.spent) {
                match read(item) {
                    Ok(one) => all.value.items.push(one),
                    Err(error) => all.value.unreadable.push(error),
                }
            }
        }
        Ok(all)
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
        addressed: reading.find_number(ADDRESSED).map(EpochMs),
        sent: reading.find_number(SETTLED).map(EpochMs).filter(|_| reading.find_number(LEFT) == Some(0)),
    })
}
