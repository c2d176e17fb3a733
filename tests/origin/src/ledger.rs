//! What a stream served, and when: the newest requests, in the order they came.

use std::collections::VecDeque;

/// How far a request has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Still being answered, or left waiting by a fault.
    Open,
    /// All bytes meant to be sent were handed to the connection.
    Finished,
    /// The connection ended before that, by a fault or by the client.
    Aborted,
}

impl Outcome {
    /// The name in the control interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finished => "finished",
            Self::Aborted => "aborted",
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the answer was decided on. Unit: milliseconds since 1970.
    pub at_ms: u64,
    /// When it ended. Unit: milliseconds since 1970.
    pub done_ms: Option<u64>,
    /// `master`, `playlist`, `segment`, `init`, or `other` for paths that name nothing.
    pub kind: &'static str,
    /// Which rendition, unless it is the master.
    pub rendition: Option<&'static str>,
    /// First media sequence number of a playlist.
    pub media_sequence: Option<u64>,
    /// Number of the segment, or of a playlist's newest one.
    pub sequence: Option<u64>,
    /// HTTP status; 0 if no answer was given.
    pub status: u16,
    /// Body bytes sent.
    pub bytes: u64,
    /// The fault that changed the answer.
    pub fault: Option<&'static str>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The newest [`Ledger::MAX`] requests of a stream; past that, the oldest go.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    dropped: u64,
}

impl Ledger {
    /// Most entries kept.
    pub const MAX: usize = 20_000;

    /// Adds a request and gives its id, for [`Ledger::finish`].
    pub fn push(&mut self, entry: Entry) -> u64 {
        if self.entries.len() == Self::MAX {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(entry);
        self.dropped + self.entries.len() as u64 - 1
    }

    /// Notes the end of a request, if it is still kept.
    pub fn finish(&mut self, id: u64, bytes: u64, outcome: Outcome, now_ms: u64) {
        let entry = id.checked_sub(self.dropped).and_then(|index| self.entries.get_mut(index as usize));
        if let Some(entry) = entry {
            entry.bytes = bytes;
            entry.outcome = outcome;
            entry.done_ms = Some(now_ms);
        }
    }

    /// Entries decided on at this time or later, oldest first. Unit: milliseconds since 1970.
    pub fn since(&self, since_ms: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.at_ms >= since_ms)
    }

    /// Requests ever seen, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_bounded_and_ids_stay_true() {
        let mut ledger = Ledger::default();
        let entry = |at_ms| Entry {
            at_ms,
            done_ms: None,
            kind: "segment",
            rendition: None,
            media_sequence: None,
            sequence: Some(at_ms),
            status: 200,
            bytes: 0,
            fault: None,
            outcome: Outcome::Open,
        };
        let ids: Vec<u64> = (0..Ledger::MAX as u64 + 5).map(|at| ledger.push(entry(at))).collect();
        assert_eq!(ledger.since(0).count(), Ledger::MAX);
        assert_eq!(ledger.total(), Ledger::MAX as u64 + 5);
        ledger.finish(ids[3], 9, Outcome::Finished, 1); // gone: nothing happens
        ledger.finish(ids[5], 9, Outcome::Finished, 1);
        let first = ledger.since(0).next().unwrap();
        assert_eq!((first.sequence, first.bytes, first.outcome), (Some(5), 9, Outcome::Finished));
        assert_eq!(ledger.since(20_000).count(), 5);
    }
}
