//! The wall as text.

use std::fmt::Write;

use hlsops_domain::{EpochMs, HealthState};

use super::tile::Tile;
use crate::check::clock;
use crate::terminal::{Style, age, plain};

/// The whole wall, worst streams first: 80 columns hold what matters. Every line ends by clearing its rest.
pub(crate) fn page(tiles: &[Tile], now: EpochMs, base: &str, style: Style) -> String {
    let mut order: Vec<&Tile> = tiles.iter().collect();
    order.sort_by_key(|tile| (std::cmp::Reverse(rank(tile.health)), tile.row.title));
    let count = |state| tiles.iter().filter(|tile| tile.health == state).count();
    let mut out = format!(
        "{}  {} UNHEALTHY  {} DEGRADED  {} NO DATA  {} HEALTHY  {}\x1b[K\n\x1b[K\n",
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
            "{} {} {:>6} {:<9} {:<11} {}\x1b[K\n  {}\x1b[K\n",
            style.health(tile.health),
            style.bold(&format!("{:<21}", plain(tile.row.title, 21))),
            age(now.since(tile.since)),
            tile.playlist,
            if tile.is_as_expected() { "as expected" } else { "" },
            tile.codes.iter().copied().collect::<Vec<_>>().join(" "),
            style.dim(&plain(&reason(tile), 116)),
        );
    }
    let _ = write!(
        out,
        "\x1b[K\nOrigin {base}  Break a stream: README.md  Stop: Ctrl-C\x1b[K\n\
         Look at one: hlsops check {base}/live/steady/master.m3u8\x1b[K\n"
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

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_origin::DEMO;

    /// In colour or not, what is shown has its columns, and fits an ordinary terminal.
    #[test]
    fn columns_are_aligned_in_80() {
        let now = EpochMs(10_000);
        let mut tiles: Vec<Tile> = DEMO.iter().map(|row| Tile::new(row, EpochMs(0))).collect();
        for tile in &mut tiles {
            tile.health = HealthState::Unhealthy;
            tile.playlist = "HTTPError";
            tile.codes.extend(["EC-2002", "WA-1001"]);
        }
        for style in [Style::COLOUR, Style::PLAIN] {
            let page = shown(&page(&tiles, now, "http://127.0.0.1:65535", style));
            let lines: Vec<&str> = page.lines().collect();
            assert_eq!(lines.len(), 23, "24 lines with the one the cursor stands in");
            for line in lines.iter().filter(|line| line.contains("HTTPError")) {
                let before = line.split("HTTPError").next().unwrap_or_default();
                assert_eq!(before.chars().count(), 42, "{line}");
            }
            let mut told = lines.iter().filter(|line| !line.starts_with("  "));
            assert!(told.all(|line| line.chars().count() <= 80), "{page}");
        }
    }

    /// Text as it stands on a screen: without escape sequences.
    fn shown(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + part.split_once(['m', 'K']).map_or("", |(_, rest)| rest))
    }
}
