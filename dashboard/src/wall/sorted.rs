//! The wall's order.

use std::sync::Arc;

use super::board::{Board, Entry, Id};
use super::query::{Query, Sort};

/// All streams in one order, kept until they or the order change: a keystroke in the filter sorts nothing.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    sort: Sort,
    entries: Option<Vec<Arc<Entry>>>,
}

impl Sorted {
    /// The streams have changed.
    pub(crate) fn forget(&mut self) {
        self.entries = None;
    }

    /// The streams that the query asks for, in its order.
    pub(crate) fn arrange(&mut self, board: &Board, query: &Query) -> Vec<Id> {
        if self.sort != query.sort {
            (self.sort, self.entries) = (query.sort, None);
        }
        let sorted = self.entries.get_or_insert_with(|| {
            let mut entries: Vec<_> = board.entries().cloned().collect();
            entries.sort_unstable_by(|left, right| query.order(left, right));
            entries
        });
        let matches = query.filter();
        sorted.iter().filter(|entry| matches(entry)).map(|entry| entry.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::{tile, wall};
    use super::*;
    use hlsops_wire::State;

    fn arranged(states: &[(&str, State)], text: &str) -> Vec<Id> {
        let mut board = Board::default();
        board.apply(wall(states.iter().map(|(id, state)| tile(id, *state)).collect()));
        Sorted::default().arrange(&board, &Query { text: text.into(), ..Query::default() })
    }

    #[test]
    fn only_what_is_asked_for_is_shown_in_order() {
        let all = [("a", State::Healthy), ("b", State::Unhealthy), ("c", State::Healthy)];
        assert_eq!(arranged(&all, ""), ["b".into(), "a".into(), "c".into()]);
        assert_eq!(arranged(&all, "stream c"), ["c".into()]);
    }

    #[test]
    fn another_order_and_other_streams_are_sorted_anew() {
        let (mut board, mut sorted) = (Board::default(), Sorted::default());
        board.apply(wall(vec![tile("a", State::Healthy), tile("b", State::Unhealthy)]));
        let by = |sort| Query { sort, ..Query::default() };
        assert_eq!(sorted.arrange(&board, &by(Sort::Severity)), ["b".into(), "a".into()]);
        assert_eq!(sorted.arrange(&board, &by(Sort::Name)), ["a".into(), "b".into()]);
        board.apply(wall(vec![tile("c", State::Healthy)]));
        sorted.forget();
        assert_eq!(sorted.arrange(&board, &by(Sort::Name)), ["c".into()]);
    }
}
