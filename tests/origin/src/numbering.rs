//! Which media sequence number a segment has, through jumps and encoder restarts.
//!
//! A *slot* is a segment's place in time: slot `k` of a stream covers the `k`-th segment length after its epoch and
//! never changes. Numbers and names are given to slots by an [`Era`]; a playlist shows the era of its newest slot.

/// Numbers given from one slot on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    /// How many encoder restarts came before; part of a segment's name if not 0.
    pub generation: u64,
    /// Oldest slot the encoder of this generation made; playlists list nothing older.
    pub start_slot: u64,
    /// The number of `start_slot`.
    pub start_number: u64,
}

impl Era {
    /// The number of a slot, which must not be older than the era.
    #[must_use]
    pub const fn number(&self, slot: u64) -> u64 {
        slot.saturating_sub(self.start_slot).saturating_add(self.start_number)
    }

    /// The slot that has this number.
    #[must_use]
    pub const fn slot(&self, number: u64) -> Option<u64> {
        match number.checked_sub(self.start_number) {
            Some(distance) => distance.checked_add(self.start_slot),
            None => None,
        }
    }

    /// Whether the slot starts with EXT-X-DISCONTINUITY: at the loop point and at an encoder restart.
    #[must_use]
    pub const fn is_discontinuity(&self, slot: u64, per_loop: u64) -> bool {
        let restarted = self.generation > 0 && slot == self.start_slot;
        restarted || (slot > 0 && slot.is_multiple_of(per_loop))
    }

    /// Discontinuities up to and including this slot, since this generation began: the segment's discontinuity
    /// sequence number, which must never change (rfc8216bis section 6.2.2).
    #[must_use]
    pub const fn discontinuities(&self, slot: u64, per_loop: u64) -> u64 {
        let loops = slot / per_loop;
        if self.generation == 0 { loops } else { 1 + loops - self.start_slot / per_loop }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Jump { from_slot: u64, by: u64, every_slots: Option<u64>, count: Option<u64>, until_slot: u64 },
    Restart { at_slot: u64, first: u64 },
}

/// All numbers of a stream, past and to come.
#[derive(Clone, Debug)]
pub struct Numbering {
    first_sequence: u64,
    changes: Vec<Change>,
}

impl Numbering {
    /// Most jumps and restarts in the life of a stream; past it, further ones are refused.
    pub const MAX_CHANGES: usize = 256;

    /// Slot 0 has this number.
    #[must_use]
    pub const fn new(first_sequence: u64) -> Self {
        Self { first_sequence, changes: Vec::new() }
    }

    /// Numbers go up by `by` with `from_slot`, and again with every `every_slots` slots: `count` times at most, and
    /// not from `until_slot` on. False if there were too many changes already.
    pub fn jump(
        &mut self,
        from_slot: u64,
        by: u64,
        every_slots: Option<u64>,
        count: Option<u64>,
        until_slot: Option<u64>,
    ) -> bool {
        let until_slot = until_slot.unwrap_or(u64::MAX);
        self.push(Change::Jump { from_slot, by, every_slots, count, until_slot })
    }

    /// A new encoder starts with `at_slot`, which gets the number `first`. False if there were too many changes.
    pub fn restart(&mut self, at_slot: u64, first: u64) -> bool {
        self.push(Change::Restart { at_slot, first })
    }

    /// Nothing changes any more from this slot on; what changed before stays.
    pub fn settle(&mut self, slot: u64) {
        self.changes.retain_mut(|change| match change {
            Change::Jump { from_slot, until_slot, .. } => {
                *until_slot = (*until_slot).min(slot);
                *from_slot < slot
            }
            Change::Restart { at_slot, .. } => *at_slot < slot,
        });
    }

    /// The era whose numbers a playlist shows that ends with this slot.
    #[must_use]
    pub fn era(&self, newest_slot: u64) -> Era {
        let mut era = Era { generation: 0, start_slot: 0, start_number: self.first_sequence };
        for change in &self.changes {
            if let &Change::Restart { at_slot, first } = change
                && at_slot <= newest_slot
            {
                let generation = era.generation + 1;
                if at_slot >= era.start_slot {
                    era = Era { generation, start_slot: at_slot, start_number: first };
                }
            }
        }
        for change in &self.changes {
            era.start_number += change.jumped(era.start_slot, newest_slot, era.generation > 0);
        }
        era
    }

    fn push(&mut self, change: Change) -> bool {
        let room = self.changes.len() < Self::MAX_CHANGES;
        if room {
            self.changes.push(change);
        }
        room
    }
}

impl Change {
    /// How far a jump has moved the numbers: its jumps after `start_slot` (or at it, if nothing restarted there).
    fn jumped(&self, start_slot: u64, newest_slot: u64, restarted: bool) -> u64 {
        let &Self::Jump { from_slot, by, every_slots, count, until_slot } = self else {
            return 0;
        };
        let up_to = |slot: Option<u64>| -> u64 {
            let Some(slot) = slot.and_then(|slot| Some(slot.min(until_slot.checked_sub(1)?))) else {
                return 0;
            };
            let Some(age) = slot.checked_sub(from_slot) else { return 0 };
            let jumps = every_slots.map_or(1, |every| age / every.max(1) + 1);
            jumps.min(count.unwrap_or(if every_slots.is_some() { u64::MAX } else { 1 }))
        };
        let before = if restarted { up_to(Some(start_slot)) } else { 0 };
        (up_to(Some(newest_slot)) - before.min(up_to(Some(newest_slot)))).saturating_mul(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_moves_numbers_once() {
        let mut numbers = Numbering::new(7);
        assert!(numbers.jump(10, 50, None, None, None));
        assert_eq!(numbers.era(9).number(9), 16);
        assert_eq!(numbers.era(10).number(10), 67);
        assert_eq!(numbers.era(500).number(500), 557);
    }

    #[test]
    fn repeated_jumps_stay_when_they_are_stopped() {
        let mut numbers = Numbering::new(0);
        assert!(numbers.jump(10, 50, Some(7), None, None));
        assert_eq!(numbers.era(16).number(16), 66);
        assert_eq!(numbers.era(17).number(17), 117);
        numbers.settle(20);
        assert_eq!(numbers.era(19).number(19), 119);
        assert_eq!(numbers.era(400).number(400), 500, "no jump after slot 20");
    }

    #[test]
    fn a_restart_begins_a_generation() {
        let mut numbers = Numbering::new(900);
        assert!(numbers.jump(3, 50, None, None, None));
        assert!(numbers.restart(20, 0));
        assert_eq!(numbers.era(19), Era { generation: 0, start_slot: 0, start_number: 950 });
        assert_eq!(numbers.era(20), Era { generation: 1, start_slot: 20, start_number: 0 });
        assert_eq!(numbers.era(25).slot(5), Some(25));
        assert!(numbers.jump(30, 10, None, None, None));
        assert_eq!(numbers.era(30).number(30), 20);
        assert_eq!(numbers.era(30).discontinuities(30, 15), 1 + 2 - 1);
    }

    #[test]
    fn the_number_of_changes_is_bounded() {
        let mut numbers = Numbering::new(0);
        assert!((0..Numbering::MAX_CHANGES as u64).all(|slot| numbers.restart(slot, 0)));
        assert!(!numbers.restart(999, 0));
    }
}
