//! Leases of shards. A lease only saves work: what keeps two watchers apart are the conditions on minutes.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{ShardId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::Key;
use crate::spent::Paid;

const VERSION: u64 = 1;
const EPOCH: &str = "ep";
const OWNER: &str = "own";
const BEAT: &str = "at";

/// Who watches a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub holder: Writer,
    /// When it was last heard of.
    pub beat: EpochMs,
}

/// Whether a lease is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// It is.
    Held,
    /// Somebody else has it; `None` when nobody has.
    Superseded(Option<Lease>),
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
        now: EpochMs,
    ) -> Result<Paid<Leased>, StoreError> {
        let item = Writing::new(&Key::Lease(shard), VERSION)
            .number(EPOCH, writer.epoch)
            .text(OWNER, &writer.name)
            .number(BEAT, now.0)
            .done();
        let terms = Terms::default().name("#e", EPOCH).number(":e", writer.epoch);
        let condition = Some("attribute_not_exists(pk) OR #e < :e");
        let verdict = self.put("take a lease", &item, condition, &terms).await?;
        verdict.try_map(|verdict| leased(verdict.refused(), writer))
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
        now: EpochMs,
    ) -> Result<Paid<Leased>, StoreError> {
        let terms = Terms::default()
            .name("#e", EPOCH)
            .name("#o", OWNER)
            .name("#b", BEAT)
            .number(":e", writer.epoch)
            .text(":me", &writer.name)
            .number(":now", now.0);
        let (change, condition) = ("SET #b = :now", "#e = :e AND #o = :me");
        let verdict = self.update("beat a lease", &Key::Lease(shard), change, condition, &terms).await?;
        verdict.try_map(|verdict| leased(verdict.refused(), writer))
    }

    /// Who watches a shard. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn lease(&self, shard: ShardId) -> Result<Paid<Option<Lease>>, StoreError> {
        let item = self.get("read a lease", &Key::Lease(shard), true).await?;
        item.try_map(|item| item.as_ref().map(read_lease).transpose())
    }
}

fn leased(refused: Option<Option<Item>>, writer: &Writer) -> Result<Leased, StoreError> {
    let Some(found) = refused else { return Ok(Leased::Held) };
    let found = found.as_ref().map(read_lease).transpose()?;
    match found {
        // A lost reply.
        Some(lease) if lease.holder == *writer => Ok(Leased::Held),
        other => Ok(Leased::Superseded(other)),
    }
}

fn read_lease(item: &Item) -> Result<Lease, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let holder = Writer { name: reading.text(OWNER)?.into(), epoch: reading.number(EPOCH)? };
    Ok(Lease { holder, beat: reading.time(BEAT)? })
}
