//! A stream on the wall.

use std::time::Duration;

use hlsops_domain::freshness::{Pace, is_stale};
use hlsops_domain::health::What;
use hlsops_domain::{EpochMs, HealthState};
use hlsops_store::{IncidentItem, StreamConfig, Tile, WatchMode};
use hlsops_wire::{IncidentStatus, State, WallTile};

use super::state;
use crate::times;

/// What is known of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) config: &'a StreamConfig,
    /// What its watcher said last, and when.
    pub(crate) summary: Option<(EpochMs, &'a Tile)>,
    /// The incident that is open.
    pub(crate) incident: Option<&'a IncidentItem>,
    pub(crate) now: EpochMs,
}

impl<'a> Known<'a> {
    /// What its watcher said, if that is not of the time before the stream was paused.
    fn since_resumed(&self) -> Option<(EpochMs, &'a Tile)> {
        let resumed = self.config.resumed_at().unwrap_or_default();
        self.summary.filter(|(_, tile)| tile.last_look.is_none_or(|look| look >= resumed))
    }
}

/// An incident this young is shown with the summary that tells of it; a summary is written every two seconds
/// while anything changes.
const YOUNG: Duration = Duration::from_secs(10);

pub(crate) const fn pace(config: &StreamConfig) -> Pace {
    match config.watch {
        WatchMode::Continuous => Pace::Continuous,
        WatchMode::Interval { every_s } => Pace::Interval(Duration::from_secs(every_s)),
    }
}

/// Whether an open incident is of the moment that the tile shows.
///
/// Incidents are read as of now and states from a summary that is up to some seconds older: a tile must not
/// tell of an incident while its state is of the time before. An incident that no summary comes to tell of is
/// shown all the same.
pub(crate) fn is_told(
    config: &StreamConfig,
    summary: Option<(EpochMs, &Tile)>,
    open: &IncidentItem,
    now: EpochMs,
) -> bool {
    let told = summary.is_some_and(|(_, tile)| tile.incident.is_some());
    let fresh = summary.filter(|summary| !is_stale(pace(config), Some(saved(config, *summary)), now));
    told || fresh.map_or(now, |(at, _)| at).since(open.opened) > YOUNG
}

/// When somebody looked last, as far as a summary tells.
fn saved(config: &StreamConfig, (at, tile): (EpochMs, &Tile)) -> EpochMs {
    match config.watch {
        WatchMode::Continuous => at,
        WatchMode::Interval { .. } => tile.last_look.unwrap_or(at),
    }
}

/// How a stream is now: never the last colour, but NO DATA where nobody has said anything for too long.
pub(crate) fn wall_tile(known: &Known<'_>) -> WallTile {
    let Known { config, incident, now, .. } = known;
    let summary = known.since_resumed();
    let saved = summary.map(|summary| saved(config, summary));
    let fresh = summary.filter(|_| !is_stale(pace(config), saved, *now));
    let (now_state, since, reason) = match (config.enabled, fresh, saved) {
        (false, ..) => (State::Paused, config.pauses().last().map(|pause| pause.from), String::new()),
        (true, Some((_, tile)), _) => (state(tile.health), Some(tile.since), why(tile)),
        (true, None, Some(saved)) => {
            (State::NoData, Some(saved), format!("nobody has looked since {}", times::text(saved)))
        }
        (true, None, None) => {
            let since = config.resumed_at().unwrap_or(config.created_at);
            (State::NoData, Some(since), FIRST_LOOK.into())
        }
    };
    WallTile {
        id: config.id.name().into(),
        name: config.name.clone(),
        state: now_state,
        since_at: since.map(times::text),
        reason,
        reason_as_of: fresh.filter(|_| config.enabled).and_then(|(_, tile)| tile.reasons_at).map(times::text),
        playlist_state: fresh.filter(|_| config.enabled).map(|(_, tile)| tile.playlist.name().into()),
        incident: incident.map(|open| match open.acknowledged {
            Some(_) => IncidentStatus::Acknowledged,
            None => IncidentStatus::Open,
        }),
        acknowledged_by: incident.and_then(|open| open.acknowledged.as_ref()).map(|(_, by)| by.clone()),
        tags: config.tags.iter().map(tag).collect(),
    }
}

const FIRST_LOOK: &str = "waiting for the first look";

/// The reasons of a tile. One that is just begun with has none yet, and is waited for.
fn why(tile: &Tile) -> String {
    match (tile.health, tile.last_look) {
        (HealthState::NoData, None) if tile.reasons.is_empty() => FIRST_LOOK.into(),
        (HealthState::NoData, Some(_)) if tile.reasons.is_empty() => What::Starting.to_string(),
        _ => tile.reasons.join("; "),
    }
}

fn tag((key, value): &(String, String)) -> String {
    if value.is_empty() { key.clone() } else { format!("{key}={value}") }
}
