//! The wall's order stays still while somebody points at it, so that a tile never moves under a click.

use super::board::{Board, Id};
use super::query::Query;

/// What is on the wall, from first to last: every stream, and whether it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrangement {
    pub(crate) order: Vec<Id>,
    pub(crate) shown: Vec<bool>,
}

impl Arrangement {
    /// As the query asks for it. Streams that are left out keep their place, hidden: a filter that is typed and
    /// deleted again moves nothing.
    pub(crate) fn of(board: &Board, query: &Query) -> Self {
        let matches = query.filter();
        let mut entries: Vec<_> = board.entries().collect();
        entries.sort_unstable_by(|left, right| query.order(left, right));
        Self {
            shown: entries.iter().map(|entry| matches(entry)).collect(),
            order: entries.iter().map(|entry| entry.id.clone()).collect(),
        }
    }

    /// How many streams are shown.
    pub(crate) fn shown_count(&self) -> usize {
        self.shown.iter().filter(|shown| **shown).count()
    }

    /// The shown streams, in order.
    fn visible(&self) -> impl Iterator<Item = &Id> {
        self.order.iter().zip(&self.shown).filter(|(_, shown)| **shown).map(|(id, _)| id)
    }

    /// How many places of the wall would show another stream in `next`.
    pub(crate) fn moves_to(&self, next: &Self) -> usize {
        let common = self.visible().zip(next.visible()).filter(|(mine, other)| mine != other).count();
        common + self.shown_count().abs_diff(next.shown_count())
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::{tile, wall};
    use super::*;
    use hlsops_wire::State;

    fn arranged(states: &[(&str, State)], query: &Query) -> Arrangement {
        let mut board = Board::default();
        board.apply(wall(states.iter().map(|(id, state)| tile(id, *state)).collect()));
        Arrangement::of(&board, query)
    }

    #[test]
    fn what_is_filtered_out_keeps_its_place() {
        let all = [("a", State::Healthy), ("b", State::Unhealthy), ("c", State::Healthy)];
        let whole = arranged(&all, &Query::default());
        let filtered = arranged(&all, &Query { text: "stream c".into(), ..Query::default() });
        assert_eq!(whole.order, filtered.order);
        assert_eq!((filtered.shown.as_slice(), filtered.shown_count()), (&[false, false, true][..], 1));
    }

    #[test]
    fn moves_are_counted_by_place() {
        let query = Query::default();
        let before = arranged(&[("a", State::Healthy), ("b", State::Healthy), ("c", State::Healthy)], &query);
        let swapped =
            arranged(&[("a", State::Healthy), ("b", State::Unhealthy), ("c", State::Healthy)], &query);
        assert_eq!(before.moves_to(&swapped), 2);
        assert_eq!(before.moves_to(&before), 0);
        let more = arranged(
            &[("a", State::Healthy), ("b", State::Healthy), ("c", State::Healthy), ("d", State::Healthy)],
            &query,
        );
        assert_eq!((before.moves_to(&more), more.moves_to(&before)), (1, 1));
    }
}
