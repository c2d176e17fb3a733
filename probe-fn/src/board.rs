//! The tiles of a shard while it is watched: each stream keeps its own up to date, the shard stores them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hlsops_domain::incident::Incident;
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState, StreamState, health};
use hlsops_store::{StreamId, Tile};
use tokio::sync::Notify;

/// Where a stream shows its tile. Clones are the same place.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    tile: Arc<Mutex<Tile>>,
    changed: Arc<Notify>,
}

impl Place {
    /// With what an earlier watcher has shown there. `changed` is told of what a wall must not wait for.
    pub(crate) fn new(stream: &StreamId, earlier: Option<Tile>, now: EpochMs, changed: Arc<Notify>) -> Self {
        let unseen = || Tile {
            stream: stream.clone(),
            health: HealthState::NoData,
            since: now,
            last_look: None,
            incident: None,
            playlist: PlaylistState::Unknown,
            reasons: Vec::new(),
            reasons_at: None,
            weight: 0,
        };
        Self { tile: Arc::new(Mutex::new(earlier.unwrap_or_else(unseen))), changed }
    }

    /// The tile now.
    pub(crate) fn tile(&self) -> Tile {
        self.lock().clone()
    }

    /// Only that somebody looked, where nothing else is new to the tile. Health that was taken over is.
    pub(crate) fn looked(&self, state: &StreamState, at: EpochMs) {
        let mut tile = self.lock();
        if (tile.health, tile.since) == (state.health.state, state.health_since) {
            tile.last_look = state.last_look;
            return;
        }
        drop(tile);
        self.show(state, at);
    }

    /// Everything as of `at`, and tells the shard if a state has changed, or a figure in its reasons: the stream's own
    /// page has it at the same time.
    pub(crate) fn show(&self, state: &StreamState, at: EpochMs) {
        let mut tile = self.lock();
        let incident = match state.incident {
            Incident::Open { since, .. } => Some(since),
            Incident::None | Incident::Pending { .. } => None,
        };
        let playlist = playlist(state).unwrap_or(tile.playlist);
        let mut changed =
            (tile.health, tile.incident, tile.playlist) != (state.health.state, incident, playlist);
        // A state that was taken over has no reasons before its first look; those of the tile still hold.
        if changed || !state.health.reasons.is_empty() || state.health.state == HealthState::Healthy {
            let mut reasons = health::lines(&state.health.reasons, &state.labels());
            reasons.truncate(Tile::MAX_REASONS);
            changed |= tile.reasons != reasons;
            tile.reasons_at = (!reasons.is_empty()).then_some(at);
            tile.reasons = reasons;
        }
        (tile.health, tile.since) = (state.health.state, state.health_since);
        (tile.last_look, tile.incident, tile.playlist) = (state.last_look, incident, playlist);
        drop(tile);
        if changed {
            self.changed.notify_one();
        }
    }

    /// What watching cost in a minute, smoothed, since streams of 10 s segments are uneven.
    pub(crate) fn weigh(&self, weight: u64) {
        let mut tile = self.lock();
        tile.weight = if tile.weight == 0 { weight } else { (tile.weight * 3 + weight) / 4 };
    }

    /// A tile is whole after every statement above, also if a thread died in between.
    fn lock(&self) -> MutexGuard<'_, Tile> {
        self.tile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The worst state of the playlists that count; the stream's own does not load: that.
pub(crate) fn playlist(state: &StreamState) -> Option<PlaylistState> {
    if let Some(failure) = state.master_down() {
        return Some(PlaylistState::HttpError(failure));
    }
    state.played().map(|rendition| rendition.playlist).max_by_key(|playlist| playlist.rank())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hlsops_domain::Health;

    use super::*;

    const START: EpochMs = EpochMs(1_800_000_000_000);

    fn lost(count: u64) -> Health {
        let of = Duration::from_secs(120);
        let what = health::What::SegmentsLost { count, share: 0.1, within: of, of };
        let reasons = vec![health::Reason { state: HealthState::Degraded, rendition: None, what }];
        Health { state: HealthState::Degraded, reasons }
    }

    /// Seconds after the start that the tile's figures are of, and what it says.
    fn told(place: &Place) -> (Option<u64>, String) {
        let tile = place.tile();
        (tile.reasons_at.map(|at| at.since(START).as_secs()), tile.reasons.join("; "))
    }

    #[test]
    fn a_tile_says_of_when_its_figures_are() {
        let at = |seconds| START + Duration::from_secs(seconds);
        let stream = StreamId::new("default", "one").expect("valid");
        let place = Place::new(&stream, None, START, Arc::default());
        let mut state = StreamState::new(START);
        assert_eq!(told(&place), (None, String::new()));

        state.health = lost(3);
        place.show(&state, at(1));
        let first = told(&place);
        assert!(first.0 == Some(1) && first.1.starts_with("3 segments lost"), "{first:?}");
        state.health = lost(4);
        place.looked(&state, at(2));
        assert_eq!(told(&place), first, "only looked at");
        place.show(&state, at(3));
        assert!(told(&place).0 == Some(3) && told(&place).1.starts_with("4 segments lost"));
        place.show(&state, at(4));
        assert_eq!(told(&place).0, Some(4), "still so");

        state.health = Health { state: HealthState::Healthy, reasons: Vec::new() };
        place.show(&state, at(5));
        assert_eq!(told(&place), (None, String::new()));
    }
}
