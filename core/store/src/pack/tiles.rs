//! The tiles of a shard's summary in bits.
//!
//! Tiles are packed in the order of their streams, so that a name costs what differs from the one before;
//! times are told by their distance from the summary's own. A tile of a healthy stream takes about 20 bytes.

use std::borrow::Cow;

use hlsops_domain::EpochMs;

use super::bits::{BitReader, BitWriter};
use super::codes::{read_health, read_playlist, write_health, write_playlist};
use super::{PackError, versioned};
use crate::ids::StreamId;
use crate::summary::{ShardSummary, Tile};

/// The second says of when reasons are.
const VERSION: u8 = 2;

/// The characters of a ULID, in lower case: an identifier made of them takes five bits for each.
const ULID: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Longest text of a stream: two parts and what separates them.
const MAX_ID: usize = 2 * StreamId::MAX + 1;

/// Bytes of a reason: its characters, each of at most four bytes.
const MAX_REASON: usize = 4 * Tile::MAX_REASON;

pub(crate) fn pack_tiles(tiles: &[Tile], at: EpochMs) -> Vec<u8> {
    let mut order: Vec<&Tile> = tiles.iter().collect();
    order.sort_by(|a, b| a.stream.cmp(&b.stream));
    let mut out = BitWriter::new(VERSION);
    out.number(order.len() as u64);
    let mut before = String::new();
    for tile in order {
        let id = tile.stream.to_string();
        write_id(&mut out, &before, &id);
        before = id;
        write_health(&mut out, tile.health);
        out.difference(at.0, tile.since.0);
        out.option(tile.last_look, |out, look| out.difference(at.0, look.0));
        out.option(tile.incident, |out, since| out.difference(tile.since.0, since.0));
        write_playlist(&mut out, tile.playlist);
        out.number(tile.weight);
        let reasons = &tile.reasons[..tile.reasons.len().min(Tile::MAX_REASONS)];
        out.number(reasons.len() as u64);
        for reason in reasons {
            out.text(&cut(reason));
        }
        out.option(tile.reasons_at, |out, reasons| out.difference(at.0, reasons.0));
    }
    out.finish()
}

/// At most [`Tile::MAX_REASON`] characters, the last of which says that there were more.
fn cut(reason: &str) -> Cow<'_, str> {
    if reason.chars().nth(Tile::MAX_REASON).is_none() {
        return reason.into();
    }
    let kept: String = reason.chars().take(Tile::MAX_REASON - 1).collect();
    format!("{}…", kept.trim_end()).into()
}

pub(crate) fn unpack_tiles(bytes: &[u8], at: EpochMs) -> Result<Vec<Tile>, PackError> {
    let from = &mut BitReader::new(versioned(bytes, VERSION)?);
    let says_when = bytes.first() >= Some(&2);
    let mut before = String::new();
    let mut tiles = Vec::new();
    for _ in 0..from.count(ShardSummary::MAX)? {
        before = read_id(from, &before)?;
        let stream = StreamId::parse(&before).map_err(|_| PackError::Damaged("stream"))?;
        let health = read_health(from)?;
        let since = EpochMs(from.difference(at.0)?);
        let last_look = from.option(|from| from.difference(at.0).map(EpochMs))?;
        let incident = from.option(|from| from.difference(since.0).map(EpochMs))?;
        let playlist = read_playlist(from)?;
        let weight = from.number()?;
        let reasons = (0..from.count(Tile::MAX_REASONS)?)
            .map(|_| from.text(MAX_REASON))
            .collect::<Result<Vec<String>, PackError>>()?;
        let reasons_at = match says_when {
            true => from.option(|from| from.difference(at.0).map(EpochMs))?,
            false => None,
        };
        tiles.push(Tile {
            stream,
            health,
            since,
            last_look,
            incident,
            playlist,
            reasons,
            reasons_at,
            weight,
        });
    }
    Ok(tiles)
}

/// How much of the name before it begins with, and the rest in five or eight bits a character.
fn write_id(out: &mut BitWriter, before: &str, id: &str) {
    let shared = before.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    let rest = &id.as_bytes()[shared..];
    let codes: Option<Vec<u64>> = rest.iter().map(|byte| ulid_code(*byte)).collect();
    out.number(shared as u64);
    out.number(rest.len() as u64);
    out.bit(codes.is_some());
    match codes {
        Some(codes) => codes.iter().for_each(|code| out.bits(*code, 5)),
        None => rest.iter().for_each(|byte| out.bits(u64::from(*byte), 8)),
    }
}

fn read_id(from: &mut BitReader<'_>, before: &str) -> Result<String, PackError> {
    let shared = usize::try_from(from.number()?).unwrap_or(usize::MAX);
    let mut id = before.as_bytes().get(..shared).ok_or(PackError::Damaged("stream"))?.to_vec();
    let rest = from.count(MAX_ID - shared.min(MAX_ID))?;
    let short = from.bit()?;
    for _ in 0..rest {
        let byte = match short {
            true => usize::try_from(from.bits(5)?).ok().and_then(|code| ULID.get(code).copied()),
            false => u8::try_from(from.bits(8)?).ok(),
        };
        id.push(byte.unwrap_or_default());
    }
    String::from_utf8(id).map_err(|_| PackError::Damaged("stream"))
}

fn ulid_code(byte: u8) -> Option<u64> {
    ULID.iter().position(|known| *known == byte).map(|code| code as u64)
}

#[cfg(test)]
mod tests {
    use hlsops_domain::HealthState;
    use hlsops_domain::rendition::PlaylistState;
    use proptest::prelude::*;

    use super::*;

    const NOW: EpochMs = EpochMs(1_790_000_000_000);

    fn tile(name: &str) -> Tile {
        Tile {
            stream: StreamId::new("default", name).expect("valid"),
            health: HealthState::Healthy,
            since: EpochMs(NOW.0 - 86_400_000),
            last_look: Some(EpochMs(NOW.0 - 1_500)),
            incident: None,
            playlist: PlaylistState::Live,
            reasons: Vec::new(),
            reasons_at: None,
            weight: 1_000,
        }
    }

    /// Identifiers as they are made: a time and 16 random characters.
    fn ulid(seed: u64) -> String {
        let random = |n: u64| (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(11 * n as u32 % 64);
        let tail: String = (0..16).map(|n| char::from(ULID[(random(n) % 32) as usize])).collect();
        format!("str_01kd{:06}{tail}", seed % 1_000)
    }

    #[test]
    fn a_healthy_tile_takes_little() {
        let tiles: Vec<Tile> = (0..50).map(|n| tile(&ulid(n))).collect();
        let bytes = pack_tiles(&tiles, NOW).len();
        assert!(bytes < 50 * 26, "{bytes} bytes for 50 tiles");
    }

    #[test]
    fn the_worst_tile_is_smaller_than_250_bytes() {
        let mut worst = tile(&"x".repeat(64));
        worst.health = HealthState::Unhealthy;
        worst.incident = Some(EpochMs(1));
        worst.reasons_at = Some(EpochMs(1));
        worst.reasons = vec!["y".repeat(300), "z".repeat(10), "not shown".into()];
        let bytes = pack_tiles(std::slice::from_ref(&worst), NOW);
        assert!(bytes.len() < 250, "{} bytes", bytes.len());
        let back = unpack_tiles(&bytes, NOW).expect("readable");
        assert_eq!(back[0].reasons, [format!("{}…", "y".repeat(Tile::MAX_REASON - 1)), "z".repeat(10)]);
    }

    /// What the version before wrote: no time of the reasons, and its number in front.
    #[test]
    fn the_first_version_is_still_read() {
        let bytes = [
            1, 2, 27, 200, 202, 204, 194, 234, 216, 232, 70, 210, 216, 216, 254, 255, 221, 92, 213, 248, 238,
            37, 216, 31, 129, 129, 68, 69, 5, 5, 82, 3, 51, 131, 65, 238, 202, 216, 216, 250, 255, 221, 92,
            213, 248, 238, 37, 216, 31, 0,
        ];
        let ill = Tile { reasons: vec!["HTTP 503".into()], health: HealthState::Unhealthy, ..tile("ill") };
        assert_eq!(unpack_tiles(&bytes, NOW), Ok(vec![ill, tile("well")]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn tiles_come_back(
            names in proptest::collection::btree_set("[a-zA-Z0-9._-]{1,64}|str_01kd[0-9a-z]{22}", 0..30),
            times in any::<(u64, Option<u64>, Option<u64>, Option<u64>)>(),
            reasons in proptest::collection::vec("[ -~äß→]{0,70}", 0..3),
            weight in any::<u64>(),
        ) {
            let mut tiles: Vec<Tile> = names.iter().map(|name| tile(name)).collect();
            for tile in tiles.iter_mut().step_by(2) {
                tile.since = EpochMs(times.0);
                (tile.last_look, tile.incident) = (times.1.map(EpochMs), times.2.map(EpochMs));
                tile.reasons.clone_from(&reasons);
                tile.reasons_at = times.3.map(EpochMs);
                tile.weight = weight;
            }
            prop_assert_eq!(unpack_tiles(&pack_tiles(&tiles, NOW), NOW), Ok(tiles));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack_tiles(&bytes, NOW);
        }
    }
}
