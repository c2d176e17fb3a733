use std::fmt::Write as _;

use super::memory::path_of;
use super::*;
use crate::EpochMs;
use crate::playlist::{MediaPlaylist, Multivariant, Parsed, read};

/// `10abc`: from media sequence 10 on the segments a, b and c.
fn list(words: &str) -> String {
    let letters = words.find(|c: char| !c.is_ascii_digit()).unwrap_or(words.len());
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:{}\n", &words[..letters]);
    for letter in words[letters..].chars() {
        let _ = write!(text, "#EXTINF:6,\n{letter}.ts?token={}\n", words.len());
    }
    text
}

fn media(text: &str) -> MediaPlaylist<'_> {
    let Parsed::Media(list) = read(text) else { panic!("{text}") };
    list
}

/// The last of `lists` beside those before it.
#[track_caller]
fn check_change(lists: &str, expected: &str) {
    let (mut memory, mut change) = (Memory::default(), Change::Unchanged);
    for words in lists.split_whitespace() {
        let text = list(words);
        change = memory.compare(&media(&text));
        memory.learn(&media(&text), change);
        assert!(memory.len() <= 2 * Memory::MAX);
    }
    let got = match change {
        Change::Jumped { missing } => format!("Jumped {missing}"),
        Change::OlderCopy { behind } => format!("OlderCopy {behind}"),
        Change::WentDown { from, to, conflict } => {
            format!("WentDown {from}>{to}{}", if conflict { " conflict" } else { "" })
        }
        other => format!("{other:?}"),
    };
    assert_eq!(got, expected, "{lists}");
}

#[test]
fn what_a_list_means_beside_those_before() {
    check_change("10", "Unchanged");
    check_change("10abc", "First");
    check_change("10abc 10abc", "Unchanged");
    check_change("10abc 12c", "Unchanged");
    check_change("10abc 10", "Unchanged");
    check_change("10abc 11bcd", "Advanced");
    check_change("10abc 13def", "Advanced");
    check_change("10abc 10abcdefgh", "Advanced");
    check_change("10abc 14efg", "Jumped 1");
    check_change("10abc 9000efg", "Jumped 8987");
    check_change("10abc 11bcd 10abc", "OlderCopy 1");
    check_change("10abc 13def 9zab", "OlderCopy 4");
    check_change("10abc 0xyz", "WentDown 12>2");
    // Restarted twice: the numbers of the first restart have long left the list.
    check_change("10abcdef 0uv 2wx 4yz 0pq", "WentDown 5>1");
    check_change("10abcdef 0uv 2wx 4yz 4pq", "WentDown 5>5 conflict");
    check_change("10abc 10xyz", "WentDown 12>12 conflict");
    check_change("10abc 9xyz", "WentDown 12>11 conflict");
    check_change("10abcdef 10abxyz", "WentDown 15>14 conflict");
}

#[test]
fn after_a_restart_the_new_numbering_counts() {
    check_change("10abc 0xyz 1yzu", "Advanced");
    check_change("10abc 0xyz 0xyz", "Unchanged");
    check_change("10abc 0xyz 1yzu 0xyz", "OlderCopy 1");
    check_change("10abc 0xyz 9pqr", "Jumped 6");
    // What was before comes again: something too old was served in between.
    check_change("10abc 0xyz 11bcd", "Advanced");
    check_change("10abc 0xyz 13def", "Jumped 10");
}

/// Under another path the same segments may have other names.
#[test]
fn without_names_the_numbers_tell() {
    let change = |before: &str, now: &str| {
        let mut memory = Memory::default();
        let text = list(before);
        memory.learn(&media(&text), Change::First);
        memory.forget_names();
        memory.compare(&media(&list(now)))
    };
    assert_eq!(change("10abc", "10xyz"), Change::Unchanged);
    assert_eq!(change("10abc", "11yzu"), Change::Advanced);
    assert_eq!(change("10abc", "9xyz"), Change::OlderCopy { behind: 1 });
    assert_eq!(change("10abc", "0xyz"), Change::WentDown { from: 12, to: 2, conflict: false });
}

#[test]
fn numbers_go_on_from_zero_after_the_last() {
    check_change("18446744073709551613abc 18446744073709551614bcd", "Advanced");
    check_change("18446744073709551613abc 0def", "Advanced");
    check_change("18446744073709551613abc 1efg", "Jumped 1");
    check_change("18446744073709551613abc 18446744073709551614bcd 18446744073709551613abc", "OlderCopy 1");
    check_change("18446744073709551613abc 9000xyz", "WentDown 18446744073709551615>9002");
}

#[test]
fn a_segment_is_known_by_its_path_and_range() {
    let print = |uri: &str| {
        let text = format!("#EXTM3U\n#EXTINF:6,\n{uri}\n");
        fingerprint(&media(&text).segments[0])
    };
    let same = print("http://a.example/v/1.ts?token=1");
    for uri in ["http://b.example:8080/v/1.ts", "//c.example/v/1.ts#t", "/v/1.ts", "/v/1.ts?next=http://x/"] {
        assert_eq!(print(uri), same, "{uri}");
    }
    for uri in ["http://a.example/v/2.ts", "v/1.ts", "http://a.example/w//v/1.ts", "http://a.example"] {
        assert_ne!(print(uri), same, "{uri}");
    }
    assert_ne!(print("#EXT-X-BYTERANGE:5@0\n/v/1.ts"), same);
    assert_ne!(print("#EXT-X-BYTERANGE:5@0\n/v/1.ts"), print("#EXT-X-BYTERANGE:5@5\n/v/1.ts"));
}

/// `V` stands for EXT-X-STREAM-INF with video, `-` for one of audio alone; `A` for EXT-X-MEDIA. Each word is
/// `<tag>:<uri>[:<group>[:<pathway>]]`.
fn master(words: &str) -> String {
    let mut text = String::from("#EXTM3U\n");
    for word in words.split_whitespace() {
        let mut parts = word.split(':');
        let (tag, uri) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (group, pathway) = (parts.next(), parts.next());
        let audio = group.map_or(String::new(), |group| format!(",AUDIO=\"{group}\""));
        let pathway = pathway.map_or(String::new(), |pathway| format!(",PATHWAY-ID=\"{pathway}\""));
        let codecs = match tag {
            "V" => "avc1.64001f,mp4a.40.2",
            "-" => "mp4a.40.2",
            _ => "",
        };
        let _ = match tag {
            "A" | "S" => {
                let kind = if tag == "A" { "AUDIO" } else { "SUBTITLES" };
                let uri = if uri.is_empty() { String::new() } else { format!(",URI=\"{uri}\"") };
                let group = group.unwrap_or_default();
                writeln!(text, "#EXT-X-MEDIA:TYPE={kind},GROUP-ID=\"{group}\",NAME=\"n\"{uri}")
            }
            "I" => writeln!(text, "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"{uri}\""),
            _ => {
                writeln!(text, "#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"{codecs}\"{audio}{pathway}\n{uri}")
            }
        };
    }
    text
}

fn locate(uri: &str) -> Option<Location> {
    let url = format!("http://h/{uri}");
    let identity = path_of(&url).to_owned();
    (uri != "bad").then_some(Location { url, identity })
}

fn multivariant(text: &str) -> Multivariant<'_> {
    let Parsed::Multivariant(list) = read(text) else { panic!("{text}") };
    list
}

#[track_caller]
fn check_renditions(words: &str, expected: &str) {
    let text = master(words);
    let specs = list_renditions(&multivariant(&text), locate);
    let show = |spec: &RenditionSpec| {
        let (groups, pathways) = (spec.audio_groups.join("+"), spec.pathways.join("+"));
        let uri = spec.url.trim_start_matches("http://h/");
        format!("{:?}:{uri}:{groups}:{pathways}", spec.kind)
    };
    let got: Vec<String> = specs.iter().map(show).collect();
    assert_eq!(got.join(" "), expected, "{words}");
    let mut ids: Vec<_> = specs.iter().map(|spec| spec.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), specs.len(), "ids are unique");
}

#[test]
fn each_media_playlist_is_one_rendition() {
    check_renditions("V:a V:b", "Main:a::. Main:b::.");
    check_renditions("V:a:g V:a:h A:s:g A:t:h", "Main:a:g+h:. Audio:s:g:. Audio:t:h:.");
    check_renditions("V:a:g:x V:a:g:y A:s:g", "Main:a:g:x+y Audio:s:g:x+y");
    check_renditions("V:a V:a?token=2", "Main:a::. Main:a?token=2::.");
    check_renditions("V:a V:bad A:bad:g", "Main:a::.");
}

#[test]
fn kinds() {
    check_renditions("V:a -:b", "Main:a::. Aux:b::.");
    check_renditions("-:a -:b", "Main:a::. Main:b::.");
    check_renditions("V:a S:s:t I:i", "Main:a::. Aux:s:: Aux:i::");
    assert!(!list_renditions(&multivariant(&master("I:i")), locate)[0].fetch_segments);
}

/// An audio rendition is often listed as an audio-only variant as well: it still is the audio of its group.
#[test]
fn an_audio_rendition_listed_as_variant_stays_audio() {
    check_renditions("V:a:g -:s:g A:s:g", "Main:a:g:. Audio:s:g:.");
    check_renditions("-:s:g A:s:g", "Main:s::.");
}

#[test]
fn a_muxed_group_needs_nothing() {
    check_renditions("V:a:g A::g", "Main:a::.");
    check_renditions("V:a:g", "Main:a::.");
    check_renditions("V:a:g A::g A:s:g", "Main:a:g:. Audio:s:g:.");
}

#[test]
fn a_new_token_leaves_the_identity_alone() {
    let ids = |words: &str| -> Vec<crate::RenditionId> {
        list_renditions(&multivariant(&master(words)), locate).iter().map(|spec| spec.id).collect()
    };
    assert_eq!(ids("V:a?t=1 A:s?t=1:g"), ids("V:a?t=2 A:s?t=2:g"));
    assert_ne!(ids("V:a"), ids("V:b"));
}

/// Each word of `before` has been listed and seen; what becomes of the URLs of `now`, `=` where the rendition
/// is one of those before.
#[track_caller]
fn check_recognised(before: &str, now: &str, change: impl Fn(&mut Rendition), expected: &str) {
    let specs = |words: &str| list_renditions(&multivariant(&master(words)), locate);
    let mut known: Vec<Rendition> =
        specs(before).into_iter().map(|s| Rendition::new(s, EpochMs(0))).collect();
    known.iter_mut().for_each(change);
    let listed = recognise(&known.iter().collect::<Vec<_>>(), std::iter::empty(), specs(now));
    let show = |spec: &RenditionSpec| {
        let same = known.iter().any(|rendition| rendition.spec.id == spec.id);
        format!("{}{}", if same { "=" } else { "" }, spec.url.trim_start_matches("http://h/"))
    };
    assert_eq!(listed.iter().map(show).collect::<Vec<_>>().join(" "), expected, "{before} | {now}");
}

#[test]
fn a_session_in_the_path_makes_no_other_rendition() {
    let fine = |_: &mut Rendition| {};
    let failing = |rendition: &mut Rendition| rendition.failed_loads = 1;
    let stalled = |rendition: &mut Rendition| rendition.playlist = PlaylistState::Stalled;
    // The old session goes on while it works.
    check_recognised("V:w1 A:s1:g", "V:w2 A:s2:g", fine, "=w1 =s1");
    check_recognised("V:w1 A:s1:g", "V:w2 A:s2:g", failing, "=w2 =s2");
    check_recognised("V:w1", "V:w2", stalled, "=w2");
    check_recognised("V:a?t=1", "V:a?t=2", fine, "=a?t=2");
    // Another purpose is another rendition, and so is one more.
    check_recognised("V:a", "V:a V:b", fine, "=a b");
    check_recognised("V:a", "V:b:g A:s:g", fine, "b s");
    check_recognised("V:a V:b", "V:c V:b", fine, "=a =b");
}

#[test]
fn the_host_is_no_part_of_the_identity() {
    let ids = |host: &str| -> Vec<crate::RenditionId> {
        let locate =
            |uri: &str| Some(Location { url: format!("http://{host}/{uri}"), identity: format!("/{uri}") });
        list_renditions(&multivariant(&master("V:a A:s:g")), locate).iter().map(|spec| spec.id).collect()
    };
    assert_eq!(ids("edge1"), ids("edge2"));
}

/// Quadratic work would make this take minutes.
#[test]
fn a_huge_master_is_bounded() {
    let mut words = String::new();
    for index in 0..20_000 {
        let _ = write!(words, "V:v{}:g{index}:p{index} A:a{index}:g{index} ", index % 7);
    }
    let text = master(&words);
    let specs = list_renditions(&multivariant(&text), locate);
    assert_eq!(specs.len(), RenditionSpec::MAX);
    let most = specs.iter().map(|spec| spec.audio_groups.len().max(spec.pathways.len())).max();
    assert_eq!(most, Some(RenditionSpec::MAX_NAMES));
}

/// The same of one long media playlist.
#[test]
fn a_huge_list_is_taken_in() {
    let text = list(&format!("7{}", "a".repeat(30_000)));
    let mut memory = Memory::default();
    for _ in 0..3 {
        let change = memory.compare(&media(&text));
        memory.learn(&media(&text), change);
    }
    assert_eq!((memory.len(), memory.last_sequence()), (Memory::MAX, Some(30_006)));
}

/// What has failed once may be lost yet: it makes no loss look smaller.
#[test]
fn media_is_awaited_until_its_first_attempt_has_failed() {
    let spec = RenditionSpec::single(locate("a.m3u8").unwrap());
    let mut rendition = Rendition::new(spec, EpochMs(0));
    let target = rendition.target();
    (1..=3).for_each(|sequence| rendition.expect(sequence));
    rendition.fail_once(2);
    rendition.fail_once(2);
    rendition.fail_once(9);
    assert_eq!(rendition.media_awaited(), target.times(2));
    rendition.settle(2);
    rendition.settle(3);
    assert_eq!(rendition.media_awaited(), target);
    let many = 4..4 + Rendition::MAX_UNSETTLED as u64;
    rendition.fail_once(1);
    many.for_each(|sequence| rendition.expect(sequence));
    assert_eq!(rendition.media_awaited(), target.times(Rendition::MAX_UNSETTLED as u64));
}
