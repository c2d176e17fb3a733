//! Any bytes in any chunks: no panic, and the chunks leave no trace.

use hlsops_media::{Container, Defect, Inspector, Report};
use proptest::collection::vec;
use proptest::prelude::*;

const TS: &[u8] = include_bytes!("../testdata/segment.ts");
const FMP4: &[u8] = include_bytes!("../testdata/segment-0.m4s");

/// Feeds the bytes in chunks of these sizes, over and over.
fn inspect(bytes: &[u8], sizes: &[usize]) -> Report {
    let mut inspector = Inspector::new().hashing();
    let mut rest = bytes;
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at(size.min(rest.len()));
        inspector.feed(chunk);
        rest = behind;
    }
    inspector.finish()
}

/// Real media with bytes changed, cut out and put in.
fn damaged(media: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let edit = (0..20_000usize, 0..400usize, vec(any::<u8>(), 0..300));
    (0..20_000usize, vec(edit, 0..6)).prop_map(move |(len, edits)| {
        let mut bytes = media[..len.min(media.len())].to_vec();
        for (at, out, put) in edits {
            let at = at.min(bytes.len());
            let end = (at + out).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    })
}

/// Box headers with small, large and absurd sizes.
fn boxes() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![*b"moof", *b"mdat", *b"free", *b"moov", *b"\0\0\0\0"]);
    let size = prop_oneof![0u32..20, 20u32..2_000, any::<u32>()];
    let one = (kind, size, vec(any::<u8>(), 0..40))
        .prop_map(|(kind, size, body)| [&size.to_be_bytes()[..], &kind, &body].concat());
    vec(one, 1..12).prop_map(|all| [&b"\0\0\0\x08styp"[..], &all.concat()].concat())
}

/// Mostly sync bytes: the worst case for finding packets.
fn sync_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![9 => Just(0x47u8), 1 => any::<u8>()], 0..4_000)
}

fn any_content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..4_000), damaged(TS), damaged(FMP4), boxes(), sync_bytes()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn chunks_leave_no_trace(bytes in any_content(), sizes in vec(1..2_000usize, 1..8)) {
        let whole = inspect(&bytes, &[bytes.len().max(1)]);
        prop_assert_eq!(&whole, &inspect(&bytes, &sizes));
    }

    #[test]
    fn every_byte_is_accounted_for(bytes in any_content()) {
        let report = inspect(&bytes, &[bytes.len().max(1)]);
        prop_assert_eq!(report.bytes, bytes.len() as u64);
        prop_assert_eq!(report.ts.is_some(), report.container == Container::MpegTs);
        prop_assert_eq!(report.fmp4.is_some(), report.container == Container::Fmp4);
        prop_assert_eq!(report.defect == Some(Defect::Empty), bytes.is_empty());
        if let Some(ts) = report.ts {
            let read = ts.packets * 188 + ts.skipped_bytes + ts.trailing_bytes;
            prop_assert_eq!(read, report.bytes);
        }
    }
}
