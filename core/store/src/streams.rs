//! Configuration of streams, and which shard watches each.
//!
//! The configuration stands in two items, always written in one transaction: one is listed by account, for
//! people, the other by shard and only while enabled, so that a watcher gets all it needs from one query.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::{ShardId, StreamId, check};
use crate::item::{Item, key_item};
use crate::keys::{self, IndexKey, Key, attribute};
use crate::pauses::Pause;
use crate::spent::{Paid, Spent};
use crate::stream_item::{
    REVISION, SHARD, WEIGHT, read_assignment, read_config, write_assignment, write_config,
};

/// How a stream is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchMode {
    /// All the time.
    Continuous,
    /// One look every so many seconds.
    Interval {
        /// Seconds.
        every_s: u64,
    },
}

/// Whether segments are downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segments {
    /// Every one.
    Full,
    /// None: what is listed counts as obtained.
    None,
}

/// Configuration of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamConfig {
    /// Which.
    pub id: StreamId,
    /// A multivariant or media playlist.
    pub url: String,
    /// For people.
    pub name: String,
    /// The operator's own identifier, shown in alerts.
    pub link_id: Option<String>,
    /// Is watched.
    pub enabled: bool,
    /// How.
    pub watch: WatchMode,
    /// Whether segments are downloaded.
    pub segments: Segments,
    /// Request headers.
    pub headers: Vec<(String, String)>,
    /// Thresholds to begin with: `default` or `seed1`.
    pub profile: String,
    /// Thresholds that differ, by name: see [`crate::limits_from`].
    pub overrides: BTreeMap<String, f64>,
    /// For grouping and routing.
    pub tags: Vec<(String, String)>,
    /// When it was created.
    pub created_at: EpochMs,
    /// When it was paused, oldest first: see [`StreamConfig::switched`] and [`StreamConfig::pauses`].
    pub pauses: Vec<Pause>,
    /// How often it was written; 0 before it is created.
    pub revision: u64,
}

impl StreamConfig {
    /// Most bytes of a configuration, all texts together.
    pub const MAX: usize = 16 * 1024;

    /// A stream about to be created, with every default: called by its id, and every segment of it watched.
    #[must_use]
    pub fn new(id: StreamId, url: impl Into<String>, created_at: EpochMs) -> Self {
        Self {
            url: url.into(),
            name: id.name().into(),
            id,
            link_id: None,
            enabled: true,
            watch: WatchMode::Continuous,
            segments: Segments::Full,
            headers: Vec::new(),
            profile: "default".into(),
            overrides: BTreeMap::new(),
            tags: Vec::new(),
            created_at,
            pauses: Vec::new(),
            revision: 0,
        }
    }

    fn size(&self) -> usize {
        let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(a, b)| a.len() + b.len()).sum::<usize>();
        let overrides: usize = self.overrides.keys().map(|name| name.len() + 16).sum();
        let texts = self.url.len() + self.name.len() + self.link_id.as_ref().map_or(0, String::len);
        texts + self.profile.len() + pairs(&self.headers) + pairs(&self.tags) + overrides
    }
}

/// A stream in its shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The configuration.
    pub config: StreamConfig,
    /// Where it is watched.
    pub shard: ShardId,
    /// Measured cost of watching it, in thousandths of a usual stream.
    pub weight: u64,
}

impl Assignment {
    /// Weight of a stream that nobody has watched yet.
    pub const USUAL: u64 = 1_000;
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configured {
    /// It is stored, with this revision.
    Saved(u64),
    /// Somebody else changed it before; nothing was stored. The revision now, if it exists.
    Conflict(Option<u64>),
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Reads what [`Cursor::as_str`] gave.
    ///
    /// # Errors
    /// [`StoreError::BadId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        check("cursor", text)?;
        Ok(Self(text.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A page of streams.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPage {
    /// By name.
    pub streams: Vec<StreamConfig>,
    /// Where the next page begins; none after the last.
    pub next: Option<Cursor>,
}

impl Store {
    /// Stores a configuration on condition that it still has `config.revision`; 0 creates it, in `shard` (see
    /// [`Store::place`]) with the usual weight. A stream that exists stays in its shard, whose watcher is told.
    ///
    /// Concurrent writers: one is stored, the others get [`Configured::Conflict`]. Whoever repeats a call
    /// whose reply was lost gets the first call's outcome.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], and whatever the table says.
    pub async fn save_stream(
        &self,
        config: &StreamConfig,
        shard: ShardId,
    ) -> Result<Paid<Configured>, StoreError> {
        let got = config.size();
        if got > StreamConfig::MAX {
            let limit = StreamConfig::MAX;
            return Err(StoreError::TooLarge { what: "a stream's configuration", got, limit });
        }
        let mut spent = Spent::default();
        let mut assignment = Assignment { config: config.clone(), shard, weight: Assignment::USUAL };
        if config.revision > 0 {
            let now = self.assignment(&config.id).await?.add_to(&mut spent);
            let Some(now) = now else { return Ok(Paid { value: Configured::Conflict(None), spent }) };
            (assignment.shard, assignment.weight) = (now.shard, now.weight);
        }
        let (condition, terms) = as_read(config.revision);
        assignment.config.revision += 1;
        let of_shard = Terms::default().name("#h", SHARD).number(":h", assignment.shard.0.into());
        let (shard_condition, of_shard) = match config.revision {
            0 => ("attribute_not_exists(pk)", Terms::default()),
            revision => ("#r = :r AND #h = :h", of_shard.name("#r", REVISION).number(":r", revision)),
        };
        let writes = [
            self.part_put(write_config(&assignment.config), Some(condition), &terms)?,
            self.part_put(write_assignment(&assignment), Some(shard_condition), &of_shard)?,
        ];
        let token = token(&config.id, assignment.config.revision);
        let verdict = self.transact("write a stream", &token, &writes).await?.add_to(&mut spent);
        let saved = Configured::Saved(assignment.config.revision);
        if let Verdict::Refused(_) = verdict {
            let now = self.stream(&config.id).await?.add_to(&mut spent);
            if now.as_ref() != Some(&assignment.config) {
                let value = Configured::Conflict(now.map(|now| now.revision));
                return Ok(Paid { value, spent });
            }
        }
        self.tell(assignment.shard, &mut spent).await;
        Ok(Paid { value: saved, spent })
    }

    /// Moves a stream to another shard, or gives it another weight. The new shard's watcher gets it with its
    /// next epoch: epochs of different shards stand in no order.
    ///
    /// Concurrent writers: `false` if somebody moved or changed the stream since it was read, and nothing was
    /// stored.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn move_stream(
        &self,
        read: &Assignment,
        shard: ShardId,
        weight: u64,
    ) -> Result<Paid<bool>, StoreError> {
        let moved = Assignment { shard, weight, config: read.config.clone() };
        let terms = Terms::default()
            .name("#r", REVISION)
            .name("#h", SHARD)
            .name("#w", WEIGHT)
            .number(":r", read.config.revision)
            .number(":h", read.shard.0.into())
            .number(":w", read.weight);
        let condition = Some("#r = :r AND #h = :h AND #w = :w");
        let item = write_assignment(&moved);
        let mut spent = Spent::default();
        let verdict = self.put("move a stream", &item, condition, &terms).await?.add_to(&mut spent);
        let value = match verdict.refused() {
            None => true,
            Some(found) => found.as_ref().map(read_assignment).transpose()? == Some(moved),
        };
        if value && shard != read.shard {
            self.tell(read.shard, &mut spent).await;
            self.tell(shard, &mut spent).await;
        }
        Ok(Paid { value, spent })
    }

    /// Tells a shard's watcher that its streams have changed. It reads them anew every few minutes anyway, so
    /// a message that is lost is no reason to fail what was stored.
    async fn tell(&self, shard: ShardId, spent: &mut Spent) {
        if let Ok(told) = self.bump_shard(shard).await {
            told.add_to(spent);
        }
    }

    /// Removes a stream's configuration on condition that it has this revision. What was recorded of it
    /// expires by itself.
    ///
    /// Concurrent writers: as [`Store::save_stream`]; a stream that is gone already counts as removed.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn remove_stream(
        &self,
        stream: &StreamId,
        revision: u64,
    ) -> Result<Paid<Configured>, StoreError> {
        let mut spent = Spent::default();
        let shard = self.assignment(stream).await?.add_to(&mut spent).map(|assignment| assignment.shard);
        let (condition, terms) = as_read(revision);
        let writes = [
            self.part_delete(&Key::Config(stream), condition, &terms)?,
            self.part_delete(&Key::Assignment(stream), "attribute_exists(pk)", &Terms::default())?,
        ];
        let token = format!("d{}", token(stream, revision));
        let verdict = self.transact("remove a stream", &token, &writes).await?.add_to(&mut spent);
        if let Verdict::Refused(_) = verdict
            && let Some(now) = self.stream(stream).await?.add_to(&mut spent)
        {
            return Ok(Paid { value: Configured::Conflict(Some(now.revision)), spent });
        }
        if let Some(shard) = shard {
            self.tell(shard, &mut spent).await;
        }
        Ok(Paid { value: Configured::Saved(revision), spent })
    }

    /// A stream's configuration. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn stream(&self, stream: &StreamId) -> Result<Paid<Option<StreamConfig>>, StoreError> {
        let item = self.get("read a stream", &Key::Config(stream), true).await?;
        item.try_map(|item| item.as_ref().map(read_config).transpose())
    }

    /// A stream in its shard. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn assignment(&self, stream: &StreamId) -> Result<Paid<Option<Assignment>>, StoreError> {
        let item = self.get("read an assignment", &Key::Assignment(stream), true).await?;
        item.try_map(|item| item.as_ref().map(read_assignment).transpose())
    }

    /// A page of an account's streams, by name, at most `most`.
    ///
    /// Concurrent writers: an index, so eventually consistent by nature; a page never repeats a stream.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn streams(
        &self,
        account: &str,
        after: Option<&Cursor>,
        most: u32,
    ) -> Result<Paid<ListPage>, StoreError> {
        check("account", account)?;
        let mut select = Select::index("g1p = :p", Terms::default().text(":p", keys::streams_of(account)));
        select.limit = Some(most.max(1));
        select.after = match after {
            Some(cursor) => {
                let id = StreamId::new(account, cursor.as_str())?;
                Some(position(&Key::Config(&id), &IndexKey::OfAccount(&id)))
            }
            None => None,
        };
        let page = self.query("list streams", &select).await?;
        page.try_map(|(items, more)| {
            let streams: Vec<StreamConfig> = items.iter().map(read_config).collect::<Result<_, _>>()?;
            let last = streams.last().filter(|_| more.is_some());
            let next = last.map(|last| Cursor(last.id.name().into()));
            Ok(ListPage { streams, next })
        })
    }

    /// Whether a shard has an enabled stream. As [`Store::shard_streams`], for half a read unit.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn has_streams(&self, shard: ShardId) -> Result<Paid<bool>, StoreError> {
        let mut select = Select::index("g1p = :p", Terms::default().text(":p", keys::streams_in(shard)));
        select.limit = Some(1);
        Ok(self.query("look into a shard", &select).await?.map(|(items, _)| !items.is_empty()))
    }

    /// The enabled streams of a shard, at most `most`.
    ///
    /// Concurrent writers: an index, so eventually consistent by nature: a change is seen a moment later.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn shard_streams(
        &self,
        shard: ShardId,
        most: usize,
    ) -> Result<Paid<Vec<Assignment>>, StoreError> {
        let select = Select::index("g1p = :p", Terms::default().text(":p", keys::streams_in(shard)));
        let items = self.query_all("list a shard", select, most).await?;
        items.try_map(|items| items.iter().map(read_assignment).collect())
    }
}

/// The condition that the item is as it was read; revision 0: that there is none.
fn as_read(revision: u64) -> (&'static str, Terms) {
    match revision {
        0 => ("attribute_not_exists(pk)", Terms::default()),
        revision => ("#r = :r", Terms::default().name("#r", REVISION).number(":r", revision)),
    }
}

/// Of the same change by the same hand. Another hand's change has other content, and is refused.
fn token(stream: &StreamId, revision: u64) -> String {
    let text = format!("{stream}#{revision}");
    format!("{:016x}", hlsops_domain::id::StableHash::new().with(text.as_bytes()).finish())
}

/// Where a page ended.
pub(crate) fn position(key: &Key<'_>, index: &IndexKey<'_>) -> Item {
    let mut position = key_item(key);
    let (partition, sort) = index.pair();
    position.insert(attribute::G1P.into(), AttributeValue::S(partition));
    position.insert(attribute::G1S.into(), AttributeValue::S(sort));
    position
}
