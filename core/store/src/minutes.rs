//! The minutes of a stream: a chain in which every item is followed by exactly one other.
//!
//! The item of a minute holds the closing state and the packed log. The next item of the chain is always
//! that of the following minute; a stretch nobody watched is one gap item that says how far it reaches. A
//! writer adds the next item on condition that it does not exist, and rewrites the newest on condition that
//! it is still his as he left it. So whoever wants the chain ([`Store::take_over`]) takes both places where
//! the old writer could write next, and there is never a fork.

use hlsops_domain::Closing;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::{Minute, StreamId, Writer};
use crate::item::{Item, Reading};
use crate::keys::{self, Key};
use crate::minute_item::{
    CLOSING, EPOCH, LEFT, OWNER, REVISION, gap_to, pack, read_minute, same_body, write_minute,
};
use crate::pack::MinuteLog;
use crate::spent::{Paid, Spent};

/// A stored minute.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMinute {
    /// Which.
    pub minute: Minute,
    /// Who wrote or claimed it last.
    pub holder: Holder,
    /// How often it was written.
    pub revision: u64,
    /// Its last writer left the chain to the holder ([`Chain::bequeath`]): nobody else will write behind it.
    pub left: bool,
    /// What it holds.
    pub slot: Slot,
}

/// What a minute's item holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// A watched minute.
    Watched {
        /// The state at its end, or at the last flush.
        closing: Box<Closing>,
        /// What happened.
        log: MinuteLog,
    },
    /// Nobody watched, up to this minute.
    Gap(Minute),
    /// A watcher has begun here and not saved anything yet.
    Claimed,
}

/// Who holds an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The run's name; empty when the item is gone.
    pub name: String,
    /// Its lease epoch.
    pub epoch: u64,
}

/// What a minute is to hold.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The state now.
    pub closing: &'a Closing,
    /// Everything that happened in the minute so far. After a take-over begin with [`crate::Taken::log`], so
    /// that what the earlier watcher logged stays.
    pub log: &'a MinuteLog,
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is stored.
    Saved,
    /// Another watcher has taken the chain; nothing of ours was stored. Drop it and stop.
    Lost(Holder),
}

/// A writer's end of a chain. Got from [`Store::take_over`], used by one task.
#[derive(Clone, Debug)]
pub struct Chain {
    pub(crate) stream: StreamId,
    pub(crate) writer: Writer,
    /// Who is to have the chain after the next save.
    pub(crate) heir: Option<Writer>,
    /// The heir has it.
    pub(crate) is_given: bool,
    /// The newest item, which may be rewritten, with its revision.
    pub(crate) newest: Option<(Minute, u64)>,
    /// Where the next item belongs.
    pub(crate) next: Minute,
    /// Revision of the claim that is there already; 0 for none.
    pub(crate) claim: u64,
}

impl Chain {
    /// The minute to save at `now`: the current one, or the newest of the chain when the clock went back.
    #[must_use]
    pub fn minute_at(&self, now: Minute) -> Minute {
        self.newest.map_or(self.next, |(newest, _)| newest).max(now)
    }

    /// Makes the next save the last one: it is stored as the heir's, who then takes the chain over without a
    /// write. Whatever this chain saves after it is [`Saved::Lost`].
    pub fn bequeath(&mut self, heir: Writer) {
        self.heir = Some(heir);
    }

    /// Whose it is.
    #[must_use]
    pub const fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Which stream's.
    #[must_use]
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }
}

/// An item to be written, packed.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Watched { closing: Vec<u8>, log: Vec<u8> },
    Gap(Minute),
    Claim,
}

impl Store {
    /// Largest packed minute, in bytes: below DynamoDB's bound for an item, with room for its other parts.
    pub const MAX_MINUTE: usize = 300_000;

    /// Saves a minute: rewrites it if it is the chain's newest, else adds it. Minutes in between become one
    /// gap item first.
    ///
    /// Concurrent writers: one has the chain; the others get [`Saved::Lost`], and nothing of theirs is
    /// stored. After an error or a dropped future the same call again is safe.
    ///
    /// Cost: one write unit per KB; two items more after a gap.
    ///
    /// # Errors
    /// [`StoreError::MinutePassed`] for a minute before the newest one, and whatever the table says.
    pub async fn save_minute(
        &self,
        chain: &mut Chain,
        minute: Minute,
        content: Content<'_>,
    ) -> Result<Paid<Saved>, StoreError> {
        let body = pack(content)?;
        let mut spent = Spent::default();
        if let Some(heir) = chain.heir.as_ref().filter(|_| chain.is_given) {
            let holder = Holder { name: heir.name.clone(), epoch: heir.epoch };
            return Ok(Paid { value: Saved::Lost(holder), spent });
        }
        if let Some((newest, revision)) = chain.newest.filter(|(newest, _)| *newest >= minute) {
            if newest > minute {
                return Err(StoreError::MinutePassed { minute, newest });
            }
            let written = self.write_slot(chain, minute, revision, &body).await?.add_to(&mut spent);
            return Ok(Paid { value: chain.adopt(written, minute, true), spent });
        }
        if minute < chain.next {
            return Err(StoreError::MinutePassed { minute, newest: chain.next });
        }
        while minute > chain.next {
            let (at, to) = (chain.next, Minute(minute.0 - 1));
            let written = self.write_slot(chain, at, chain.claim, &Body::Gap(to)).await?.add_to(&mut spent);
            if let lost @ Saved::Lost(_) = chain.adopt(written, at, false) {
                return Ok(Paid { value: lost, spent });
            }
        }
        if minute < chain.next {
            // An earlier try of ours, whose end nobody waited for, had got further than this chain knew.
            return Err(StoreError::MinutePassed { minute, newest: Minute(chain.next.0 - 1) });
        }
        let written = self.write_slot(chain, minute, chain.claim, &body).await?.add_to(&mut spent);
        Ok(Paid { value: chain.adopt(written, minute, true), spent })
    }

    /// The stored minutes from `from` to `to`, both included, oldest first, at most `most`: a timeline.
    ///
    /// Concurrent writers: eventually consistent, so the newest second may be missing.
    ///
    /// # Errors
    /// Whatever the table says, and [`StoreError::Newer`] or [`StoreError::Packed`] for an item that cannot
    /// be read.
    pub async fn minutes(
        &self,
        stream: &StreamId,
        from: Minute,
        to: Minute,
        most: usize,
    ) -> Result<Paid<Vec<StoredMinute>>, StoreError> {
        let (from, to) = keys::minutes(from, to);
        let terms = Terms::default().text(":s", keys::of_stream(stream)).text(":a", from).text(":b", to);
        let select = Select::new("pk = :s AND sk BETWEEN :a AND :b", terms);
        let items = self.query_all("read minutes", select, most).await?;
        items.try_map(|items| items.iter().map(read_minute).collect())
    }

    /// The newest `most` stored minutes, oldest first.
    ///
    /// Concurrent writers: `consistent` sees every write answered before; else the newest second may be
    /// missing, at half the cost.
    ///
    /// # Errors
    /// As [`Store::minutes`].
    pub async fn newest_minutes(
        &self,
        stream: &StreamId,
        most: u32,
        consistent: bool,
    ) -> Result<Paid<Vec<StoredMinute>>, StoreError> {
        let terms = Terms::default().text(":s", keys::of_stream(stream)).text(":m", keys::MINUTE);
        let mut select = Select::new("pk = :s AND begins_with(sk, :m)", terms);
        (select.newest_first, select.consistent, select.limit) = (true, consistent, Some(most));
        let page = self.query("read minutes", &select).await?;
        page.try_map(|(items, _)| items.iter().rev().map(read_minute).collect())
    }

    /// Writes an item of the chain that must have revision `expected` and be ours; 0: must not exist.
    /// Gives the new revision and how far the item reaches.
    pub(crate) async fn write_slot(
        &self,
        chain: &Chain,
        minute: Minute,
        mut expected: u64,
        body: &Body,
    ) -> Result<Paid<Written>, StoreError> {
        const TRIES: u32 = 4;
        let mut spent = Spent::default();
        for _ in 0..TRIES {
            let item = write_minute(chain, minute, expected + 1, body);
            let verdict = self.put_expecting(&item, expected, &chain.writer).await?.add_to(&mut spent);
            let Some(found) = verdict.refused() else {
                return Ok(Paid { value: Ok((expected + 1, body.reach(minute))), spent });
            };
            let Some(found) = found else {
                return Ok(Paid { value: Err(Holder::nobody()), spent });
            };
            let holder = Holder::of(&found)?;
            let revision = Reading::any(&found).number(REVISION)?;
            // The heir's or ours: an earlier try went through.
            if chain.is_left_to(&holder) && same_body(&found, &item) {
                return Ok(Paid { value: Ok((revision, minute)), spent });
            }
            if holder.name != chain.writer.name {
                return Ok(Paid { value: Err(holder), spent });
            }
            let gap = gap_to(&found);
            let settled = gap.is_some() || found.contains_key(CLOSING);
            match (body, gap) {
                (Body::Watched { .. }, Some(to)) => {
                    return Err(StoreError::MinutePassed { minute, newest: to });
                }
                (Body::Gap(_) | Body::Claim, _) if settled => {
                    return Ok(Paid { value: Ok((revision, gap.unwrap_or(minute))), spent });
                }
                _ if same_body(&found, &item) => {
                    return Ok(Paid { value: Ok((revision, minute)), spent });
                }
                _ => expected = revision,
            }
        }
        Err(StoreError::Contended { operation: "write a minute", attempts: TRIES })
    }

    async fn put_expecting(
        &self,
        item: &Item,
        expected: u64,
        writer: &Writer,
    ) -> Result<Paid<Verdict>, StoreError> {
        let operation = "write a minute";
        if expected == 0 {
            return self.put(operation, item, Some("attribute_not_exists(pk)"), &Terms::default()).await;
        }
        let terms = Terms::default()
            .name("#o", OWNER)
            .name("#r", REVISION)
            .text(":me", &writer.name)
            .number(":r", expected);
        self.put(operation, item, Some("#o = :me AND #r = :r"), &terms).await
    }

    /// Makes an item ours that somebody else left at `revision`; its content stays. `None` when it has
    /// changed meanwhile.
    pub(crate) async fn seal(
        &self,
        stream: &StreamId,
        found: &StoredMinute,
        writer: &Writer,
    ) -> Result<Paid<Option<u64>>, StoreError> {
        if found.holder.name == writer.name {
            return Ok(Paid::free(Some(found.revision)));
        }
        let terms = Terms::default()
            .name("#o", OWNER)
            .name("#e", EPOCH)
            .name("#r", REVISION)
            .name("#l", LEFT)
            .text(":me", &writer.name)
            .number(":e", writer.epoch)
            .text(":old", &found.holder.name)
            .number(":r", found.revision)
            .number(":n", found.revision + 1);
        let (change, condition) = ("SET #o = :me, #e = :e, #r = :n REMOVE #l", "#o = :old AND #r = :r");
        let key = Key::Minute(stream, found.minute);
        let verdict = self.update("take a minute over", &key, change, condition, &terms).await?;
        let sealed = |verdict: Verdict| match verdict.refused() {
            None => Ok(Some(found.revision + 1)),
            // A lost reply of ours: nobody else writes under this name.
            Some(Some(now)) if Holder::of(&now)?.name == writer.name => {
                Reading::any(&now).number(REVISION).map(Some)
            }
            Some(_) => Ok(None),
        };
        verdict.try_map(sealed)
    }
}

/// The revision now and how far the item reaches, or who has it.
type Written = Result<(u64, Minute), Holder>;

impl Chain {
    fn is_left_to(&self, holder: &Holder) -> bool {
        self.heir.as_ref().is_some_and(|heir| heir.name == holder.name)
    }

    /// Takes in what became of a write at `minute`.
    fn adopt(&mut self, written: Written, minute: Minute, watched: bool) -> Saved {
        match written {
            Ok((revision, to)) => {
                self.is_given = watched && self.heir.is_some();
                // A gap is never rewritten.
                self.newest = watched.then_some((minute, revision));
                if to >= self.next {
                    self.next = to.next();
                    self.claim = 0;
                }
                Saved::Saved
            }
            Err(holder) => Saved::Lost(holder),
        }
    }
}

impl Body {
    fn reach(&self, minute: Minute) -> Minute {
        match self {
            Self::Gap(to) => *to,
            _ => minute,
        }
    }
}

impl Holder {
    pub(crate) const fn nobody() -> Self {
        Self { name: String::new(), epoch: 0 }
    }

    pub(crate) fn of(item: &Item) -> Result<Self, StoreError> {
        let reading = Reading::any(item);
        Ok(Self { name: reading.text(OWNER)?.into(), epoch: reading.number(EPOCH)? })
    }
}

impl StoredMinute {
    /// The minute after the last one it stands for: where the chain goes on.
    #[must_use]
    pub fn next(&self) -> Minute {
        match self.slot {
            Slot::Gap(to) => to.max(self.minute).next(),
            _ => self.minute.next(),
        }
    }

    /// Was watched.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        matches!(self.slot, Slot::Watched { .. })
    }
}
