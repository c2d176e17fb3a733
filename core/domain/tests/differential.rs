//! A second opinion on healthy playlists: `m3u8-rs` must read the same segments and variants as we do.
//!
//! It is no authority (see `docs/adr/0001-playlist-reader.md`): the comparison is made where it is known to
//! be right.

use std::fmt::Write as _;

use hlsops_domain::playlist::{Parsed, decode, read};
use m3u8_rs::Playlist;
use proptest::prelude::*;

/// What both readers must agree on. Durations in whole milliseconds: theirs are 32-bit floats.
#[derive(Debug, PartialEq)]
enum Essence {
    Media { sequence: u64, ended: bool, segments: Vec<(u64, String, i64, bool)> },
    Master { variants: Vec<(String, u64)>, media: Vec<(String, Option<String>)> },
}

#[expect(clippy::cast_possible_truncation, reason = "durations of a test are small")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1e3).round() as i64
}

fn ours(bytes: &[u8]) -> Essence {
    let text = decode(bytes);
    match read(&text) {
        Parsed::Media(list) => {
            assert_eq!(list.problems, [], "a healthy playlist");
            let segment = |s: &hlsops_domain::playlist::Segment<'_>| {
                (s.sequence, s.uri.to_owned(), millis(s.duration.as_seconds()), s.discontinuity)
            };
            Essence::Media {
                sequence: list.media_sequence,
                ended: list.ended,
                segments: list.segments.iter().map(segment).collect(),
            }
        }
        Parsed::Multivariant(list) => {
            assert_eq!(list.problems, [], "a healthy playlist");
            let variants =
                list.variants.iter().map(|v| (v.uri.to_owned(), v.bandwidth_bps.unwrap_or_default()));
            let media = list.media.iter().map(|m| (m.group.to_owned(), m.uri.map(str::to_owned)));
            Essence::Master { variants: variants.collect(), media: media.collect() }
        }
        Parsed::NotAPlaylist(why) => panic!("{why:?}"),
    }
}

fn theirs(bytes: &[u8]) -> Essence {
    match m3u8_rs::parse_playlist_res(bytes) {
        Ok(Playlist::MediaPlaylist(list)) => {
            let numbered = (list.media_sequence..).zip(&list.segments);
            let segment = |(sequence, s): (u64, &m3u8_rs::MediaSegment)| {
                (sequence, s.uri.clone(), millis(f64::from(s.duration)), s.discontinuity)
            };
            Essence::Media {
                sequence: list.media_sequence,
                ended: list.end_list,
                segments: numbered.map(segment).collect(),
            }
        }
        Ok(Playlist::MasterPlaylist(list)) => {
            let variants = list.variants.iter().filter(|v| !v.is_i_frame);
            Essence::Master {
                variants: variants.map(|v| (v.uri.clone(), v.bandwidth)).collect(),
                media: list.alternatives.iter().map(|a| (a.group_id.clone(), a.uri.clone())).collect(),
            }
        }
        Err(why) => panic!("m3u8-rs: {why:?}"),
    }
}

#[track_caller]
fn check_same(name: &str, bytes: &[u8]) {
    assert_eq!(ours(bytes), theirs(bytes), "{name}");
}

/// Every file of the corpus, low latency included. What m3u8-rs misreads (commas in titles, a missing last
/// newline, fractional target durations, bad attribute lists, Latin-1, byte order marks, negative durations,
/// tags behind the last segment) is no part of it: those are cases of the reader's own tests.
#[test]
fn the_corpus_reads_the_same() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "the corpus is complete: {files:?}");
    for file in files {
        check_same(&file.display().to_string(), &std::fs::read(&file).expect("readable"));
    }
}

/// A healthy media playlist, written by the standard.
fn media_playlist() -> impl Strategy<Value = String> {
    let segment = (1_u32..12_000, any::<bool>(), 0_u8..8, "[a-z]{1,8}(/[a-z0-9]{1,8}){0,2}\\.(ts|m4s)");
    let segments = proptest::collection::vec(segment, 1..40);
    (any::<u32>(), 3_u8..8, any::<bool>(), any::<bool>(), segments).prop_map(
        |(sequence, version, crlf, ended, segments)| {
            let mut text = format!(
                "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:12\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n"
            );
            for (index, (ms, discontinuity, extra, uri)) in segments.iter().enumerate() {
                if *discontinuity && index > 0 {
                    text.push_str("#EXT-X-DISCONTINUITY\n");
                }
                match extra {
                    0 => text.push_str("#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00.000Z\n"),
                    1 => text.push_str("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n"),
                    2 => text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n"),
                    3 => text.push_str("#EXT-X-KEY:METHOD=NONE\n"),
                    _ => {}
                }
                let _ = writeln!(text, "#EXTINF:{}.{:03},", ms / 1_000, ms % 1_000);
                if *extra == 4 {
                    text.push_str("#EXT-X-BYTERANGE:1000@0\n");
                }
                let _ = writeln!(text, "{uri}");
            }
            if ended {
                text.push_str("#EXT-X-ENDLIST\n");
            }
            if crlf { text.replace('\n', "\r\n") } else { text }
        },
    )
}

/// A healthy multivariant playlist.
fn master_playlist() -> impl Strategy<Value = String> {
    let variant =
        (1_u32..50_000_000, any::<bool>(), any::<bool>(), "[a-z]{1,8}\\.m3u8(\\?[a-z]=[0-9]{1,3})?");
    let variants = proptest::collection::vec(variant, 1..12);
    (variants, proptest::collection::vec("[a-z]{1,6}", 0..4)).prop_map(|(variants, audio)| {
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:4\n");
        for name in &audio {
            let _ = writeln!(
                text,
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g-{name}\",NAME=\"{name}, stereo\",URI=\"{name}.m3u8\""
            );
        }
        for (bandwidth, sized, codecs, uri) in &variants {
            let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}");
            if *sized {
                text.push_str(",RESOLUTION=1280x720,FRAME-RATE=25.000");
            }
            if *codecs {
                text.push_str(",CODECS=\"avc1.64001f,mp4a.40.2\"");
            }
            let _ = writeln!(text, "\n{uri}");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn media_playlists_read_the_same(text in media_playlist()) {
        check_same("generated", text.as_bytes());
    }

    #[test]
    fn multivariant_playlists_read_the_same(text in master_playlist()) {
        check_same("generated", text.as_bytes());
    }
}
