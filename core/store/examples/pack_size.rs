//! Prints what a minute takes: packed, packed and compressed, and as JSON, plain and compressed.
//!
//! `cargo run --release -p hlsops-store --example pack_size`

#[path = "../tests/table/support.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod support;

use hlsops_store::pack::{MinuteLog, pack_closing};
use serde_json::json;
use support::{NOW, closing, log};

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn main() {
    println!("{:<44} {:>7} {:>7} {:>7} {:>10}", "bytes", "packed", "+ zstd", "JSON", "JSON+zstd");
    for (renditions, segments) in [(2, 15), (3, 10), (3, 15), (3, 30), (10, 15)] {
        let log = log(NOW, renditions, segments);
        let name = format!("log, {renditions} renditions x {segments} segments");
        let (packed, json) = (log.pack(), as_json(&log));
        let sizes = [packed.len(), zstd(&packed), json.len(), zstd(json.as_bytes())];
        println!("{name:<44} {:>7} {:>7} {:>7} {:>10}", sizes[0], sizes[1], sizes[2], sizes[3]);
    }
    for renditions in [1, 3, 10] {
        let mut state = closing(NOW, renditions);
        let packed = pack_closing(&state);
        let name = format!("closing state, {renditions} renditions");
        println!("{name:<44} {:>7} {:>7}", packed.len(), zstd(&packed));
        state.renditions.iter_mut().for_each(|rendition| rendition.remembered.truncate(1));
        let name = "  with 1 fingerprint each instead of 16";
        println!("{name:<44} {:>7}", pack_closing(&state).len());
    }
}

fn zstd(bytes: &[u8]) -> usize {
    zstd::bulk::compress(bytes, 19).map_or(0, |compressed| compressed.len())
}

fn as_json(log: &MinuteLog) -> String {
    let rows = log.renditions().iter().flat_map(|rendition| {
        rendition.segments.iter().map(|row| {
            json!({
                "rendition": rendition.id.to_string(), "sequence": row.sequence, "at_epoch_ms": row.at.0,
                "duration_us": row.media.0, "bytes": row.bytes, "ttfb_ms": row.ttfb_ms,
                "download_ms": row.download_ms, "paced": row.paced, "attempt": row.attempt,
                "outcome": row.failure.map_or_else(|| "ok".into(), |failure| failure.to_string()),
                "last": row.last,
            })
        })
    });
    serde_json::Value::Array(rows.collect()).to_string()
}
