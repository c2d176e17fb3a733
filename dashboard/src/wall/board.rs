//! What the page knows of the wall, brought up to date by one answer after the other.

use std::collections::HashMap;
use std::sync::Arc;

use hlsops_wire::{State, Wall, WallCounts, WallTile};

use crate::time;

/// A stream's id. Cheap to clone, as it is the key of everything.
pub(crate) type Id = Arc<str>;

/// A stream on the wall, prepared for showing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    pub(crate) tile: WallTile,
    /// Since when it is in its state, in milliseconds since 1970.
    pub(crate) since_ms: Option<i64>,
    /// What a filter looks into, in lower case.
    pub(crate) haystack: String,
    /// The last answer made it worse: to be pointed out once.
    pub(crate) worsened: bool,
}

impl Entry {
    fn new(tile: WallTile, before: Option<&Self>) -> Self {
        let mut haystack = [&tile.name, &tile.reason, &tile.id].map(|text| text.to_lowercase()).join("\n");
        for tag in &tile.tags {
            haystack.push('\n');
            haystack.push_str(&tag.to_lowercase());
        }
        Self {
            id: before.map_or_else(|| tile.id.as_str().into(), |before| before.id.clone()),
            since_ms: tile.since_at.as_deref().and_then(time::parse),
            haystack,
            worsened: before.is_some_and(|before| is_worse(tile.state, before.tile.state)),
            tile,
        }
    }
}

/// Whether people must be told. NO DATA after UNHEALTHY is not, and neither is a stream that is watched again.
fn is_worse(now: State, before: State) -> bool {
    now < before && before != State::Paused && now != State::NoData
        || (now == State::NoData && before == State::Healthy)
}

/// All streams.
#[derive(Debug, Default)]
pub(crate) struct Board {
    entries: HashMap<Id, Arc<Entry>>,
    pub(crate) counts: WallCounts,
    /// What to ask for the changes since.
    pub(crate) version: Option<String>,
}

/// What an answer changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// New streams, and those that look different now.
    pub(crate) changed: Vec<Arc<Entry>>,
    /// Streams that are gone.
    pub(crate) removed: Vec<Id>,
}

impl Board {
    /// Takes an answer over. One that is partial leaves what it does not name.
    pub(crate) fn apply(&mut self, wall: Wall) -> Changes {
        let mut changes = Changes::default();
        if wall.partial {
            changes.removed = wall
                .removed
                .iter()
                .filter_map(|id| self.entries.remove(id.as_str()))
                .map(|gone| gone.id.clone())
                .collect();
        } else {
            let named: std::collections::HashSet<&str> =
                wall.tiles.iter().map(|tile| tile.id.as_str()).collect();
            let gone = self.entries.keys().filter(|id| !named.contains(&***id));
            changes.removed = gone.cloned().collect();
            for id in &changes.removed {
                self.entries.remove(id);
            }
        }
        self.forget_worsening(&mut changes);
        for tile in wall.tiles {
            let before = self.entries.get(tile.id.as_str());
            if before.is_some_and(|before| before.tile == tile) {
                continue;
            }
            let entry = Arc::new(Entry::new(tile, before.map(|before| &**before)));
            self.entries.insert(entry.id.clone(), Arc::clone(&entry));
            changes.changed.push(entry);
        }
        self.counts = wall.counts;
        self.version = Some(wall.version);
        changes
    }

    /// What one answer pointed out is old at the next.
    fn forget_worsening(&mut self, changes: &mut Changes) {
        for entry in self.entries.values_mut().filter(|entry| entry.worsened) {
            *entry = Arc::new(Entry {
                id: entry.id.clone(),
                tile: entry.tile.clone(),
                since_ms: entry.since_ms,
                haystack: entry.haystack.clone(),
                worsened: false,
            });
            changes.changed.push(Arc::clone(entry));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }
}

/// What a screen reader says of an answer: worsening only, in one sentence.
pub(crate) fn sentence(changes: &Changes, counts: WallCounts) -> Option<String> {
    let mut worse = changes.changed.iter().filter(|entry| entry.worsened);
    let worst = worse.clone().min_by_key(|entry| entry.tile.state)?;
    let all = match worst.tile.state {
        State::Unhealthy => counts.unhealthy,
        State::Degraded => counts.degraded,
        _ => counts.no_data,
    };
    let word = worst.tile.state.name().to_lowercase();
    let others = match worse.by_ref().count() - 1 {
        0 => String::new(),
        1 => " and 1 other worse".to_owned(),
        count => format!(" and {count} others worse"),
    };
    Some(format!("{} {word}{others}; {all} {word} in all", worst.tile.name))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn tile(id: &str, state: State) -> WallTile {
        WallTile {
            id: id.into(),
            name: format!("Stream {id}"),
            state,
            since_at: None,
            reason: String::new(),
            reason_as_of: None,
            playlist_state: None,
            incident: None,
            acknowledged_by: None,
            tags: Vec::new(),
        }
    }

    pub(crate) fn wall(tiles: Vec<WallTile>) -> Wall {
        let mut counts = WallCounts::default();
        tiles.iter().for_each(|tile| counts.add(tile.state));
        Wall {
            as_of: "2026-11-22T03:04:05.678Z".into(),
            probed_at: None,
            version: "v1".into(),
            partial: false,
            counts,
            tiles,
            removed: Vec::new(),
        }
    }

    fn ids(changes: &Changes) -> Vec<&str> {
        changes.changed.iter().map(|entry| &*entry.id).collect()
    }

    #[test]
    fn a_whole_answer_replaces_and_a_partial_one_amends() {
        let mut board = Board::default();
        board.apply(wall(vec![tile("a", State::Healthy), tile("b", State::Healthy)]));
        let changes = board.apply(wall(vec![tile("a", State::Healthy), tile("c", State::Healthy)]));
        assert_eq!((ids(&changes), changes.removed.as_slice()), (vec!["c"], &["b".into()][..]));
        let partial =
            Wall { partial: true, removed: vec!["c".into()], ..wall(vec![tile("d", State::Paused)]) };
        let changes = board.apply(partial);
        assert_eq!((ids(&changes), changes.removed.as_slice()), (vec!["d"], &["c".into()][..]));
        let mut left: Vec<_> = board.entries().map(|entry| &*entry.id).collect();
        left.sort_unstable();
        assert_eq!(left, ["a", "d"]);
    }

    #[test]
    fn an_equal_tile_is_no_change() {
        let mut board = Board::default();
        board.apply(wall(vec![tile("a", State::Degraded)]));
        let changes = board.apply(wall(vec![tile("a", State::Degraded)]));
        assert!(changes.changed.is_empty() && changes.removed.is_empty());
    }

    #[test]
    fn worsening_is_pointed_out_once() {
        let mut board = Board::default();
        let first = board.apply(wall(vec![tile("a", State::Unhealthy)]));
        assert!(sentence(&first, board.counts).is_none(), "what was so from the start is no news");
        board.apply(wall(vec![tile("a", State::Healthy), tile("b", State::Healthy)]));
        let worse = board.apply(wall(vec![tile("a", State::Unhealthy), tile("b", State::Degraded)]));
        let said = sentence(&worse, board.counts);
        assert_eq!(said.as_deref(), Some("Stream a unhealthy and 1 other worse; 1 unhealthy in all"));
        let next = board.apply(wall(vec![tile("a", State::Unhealthy), tile("b", State::Degraded)]));
        assert_eq!(next.changed.len(), 2, "the outlines go");
        assert!(sentence(&next, board.counts).is_none());
    }

    #[test]
    fn getting_better_and_starting_are_not_worse() {
        use State::{Degraded, Healthy, NoData, Paused, Unhealthy};
        for (before, now) in
            [(Unhealthy, Healthy), (Paused, Unhealthy), (Unhealthy, NoData), (Healthy, Paused)]
        {
            assert!(!is_worse(now, before), "{before:?} -> {now:?}");
        }
        for (before, now) in
            [(Healthy, Degraded), (Degraded, Unhealthy), (Healthy, NoData), (NoData, Unhealthy)]
        {
            assert!(is_worse(now, before), "{before:?} -> {now:?}");
        }
    }
}
