//! How many shards there are.

use hlsops_domain::id::StableHash;

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{ShardId, StreamId};
use crate::item::Reading;
use crate::keys::{Key, attribute};
use crate::spent::Paid;

const VERSION: u64 = 1;
const SHARDS: &str = "n";

impl Store {
    /// How many shards there are, numbered from 0; at least one. Eventually consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn shard_count(&self) -> Result<Paid<u32>, StoreError> {
        let item = self.get("read the plan", &Key::Plan, false).await?;
        item.try_map(|item| {
            let Some(item) = &item else { return Ok(1) };
            let reading = Reading::new(item, VERSION)?;
            let count = u32::try_from(reading.number(SHARDS)?).map_err(|_| reading.damaged(SHARDS))?;
            Ok(count.max(1))
        })
    }

    /// Makes it known that there are `count` shards. There are never fewer than before.
    ///
    /// Concurrent writers: the largest count wins.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn grow_shards(&self, count: u32) -> Result<Paid<()>, StoreError> {
        let terms = Terms::default()
            .name("#n", SHARDS)
            .name("#v", attribute::VERSION)
            .number(":n", count.into())
            .number(":v", VERSION);
        let (change, condition) = ("SET #n = :n, #v = :v", "attribute_not_exists(#n) OR #n < :n");
        let verdict = self.update("grow the plan", &Key::Plan, change, condition, &terms).await?;
        Ok(verdict.map(|_| ()))
    }

    /// The shard a new stream belongs in. Streams that are there already are moved by the dispatcher only.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn place(&self, stream: &StreamId) -> Result<Paid<ShardId>, StoreError> {
        Ok(self.shard_count().await?.map(|count| {
            let hash = StableHash::new().with(stream.to_string().as_bytes()).finish();
            // Names that differ in their last digits differ in few bits of the hash: the product spreads them.
            let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            ShardId(u32::try_from(spread % u64::from(count)).unwrap_or_default())
        }))
    }
}
