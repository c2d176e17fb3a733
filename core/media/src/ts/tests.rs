//! Made packets: each test builds the smallest stream that shows its point.

use super::*;
use crate::PidErrors;

/// A packet with payload that begins no unit.
fn packet(pid: u16, counter: u8) -> Packet {
    let mut packet = [0xFF; PACKET_BYTES];
    let [high, low] = pid.to_be_bytes();
    packet[..4].copy_from_slice(&[SYNC_BYTE, high, low, 0x10 | counter & 0x0F]);
    packet
}

/// A packet whose adaptation field carries these flags.
fn adapted(pid: u16, counter: u8, flags: u8, has_payload: bool) -> Packet {
    let mut packet = packet(pid, counter);
    packet[3] = if has_payload { 0x30 } else { 0x20 } | counter & 0x0F;
    packet[4..6].copy_from_slice(&[if has_payload { 1 } else { 183 }, flags]);
    packet
}

/// A packet in which a unit begins: a section with its pointer, or a PES header.
fn unit(pid: u16, payload: &[u8]) -> Packet {
    let mut packet = packet(pid, 0);
    packet[1] |= 0x40;
    packet[4..4 + payload.len()].copy_from_slice(payload);
    packet
}

#[track_caller]
fn walk(packets: &[Packet]) -> TsReport {
    walk_bytes(packets.as_flattened())
}

/// Walks the bytes at once and in odd pieces.
#[track_caller]
fn walk_bytes(bytes: &[u8]) -> TsReport {
    let mut whole = TsWalk::new();
    whole.feed(bytes);
    let whole = whole.finish();
    for size in [1, 7, 187, 189, 400] {
        let mut cut = TsWalk::new();
        bytes.chunks(size).for_each(|chunk| cut.feed(chunk));
        assert_eq!(whole, cut.finish(), "in chunks of {size}");
    }
    whole
}

#[track_caller]
fn check_continuity(packets: &[Packet], expected: u64) {
    assert_eq!(walk(packets).continuity_errors, expected);
}

const DISCONTINUITY: u8 = 0x80;

#[test]
fn counters_are_followed_per_pid() {
    check_continuity(&[packet(256, 14), packet(257, 3), packet(256, 15), packet(256, 0), packet(257, 4)], 0);
    check_continuity(&[packet(256, 0), packet(257, 0), packet(256, 2), packet(256, 3), packet(257, 9)], 2);
    let report = walk(&[packet(300, 0), packet(300, 5), packet(257, 0), packet(257, 2), packet(257, 4)]);
    let expected = [PidErrors { pid: 257, errors: 2 }, PidErrors { pid: 300, errors: 1 }];
    assert_eq!(report.continuity, expected);
}

#[test]
fn one_duplicate_is_allowed() {
    check_continuity(&[packet(256, 4), packet(256, 4), packet(256, 5)], 0);
    check_continuity(&[packet(256, 4), packet(256, 4), packet(256, 4)], 1);
}

#[test]
fn a_signalled_discontinuity_is_no_error() {
    check_continuity(&[packet(256, 4), adapted(256, 9, DISCONTINUITY, true), packet(256, 10)], 0);
    check_continuity(&[packet(256, 4), adapted(256, 4, DISCONTINUITY, false), packet(256, 10)], 0);
    check_continuity(&[packet(256, 4), adapted(256, 9, 0, true), packet(256, 10)], 1);
}

#[test]
fn packets_without_payload_null_packets_and_bad_ones_do_not_count() {
    check_continuity(&[packet(256, 4), adapted(256, 4, 0, false), packet(256, 5)], 0);
    check_continuity(&[packet(NULL_PID, 4), packet(NULL_PID, 9)], 0);
    let mut bad = packet(256, 9);
    bad[1] |= 0x80;
    let report = walk(&[packet(256, 4), bad, packet(256, 5)]);
    assert_eq!((report.packets, report.transport_errors, report.continuity_errors), (3, 1, 0));
}

#[test]
fn the_listed_pids_are_bounded() {
    let packets: Vec<_> = (100u16..140).flat_map(|pid| [packet(pid, 0), packet(pid, 5)]).collect();
    let report = walk(&packets);
    assert_eq!((report.continuity_errors, report.continuity.len()), (40, TsReport::MAX_PIDS));
}

/// Pointer, table id, length 13, stream id, version, sections, network, program, CRC.
const PAT: [u8; 21] = [0, 0x00, 0xB0, 17, 0, 1, 0xC1, 0, 0, 0, 0, 0xE0, 0x10, 0, 1, 0xF0, 0x00, 1, 2, 3, 4];

#[test]
fn tables_are_found_where_the_association_says() {
    let pmt = unit(0x1000, &[0, 0x02, 0xB0, 23]);
    let found = |packets: &[Packet]| {
        let report = walk(packets);
        (report.has_pat, report.has_pmt)
    };
    assert_eq!(found(&[unit(0, &PAT), pmt]), (true, true));
    assert_eq!(found(&[pmt]), (false, false));
    assert_eq!(found(&[unit(0, &PAT), unit(0x1001, &[0, 0x02, 0xB0, 23])]), (true, false));
    assert_eq!(found(&[unit(0, &PAT), unit(0x10, &[0, 0x02, 0xB0, 23])]), (true, false));
    let mut continued = unit(0, &PAT);
    continued[1] &= !0x40;
    assert_eq!(found(&[continued, pmt]), (false, false));
}

#[test]
fn presentation_times_are_kept_by_kind() {
    let at = |id, low| unit(256, &[0, 0, 1, id, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, low]);
    let mut scrambled = at(0xE0, 99);
    scrambled[3] |= 0x80;
    let report = walk(&[at(0xE0, 41), at(0xE0, 21), at(0xC0, 31), at(0xBD, 11), at(0xBE, 1), scrambled]);
    assert_eq!(report.video, Some(PtsSpan { first: 10, last: 20 }));
    assert_eq!(report.audio, Some(PtsSpan { first: 15, last: 15 }));
    assert_eq!(report.private, Some(PtsSpan { first: 5, last: 5 }));
}

fn in_order(count: u8) -> Vec<u8> {
    (0..count).flat_map(|counter| packet(256, counter)).collect()
}

#[test]
fn inserted_bytes_are_one_loss_and_no_continuity_error() {
    let mut bytes = in_order(10);
    bytes.splice(4 * PACKET_BYTES..4 * PACKET_BYTES, [0; 100]);
    let report = walk_bytes(&bytes);
    // Found again at the third packet behind the gap.
    assert_eq!((report.sync_losses, report.skipped_bytes), (1, 100 + 2 * 188));
    assert_eq!((report.packets, report.continuity_errors), (8, 0));
}

#[test]
fn a_stream_that_never_comes_back_is_skipped_to_the_end() {
    let mut bytes = in_order(4);
    bytes.extend_from_slice(&[0; 1000]);
    let report = walk_bytes(&bytes);
    assert_eq!((report.packets, report.sync_losses, report.skipped_bytes), (4, 1, 1000));
    assert_eq!(report.trailing_bytes, 0);
}

#[test]
fn an_incomplete_last_packet_is_counted() {
    let report = walk_bytes(&in_order(3)[..400]);
    assert_eq!((report.packets, report.trailing_bytes, report.sync_losses), (2, 24, 0));
}
