//! The wall's summary of a shard: one tile for each of its streams, in one item.

use hlsops_domain::{EpochMs, HealthState};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{ShardId, StreamId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::Key;
use crate::pack::{health, health_code};
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
    /// The first reason, for people; at most [`Tile::MAX_REASON`] characters.
    pub reason: String,
}

impl Tile {
    /// Longest reason, in characters.
    pub const MAX_REASON: usize = 80;
}

/// The summary of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    /// As of when.
    pub at: EpochMs,
    /// Lease epoch of the watcher that wrote it.
    pub epoch: u64,
    /// One for each stream, at most [`ShardSummary::MAX`].
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
            .value(TILES, AttributeValue::L(tiles.iter().map(write_tile).collect()))
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

fn write_tile(tile: &Tile) -> AttributeValue {
    let number = |n: u64| AttributeValue::N(n.to_string());
    let time = |at: Option<EpochMs>| at.map_or(AttributeValue::Null(true), |at| number(at.0));
    AttributeValue::L(vec![
        AttributeValue::S(tile.stream.to_string()),
        number(health_code(tile.health)),
        number(tile.since.0),
        time(tile.last_look),
        time(tile.incident),
        AttributeValue::S(tile.reason.chars().take(Tile::MAX_REASON).collect()),
    ])
}

fn read_summary(item: &Item) -> Result<ShardSummary, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let tiles = item.get(TILES).and_then(|tiles| tiles.as_l().ok()).ok_or_else(|| reading.damaged(TILES))?;
    let tiles: Option<Vec<Tile>> = tiles.iter().map(read_tile).collect();
    Ok(ShardSummary {
        at: reading.time(AT)?,
        epoch: reading.number(EPOCH)?,
        tiles: tiles.ok_or_else(|| reading.damaged(TILES))?,
    })
}

fn read_tile(value: &AttributeValue) -> Option<Tile> {
    let [stream, state, since, last_look, incident, reason, ..] = value.as_l().ok()?.as_slice() else {
        return None;
    };
    let number = |value: &AttributeValue| value.as_n().ok()?.parse::<u64>().ok();
    Some(Tile {
        stream: StreamId::parse(stream.as_s().ok()?).ok()?,
        health: health(number(state)?)?,
        since: EpochMs(number(since)?),
        last_look: number(last_look).map(EpochMs),
        incident: number(incident).map(EpochMs),
        reason: reason.as_s().ok()?.clone(),
    })
}
