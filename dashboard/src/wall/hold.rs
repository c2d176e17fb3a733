//! The wall's order, and how far it is from the one that is held while somebody points at it.

use super::board::{Board, Id};
use super::query::Query;

/// The streams that the query asks for, in its order.
pub(crate) fn arrange(board: &Board, query: &Query) -> Vec<Id> {
    let matches = query.filter();
    let mut entries: Vec<_> = board.entries().filter(|entry| matches(entry)).collect();
    entries.sort_unstable_by(|left, right| query.order(left, right));
    entries.iter().map(|entry| entry.id.clone()).collect()
}

/// How many places would show another stream if `next` replaced `now`.
pub(crate) fn moves(now: &[Id], next: &[Id]) -> usize {
    let others = now.iter().zip(next).filter(|(now, next)| now != next).count();
    others + now.len().abs_diff(next.len())
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::{tile, wall};
    use super::*;
    use hlsops_wire::State;

    fn arranged(states: &[(&str, State)], text: &str) -> Vec<Id> {
        let mut board = Board::default();
        board.apply(wall(states.iter().map(|(id, state)| tile(id, *state)).collect()));
        arrange(&board, &Query { text: text.into(), ..Query::default() })
    }

    #[test]
    fn only_what_is_asked_for_is_shown_in_order() {
        let all = [("a", State::Healthy), ("b", State::Unhealthy), ("c", State::Healthy)];
        assert_eq!(arranged(&all, ""), ["b".into(), "a".into(), "c".into()]);
        assert_eq!(arranged(&all, "stream c"), ["c".into()]);
    }

    #[test]
    fn moves_are_counted_by_place() {
        use State::{Healthy, Unhealthy};
        let before = arranged(&[("a", Healthy), ("b", Healthy), ("c", Healthy)], "");
        let swapped = arranged(&[("a", Healthy), ("b", Unhealthy), ("c", Healthy)], "");
        let more = arranged(&[("a", Healthy), ("b", Healthy), ("c", Healthy), ("d", Healthy)], "");
        assert_eq!((moves(&before, &before), moves(&before, &swapped)), (0, 2));
        assert_eq!((moves(&before, &more), moves(&more, &before)), (1, 1));
    }
}
