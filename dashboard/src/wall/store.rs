//! The wall's data as signals. It outlives the page, so that coming back shows it at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hlsops_wire::{Wall, WallCounts};
use leptos::prelude::*;

use super::board::{self, Board, Entry, Id};
use super::query::Query;
use super::sorted::Sorted;
use crate::client::Failure;

/// Between two sentences to screen readers. Unit: milliseconds.
const SPEAK_EVERY_MS: f64 = 10_000.0;

/// How long a sentence stays: less than until the next.
const SAID: Duration = Duration::from_secs(8);

/// A stream's place on the wall.
#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) entry: ArcRwSignal<Arc<Entry>>,
    /// Where it stands among those that are shown, once its tile has been made.
    pub(crate) place: ArcRwSignal<usize>,
}

/// Everything the wall shows.
#[derive(Clone, Copy)]
pub(crate) struct WallStore {
    board: StoredValue<Board>,
    sorted: StoredValue<Sorted>,
    cells: StoredValue<HashMap<Id, Cell>>,
    /// The streams that are shown, in the order of the wall.
    pub(crate) shown: RwSignal<Arc<[Id]>>,
    /// All streams, shown or not.
    pub(crate) total: RwSignal<usize>,
    pub(crate) counts: RwSignal<WallCounts>,
    /// False until the first answer.
    pub(crate) is_loaded: RwSignal<bool>,
    pub(crate) failure: RwSignal<Option<Failure>>,
    pub(crate) query: RwSignal<Query>,
    /// Somebody points at the grid, or moves in it by keys: nothing moves.
    held: StoredValue<bool>,
    /// The order would be another if it were not held.
    pub(crate) pending: RwSignal<bool>,
    /// The stream whose page was shown just before the wall.
    pub(super) left: RwSignal<Option<Id>>,
    /// What a screen reader says.
    pub(crate) said: RwSignal<String>,
    spoke_ms: StoredValue<f64>,
}

impl WallStore {
    pub(crate) fn start() -> Self {
        let store = Self {
            board: StoredValue::new(Board::default()),
            sorted: StoredValue::new(Sorted::default()),
            cells: StoredValue::new(HashMap::new()),
            shown: RwSignal::new(Arc::default()),
            total: RwSignal::new(0),
            counts: RwSignal::new(WallCounts::default()),
            is_loaded: RwSignal::new(false),
            failure: RwSignal::new(None),
            query: RwSignal::new(Query::default()),
            held: StoredValue::new(false),
            pending: RwSignal::new(false),
            left: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            spoke_ms: StoredValue::new(f64::NEG_INFINITY),
        };
        provide_context(store);
        store
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(Self::start)
    }

    /// Forgets everything: another key may belong to another account.
    pub(crate) fn clear(self) {
        self.board.set_value(Board::default());
        self.sorted.update_value(Sorted::forget);
        self.cells.update_value(HashMap::clear);
        self.is_loaded.set(false);
        self.failure.set(None);
        self.arrange(true);
    }

    /// What to ask for the changes since.
    pub(crate) fn version(self) -> Option<String> {
        self.board.with_value(|board| board.version.clone())
    }

    /// The place of a stream, where there is one.
    pub(crate) fn cell(self, id: &Id) -> Option<Cell> {
        self.cells.with_value(|cells| cells.get(id).cloned())
    }

    /// Says where a stream stands.
    pub(crate) fn put(self, id: &Id, place: usize) {
        self.cells.with_value(|cells| {
            if let Some(cell) = cells.get(id).filter(|cell| cell.place.get_untracked() != place) {
                cell.place.set(place);
            }
        });
    }

    /// Takes an answer over.
    pub(crate) fn apply(self, wall: Wall, now_ms: f64) {
        let changes = self.board.try_update_value(|board| board.apply(wall)).unwrap_or_default();
        if !(changes.changed.is_empty() && changes.removed.is_empty()) {
            self.sorted.update_value(Sorted::forget);
        }
        let counts = self.board.with_value(|board| board.counts);
        self.cells.update_value(|cells| {
            for id in &changes.removed {
                cells.remove(id);
            }
            for entry in &changes.changed {
                match cells.get(&entry.id) {
                    Some(cell) => cell.entry.set(Arc::clone(entry)),
                    None => {
                        let (entry, id) = (Arc::clone(entry), entry.id.clone());
                        let cell = Cell { entry: ArcRwSignal::new(entry), place: ArcRwSignal::new(0) };
                        cells.insert(id, cell);
                    }
                }
            }
        });
        if let Some(sentence) = board::sentence(&changes, counts)
            && now_ms - self.spoke_ms.get_value() >= SPEAK_EVERY_MS
        {
            self.spoke_ms.set_value(now_ms);
            self.said.set(sentence);
            // What was said is read at once, and does not stay true.
            set_timeout(move || self.said.set(String::new()), SAID);
        }
        if self.counts.get_untracked() != counts {
            self.counts.set(counts);
        }
        self.arrange(false);
        if !self.is_loaded.get_untracked() {
            self.is_loaded.set(true);
        }
    }

    /// Asks something else of the wall.
    pub(crate) fn ask(self, query: Query) {
        if self.query.with_untracked(|before| *before != query) {
            self.query.set(query);
            self.arrange(true);
        }
    }

    /// Changes what is asked.
    pub(crate) fn amend(self, change: impl FnOnce(&mut Query)) {
        let mut query = self.query.get_untracked();
        change(&mut query);
        self.ask(query);
    }

    /// Another page is shown than before.
    pub(crate) fn go(self, from: &str, to: &str) {
        self.left.set(left(from, to).map(Into::into));
    }

    /// Holds the order, or lets it go.
    pub(crate) fn hold(self, held: bool) {
        if self.held.get_value() != held {
            self.held.set_value(held);
            if !held && self.pending.get_untracked() {
                self.arrange(true);
            }
        }
    }

    pub(super) fn is_held(self) -> bool {
        self.held.get_value()
    }

    /// Brings the wall in order, unless it is held; `now` also then.
    pub(crate) fn arrange(self, now: bool) {
        let query = self.query.get_untracked();
        let arrange =
            |sorted: &mut Sorted| self.board.with_value(|board| (sorted.arrange(board, &query), board.len()));
        let (next, total) = self.sorted.try_update_value(arrange).unwrap_or_default();
        if self.total.get_untracked() != total {
            self.total.set(total);
        }
        if self.held.get_value() && !now {
            self.pending.set(self.shown.with_untracked(|shown| **shown != *next));
            return;
        }
        if self.shown.with_untracked(|shown| **shown != *next) {
            self.shown.set(next.into());
        }
        self.pending.set(false);
    }
}

/// The stream whose page, or whose settings, were left for the wall.
fn left<'a>(from: &'a str, to: &str) -> Option<&'a str> {
    let stream = from.strip_prefix("/streams/")?.split('/').next()?;
    (to == "/").then_some(stream)
}

#[cfg(test)]
mod tests {
    use super::left;

    #[test]
    fn only_the_way_from_a_stream_to_the_wall_is_remembered() {
        assert_eq!(left("/streams/str_1", "/"), Some("str_1"));
        assert_eq!(left("/streams/str_1/settings", "/"), Some("str_1"));
        assert_eq!(
            [left("/streams/str_1", "/inbox"), left("/incidents/inc_1", "/"), left("/", "/")],
            [None; 3]
        );
    }
}
