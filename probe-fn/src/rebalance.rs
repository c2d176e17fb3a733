//! Moves streams away from shards that have more than a watcher bears, and adds shards in time.

use std::collections::{BTreeMap, BTreeSet};

use hlsops_store::{Assignment, Lease, Paid, ShardId, Spent, Store, StoreError, StreamId};

use crate::shards::{Weight, assign};

/// What a watcher bears, in the unit of [`Assignment::weight`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// Above this a shard gives streams away.
    full: u64,
    /// On average; above this there is one more shard, so that new streams find room.
    wanted: u64,
}

impl Default for Capacity {
    fn default() -> Self {
        let full = u64::from(Weight::FULL / Weight::NEW.0) * Assignment::USUAL;
        Self { full, wanted: full * 7 / 10 }
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Balanced {
    /// Shards there are now.
    pub(crate) shards: u32,
    /// Shards that got streams: they need a watcher of a newer epoch.
    pub(crate) receivers: BTreeSet<u32>,
    /// Streams moved.
    pub(crate) moved: usize,
}

/// Most streams moved in a tick.
const MOST_MOVES: usize = 200;

pub(crate) async fn rebalance(
    store: &Store,
    leases: &[Lease],
    capacity: Capacity,
) -> Result<Paid<Balanced>, StoreError> {
    let mut spent = Spent::default();
    let loads: Vec<u64> = leases.iter().map(|lease| lease.beat.weight).collect();
    let (shards, overloaded) = plan(&loads, capacity);
    let mut balanced = Balanced { shards, ..Balanced::default() };
    if shards as usize > leases.len() {
        store.grow_shards(shards).await?.add_to(&mut spent);
    }
    if overloaded {
        let mut streams = Vec::new();
        for shard in (0..).take(leases.len()) {
            let summary = store.summary(ShardId(shard)).await?.add_to(&mut spent);
            let tiles = summary.map(|summary| summary.tiles).unwrap_or_default();
            streams.extend(tiles.into_iter().map(|tile| (tile.stream, tile.weight, shard)));
        }
        for (stream, to) in moves(&streams) {
            if relocate(store, &stream, to).await?.add_to(&mut spent) {
                balanced.receivers.insert(to);
                balanced.moved += 1;
            }
        }
    }
    Ok(Paid { value: balanced, spent })
}

/// How many shards there should be, and whether one of them has too much.
fn plan(loads: &[u64], capacity: Capacity) -> (u32, bool) {
    let wanted = loads.iter().sum::<u64>().div_ceil(capacity.wanted.max(1));
    let shards = u32::try_from(wanted.max(loads.len() as u64)).unwrap_or(u32::MAX);
    (shards, loads.iter().any(|load| *load > capacity.full))
}

/// Which streams go where, until no shard has too much or no shard has room.
fn moves(streams: &[(StreamId, u64, u32)]) -> Vec<(StreamId, u32)> {
    let names: Vec<String> = streams.iter().map(|(id, _, _)| id.to_string()).collect();
    let weigh = |weight: u64| {
        let usual = if weight == 0 { Assignment::USUAL } else { weight };
        let parts = usual.saturating_mul(Weight::NEW.0.into()) / Assignment::USUAL;
        Weight(u32::try_from(parts).unwrap_or(u32::MAX))
    };
    let mut known: BTreeMap<&str, (Weight, Option<u32>)> = names
        .iter()
        .zip(streams)
        .map(|(name, (_, weight, shard))| (name.as_str(), (weigh(*weight), Some(*shard))))
        .collect();
    let mut all = BTreeMap::new();
    while all.len() < MOST_MOVES {
        let next = assign(&known);
        if next.is_empty() {
            break;
        }
        for (name, shard) in next {
            all.insert(name, shard);
            if let Some((_, at)) = known.get_mut(name) {
                *at = Some(shard);
            }
        }
    }
    let ids = all.into_iter().filter_map(|(name, shard)| Some((StreamId::parse(name).ok()?, shard)));
    ids.collect()
}

/// `false` when it is gone, or somebody changed it meanwhile: the next tick sees to it.
async fn relocate(store: &Store, stream: &StreamId, to: u32) -> Result<Paid<bool>, StoreError> {
    let mut spent = Spent::default();
    let moved = match store.assignment(stream).await?.add_to(&mut spent) {
        Some(read) if read.shard != ShardId(to) => {
            store.move_stream(&read, ShardId(to), read.weight).await?.add_to(&mut spent)
        }
        _ => false,
    };
    Ok(Paid { value: moved, spent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_shards_enough_before_one_is_full() {
        let capacity = Capacity::default();
        for (loads, expected) in [
            (&[0][..], (1, false)),
            (&[140_000], (1, false)),
            (&[141_000], (2, false)),
            (&[201_000], (2, true)),
            (&[100_000, 20_000, 0], (3, false)),
            (&[1_000_000], (8, true)),
        ] {
            assert_eq!(plan(loads, capacity), expected, "{loads:?}");
        }
    }

    #[test]
    fn an_overloaded_shard_is_emptied_in_one_tick() {
        let id = |n: u32| StreamId::new("acme", &format!("s{n:03}")).expect("valid");
        let streams: Vec<_> = (0..300).map(|n| (id(n), 0, 0)).collect();
        let moved = moves(&streams);
        assert_eq!(moved.len(), 100, "to 200 streams");
        assert!(moved.iter().all(|(_, shard)| *shard == 1));
        assert_eq!(moves(&streams[..200]), []);
        let heavy: Vec<_> = (0..300).map(|n| (id(n), 2_000, n % 2)).collect();
        let moved = moves(&heavy);
        assert_eq!(moved.len(), 100, "100 stay in each");
        assert!(moved.iter().all(|(_, shard)| *shard == 2));
    }
}
