//! Walks the packets of a transport stream (ISO/IEC 13818-1 section 2.4.3).

mod pes;
mod pids;
mod psi;

use crate::sniff::SYNC_RUN;
use crate::{PtsSpan, TsReport};
use pes::Spans;
use pids::Pids;
use psi::Tables;

/// Length of a transport stream packet.
pub(crate) const PACKET_BYTES: usize = 188;

/// The first byte of every packet.
pub(crate) const SYNC_BYTE: u8 = 0x47;

/// Null packets fill a constant bit rate; their counter means nothing.
const NULL_PID: u16 = 0x1FFF;

type Packet = [u8; PACKET_BYTES];

/// The walk over one segment. It keeps no more than one incomplete packet.
#[derive(Debug)]
pub(crate) struct TsWalk {
    mode: Mode,
    cut: Packet,
    cut_len: usize,
    pids: Pids,
    tables: Tables,
    spans: Spans,
    report: TsReport,
}

#[derive(Debug)]
enum Mode {
    /// Packets follow each other.
    Locked,
    /// A packet did not begin where it had to: any of the 188 phases may be the
    /// right one, and each counts how many sync bytes it has seen in a row.
    Hunting { runs: [u8; PACKET_BYTES], phase: usize },
}

impl Mode {
    fn hunting() -> Self {
        Self::Hunting { runs: [0; PACKET_BYTES], phase: 0 }
    }
}

impl TsWalk {
    pub(crate) fn new() -> Self {
        Self {
            mode: Mode::Locked,
            cut: [0; PACKET_BYTES],
            cut_len: 0,
            pids: Pids::new(),
            tables: Tables::default(),
            spans: Spans::default(),
            report: TsReport::default(),
        }
    }

    pub(crate) fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            chunk = match self.mode {
                Mode::Locked => self.walk(chunk),
                Mode::Hunting { .. } => self.hunt(chunk),
            };
        }
    }

    pub(crate) fn finish(mut self) -> TsReport {
        // The sync byte of a cut packet was checked when it arrived.
        self.report.trailing_bytes = self.cut_len as u64;
        self.report.has_pat = self.tables.has_pat();
        self.report.has_pmt = self.tables.has_pmt();
        self.report.video = self.spans.video.map(PtsSpan::from);
        self.report.audio = self.spans.audio.map(PtsSpan::from);
        self.report.private = self.spans.private.map(PtsSpan::from);
        self.report.continuity_errors = self.pids.total_errors();
        self.report.continuity = self.pids.faulty(TsReport::MAX_PIDS);
        self.report
    }

    /// Reads packets until the chunk ends or the sync is lost; returns the rest.
    fn walk<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let chunk = if self.cut_len > 0 { self.complete_cut(chunk) } else { chunk };
        let (packets, tail) = chunk.as_chunks::<PACKET_BYTES>();
        for (index, packet) in packets.iter().enumerate() {
            if packet[0] != SYNC_BYTE {
                self.lose_sync();
                return &chunk[index * PACKET_BYTES..];
            }
            self.packet(packet);
        }
        match tail.first() {
            Some(&SYNC_BYTE) => {
                self.cut[..tail.len()].copy_from_slice(tail);
                self.cut_len = tail.len();
                &[]
            }
            Some(_) => {
                self.lose_sync();
                tail
            }
            None => &[],
        }
    }

    /// Adds to the packet the previous chunk left incomplete.
    fn complete_cut<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let (head, rest) = chunk.split_at(chunk.len().min(PACKET_BYTES - self.cut_len));
        self.cut[self.cut_len..self.cut_len + head.len()].copy_from_slice(head);
        self.cut_len += head.len();
        if self.cut_len == PACKET_BYTES {
            self.cut_len = 0;
            let packet = self.cut;
            self.packet(&packet);
        }
        rest
    }

    fn lose_sync(&mut self) {
        self.report.sync_losses += 1;
        self.mode = Mode::hunting();
    }

    /// Looks for a packet's beginning byte by byte; the one that completes a run
    /// is the first of the rest. The packets that made the run stay unread.
    fn hunt<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let Mode::Hunting { runs, phase } = &mut self.mode else { return chunk };
        for (index, &byte) in chunk.iter().enumerate() {
            let run = &mut runs[*phase];
            *phase = (*phase + 1) % PACKET_BYTES;
            if byte != SYNC_BYTE {
                *run = 0;
                continue;
            }
            *run += 1;
            if usize::from(*run) >= SYNC_RUN {
                self.report.skipped_bytes += index as u64;
                self.mode = Mode::Locked;
                // What was skipped is one loss, not a continuity error as well.
                self.pids.forget_counters();
                return &chunk[index..];
            }
        }
        self.report.skipped_bytes += chunk.len() as u64;
        &[]
    }

    #[inline]
    fn packet(&mut self, packet: &Packet) {
        self.report.packets += 1;
        let pid = u16::from(packet[1] & 0x1F) << 8 | u16::from(packet[2]);
        // Most packets carry on what others began: without an error, payload alone, in the clear.
        let carries_on = packet[1] & 0xC0 == 0 && packet[3] & 0xF0 == 0x10 && pid != NULL_PID;
        if carries_on {
            self.pids.payload(pid, packet[3] & 0x0F, false);
        } else {
            self.telling_packet(pid, packet);
        }
    }

    /// A packet whose head says more than its counter. Apart, so that the others stay cheap.
    #[inline(never)]
    fn telling_packet(&mut self, pid: u16, packet: &Packet) {
        if packet[1] & 0x80 != 0 {
            self.report.transport_errors += 1;
            return;
        }
        if pid == NULL_PID {
            return;
        }
        let control = packet[3];
        let has_adaptation = control & 0x20 != 0;
        let has_payload = control & 0x10 != 0;
        let signalled = has_adaptation && packet[4] > 0 && packet[5] & 0x80 != 0;
        if has_payload {
            self.pids.payload(pid, control & 0x0F, signalled);
        } else if signalled {
            self.pids.forget(pid);
        }
        let starts_unit = packet[1] & 0x40 != 0;
        let scrambled = control & 0xC0 != 0;
        if starts_unit && has_payload && !scrambled {
            let start = if has_adaptation { 5 + usize::from(packet[4]) } else { 4 };
            self.unit_start(pid, packet.get(start..).unwrap_or_default());
        }
    }

    /// A table section or an elementary stream packet begins in this payload.
    fn unit_start(&mut self, pid: u16, payload: &[u8]) {
        if let [0, 0, 1, ..] = payload {
            self.spans.pes(payload);
        } else {
            self.tables.section(pid, payload);
        }
    }
}

#[cfg(test)]
mod tests;
