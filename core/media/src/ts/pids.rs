//! Continuity counters (ISO/IEC 13818-1 section 2.4.3.3).

use crate::PidErrors;

/// One [`Entry`] for each of the 8192 PIDs there can be: 32 kB, allocated once a
/// segment and reached without a search. They are plain numbers, so that the
/// allocator gives zeroed memory of which only the PIDs in use are ever touched.
#[derive(Debug)]
pub(super) struct Pids {
    entries: Vec<u32>,
    any_error: bool,
}

const PIDS: usize = 1 << 13;

/// The last counter with what is known about it, and the errors so far.
///
/// Bits 0 to 3: the counter. Bit 4: there is one. Bit 5: the last packet was a
/// duplicate already. From bit 6: errors, up to [`Entry::MAX_ERRORS`].
#[derive(Clone, Copy, Debug)]
struct Entry(u32);

impl Entry {
    const KNOWN: u32 = 1 << 4;
    const DUPLICATE: u32 = 1 << 5;
    const COUNTER_BITS: u32 = 0x3F;
    const MAX_ERRORS: u32 = u32::MAX >> 6;

    const fn errors(self) -> u32 {
        self.0 >> 6
    }

    const fn without_counter(self) -> u32 {
        self.0 & !Self::COUNTER_BITS
    }

    fn set(&mut self, counter: u8, flags: u32, error: bool) {
        let errors = (self.errors() + u32::from(error)).min(Self::MAX_ERRORS);
        self.0 = errors << 6 | flags | u32::from(counter);
    }
}

impl Pids {
    pub(super) fn new() -> Self {
        Self { entries: vec![0; PIDS], any_error: false }
    }

    /// A packet with payload: its counter is one more than the last, modulo 16.
    /// The same counter once more is an allowed duplicate, a third time is not.
    #[inline]
    pub(super) fn payload(&mut self, pid: u16, counter: u8, signalled: bool) {
        let Some(stored) = self.entries.get_mut(usize::from(pid)) else { return };
        let mut entry = Entry(*stored);
        let last = (entry.0 & 0x0F) as u8;
        if entry.0 & Entry::KNOWN == 0 || signalled || counter == (last + 1) & 0x0F {
            entry.set(counter, Entry::KNOWN, false);
        } else if counter == last && entry.0 & Entry::DUPLICATE == 0 {
            entry.set(counter, Entry::KNOWN | Entry::DUPLICATE, false);
        } else {
            entry.set(counter, Entry::KNOWN, true);
            self.any_error = true;
        }
        *stored = entry.0;
    }

    /// A discontinuity was signalled by a packet without payload.
    pub(super) fn forget(&mut self, pid: u16) {
        if let Some(stored) = self.entries.get_mut(usize::from(pid)) {
            *stored = Entry(*stored).without_counter();
        }
    }

    /// Bytes were lost: no counter can be compared with the last.
    pub(super) fn forget_counters(&mut self) {
        self.entries.iter_mut().for_each(|stored| *stored = Entry(*stored).without_counter());
    }

    pub(super) fn total_errors(&self) -> u64 {
        if !self.any_error {
            return 0;
        }
        self.entries.iter().map(|stored| u64::from(Entry(*stored).errors())).sum()
    }

    /// The first `limit` PIDs with errors, by rising PID.
    pub(super) fn faulty(&self, limit: usize) -> Vec<PidErrors> {
        if !self.any_error {
            return Vec::new();
        }
        (0u16..)
            .zip(&self.entries)
            .map(|(pid, stored)| PidErrors { pid, errors: Entry(*stored).errors() })
            .filter(|found| found.errors > 0)
            .take(limit)
            .collect()
    }
}
