//! The two items of a stream's configuration.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::ids::{ShardId, StreamId};
use crate::item::{Item, Reading, Writing};
use crate::keys::{IndexKey, Key};
use crate::pauses;
use crate::streams::{Assignment, Segments, StreamConfig, WatchMode};

const VERSION: u64 = 1;
const STREAM: &str = "str";
const URL: &str = "url";
const NAME: &str = "name";
const LINK: &str = "link";
const ENABLED: &str = "on";
const INTERVAL: &str = "int";
const SEGMENTS: &str = "seg";
const HEADERS: &str = "hdr";
const PROFILE: &str = "prof";
const OVERRIDES: &str = "lim";
const TAGS: &str = "tags";
const CREATED: &str = "at";
const PAUSES: &str = "pz";
pub(crate) const REVISION: &str = "rev";
pub(crate) const SHARD: &str = "sh";
pub(crate) const WEIGHT: &str = "w";

pub(crate) fn write_config(config: &StreamConfig) -> Item {
    write_fields(&Key::Config(&config.id), config).indexed(&IndexKey::OfAccount(&config.id)).done()
}

pub(crate) fn write_assignment(assignment: &Assignment) -> Item {
    let id = &assignment.config.id;
    let item = write_fields(&Key::Assignment(id), &assignment.config)
        .number(SHARD, assignment.shard.0.into())
        .number(WEIGHT, assignment.weight);
    let listed = assignment.config.enabled.then_some(IndexKey::OfShard(assignment.shard, id));
    item.maybe(listed, |item, key| item.indexed(&key)).done()
}

fn write_fields(key: &Key<'_>, config: &StreamConfig) -> Writing {
    let overrides: Vec<(String, String)> =
        config.overrides.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let interval = match config.watch {
        WatchMode::Continuous => None,
        WatchMode::Interval { every_s } => Some(every_s),
    };
    Writing::new(key, VERSION)
        .text(STREAM, config.id.to_string())
        .text(URL, &config.url)
        .text(NAME, &config.name)
        .maybe(config.link_id.as_ref(), |item, link| item.text(LINK, link))
        .flag(ENABLED, config.enabled)
        .maybe(interval, |item, every_s| item.number(INTERVAL, every_s))
        .flag(SEGMENTS, config.segments == Segments::Full)
        .texts(HEADERS, &config.headers)
        .text(PROFILE, &config.profile)
        .texts(OVERRIDES, &overrides)
        .texts(TAGS, &config.tags)
        .number(CREATED, config.created_at.0)
        .texts(PAUSES, &pauses::write(&config.pauses))
        .number(REVISION, config.revision)
}

pub(crate) fn read_config(item: &Item) -> Result<StreamConfig, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let overrides = reading.texts(OVERRIDES).into_iter();
    let overrides: Result<BTreeMap<String, f64>, _> =
        overrides.map(|(name, value)| value.parse().map(|value| (name, value))).collect();
    Ok(StreamConfig {
        id: StreamId::parse(reading.text(STREAM)?)?,
        url: reading.text(URL)?.into(),
        name: reading.text(NAME)?.into(),
        link_id: reading.find_text(LINK).map(Into::into),
        enabled: reading.flag(ENABLED),
        watch: match reading.find_number(INTERVAL) {
            Some(every_s) => WatchMode::Interval { every_s },
            None => WatchMode::Continuous,
        },
        segments: if reading.flag(SEGMENTS) { Segments::Full } else { Segments::None },
        headers: reading.texts(HEADERS),
        profile: reading.text(PROFILE)?.into(),
        overrides: overrides.map_err(|_| reading.damaged(OVERRIDES))?,
        tags: reading.texts(TAGS),
        created_at: reading.time(CREATED)?,
        pauses: pauses::read(&reading.texts(PAUSES)).ok_or_else(|| reading.damaged(PAUSES))?,
        revision: reading.number(REVISION)?,
    })
}

pub(crate) fn read_assignment(item: &Item) -> Result<Assignment, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let shard = u32::try_from(reading.number(SHARD)?).map_err(|_| reading.damaged(SHARD))?;
    Ok(Assignment { config: read_config(item)?, shard: ShardId(shard), weight: reading.number(WEIGHT)? })
}
