//! The wall's summary of a shard: one tile for each of its streams, in one item.

use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState};

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{ShardId, StreamId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::Key;
use crate::pack::{pack_tiles, unpack_tiles};
use crate::spent::Paid;

const VERSION: u64 = 1;
const EPOCH: &str = "ep";
const AT: &str = "at";
const TILES: &str = "t";

/// What a wall shows of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Which stream.
    pub stream: StreamId,
    /// Its health as of the summary. A reader shows NO DATA for a summary that is too old.
    pub health: HealthState,
    /// Since when.
    pub since: EpochMs,
    /// When it was last looked at.
    pub last_look: Option<EpochMs>,
    /// Since when an incident is open.
    pub incident: Option<EpochMs>,
    /// The worst state of its playlists.
    pub playlist: PlaylistState,
    /// What speaks for its health, worst first, for people; at most [`Tile::MAX_REASONS`], each of at most
    /// [`Tile::MAX_REASON`] characters. What is more is not stored.
    pub reasons: Vec<String>,
    /// As of when the figures in its reasons are; none where there are no reasons.
    pub reasons_at: Option<EpochMs>,
    /// Measured cost of watching it, in thousandths of a usual stream; 0 before it was measured.
    pub weight: u64,
}

impl Tile {
    /// Most reasons.
    pub const MAX_REASONS: usize = 2;
    /// Longest reason, in characters.
    pub const MAX_REASON: usize = 70;
}

/// The summary of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    /// As of when.
    pub at: EpochMs,
    /// Lease epoch of the watcher that wrote it.
    pub epoch: u64,
    /// One for each stream, in their order, at most [`ShardSummary::MAX`].
    pub tiles: Vec<Tile>,
}

impl ShardSummary {
    /// Most streams of a shard.
    pub const MAX: usize = 1_000;
}

impl Store {
    /// Writes a shard's summary.
    ///
    /// Concurrent writers: the newest lease epoch wins, within an epoch the newest time; `false` for a writer
    /// that was late, and nothing was stored. Repeating it is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn save_summary(
        &self,
        shard: ShardId,
        tiles: &[Tile],
        writer: &Writer,
        at: EpochMs,
    ) -> Result<Paid<bool>, StoreError> {
        let got = tiles.len();
        if got > ShardSummary::MAX {
            return Err(StoreError::TooLarge { what: "a shard's summary", got, limit: ShardSummary::MAX });
        }
        let item = Writing::new(&Key::Summary(shard), VERSION)
            .number(EPOCH, writer.epoch)
            .number(AT, at.0)
            .bytes(TILES, pack_tiles(tiles, at))
            .done();
        let terms =
            Terms::default().name("#e", EPOCH).name("#a", AT).number(":e", writer.epoch).number(":a", at.0);
        let condition = Some("attribute_not_exists(pk) OR #e < :e OR (#e = :e AND #a <= :a)");
        let verdict = self.put("write a summary", &item, condition, &terms).await?;
        Ok(verdict.map(|verdict| verdict.refused().is_none()))
    }

    /// A shard's summary. Eventually consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn summary(&self, shard: ShardId) -> Result<Paid<Option<ShardSummary>>, StoreError> {
        let item = self.get("read a summary", &Key::Summary(shard), false).await?;
        item.try_map(|item| item.as_ref().map(read_summary).transpose())
    }
}

fn read_summary(item: &Item) -> Result<ShardSummary, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let at = reading.time(AT)?;
    let tiles = unpack_tiles(reading.bytes(TILES)?, at).map_err(|error| reading.packed(error))?;
    Ok(ShardSummary { at, epoch: reading.number(EPOCH)?, tiles })
}
