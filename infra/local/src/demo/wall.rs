//! The wall as text.

use std::fmt::Write;

use hlsops_domain::{EpochMs, HealthState};

use super::tile::Tile;
use crate::check::clock;
use crate::terminal::{Style, age, plain};

/// The whole wall, worst streams first. Every line ends by clearing its rest.
pub(crate) fn page(tiles: &[Tile], now: EpochMs, base: &str, style: Style) -> String {
    let mut order: Vec<&Tile> = tiles.iter().collect();
    order.sort_by_key(|tile| (std::cmp::Reverse(rank(tile.health)), tile.row.title));
    let count = |state| tiles.iter().filter(|tile| tile.health == state).count();
    let mut out = format!(
        "{}  {} UNHEALTHY  {} DEGRADED  {} NO DATA  {} HEALTHY   UTC {}\x1b[K\n\x1b[K\n",
        style.bold("HLS OPS demo"),
        count(HealthState::Unhealthy),
        count(HealthState::Degraded),
        count(HealthState::NoData),
        count(HealthState::Healthy),
        clock(now),
    );
    for tile in order {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{} {:<22} {:>6}  {:<10} {:<24} {}\x1b[K\n  {}\x1b[K\n",
            style.health(tile.health),
            style.bold(&plain(tile.row.title, 22)),
            age(now.since(tile.since)),
            tile.playlist,
            tile.codes.iter().copied().collect::<Vec<_>>().join(" "),
            if tile.is_as_expected() { "as expected" } else { "" },
            style.dim(&plain(&reason(tile), 110)),
        );
    }
    let _ = write!(
        out,
        "\x1b[K\nStreams made on this machine at {base}/  (faults: PUT /control/STREAM/fault)\x1b[K\n\
         Look at one: hlsops check {base}/live/steady/master.m3u8     Stop: Ctrl-C\x1b[K\n"
    );
    out
}

fn reason(tile: &Tile) -> String {
    if tile.reasons.is_empty() { tile.row.why.to_owned() } else { tile.reasons.join("; ") }
}

const fn rank(state: HealthState) -> u8 {
    match state {
        HealthState::Unhealthy => 3,
        HealthState::Degraded => 2,
        HealthState::NoData => 1,
        HealthState::Healthy => 0,
    }
}

/// One line per stream: what is compared to say that something changed.
pub(crate) fn states(tiles: &[Tile]) -> String {
    let mut out = String::new();
    for tile in tiles {
        let codes: Vec<_> = tile.codes.iter().copied().collect();
        let expected = if tile.is_as_expected() { "as expected" } else { "not yet as expected" };
        let _ = writeln!(
            out,
            "{:<17} {:<10} {:<10} [{}] {expected}",
            tile.row.id,
            tile.health.name(),
            tile.playlist,
            codes.join(" ")
        );
    }
    out
}

/// The lines that are new, each with the time.
pub(crate) fn changes(before: &str, now_lines: &str, now: EpochMs) -> String {
    let before: Vec<_> = before.lines().collect();
    let new = now_lines.lines().filter(|line| !before.contains(line));
    new.map(|line| format!("{} {line}\n", clock(now))).collect()
}
