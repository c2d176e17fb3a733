//! Real segments, whole and damaged (recipe: `testdata/README.md`).

use hlsops_media::{Container, Defect, Inspector, Report};

const TS: &[u8] = include_bytes!("../testdata/segment.ts");
const INIT: &[u8] = include_bytes!("../testdata/init.mp4");
const FMP4: &[u8] = include_bytes!("../testdata/segment-0.m4s");
const ADTS: &[u8] = include_bytes!("../testdata/audio.aac");
const ID3: &[u8] = include_bytes!("../testdata/audio-id3.aac");

fn inspect(bytes: &[u8]) -> Report {
    let mut inspector = Inspector::new().hashing();
    inspector.feed(bytes);
    inspector.finish()
}

#[track_caller]
fn check(bytes: &[u8], container: Container, defect: Option<Defect>) {
    let report = inspect(bytes);
    assert_eq!((report.container, report.defect), (container, defect), "{report:?}");
}

#[test]
fn healthy_segments_have_no_defect() {
    check(TS, Container::MpegTs, None);
    check(INIT, Container::Fmp4, None);
    check(FMP4, Container::Fmp4, None);
    check(&[INIT, FMP4].concat(), Container::Fmp4, None);
    check(ADTS, Container::PackedAudio, None);
    check(ID3, Container::PackedAudio, None);
    check(b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n", Container::WebVtt, None);
}

#[test]
fn a_transport_stream_is_read_by_its_headers() {
    let ts = inspect(TS).ts.unwrap();
    assert_eq!(ts.packets, TS.len() as u64 / 188);
    assert!(ts.has_pat && ts.has_pmt);
    assert_eq!((ts.continuity_errors, ts.transport_errors, ts.trailing_bytes), (0, 0, 0));
    // 50 frames at 25 a second: 49 frame lengths between the first and the last start.
    assert_eq!(ts.video.unwrap().ticks(), 49 * 3600);
    assert!(ts.audio.unwrap().ticks() > 90_000);
    assert_eq!(ts.private, None);
}

#[test]
fn fragmented_mp4_is_read_by_its_boxes() {
    let init = inspect(INIT).fmp4.unwrap();
    assert!(init.has_init() && !init.has_media());
    let media = inspect(FMP4).fmp4.unwrap();
    assert!(media.has_media() && !media.has_init());
    assert_eq!((media.boxes.moof, media.boxes.mdat), (1, 1));
}

#[test]
fn a_cut_segment_is_truncated_wherever_it_is_cut() {
    // A prime step, so that the cuts fall on every place inside a packet.
    // The first two bytes alone, "G@", are text.
    for len in (3..TS.len()).step_by(89).filter(|len| !len.is_multiple_of(188)) {
        check(
            &TS[..len],
            Container::MpegTs,
            Some(Defect::Truncated { missing_bytes: 188 - len as u64 % 188 }),
        );
    }
    let end = boxes_end(FMP4);
    for len in (8..FMP4.len()).step_by(89).filter(|len| !end.contains(len)) {
        let defect = inspect(&FMP4[..len]).defect;
        assert!(matches!(defect, Some(Defect::Truncated { .. })), "{defect:?} after {len} bytes");
    }
    check(&FMP4[..FMP4.len() - 9], Container::Fmp4, Some(Defect::Truncated { missing_bytes: 9 }));
    check(&TS[..TS.len() - 9], Container::MpegTs, Some(Defect::Truncated { missing_bytes: 9 }));
}

/// Where the boxes of this file end.
fn boxes_end(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(&[a, b, c, d]) = bytes[ends[ends.len() - 1]..].first_chunk() {
        ends.push(ends[ends.len() - 1] + u32::from_be_bytes([a, b, c, d]) as usize);
    }
    ends
}

#[test]
fn a_lost_packet_is_a_continuity_error_and_no_defect() {
    let mut bytes = TS.to_vec();
    bytes.drain(188 * 20..188 * 21);
    let report = inspect(&bytes);
    assert_eq!((report.defect, report.ts.unwrap().continuity_errors), (None, 1));
}

#[test]
fn inserted_bytes_lose_the_sync() {
    let mut bytes = TS.to_vec();
    bytes.splice(188 * 20..188 * 20, *b"garbage");
    let lost = Defect::LostSync { losses: 1, skipped_bytes: 7 + 2 * 188 };
    check(&bytes, Container::MpegTs, Some(lost));
    check(&TS[7..], Container::MpegTs, Some(Defect::LostSync { losses: 1, skipped_bytes: 181 + 376 }));
}

#[test]
fn what_is_no_segment_is_named() {
    let not = |container| Some(Defect::NotMedia { container });
    check(b"", Container::Empty, Some(Defect::Empty));
    check(b"<html><body>502 Bad Gateway", Container::Html, not(Container::Html));
    check(b"Gone", Container::Text, not(Container::Text));
    check(b"#EXTM3U\n", Container::Text, not(Container::Text));
    check(&[0x1F, 0x8B, 0x08, 0, 0, 0], Container::Unknown, not(Container::Unknown));
}

#[test]
fn encrypted_content_is_hashed_and_not_judged() {
    let mut opaque = Inspector::opaque().hashing();
    opaque.feed(&[0x1F; 4000]);
    let report = opaque.finish();
    assert_eq!((report.container, report.defect, report.bytes), (Container::Opaque, None, 4000));
    assert_eq!(report.content_hash, inspect(&[0x1F; 4000]).content_hash);
    let unhashed = Inspector::opaque().finish();
    assert_eq!((unhashed.defect, unhashed.content_hash), (Some(Defect::Empty), None));
}

#[test]
fn the_hash_is_stable() {
    // XXH3-64 of nothing, seed 0, from the reference implementation's test values.
    assert_eq!(inspect(b"").content_hash, Some(0x2D06_8005_38D3_94C2));
    assert_ne!(inspect(TS).content_hash, inspect(&TS[188..]).content_hash);
}
