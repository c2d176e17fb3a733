//! Which stream is watched where.

use std::collections::BTreeMap;

/// What a stream costs to watch, in parts of what one watcher can bear. Measured; a new stream counts as
/// [`Weight::NEW`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(pub u32);

impl Weight {
    /// What one watcher bears.
    pub const FULL: u32 = 1_000_000;
    /// A stream nobody has watched: 1/200 of a watcher.
    pub const NEW: Self = Self(5_000);
}

/// Gives every stream without a shard one, and moves at most one stream: a move costs a hand-over, so it
/// must be worth it.
///
/// `streams` holds each stream's weight and its shard so far. Returns the streams to write, with their new
/// shard. Pure and deterministic; O(streams log shards).
#[must_use]
pub fn assign<'a>(streams: &BTreeMap<&'a str, (Weight, Option<u32>)>) -> Vec<(&'a str, u32)> {
    let total: u64 = streams.values().map(|(weight, _)| u64::from(weight.0)).sum();
    let wanted = u32::try_from(total.div_ceil(u64::from(Weight::FULL))).unwrap_or(u32::MAX).max(1);
    let known = streams.values().filter_map(|(_, shard)| *shard).max().map_or(0, |last| last + 1);
    let count = wanted.max(known);
    let mut loads: BTreeMap<u32, u64> = (0..count).map(|shard| (shard, 0)).collect();
    for (weight, shard) in streams.values() {
        if let Some(load) = shard.and_then(|shard| loads.get_mut(&shard)) {
            *load += u64::from(weight.0);
        }
    }
    let mut moves = Vec::new();
    for (id, (weight, shard)) in streams {
        if shard.is_none() {
            let Some((lightest, load)) = loads.iter_mut().min_by_key(|(shard, load)| (**load, **shard))
            else {
                continue;
            };
            *load += u64::from(weight.0);
            moves.push((*id, *lightest));
        }
    }
    moves.extend(relief(streams, &loads));
    moves
}

/// One stream from an overloaded shard to the lightest one, if it fits there.
fn relief<'a>(
    streams: &BTreeMap<&'a str, (Weight, Option<u32>)>,
    loads: &BTreeMap<u32, u64>,
) -> Option<(&'a str, u32)> {
    let (heaviest, load) = loads.iter().max_by_key(|(shard, load)| (**load, std::cmp::Reverse(**shard)))?;
    let (lightest, spare) = loads.iter().min_by_key(|(shard, load)| (**load, **shard))?;
    if *load <= u64::from(Weight::FULL) {
        return None;
    }
    let fits = |weight: Weight| spare + u64::from(weight.0) <= u64::from(Weight::FULL);
    let on_it = streams.iter().filter(|(_, (weight, shard))| *shard == Some(*heaviest) && fits(*weight));
    on_it.max_by_key(|(id, (weight, _))| (*weight, std::cmp::Reverse(**id))).map(|(id, _)| (*id, *lightest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(streams: &[(&str, u32, Option<u32>)], expected: &[(&str, u32)]) {
        let streams = streams.iter().map(|(id, weight, shard)| (*id, (Weight(*weight), *shard))).collect();
        assert_eq!(assign(&streams), expected);
    }

    #[test]
    fn a_stream_that_has_a_place_keeps_it() {
        check(&[("a", 400_000, Some(0)), ("b", 500_000, Some(0))], &[]);
        check(&[("a", 400_000, Some(3)), ("b", 100_000, Some(0))], &[]);
    }

    #[test]
    fn new_streams_go_where_there_is_room() {
        check(&[("a", 5_000, None)], &[("a", 0)]);
        check(&[("a", 900_000, Some(0)), ("b", 5_000, Some(1)), ("c", 5_000, None)], &[("c", 1)]);
    }

    #[test]
    fn an_overloaded_shard_gives_one_stream_away() {
        check(&[("a", 700_000, Some(0)), ("b", 600_000, Some(0))], &[("a", 1)]);
        check(&[("a", 1_700_000, Some(0)), ("b", 900_000, Some(1)), ("c", 400_000, Some(2))], &[]);
    }

    #[test]
    fn many_new_streams_are_spread_evenly() {
        let ids: Vec<String> = (0..1_000).map(|n| format!("s{n:04}")).collect();
        let streams = ids.iter().map(|id| (id.as_str(), (Weight::NEW, None))).collect();
        let mut counts = BTreeMap::new();
        for (_, shard) in assign(&streams) {
            *counts.entry(shard).or_insert(0) += 1;
        }
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [200; 5]);
    }
}
