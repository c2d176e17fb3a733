//! What the wall shows of one stream.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use hlsops_domain::rendition::{PlaylistState, Rendition};
use hlsops_domain::{EpochMs, Event, EventKind, HealthState, StreamState};
use hlsops_origin::DemoStream;
use hlsops_watch::Sink;

use crate::reasons;

/// One stream of the wall.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(crate) row: &'static DemoStream,
    pub(crate) health: HealthState,
    pub(crate) since: EpochMs,
    pub(crate) reasons: Vec<String>,
    /// State of the worst playlist.
    pub(crate) playlist: &'static str,
    pub(crate) codes: BTreeSet<&'static str>,
    /// Healths seen so far, in words, each once.
    pub(crate) seen: BTreeSet<&'static str>,
    /// Playlist states seen so far.
    pub(crate) playlists_seen: BTreeSet<&'static str>,
}

impl Tile {
    pub(crate) fn new(row: &'static DemoStream, now: EpochMs) -> Self {
        Self {
            row,
            health: HealthState::NoData,
            since: now,
            reasons: vec!["looking for the first time".into()],
            playlist: "Unknown",
            codes: BTreeSet::new(),
            seen: BTreeSet::new(),
            playlists_seen: BTreeSet::new(),
        }
    }

    /// Health, playlist state and findings are what the origin's table says they must come to.
    pub(crate) fn is_as_expected(&self) -> bool {
        let mut health = self.row.health.iter().map(|h| h.name());
        let reached = if self.row.alternates {
            health.all(|word| self.seen.contains(word))
        } else {
            health.next_back() == Some(self.health.name())
        };
        reached
            && self.playlists_seen.contains(self.row.playlist_state.name())
            && self.row.codes.iter().all(|code| self.codes.contains(code))
    }
}

/// Writes what happens into a tile.
pub(crate) struct TileSink(Arc<Mutex<Tile>>);

impl TileSink {
    pub(crate) fn new(tile: Arc<Mutex<Tile>>) -> Self {
        Self(tile)
    }
}

impl Sink for TileSink {
    fn stepped(&mut self, state: &StreamState, _at: EpochMs, events: &[Event]) {
        let mut tile = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tile.health = state.health.state;
        tile.since = state.health_since;
        tile.seen.insert(state.health.state.name());
        tile.reasons = reasons::lines(state);
        tile.reasons.truncate(2);
        if let Some(worst) = state.played().max_by_key(|r| badness(r)) {
            tile.playlist = worst.playlist.name();
            tile.playlists_seen.insert(worst.playlist.name());
        }
        for event in events {
            if let EventKind::Finding(finding) = &event.kind {
                tile.codes.insert(finding.rule.code);
            }
        }
    }
}

fn badness(rendition: &Rendition) -> u8 {
    match rendition.playlist {
        PlaylistState::HttpError(_) => 5,
        PlaylistState::Stalled => 4,
        PlaylistState::Unknown => 3,
        PlaylistState::Live => 2,
        PlaylistState::LiveEnd => 1,
        PlaylistState::Vod => 0,
    }
}
