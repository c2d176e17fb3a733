//! The two tables a player needs first (ISO/IEC 13818-1 section 2.4.4).

/// Which tables have begun. Sections are not assembled nor their CRC checked:
/// what a table says is not needed to know that it is there.
#[derive(Debug, Default)]
pub(super) struct Tables {
    has_pat: bool,
    has_pmt: bool,
    pmt_pids: [Option<u16>; MAX_PROGRAMS],
}

/// RFC 8216 section 3.2: a segment has one program. More are read all the same.
const MAX_PROGRAMS: usize = 8;

const PAT_PID: u16 = 0;
const PAT_TABLE: u8 = 0x00;
const PMT_TABLE: u8 = 0x02;

/// From the table id up to the first program of an association table.
const PAT_HEADER_BYTES: usize = 8;
/// Of them, those that the section length does not count.
const UNCOUNTED_BYTES: usize = 3;
const CRC_BYTES: usize = 4;

impl Tables {
    pub(super) const fn has_pat(&self) -> bool {
        self.has_pat
    }

    pub(super) const fn has_pmt(&self) -> bool {
        self.has_pmt
    }

    /// A payload in which a section begins, after the bytes its pointer skips.
    pub(super) fn section(&mut self, pid: u16, payload: &[u8]) {
        let Some((&pointer, rest)) = payload.split_first() else { return };
        let Some(section) = rest.get(usize::from(pointer)..) else { return };
        match section.first() {
            Some(&PAT_TABLE) if pid == PAT_PID => self.association(section),
            Some(&PMT_TABLE) if self.pmt_pids.contains(&Some(pid)) => self.has_pmt = true,
            _ => {}
        }
    }

    fn association(&mut self, section: &[u8]) {
        let [_, high, low, ..] = *section else { return };
        self.has_pat = true;
        let length = usize::from(high & 0x0F) << 8 | usize::from(low);
        let end = (UNCOUNTED_BYTES + length).saturating_sub(CRC_BYTES).min(section.len());
        let programs = section.get(PAT_HEADER_BYTES..end).unwrap_or_default();
        let pmt_pids = programs.as_chunks::<4>().0.iter().filter_map(|&[a, b, c, d]| {
            // Program 0 is not a program: it names the network information.
            (a | b != 0).then_some(u16::from(c & 0x1F) << 8 | u16::from(d))
        });
        for (slot, pid) in self.pmt_pids.iter_mut().zip(pmt_pids) {
            *slot = Some(pid);
        }
    }
}
