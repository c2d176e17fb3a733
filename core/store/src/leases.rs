//! Leases of shards: who watches, whether he is alive, and how often the shard's streams were changed.
//!
//! A lease only saves work: what keeps two watchers apart are the conditions on minutes.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{ShardId, Writer};
use crate::item::{Item, Reading};
use crate::keys::{Key, attribute};
use crate::spent::Paid;

const VERSION: u64 = 1;
const EPOCH: &str = "ep";
const OWNER: &str = "own";
const BEAT: &str = "at";
const ENDS: &str = "end";
const STREAMS: &str = "n";
const WEIGHT: &str = "w";
const CHANGES: &str = "cfg";

/// What the lease of a shard says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Who watches; nobody has yet when only the configuration was written.
    pub holder: Option<Writer>,
    /// What he said last.
    pub beat: Beat,
    /// How often the configuration of the shard's streams was changed. A watcher that sees another number
    /// than before reads the shard's streams again.
    pub changes: u64,
}

/// A watcher's sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// When; 0 once the watcher has ended.
    pub at: EpochMs,
    /// When it wants to have been relieved; none while there is no end in sight.
    pub ends: Option<EpochMs>,
    /// How many streams it watches.
    pub streams: u64,
    /// Their measured weights together, in the unit of [`crate::Assignment::weight`].
    pub weight: u64,
}

/// Whether a lease is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// It is.
    Held,
    /// Somebody else has it, or nobody.
    Superseded(Lease),
}

impl Store {
    /// Takes a shard's lease.
    ///
    /// Concurrent writers: the newest epoch wins, at once and without waiting for the earlier holder. Of two
    /// with the same epoch the first wins, so a work message delivered twice starts one watcher. Repeating it
    /// is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn take_lease(
        &self,
        shard: ShardId,
        writer: &Writer,
        beat: Beat,
    ) -> Result<Paid<Leased>, StoreError> {
        let condition = "attribute_not_exists(#e) OR #e < :e";
        self.write_lease("take a lease", shard, writer, beat, condition).await
    }

    /// Says that the holder still watches.
    ///
    /// Concurrent writers: only the holder's beat counts, others learn who has superseded them.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn beat(
        &self,
        shard: ShardId,
        writer: &Writer,
        beat: Beat,
    ) -> Result<Paid<Leased>, StoreError> {
        self.write_lease("beat a lease", shard, writer, beat, "#e = :e AND #o = :me").await
    }

    /// Says that the holder has ended: the next one need not wait until it is missed. As [`Store::beat`].
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn release_lease(&self, shard: ShardId, writer: &Writer) -> Result<Paid<Leased>, StoreError> {
        self.beat(shard, writer, Beat::default()).await
    }

    /// Says that the configuration of a shard's streams has changed.
    ///
    /// Concurrent writers: every call counts. A call whose reply was lost may count twice, which makes a
    /// watcher look once more.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn bump_shard(&self, shard: ShardId) -> Result<Paid<()>, StoreError> {
        let terms = Terms::default()
            .name("#c", CHANGES)
            .name("#v", attribute::VERSION)
            .number(":one", 1)
            .number(":v", VERSION);
        let change = "SET #v = if_not_exists(#v, :v) ADD #c :one";
        let verdict = self.update("bump a shard", &Key::Lease(shard), change, "", &terms).await?;
        Ok(verdict.map(|_| ()))
    }

    /// What the lease of a shard says; `consistent` sees every write answered before, at twice the cost.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn lease(&self, shard: ShardId, consistent: bool) -> Result<Paid<Option<Lease>>, StoreError> {
        let item = self.get("read a lease", &Key::Lease(shard), consistent).await?;
        item.try_map(|item| item.as_ref().map(read_lease).transpose())
    }

    /// An update, because the number of changes must stay.
    async fn write_lease(
        &self,
        operation: &'static str,
        shard: ShardId,
        writer: &Writer,
        beat: Beat,
        condition: &str,
    ) -> Result<Paid<Leased>, StoreError> {
        let terms = Terms::default()
            .name("#v", attribute::VERSION)
            .name("#e", EPOCH)
            .name("#o", OWNER)
            .name("#b", BEAT)
            .name("#t", ENDS)
            .name("#n", STREAMS)
            .name("#w", WEIGHT)
            .number(":v", VERSION)
            .number(":e", writer.epoch)
            .text(":me", &writer.name)
            .number(":b", beat.at.0)
            .number(":t", beat.ends.map_or(0, |ends| ends.0))
            .number(":n", beat.streams)
            .number(":w", beat.weight);
        let change = "SET #v = :v, #e = :e, #o = :me, #b = :b, #t = :t, #n = :n, #w = :w";
        let verdict = self.update(operation, &Key::Lease(shard), change, condition, &terms).await?;
        verdict.try_map(|verdict| leased(verdict.refused(), writer))
    }
}

fn leased(refused: Option<Option<Item>>, writer: &Writer) -> Result<Leased, StoreError> {
    let Some(found) = refused else { return Ok(Leased::Held) };
    let found = found.as_ref().map(read_lease).transpose()?.unwrap_or_default();
    // Ours: an earlier try went through.
    Ok(if found.holder.as_ref() == Some(writer) { Leased::Held } else { Leased::Superseded(found) })
}

fn read_lease(item: &Item) -> Result<Lease, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let holder = match reading.find_text(OWNER) {
        Some(name) => Some(Writer { name: name.into(), epoch: reading.number(EPOCH)? }),
        None => None,
    };
    let number = |name| reading.find_number(name).unwrap_or_default();
    let beat = Beat {
        at: EpochMs(number(BEAT)),
        ends: reading.find_number(ENDS).filter(|ends| *ends > 0).map(EpochMs),
        streams: number(STREAMS),
        weight: number(WEIGHT),
    };
    Ok(Lease { holder, beat, changes: number(CHANGES) })
}
