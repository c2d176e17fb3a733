//! How fast segments are inspected: `cargo xtask bench media`.
//!
//! Each line is one kind of segment, repeated to 16 MiB, fed in chunks of 64 KiB
//! as a download delivers them: gigabytes a second, best of seven runs, beside
//! hashing alone (the same content as opaque).
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use hlsops_media::{Container, Inspector, Report};

const SEGMENT_BYTES: usize = 16 << 20;
const CHUNK_BYTES: usize = 64 << 10;
const RUNS: u32 = 7;

const TS: &[u8] = include_bytes!("../../../../core/media/testdata/segment.ts");
const FMP4: &[u8] = include_bytes!("../../../../core/media/testdata/segment-0.m4s");
const ADTS: &[u8] = include_bytes!("../../../../core/media/testdata/audio.aac");

fn main() {
    println!("{:<24}{:>14}{:>14}", "", "inspect GB/s", "hash GB/s");
    // What, the content, what it has to be recognised as.
    let cases = [
        ("transport stream", repeated(TS), Container::MpegTs),
        ("fragmented MP4", repeated(FMP4), Container::Fmp4),
        ("packed audio", repeated(ADTS), Container::PackedAudio),
        ("worst: never in sync", never_in_sync(), Container::MpegTs),
        ("worst: lost every time", lost_every_time(), Container::MpegTs),
    ];
    for (name, content, expected) in cases {
        let inspected = best(&content, Inspector::new, expected);
        let hashed = best(&content, || Inspector::opaque().hashing(), Container::Opaque);
        println!("{name:<24}{inspected:>14.1}{hashed:>14.1}");
    }
}

/// The sample over and over, whole copies only.
fn repeated(sample: &[u8]) -> Vec<u8> {
    sample.repeat(SEGMENT_BYTES / sample.len())
}

/// Packets in sync just long enough to be found, then lost again.
fn lost_every_time() -> Vec<u8> {
    let mut bytes = vec![0u8; SEGMENT_BYTES];
    for start in (0..SEGMENT_BYTES - 600).step_by(600) {
        for packet in [0, 188, 376] {
            bytes[start + packet] = 0x47;
        }
    }
    bytes
}

/// Five good packets, then sync bytes that never come three in a row.
fn never_in_sync() -> Vec<u8> {
    let mut bytes = vec![0u8; SEGMENT_BYTES];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let in_head = index < 5 * 188 && index.is_multiple_of(188);
        let in_blocks = index >= 5 * 188 && (index / 188) % 3 < 2;
        *byte = if in_head || in_blocks { 0x47 } else { 0 };
    }
    bytes
}

fn best(content: &[u8], inspector: fn() -> Inspector, expected: Container) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        let report = black_box(inspect(black_box(content), inspector()));
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(report.container, expected, "measured something else");
        content.len() as f64 / seconds / 1e9
    });
    runs.fold(0.0, f64::max)
}

fn inspect(content: &[u8], mut inspector: Inspector) -> Report {
    for chunk in content.chunks(CHUNK_BYTES) {
        inspector.feed(chunk);
    }
    inspector.finish()
}
