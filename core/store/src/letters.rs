//! Letters: an event on its way to one channel.
//!
//! A sender claims a letter for a while, publishes it, and settles it. A letter that is claimed and not
//! settled comes up again when the claim has run out: publishing may repeat, with the same event id. Each
//! failed attempt puts the next one off, until the letter is delivered or given up.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::Writer;
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, IndexKey, Key, attribute, kept};
use crate::outbox::{Due, LEFT, OutboxRow, SETTLED};
use crate::spent::{Paid, Spent};

const VERSION: u64 = 1;
const OF: &str = "of";
const SEQ: &str = "seq";
const ACCOUNT: &str = "acc";
const CHANNEL: &str = "chn";
const SINCE: &str = "at";
const NEXT: &str = "nx";
const LOCKED_UNTIL: &str = "lu";
const OWNER: &str = "own";
const TRIES: &str = "try";
const DONE: &str = "done";
const DELIVERED: &str = "ok";

/// Nobody has it.
const FREE: &str =
    "attribute_exists(pk) AND attribute_not_exists(#d) AND (attribute_not_exists(#lu) OR #lu < :now)";

/// An event on its way to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The incident or episode the event tells of.
    pub of: String,
    /// Which event of it, from 1.
    pub seq: u64,
    /// The account.
    pub account: String,
    /// Identifier of the channel.
    pub channel: String,
    /// When it was addressed.
    pub since: EpochMs,
    /// When it is due next.
    pub next: EpochMs,
    /// Attempts begun so far.
    pub tries: u64,
    /// How it ended: when, and whether it was delivered rather than given up.
    pub done: Option<(EpochMs, bool)>,
}

impl Letter {
    pub(crate) fn new(row: &OutboxRow, channel: &str, now: EpochMs) -> Self {
        Self {
            of: row.of.clone(),
            seq: row.seq,
            account: row.stream.account().into(),
            channel: channel.into(),
            since: now,
            next: now,
            tries: 0,
            done: None,
        }
    }

    /// The event's id: what receivers recognise a repeated message by.
    #[must_use]
    pub fn event(&self) -> String {
        format!("{}.{}", self.of, self.seq)
    }

    fn key(&self) -> Key<'_> {
        Key::Letter { of: &self.of, channel: &self.channel, seq: self.seq }
    }

    fn due_at(&self, at: EpochMs) -> String {
        IndexKey::DueLetter { of: &self.of, channel: &self.channel, seq: self.seq, at }.pair().1
    }
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Publish it, then settle it.
    Claimed(Letter),
    /// Another sender has it, or has had it since it was read; it is due then.
    Taken(EpochMs),
    /// An earlier letter to the same channel about the same incident is still under way; it is due then.
    Waits(EpochMs),
    /// It is settled, or there is no such letter.
    Done,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The channel has it.
    Delivered,
    /// It will not be tried again.
    GivenUp,
    /// It is due again then.
    Again(EpochMs),
}

impl Store {
    /// Letters that are due at `now`, oldest first in each of the index's partitions, at most `most` of each.
    ///
    /// Concurrent writers: an index, so a letter may be missing for a moment, or be claimed or settled already.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn due_letters(&self, now: EpochMs, most: usize) -> Result<Paid<Due<Letter>>, StoreError> {
        self.due("sweep the letters", keys::due_letters, now, most, read_letter).await
    }

    /// Claims a letter until `until`, so that no other sender publishes it meanwhile.
    ///
    /// Concurrent writers: one gets it, the others [`Claim::Taken`], also those who read it before another
    /// sender tried it and put it back; after `until` it can be claimed again. Repeating a call whose reply was
    /// lost, with the same `until`, gives the claim.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn claim_letter(
        &self,
        letter: &Letter,
        writer: &Writer,
        now: EpochMs,
        until: EpochMs,
    ) -> Result<Paid<Claim>, StoreError> {
        let mut spent = Spent::default();
        if let Some(due) = self.waits_for(letter).await?.add_to(&mut spent) {
            return Ok(Paid { value: Claim::Waits(due), spent });
        }
        let terms = Terms::default()
            .name("#lu", LOCKED_UNTIL)
            .name("#o", OWNER)
            .name("#t", TRIES)
            .name("#d", DONE)
            .name("#n", NEXT)
            .name("#h", attribute::G1S)
            .number(":now", now.0)
            .number(":until", until.0)
            .number(":tries", letter.tries)
            .number(":one", 1)
            .text(":me", &writer.name)
            .text(":h", letter.due_at(until));
        let change = "SET #lu = :until, #o = :me, #n = :until, #h = :h ADD #t :one";
        // Every claim counts up, so whoever read it before another's attempt comes too late.
        let as_read =
            if letter.tries == 0 { "attribute_not_exists(#t) OR #t = :tries" } else { "#t = :tries" };
        let condition = format!("{FREE} AND ({as_read})");
        let verdict = self.update("claim a letter", &letter.key(), change, &condition, &terms).await?;
        let value = match verdict.add_to(&mut spent).refused() {
            None => Claim::Claimed(Letter { tries: letter.tries + 1, next: until, ..letter.clone() }),
            Some(None) => Claim::Done,
            Some(Some(found)) => {
                let reading = Reading::any(&found);
                let locked = EpochMs(reading.find_number(LOCKED_UNTIL).unwrap_or_default());
                if reading.find_number(DONE).is_some() {
                    Claim::Done
                } else if locked == until && reading.find_text(OWNER) == Some(&writer.name) {
                    Claim::Claimed(read_letter(&found)?)
                } else {
                    Claim::Taken(EpochMs(reading.find_number(NEXT).unwrap_or_default()))
                }
            }
        };
        Ok(Paid { value, spent })
    }

    /// Puts off a letter that nobody has claimed: it is due again at `until`.
    ///
    /// Concurrent writers: a letter that is claimed or settled, or due at another time than when it was read,
    /// stays as it is.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn put_off_letter(
        &self,
        letter: &Letter,
        now: EpochMs,
        until: EpochMs,
    ) -> Result<Paid<()>, StoreError> {
        let terms = Terms::default()
            .name("#lu", LOCKED_UNTIL)
            .name("#d", DONE)
            .name("#n", NEXT)
            .name("#h", attribute::G1S)
            .number(":now", now.0)
            .number(":until", until.0)
            .number(":read", letter.next.0)
            .text(":h", letter.due_at(until));
        let change = "SET #n = :until, #h = :h";
        let condition = format!("{FREE} AND #n = :read");
        let verdict = self.update("put off a letter", &letter.key(), change, &condition, &terms).await?;
        Ok(verdict.map(drop))
    }

    /// Says how an attempt ended. A letter that is delivered or given up is due no more, and its row has one
    /// letter less under way, in one transaction.
    ///
    /// Concurrent writers: the end of a letter counts once, whoever says it, also after the claim has run out:
    /// what a channel has taken, it has. [`Outcome::Again`] counts only while the claim is the writer's.
    /// Repeating it is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn settle_letter(
        &self,
        letter: &Letter,
        writer: &Writer,
        outcome: Outcome,
        now: EpochMs,
    ) -> Result<Paid<()>, StoreError> {
        match outcome {
            Outcome::Delivered => self.end_letter(letter, true, now).await,
            Outcome::GivenUp => self.end_letter(letter, false, now).await,
            Outcome::Again(next) => {
                let terms = Terms::default()
                    .name("#lu", LOCKED_UNTIL)
                    .name("#o", OWNER)
                    .name("#d", DONE)
                    .name("#n", NEXT)
                    .name("#h", attribute::G1S)
                    .number(":next", next.0)
                    .text(":me", &writer.name)
                    .text(":h", letter.due_at(next));
                let change = "SET #n = :next, #h = :h REMOVE #lu, #o";
                let condition = "#o = :me AND attribute_not_exists(#d)";
                let verdict =
                    self.update("put back a letter", &letter.key(), change, condition, &terms).await?;
                Ok(verdict.map(drop))
            }
        }
    }

    /// The letter that waited for this one: the next to the same channel about the same incident, unless it is
    /// settled. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn letter_after(&self, letter: &Letter) -> Result<Paid<Option<Letter>>, StoreError> {
        let after = self.neighbour(letter, "pk = :p AND sk > :s", false).await?;
        after.try_map(|item| {
            let letter = item.as_ref().map(read_letter).transpose()?;
            Ok(letter.filter(|letter| letter.done.is_none()))
        })
    }

    /// The letters about an incident or episode to one channel, in order, at most `most`. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn letters(
        &self,
        of: &str,
        channel: &str,
        most: usize,
    ) -> Result<Paid<Vec<Letter>>, StoreError> {
        let (pk, _) = Key::Letter { of, channel, seq: 0 }.pair();
        let mut select = Select::new("pk = :p", Terms::default().text(":p", pk));
        select.consistent = true;
        let items = self.query_all("read letters", select, most).await?;
        items.try_map(|items| items.iter().map(read_letter).collect())
    }

    async fn end_letter(
        &self,
        letter: &Letter,
        delivered: bool,
        now: EpochMs,
    ) -> Result<Paid<()>, StoreError> {
        let of_letter = Terms::default()
            .name("#d", DONE)
            .name("#ok", DELIVERED)
            .name("#g", attribute::G1P)
            .name("#h", attribute::G1S)
            .number(":now", now.0)
            .number(":ok", u64::from(delivered));
        let of_row =
            Terms::default().name("#l", LEFT).name("#d", SETTLED).number(":one", 1).number(":now", now.0);
        let writes = [
            self.part_update(
                &letter.key(),
                "SET #d = :now, #ok = :ok REMOVE #g, #h",
                "attribute_exists(pk) AND attribute_not_exists(#d)",
                &of_letter,
            )?,
            self.part_update(
                &Key::Outbox { of: &letter.of, seq: letter.seq },
                "SET #l = #l - :one, #d = :now",
                "attribute_exists(#l)",
                &of_row,
            )?,
        ];
        let text = format!("{}#{}#{delivered}", letter.event(), letter.channel);
        let hash = hlsops_domain::id::StableHash::new().with(text.as_bytes()).finish();
        let token = format!("l-{hash:016x}-{}", now.0);
        let verdict = self.transact("settle a letter", &token, &writes).await?;
        // Refused: it had ended before.
        Ok(verdict.map(|_: Verdict| ()))
    }

    /// When the letter before this one is due, if it is still under way. A letter ends only after those before
    /// it, so the newest before it speaks for all; and it ends for ever, so a look before the claim is as good
    /// as one within it.
    async fn waits_for(&self, letter: &Letter) -> Result<Paid<Option<EpochMs>>, StoreError> {
        if letter.seq <= 1 {
            return Ok(Paid::free(None));
        }
        let before = self.neighbour(letter, "pk = :p AND sk < :s", true).await?;
        before.try_map(|item| {
            let before = item.as_ref().map(read_letter).transpose()?;
            Ok(before.filter(|before| before.done.is_none()).map(|before| before.next))
        })
    }

    async fn neighbour(
        &self,
        letter: &Letter,
        condition: &'static str,
        newest_first: bool,
    ) -> Result<Paid<Option<Item>>, StoreError> {
        let (pk, sk) = letter.key().pair();
        let mut select = Select::new(condition, Terms::default().text(":p", pk).text(":s", sk));
        (select.consistent, select.newest_first, select.limit) = (true, newest_first, Some(1));
        Ok(self.query("read a letter", &select).await?.map(|(items, _)| items.into_iter().next()))
    }
}

/// The item of a letter that is due at once.
pub(crate) fn write_letter(letter: &Letter) -> Item {
    let Letter { of, channel, seq, next: at, .. } = letter;
    Writing::new(&letter.key(), VERSION)
        .indexed(&IndexKey::DueLetter { of, channel, seq: *seq, at: *at })
        .text(OF, of)
        .number(SEQ, *seq)
        .text(ACCOUNT, &letter.account)
        .text(CHANNEL, channel)
        .number(SINCE, letter.since.0)
        .number(NEXT, letter.next.0)
        .kept(letter.since, kept::DETAIL)
        .done()
}

fn read_letter(item: &Item) -> Result<Letter, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let done = reading.find_number(DONE).map(EpochMs);
    Ok(Letter {
        of: reading.text(OF)?.into(),
        seq: reading.number(SEQ)?,
        account: reading.text(ACCOUNT)?.into(),
        channel: reading.text(CHANNEL)?.into(),
        since: reading.time(SINCE)?,
        next: reading.time(NEXT)?,
        tries: reading.find_number(TRIES).unwrap_or_default(),
        done: done.map(|at| (at, reading.find_number(DELIVERED) == Some(1))),
    })
}
