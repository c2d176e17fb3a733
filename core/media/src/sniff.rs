//! Which container the first bytes are.

use crate::Container;
use crate::ts::{PACKET_BYTES, SYNC_BYTE};

/// The first bytes that decide: five transport stream packets, so that one
/// damaged sync byte among them does not hide a transport stream.
pub(crate) const HEAD_BYTES: usize = 5 * PACKET_BYTES;

/// So many sync bytes in a row, a packet apart, make a transport stream.
pub(crate) const SYNC_RUN: usize = 3;

/// Names the container by the first bytes of a segment: [`HEAD_BYTES`] of them,
/// or all there are if the segment is shorter.
pub(crate) fn container(head: &[u8]) -> Container {
    if head.is_empty() {
        return Container::Empty;
    }
    // Text first: 'G' is the sync byte, and "Gone" is not a transport stream.
    if let Some(text) = text_form(head) {
        return text;
    }
    if is_transport_stream(head) {
        Container::MpegTs
    } else if is_first_box(head) {
        Container::Fmp4
    } else if is_packed_audio(head) {
        Container::PackedAudio
    } else {
        Container::Unknown
    }
}

fn text_form(head: &[u8]) -> Option<Container> {
    let body = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if let Some(rest) = body.strip_prefix(b"WEBVTT")
        && rest.first().is_none_or(|next| b" \t\r\n".contains(next))
    {
        return Some(Container::WebVtt);
    }
    // A page may be in a legacy encoding, so its tag counts before its letters.
    let start = body.trim_ascii_start();
    if start.first() == Some(&b'<') && PAGE_TAGS.iter().any(|tag| contains_tag(start, tag)) {
        return Some(Container::Html);
    }
    is_text(body).then_some(Container::Text)
}

const PAGE_TAGS: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<head", b"<body"];

fn contains_tag(bytes: &[u8], tag: &[u8]) -> bool {
    bytes.windows(tag.len()).any(|window| window.eq_ignore_ascii_case(tag))
}

/// UTF-8 without control characters; the last character may be cut.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(cut) if cut.error_len().is_none() => {
            std::str::from_utf8(&bytes[..cut.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !"\t\n\r\u{c}".contains(c))
}

/// [`SYNC_RUN`] sync bytes in a row at any phase; a shorter content needs all
/// that it can have, from its first byte.
fn is_transport_stream(head: &[u8]) -> bool {
    const RUN_BYTES: usize = (SYNC_RUN - 1) * PACKET_BYTES + 1;
    if head.len() < RUN_BYTES {
        return head.iter().step_by(PACKET_BYTES).all(|&byte| byte == SYNC_BYTE);
    }
    head.windows(RUN_BYTES).any(|window| window.iter().step_by(PACKET_BYTES).all(|&byte| byte == SYNC_BYTE))
}

/// The types a file or segment begins with (ISO/IEC 14496-12 section 4.3 and 8.16).
const FIRST_BOXES: [&[u8; 4]; 13] = [
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"emsg", b"prft", b"free", b"skip",
    b"uuid", b"pdin",
];

fn is_first_box(head: &[u8]) -> bool {
    head.get(4..8).is_some_and(|kind| FIRST_BOXES.iter().any(|known| known[..] == *kind))
}

/// RFC 8216 section 3.4 asks for an ID3 tag in front; bare frames are common.
fn is_packed_audio(head: &[u8]) -> bool {
    if head.starts_with(b"ID3") || head.starts_with(&[0x0B, 0x77]) {
        return true;
    }
    match adts_frame_bytes(head) {
        Some(next) => next >= 7 && (head.len() < next + 2 || is_mpeg_audio_sync(&head[next..])),
        None => is_mpeg_audio_sync(head) && head.get(1).is_some_and(|b| b & 0x06 == 0x02),
    }
}

/// Twelve set bits (ISO/IEC 13818-7 section 6.2 and 11172-3 section 2.4.2.3;
/// the low-rate MPEG-2.5 clears one of them and is not looked for).
fn is_mpeg_audio_sync(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, second, ..] if second & 0xF0 == 0xF0)
}

/// The length of an ADTS frame, header included; `None` if it is not ADTS.
fn adts_frame_bytes(head: &[u8]) -> Option<usize> {
    let [0xFF, second, _, fourth, fifth, sixth, ..] = *head else { return None };
    // ADTS has layer 0; MPEG audio 1 to 3 in the same two bits.
    (second & 0xF6 == 0xF0)
        .then_some(usize::from(fourth & 0x03) << 11 | usize::from(fifth) << 3 | usize::from(sixth) >> 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: Container) {
        assert_eq!(container(head), expected, "{:?}", String::from_utf8_lossy(head));
    }

    #[test]
    fn the_first_bytes_name_the_container() {
        check(b"", Container::Empty);
        check(b"WEBVTT\nX-TIMESTAMP-MAP=", Container::WebVtt);
        check(b"\xEF\xBB\xBFWEBVTT", Container::WebVtt);
        check(b"WEBVTTX", Container::Text);
        check(b"\0\0\0\x18ftypiso5", Container::Fmp4);
        check(b"\0\0\0\x18stypmsdh", Container::Fmp4);
        check(b"\0\0\0\x18abcdmsdh", Container::Unknown);
        check(b"ID3\x04\0\0\0\0\0\x3F", Container::PackedAudio);
        check(&[0xFF, 0xF1, 0x50, 0x80, 0x02, 0x1F, 0xFC], Container::PackedAudio);
        check(&[0xFF, 0xFB, 0x90, 0x64], Container::PackedAudio);
        check(&[0x0B, 0x77, 0x12, 0x34], Container::PackedAudio);
        check(&[0xFF, 0xD8, 0xFF, 0xE0], Container::Unknown);
        check(b"\x89PNG\r\n\x1a\n", Container::Unknown);
    }

    #[test]
    fn pages_and_messages_are_told_apart() {
        check(b"\n <!DOCTYPE HTML><title>502", Container::Html);
        check(b"<HTML><body>caf\xE9", Container::Html);
        check(b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", Container::Text);
        check(b"{\"message\": \"not found\"}", Container::Text);
        check(b"#EXTM3U\n#EXT-X-VERSION:3\n", Container::Text);
        check("Gone: gr\u{fc}n".as_bytes(), Container::Text);
        check(b"cut inside a character \xE2\x82", Container::Text);
    }

    #[test]
    fn a_transport_stream_shows_by_its_sync_bytes() {
        let mut packets = [0u8; HEAD_BYTES];
        for packet in packets.chunks_mut(PACKET_BYTES) {
            packet[0] = SYNC_BYTE;
        }
        check(&packets, Container::MpegTs);
        check(&packets[..PACKET_BYTES], Container::MpegTs);
        check(&packets[..PACKET_BYTES + 1], Container::MpegTs);
        check(&packets[100..], Container::MpegTs);
        check(&packets[100..300], Container::Unknown);
        packets[PACKET_BYTES] = 0;
        check(&packets, Container::MpegTs);
        check(&packets[..2 * PACKET_BYTES], Container::Unknown);
    }

    #[test]
    fn an_adts_header_must_lead_to_another_frame() {
        let mut frames = [0u8; 64];
        // Frame length 32: 0b00, 0x04, 0b000.
        frames[..7].copy_from_slice(&[0xFF, 0xF1, 0x50, 0x80, 0x04, 0x1F, 0xFC]);
        check(&frames, Container::Unknown);
        frames[32..34].copy_from_slice(&[0xFF, 0xF1]);
        check(&frames, Container::PackedAudio);
    }
}
