//! Continuity counters (ISO/IEC 13818-1 section 2.4.3.3).

use crate::PidErrors;

/// One [`Entry`] for each of the 8192 PIDs there can be, reached without a search. A
/// page of neighbours is allocated when its first one is met: a segment has few PIDs,
/// and clearing room for all would cost more than walking its packets.
#[derive(Debug)]
pub(super) struct Pids {
    pages: Vec<Option<Box<Page>>>,
    any_error: bool,
}

type Page = [u32; PAGE];

const PIDS: usize = 1 << 13;
const PAGE: usize = 64;

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
        Self { pages: vec![None; PIDS / PAGE], any_error: false }
    }

    /// A packet with payload: its counter is one more than the last, modulo 16.
    /// The same counter once more is an allowed duplicate, a third time is not.
    #[inline]
    pub(super) fn payload(&mut self, pid: u16, counter: u8, signalled: bool) {
        let Some(page) = self.pages.get_mut(usize::from(pid) / PAGE) else { return };
        let stored = &mut page.get_or_insert_with(|| Box::new([0; PAGE]))[usize::from(pid) % PAGE];
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
        if let Some(Some(page)) = self.pages.get_mut(usize::from(pid) / PAGE) {
            let stored = &mut page[usize::from(pid) % PAGE];
            *stored = Entry(*stored).without_counter();
        }
    }

    /// Bytes were lost: no counter can be compared with the last.
    pub(super) fn forget_counters(&mut self) {
        let stored = self.pages.iter_mut().flatten().flat_map(|page| page.iter_mut());
        stored.for_each(|stored| *stored = Entry(*stored).without_counter());
    }

    pub(super) fn total_errors(&self) -> u64 {
        if !self.any_error {
            return 0;
        }
        self.entries().map(|(_, entry)| u64::from(entry.errors())).sum()
    }

    /// The first `limit` PIDs with errors, by rising PID.
    pub(super) fn faulty(&self, limit: usize) -> Vec<PidErrors> {
        if !self.any_error {
            return Vec::new();
        }
        self.entries()
            .map(|(pid, entry)| PidErrors { pid, errors: entry.errors() })
            .filter(|found| found.errors > 0)
            .take(limit)
            .collect()
    }

    /// All of the pages in use, by rising PID.
    fn entries(&self) -> impl Iterator<Item = (u16, Entry)> {
        let firsts = (0_u16..).step_by(PAGE);
        let pages = firsts.zip(&self.pages).filter_map(|(first, page)| Some((first, page.as_deref()?)));
        pages.flat_map(|(first, page)| (first..).zip(page.iter().map(|stored| Entry(*stored))))
    }
}
