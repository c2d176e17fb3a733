//! The wall, kept for a moment: what many people look at every few seconds is read once.
//!
//! A wall is made anew when it is older than [`FRESH`]. While somebody makes it, others get the one before,
//! unless that is too old or something was changed here. A client that has the newest version gets 304; one
//! that has another version which is still remembered gets what has changed since.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hlsops_domain::EpochMs;
use hlsops_store::{IncidentItem, ShardId, ShardSummary, Store, StoreError, StreamConfig, StreamId, Tile};
use hlsops_wire::{Wall, WallCounts, WallTile};

use crate::times;
use crate::view::tile::{Known, is_told, wall_tile};

/// A wall this young is not made anew.
pub(crate) const FRESH: Duration = Duration::from_secs(1);
/// A wall this old is not given to anybody, also while a new one is made.
const OLDEST: Duration = Duration::from_secs(5);
/// Configurations this young are not read anew: changes made elsewhere take so long to be seen.
const CONFIGS: Duration = Duration::from_secs(10);
/// Versions remembered, for those who ask for changes.
const VERSIONS: usize = 32;
/// Accounts remembered.
const ACCOUNTS: usize = 256;
/// Streams read in one page.
const PAGE: u32 = 1_000;
/// Most open incidents that are read.
const INCIDENTS: usize = 10_000;

/// The walls of all accounts that were asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Walls(Mutex<HashMap<String, Arc<OneWall>>>);

/// The wall of one account.
#[derive(Debug, Default)]
struct OneWall {
    newest: Mutex<Option<Arc<Snapshot>>>,
    making: tokio::sync::Mutex<Kept>,
}

/// What the next wall is made with.
#[derive(Debug, Default)]
struct Kept {
    configs: Option<(EpochMs, Arc<Vec<StreamConfig>>)>,
    versions: VecDeque<(String, HashMap<String, u64>)>,
}

/// A wall as it was at one time.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// When it was made.
    pub(crate) at: EpochMs,
    /// As of when the shard heard of least last was summarised.
    pub(crate) probed: Option<EpochMs>,
    /// The same for the same content.
    pub(crate) version: String,
    pub(crate) counts: WallCounts,
    /// Of all streams, in the order of their ids.
    pub(crate) configs: Arc<Vec<StreamConfig>>,
    /// In the order of the wall.
    pub(crate) tiles: Vec<WallTile>,
    /// By stream: where its tile is, and what it was made of.
    pub(crate) known: HashMap<String, (usize, Option<Tile>)>,
    /// Open incidents, by stream, as far as the tiles tell of them.
    pub(crate) incidents: HashMap<String, IncidentItem>,
    /// Open incidents of streams that there are not.
    pub(crate) left: Vec<IncidentItem>,
    versions: Vec<(String, HashMap<String, u64>)>,
    body: OnceLock<Bytes>,
}

impl Walls {
    /// The wall of an account, at most [`FRESH`] old, or [`OLDEST`] while a new one is made.
    pub(crate) async fn get(
        &self,
        store: &Store,
        account: &str,
        now: EpochMs,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let wall = self.of(account);
        let newest = wall.newest();
        if let Some(fresh) = newest.as_ref().filter(|wall| now.since(wall.at) < FRESH) {
            return Ok(Arc::clone(fresh));
        }
        let mut kept = match (wall.making.try_lock(), newest) {
            (Ok(kept), _) => kept,
            (Err(_), Some(older)) if now.since(older.at) < OLDEST => return Ok(older),
            (Err(_), _) => wall.making.lock().await,
        };
        // Whoever had to wait finds it made.
        if let Some(fresh) = wall.newest().filter(|wall| now.since(wall.at) < FRESH) {
            return Ok(fresh);
        }
        let made = Arc::new(make(store, account, now, &mut kept).await?);
        *wall.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Something of the account was changed here: the next wall is made anew.
    pub(crate) fn forget(&self, account: &str) {
        let mut walls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = walls.get(account) {
            // One that is being made now may lack the change, and is forgotten with the old one. What clients
            // have seen stays known where nobody is at it.
            let versions = old.making.try_lock().map(|mut kept| std::mem::take(&mut kept.versions));
            let kept = Kept { configs: None, versions: versions.unwrap_or_default() };
            let new = OneWall { newest: Mutex::default(), making: tokio::sync::Mutex::new(kept) };
            walls.insert(account.to_owned(), Arc::new(new));
        }
    }

    fn of(&self, account: &str) -> Arc<OneWall> {
        let mut walls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if walls.len() >= ACCOUNTS && !walls.contains_key(account) {
            walls.clear();
        }
        Arc::clone(walls.entry(account.to_owned()).or_default())
    }
}

impl OneWall {
    fn newest(&self) -> Option<Arc<Snapshot>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Snapshot {
    /// The tile of a stream.
    pub(crate) fn tile(&self, stream: &str) -> Option<(&WallTile, Option<&Tile>)> {
        let (index, summary) = self.known.get(stream)?;
        Some((self.tiles.get(*index)?, summary.as_ref()))
    }

    /// The configuration of a stream; none where there is no such stream.
    pub(crate) fn config(&self, id: &StreamId) -> Option<&StreamConfig> {
        let nth = self.configs.binary_search_by(|config| config.id.name().cmp(id.name())).ok()?;
        self.configs.get(nth)
    }

    /// The whole wall, written once.
    pub(crate) fn body(&self) -> Bytes {
        let body = || serde_json::to_vec(&self.wall(self.tiles.clone())).unwrap_or_default().into();
        self.body.get_or_init(body).clone()
    }

    /// What has changed since `version`; none where that version is forgotten.
    pub(crate) fn changes(&self, version: &str) -> Option<Wall> {
        let (_, before) = self.versions.iter().find(|(known, _)| known == version)?;
        let changed = self.tiles.iter().filter(|tile| before.get(&tile.id) != Some(&hash(tile)));
        let removed = before.keys().filter(|id| !self.known.contains_key(*id)).cloned().collect();
        Some(Wall { partial: true, removed, ..self.wall(changed.cloned().collect()) })
    }

    fn wall(&self, tiles: Vec<WallTile>) -> Wall {
        Wall {
            as_of: times::text(self.at),
            probed_at: self.probed.map(times::text),
            version: self.version.clone(),
            partial: false,
            counts: self.counts,
            tiles,
            removed: Vec::new(),
        }
    }
}

fn hash(tile: &WallTile) -> u64 {
    let mut hasher = DefaultHasher::new();
    tile.hash(&mut hasher);
    hasher.finish()
}

async fn make(store: &Store, account: &str, now: EpochMs, kept: &mut Kept) -> Result<Snapshot, StoreError> {
    let configs = match &kept.configs {
        Some((at, configs)) if now.since(*at) < CONFIGS => Arc::clone(configs),
        _ => Arc::new(configs(store, account).await?),
    };
    if kept.configs.as_ref().is_none_or(|(_, known)| !Arc::ptr_eq(known, &configs)) {
        kept.configs = Some((now, Arc::clone(&configs)));
    }
    let summaries = summaries(store).await?;
    let open = store.open_incidents(account, INCIDENTS).await?.value;
    let mut open: HashMap<String, IncidentItem> =
        open.into_iter().map(|open| (open.stream.name().to_owned(), open)).collect();
    let mut seen: HashMap<&str, (EpochMs, &Tile)> = HashMap::new();
    for (summary, tile) in
        summaries.iter().flat_map(|summary| summary.tiles.iter().map(move |tile| (summary, tile)))
    {
        if tile.stream.account() == account {
            // A stream that was moved stands in two shards for a while: the newer one knows.
            let entry = seen.entry(tile.stream.name()).or_insert((summary.at, tile));
            if tile.last_look > entry.1.last_look {
                *entry = (summary.at, tile);
            }
        }
    }
    let mut tiles: Vec<(WallTile, Option<Tile>)> = Vec::with_capacity(configs.len());
    let mut incidents = HashMap::with_capacity(open.len());
    for config in configs.iter() {
        let name = config.id.name();
        let summary = seen.get(name).copied();
        let told = open.remove_entry(name).filter(|(_, open)| is_told(config, summary, open, now));
        let known = Known { config, summary, incident: told.as_ref().map(|(_, open)| open), now };
        tiles.push((wall_tile(&known), summary.map(|(_, tile)| tile.clone())));
        incidents.extend(told);
    }
    tiles.sort_by(|(a, _), (b, _)| {
        let order = |tile: &WallTile| (tile.state, tile.acknowledged_by.is_some());
        order(a).cmp(&order(b)).then_with(|| b.since_at.cmp(&a.since_at)).then_with(|| a.name.cmp(&b.name))
    });
    let left = open.into_values().collect();
    Ok(Snapshot { left, ..snapshot(now, probed(&summaries), configs, incidents, tiles, kept) })
}

fn snapshot(
    at: EpochMs,
    probed: Option<EpochMs>,
    configs: Arc<Vec<StreamConfig>>,
    incidents: HashMap<String, IncidentItem>,
    made: Vec<(WallTile, Option<Tile>)>,
    kept: &mut Kept,
) -> Snapshot {
    let (mut counts, mut whole) = (WallCounts::default(), DefaultHasher::new());
    let mut hashes = HashMap::with_capacity(made.len());
    let mut known = HashMap::with_capacity(made.len());
    let mut tiles = Vec::with_capacity(made.len());
    for (index, (tile, summary)) in made.into_iter().enumerate() {
        counts.add(tile.state);
        let hash = hash(&tile);
        hash.hash(&mut whole);
        hashes.insert(tile.id.clone(), hash);
        known.insert(tile.id.clone(), (index, summary));
        tiles.push(tile);
    }
    let version = format!("{:016x}", whole.finish());
    let versions: Vec<_> = kept.versions.iter().cloned().collect();
    if kept.versions.back().is_none_or(|(newest, _)| *newest != version) {
        if kept.versions.len() >= VERSIONS {
            kept.versions.pop_front();
        }
        kept.versions.push_back((version.clone(), hashes));
    }
    let body = OnceLock::new();
    let left = Vec::new();
    Snapshot { at, probed, version, counts, configs, tiles, known, incidents, left, versions, body }
}

/// All configurations of an account.
async fn configs(store: &Store, account: &str) -> Result<Vec<StreamConfig>, StoreError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.streams(account, cursor.as_ref(), PAGE).await?.value;
        all.extend(page.streams);
        cursor = page.next;
        if cursor.is_none() || all.len() >= ShardSummary::MAX * 100 {
            return Ok(all);
        }
    }
}

/// The summaries of all shards.
pub(crate) async fn summaries(store: &Store) -> Result<Vec<ShardSummary>, StoreError> {
    let shards = store.shard_count().await?.value;
    let mut all = Vec::new();
    for shard in 0..shards {
        all.extend(store.summary(ShardId(shard)).await?.value);
    }
    Ok(all)
}

/// As of when the shard heard of least last was summarised, among those that have streams.
pub(crate) fn probed(summaries: &[ShardSummary]) -> Option<EpochMs> {
    summaries.iter().filter(|summary| !summary.tiles.is_empty()).map(|summary| summary.at).min()
}
