//! What a rendition listed before, and what a new list means beside it.

use std::collections::VecDeque;

use crate::id::StableHash;
use crate::playlist::{MediaPlaylist, Segment};

/// Recognises a segment from one list to the next: its path and its byte range. Neither the query (tokens
/// change from load to load) nor the host (each edge may name itself) is part of it.
#[must_use]
pub fn fingerprint(segment: &Segment<'_>) -> u64 {
    let hash = StableHash::new().with(path_of(segment.uri).as_bytes());
    match segment.byte_range {
        Some(range) => hash.with(&range.offset.to_le_bytes()).with(&range.length.to_le_bytes()).finish(),
        None => hash.finish(),
    }
}

/// The path of a URI, absolute or not.
pub(crate) fn path_of(uri: &str) -> &str {
    let end = uri.bytes().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(uri.len());
    let uri = &uri[..end];
    match uri.as_bytes().windows(2).position(|pair| pair == b"//") {
        Some(at) if at == 0 || uri[..at].ends_with(':') => {
            let rest = &uri[at + 2..];
            rest.find('/').map_or("", |at| &rest[at..])
        }
        _ => uri,
    }
}

/// What a list means beside those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first list with a segment.
    First,
    /// The newest segment is the one we knew.
    Unchanged,
    /// New segments follow the ones we knew.
    Advanced,
    /// New segments, and between them and the ones we knew `missing` sequence numbers were never listed.
    Jumped {
        /// Sequence numbers never seen.
        missing: u64,
    },
    /// An earlier state of what we knew, from a cache or another edge: not a regression.
    OlderCopy {
        /// Segments it lacks.
        behind: u64,
    },
    /// Numbers went down and nothing agrees with what we knew.
    WentDown {
        /// Newest sequence number before.
        from: u64,
        /// Newest sequence number now.
        to: u64,
        /// The lists share sequence numbers but not their segments: the same numbers were given twice.
        conflict: bool,
    },
}

impl Change {
    /// There is a segment to fetch.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::First | Self::Advanced | Self::Jumped { .. } | Self::WentDown { .. })
    }
}

/// The newest segments seen.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Oldest first: sequence number and fingerprint, or [`ANY_NAME`].
    known: VecDeque<(u64, u64)>,
    /// What was known before the last encoder restart. When a list agrees with it again, there was no
    /// restart: an edge served something too old to overlap.
    before: VecDeque<(u64, u64)>,
    /// How many of the newest ones stood in the last list. Only those can be given twice at the same time: an
    /// encoder that restarts at 0 again and again may well come back to numbers of long ago.
    listed: usize,
}

/// The fingerprint of a segment whose name no longer tells: it agrees with every other.
const ANY_NAME: u64 = 0;

/// `a` comes after `b`. After 2^64 - 1 follows 0, as far as a memory reaches.
const fn is_after(a: u64, b: u64) -> bool {
    const NEAR: u64 = Memory::MAX as u64;
    if a.wrapping_sub(b) <= NEAR { a != b } else { b.wrapping_sub(a) > NEAR && a > b }
}

impl Memory {
    /// Segments remembered. More than a usual window, so that an old copy is still recognised.
    pub const MAX: usize = 128;

    /// How many segments are remembered: at most [`Memory::MAX`], and as many from before a restart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len() + self.before.len()
    }

    /// No segment has been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest `most` segments, oldest first.
    #[must_use]
    pub fn newest(&self, most: usize) -> Vec<(u64, u64)> {
        self.known.iter().skip(self.known.len().saturating_sub(most)).copied().collect()
    }

    /// A memory of these segments, oldest first.
    #[must_use]
    pub fn of(remembered: &[(u64, u64)]) -> Self {
        let newest = &remembered[remembered.len().saturating_sub(Self::MAX)..];
        Self { known: newest.iter().copied().collect(), before: VecDeque::new(), listed: newest.len() }
    }

    /// From here on only the numbers of what was seen tell: the playlist is loaded from another path, where the
    /// same segments may have other names.
    pub fn forget_names(&mut self) {
        self.known.iter_mut().for_each(|(_, fingerprint)| *fingerprint = ANY_NAME);
        self.before.clear();
    }

    /// Newest sequence number seen.
    #[must_use]
    pub fn last_sequence(&self) -> Option<u64> {
        self.known.back().map(|(sequence, _)| *sequence)
    }

    /// Index of the first segment of `list` that is newer than all that is known.
    #[must_use]
    pub fn first_new(&self, list: &MediaPlaylist<'_>) -> usize {
        let known = self.last_sequence();
        list.segments.partition_point(|s| known.is_some_and(|known| !is_after(s.sequence, known)))
    }

    /// Says what `list` means. Pure: [`Memory::learn`] takes it in.
    #[must_use]
    pub fn compare(&self, list: &MediaPlaylist<'_>) -> Change {
        let (Some(first), Some(last)) = (list.segments.first(), list.last_sequence()) else {
            return Change::Unchanged;
        };
        let Some(known) = self.last_sequence() else { return Change::First };
        let (agree, disagree) = overlap(self.known.iter(), list);
        let other = agree == 0 && (disagree > 0 || last != known);
        if is_after(last, known) {
            let next = known.wrapping_add(1);
            let returned = || overlap(self.before.iter(), list).0 > 0;
            if !is_after(first.sequence, next) || returned() {
                return Change::Advanced;
            }
            Change::Jumped { missing: first.sequence.wrapping_sub(next) }
        } else if other {
            let recent = self.known.iter().skip(self.known.len().saturating_sub(self.listed));
            Change::WentDown { from: known, to: last, conflict: overlap(recent, list).1 > 0 }
        } else if last == known {
            Change::Unchanged
        } else if disagree == 0 {
            Change::OlderCopy { behind: known.wrapping_sub(last) }
        } else {
            Change::WentDown { from: known, to: last, conflict: true }
        }
    }

    /// Takes in a list whose meaning is `change`.
    pub fn learn(&mut self, list: &MediaPlaylist<'_>, change: Change) {
        if matches!(change, Change::WentDown { .. }) {
            self.before = std::mem::take(&mut self.known);
        }
        let fresh = &list.segments[self.first_new(list)..];
        for segment in &fresh[fresh.len().saturating_sub(Self::MAX)..] {
            if self.known.len() == Self::MAX {
                self.known.pop_front();
            }
            self.known.push_back((segment.sequence, fingerprint(segment)));
        }
        if !matches!(change, Change::OlderCopy { .. }) {
            self.listed = list.segments.len();
        }
    }
}

/// How many sequence numbers stand in both, with the same and with another segment.
fn overlap<'a>(known: impl Iterator<Item = &'a (u64, u64)>, list: &MediaPlaylist<'_>) -> (usize, usize) {
    let Some(base) = list.segments.first().map(|s| s.sequence) else { return (0, 0) };
    let (mut agree, mut disagree) = (0, 0);
    for (sequence, known) in known {
        let index = usize::try_from(sequence.wrapping_sub(base)).ok();
        match index.and_then(|i| list.segments.get(i)) {
            Some(_) if *known == ANY_NAME => agree += 1,
            Some(segment) if fingerprint(segment) == *known => agree += 1,
            Some(_) => disagree += 1,
            None => {}
        }
    }
    (agree, disagree)
}
