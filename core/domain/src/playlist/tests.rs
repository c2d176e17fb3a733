use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::units::MediaUs;

/// A playlist in one line, so that a test shows text and meaning side by side. Media: `T<target>`, then
/// for each segment `<sequence>:<duration>:<uri>` and whatever else is said of it.
fn show(parsed: &Parsed<'_>) -> String {
    match parsed {
        Parsed::NotAPlaylist(why) => format!("{why:?}"),
        Parsed::Multivariant(list) => show_multivariant(list),
        Parsed::Media(list) => show_media(list),
    }
}

fn show_media(list: &MediaPlaylist<'_>) -> String {
    let mut out = list.target_duration.map_or("T-".into(), |t| format!("T{}", t.as_seconds()));
    for segment in &list.segments {
        let (sequence, seconds, uri) = (segment.sequence, segment.duration.as_seconds(), segment.uri);
        let _ = write!(out, " {sequence}:{seconds}:{uri}");
        if let Some(defect) = segment.duration_defect {
            let _ = write!(out, " {defect:?}");
        }
        if segment.discontinuity_sequence > 0 || segment.discontinuity {
            let mark = if segment.discontinuity { "!" } else { "" };
            let _ = write!(out, " d{}{mark}", segment.discontinuity_sequence);
        }
        if let Some(range) = segment.byte_range {
            let _ = write!(out, " {}@{}", range.length, range.offset);
        }
        if let Some(map) = segment.map.map(|index| list.maps[index]) {
            let _ = write!(out, " map={}", map.uri);
            if let Some(range) = map.byte_range {
                let _ = write!(out, ",{}@{}", range.length, range.offset);
            }
        }
        if let Some(key) = segment.key.map(|index| list.keys[index]) {
            let _ = write!(out, " key={},{}", key.method, key.uri.unwrap_or("-"));
        }
        if let Some(at) = segment.program_date_time {
            let _ = write!(out, " t={}", at.0);
        }
        if segment.gap {
            out.push_str(" gap");
        }
    }
    if list.ended {
        out.push_str(" end");
    }
    out + &show_problems(&list.problems)
}

fn show_multivariant(list: &Multivariant<'_>) -> String {
    let mut out = String::from("master");
    for variant in &list.variants {
        let bandwidth = variant.bandwidth_bps.map_or("-".into(), |bps| bps.to_string());
        let _ = write!(out, " {}:{bandwidth}", variant.uri);
        if let Some(group) = variant.audio {
            let _ = write!(out, ",{group}");
        }
        if let Some((width, height)) = variant.resolution {
            let _ = write!(out, ",{width}x{height}");
        }
    }
    for media in &list.media {
        let _ = write!(out, " {:?}/{}/{}:{}", media.kind, media.group, media.name, media.uri.unwrap_or("-"));
    }
    for uri in &list.i_frame_uris {
        let _ = write!(out, " i:{uri}");
    }
    out + &show_problems(&list.problems)
}

fn show_problems(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |out, p| format!("{out} ?{}:{:?}", p.line, p.kind))
}

/// `body` is the text behind `#EXTM3U`; `|` stands for the end of a line.
#[track_caller]
fn check(body: &str, expected: &str) {
    let text = format!("#EXTM3U\n{}", body.replace('|', "\n"));
    assert_eq!(show(&read(&text)), expected, "\n{text}");
}

#[track_caller]
fn check_bytes(bytes: &[u8], expected: &str) {
    assert_eq!(show(&read(&decode(bytes))), expected, "\n{}", bytes.escape_ascii());
}

#[test]
fn a_comma_in_a_title_is_part_of_the_title() {
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6,Hello, world|a.ts|", "T6 0:6:a.ts");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6,a=\"b\",c|a.ts|", "T6 0:6:a.ts");
}

#[test]
fn the_last_line_needs_no_newline() {
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6,|a.ts", "T6 0:6:a.ts");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6,|a.ts|#EXT-X-ENDLIST", "T6 0:6:a.ts end");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6,", "T6");
}

#[test]
fn target_durations() {
    check("#EXT-X-TARGETDURATION:6.006|#EXTINF:6,|a.ts", "T6.006 0:6:a.ts");
    check("#EXT-X-TARGETDURATION:0|#EXTINF:6,|a.ts", "T0 0:6:a.ts");
    check("#EXT-X-TARGETDURATION:-6|#EXTINF:6,|a.ts", "T- 0:6:a.ts ?2:BadValue");
    check("#EXT-X-TARGETDURATION:inf|#EXTINF:6,|a.ts", "T- 0:6:a.ts ?2:BadValue");
    check("#EXT-X-TARGETDURATION|#EXTINF:6,|a.ts", "T- 0:6:a.ts ?2:BadValue");
    check("#EXT-X-TARGETDURATION:6|#EXT-X-TARGETDURATION:9|", "T6 ?3:Duplicate");
}

#[test]
fn the_target_duration_to_reckon_with_is_always_sane() {
    for (body, seconds) in [
        ("#EXT-X-TARGETDURATION:6", 6.0),
        ("#EXT-X-TARGETDURATION:6.006", 6.006),
        ("#EXT-X-TARGETDURATION:0|#EXTINF:6,|a", 6.0),
        ("#EXT-X-TARGETDURATION:0|#EXTINF:0,|a", 1.0),
        ("#EXTINF:5.6,|a|#EXTINF:3,|b", 6.0),
        ("#EXT-X-TARGETDURATION:1|#EXTINF:6,|a|#EXTINF:6,|b|#EXTINF:6,|c", 6.0),
        ("#EXT-X-TARGETDURATION:6|#EXTINF:7.2,|a|#EXTINF:7.2,|b", 6.0),
        ("#EXT-X-TARGETDURATION:2|#EXTINF:2,|a|#EXTINF:2,|b|#EXTINF:60,|c", 2.0),
        ("#EXTINF:0.2,|a", 1.0),
        ("#EXT-X-TARGETDURATION:300000000", 3_600.0),
    ] {
        let text = format!("#EXTM3U\n{}", body.replace('|', "\n"));
        let Parsed::Media(list) = read(&text) else { panic!("{body}") };
        assert_eq!(list.target().as_seconds(), seconds, "{body}");
    }
}

#[test]
fn durations_that_are_none() {
    let defect = |value: &str, defect: &str| {
        check(
            &format!("#EXT-X-TARGETDURATION:6|#EXTINF:{value},|a"),
            &format!("T6 0:0:a {defect} ?4:BadValue"),
        );
    };
    defect("-6", "Negative");
    defect("-0.001", "Negative");
    for value in ["inf", "-inf", "nan", "1e308", "1e300000", "six", "", "99999999999999999999"] {
        defect(value, "Unreadable");
    }
    check("#EXT-X-TARGETDURATION:6|a", "T6 0:0:a Missing ?3:BadValue");
    check("#EXT-X-TARGETDURATION:6|#EXTINF: 6.5 ,|a", "T6 0:6.5:a");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6|a", "T6 0:6:a");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:0,|a", "T6 0:0:a");
    check("#EXT-X-TARGETDURATION:6|#EXTINF:6.0000004,|a", "T6 0:6:a");
}

#[test]
fn sequence_numbers() {
    check("#EXT-X-MEDIA-SEQUENCE:7|#EXTINF:6,|a|#EXTINF:6,|b", "T- 7:6:a 8:6:b");
    check("#EXTINF:6,|a|#EXT-X-MEDIA-SEQUENCE:7", "T- 7:6:a");
    check("#EXT-X-MEDIA-SEQUENCE:7|#EXT-X-MEDIA-SEQUENCE:9|#EXTINF:6,|a", "T- 7:6:a ?3:Duplicate");
    check("#EXT-X-MEDIA-SEQUENCE:-1|#EXTINF:6,|a", "T- 0:6:a ?2:BadValue");
    check(
        "#EXT-X-MEDIA-SEQUENCE:18446744073709551615|#EXTINF:6,|a|#EXTINF:6,|b",
        "T- 18446744073709551615:6:a 0:6:b",
    );
    check("#EXT-X-MEDIA-SEQUENCE:18446744073709551616|#EXTINF:6,|a", "T- 0:6:a ?2:BadValue");
}

#[test]
fn discontinuities_are_counted_up_to_and_with_the_segment() {
    check(
        "#EXT-X-DISCONTINUITY-SEQUENCE:4|#EXTINF:6,|a|#EXT-X-DISCONTINUITY|#EXTINF:6,|b|#EXTINF:6,|c",
        "T- 0:6:a d4 1:6:b d5! 2:6:c d5",
    );
    check("#EXT-X-DISCONTINUITY|#EXT-X-DISCONTINUITY|#EXTINF:6,|a", "T- 0:6:a d2!");
    check("#EXTINF:6,|a|#EXT-X-DISCONTINUITY", "T- 0:6:a");
    check(
        "#EXT-X-DISCONTINUITY-SEQUENCE:18446744073709551615|#EXT-X-DISCONTINUITY|#EXTINF:6,|a",
        "T- 0:6:a d18446744073709551615!",
    );
}

#[test]
fn maps_and_keys_hold_until_the_next() {
    check(
        "#EXT-X-MAP:URI=\"i\"|#EXTINF:6,|a|#EXTINF:6,|b|#EXT-X-MAP:URI=\"j\",BYTERANGE=\"10@5\"|#EXTINF:6,|c",
        "T- 0:6:a map=i 1:6:b map=i 2:6:c map=j,10@5",
    );
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"|#EXTINF:6,|a|#EXTINF:6,|b|#EXT-X-KEY:METHOD=NONE|#EXTINF:6,|c",
        "T- 0:6:a key=AES-128,k 1:6:b key=AES-128,k 2:6:c",
    );
    check("#EXT-X-KEY:URI=\"k\"|#EXTINF:6,|a", "T- 0:6:a ?2:BadAttributes");
    check("#EXT-X-MAP:BYTERANGE=\"1@2\"|#EXTINF:6,|a", "T- 0:6:a ?2:BadAttributes");
}

#[test]
fn of_several_keys_for_one_segment_the_first_counts() {
    let two = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"|#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\"|#EXTINF:6,|a";
    check(two, "T- 0:6:a key=AES-128,k");
    check(
        &format!("{two}|#EXT-X-KEY:METHOD=AES-128,URI=\"l\"|#EXTINF:6,|b"),
        "T- 0:6:a key=AES-128,k 1:6:b key=AES-128,l",
    );
}

#[test]
fn byte_ranges_follow_one_another_within_a_resource() {
    check(
        "#EXTINF:6,|#EXT-X-BYTERANGE:100@50|a|#EXTINF:6,|#EXT-X-BYTERANGE:30|a|#EXTINF:6,|#EXT-X-BYTERANGE:7|b",
        "T- 0:6:a 100@50 1:6:a 30@150 2:6:b 7@0",
    );
    check("#EXTINF:6,|#EXT-X-BYTERANGE:x|a", "T- 0:6:a ?3:BadValue");
    check(
        "#EXTINF:6,|#EXT-X-BYTERANGE:18446744073709551615@9|a|#EXTINF:6,|#EXT-X-BYTERANGE:1|a",
        "T- 0:6:a 18446744073709551615@9 1:6:a 1@18446744073709551615",
    );
}

#[test]
fn dates_as_packagers_write_them() {
    let date = |text: &str, expected: &str| {
        check(&format!("#EXT-X-PROGRAM-DATE-TIME:{text}|#EXTINF:6,|a"), &format!("T- 0:6:a{expected}"));
    };
    for same in [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01t14:30:00+02:30",
        "2026-03-01T12:00:00.000+0000",
        "2026-03-01T07:00:00-05",
        "2026-03-01T11:30:00-00:30",
        "2026-03-01 12:00:00",
        "2026-03-01T11:59:60Z",
    ] {
        date(same, " t=1772366400000");
    }
    date("2026-03-01T12:00:00.1234567Z", " t=1772366400123");
    date("2026-03-01T12:00:00,9999Z", " t=1772366401000");
    date("1970-01-01T00:00:00Z", " t=0");
    date("9999-12-31T23:59:60Z", " t=253402300800000");
    for bad in ["", "now", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z"] {
        date(bad, " ?2:BadValue");
    }
    for bad in ["2026-01-01", "2026-01-01T00:00Z", "2026-01-01T00:00:0xZ", "-026-01-01T00:00:00Z"] {
        date(bad, " ?2:BadValue");
    }
    check("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:01Z|#EXTINF:6,|a|#EXTINF:6,|b", "T- 0:6:a t=1000 1:6:b");
}

#[test]
fn gap_and_end() {
    check("#EXTINF:6,|#EXT-X-GAP|a|#EXTINF:6,|b|#EXT-X-ENDLIST", "T- 0:6:a gap 1:6:b end");
}

#[test]
fn bytes_that_are_no_utf8_and_odd_line_ends() {
    check_bytes(b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:6,\r\na.ts\r\n", "T- 0:6:a.ts");
    check_bytes(b"#EXTM3U\n#EXTINF:6,caf\xe9\na.ts\n#EXTINF:5,\nb\xe9.ts\n", "T- 0:6:a.ts 1:5:b\u{fffd}.ts");
    check_bytes(b"#EXTM3U \r\n\r\n#EXTINF:6,\r\r\n  a.ts \r\r\n#EXT-X-ENDLIST \r\n", "T- 0:6:a.ts end");
    check_bytes(b"#EXTM3U\n#EXTINF:6,\n\n# a comment\n   \na.ts\n", "T- 0:6:a.ts");
    check_bytes(b"#EXTM3U\n#EXT\n#EXTINF:6,\na.ts\n", "T- 0:6:a.ts ?2:BadTag");
}

#[test]
fn what_is_no_playlist() {
    check_bytes(b"", "Empty");
    check_bytes(b" \r\n", "Empty");
    check_bytes(b"<html>#EXTM3U</html>", "NoHeader");
    check_bytes(b"\n#EXTM3U\n#EXTINF:6,\na", "NoHeader");
    check_bytes(b"#EXTM3U\r#EXTINF:6,\ra\r", "NoHeader");
    check_bytes(b"#EXTM3U8\n#EXTINF:6,\na", "NoHeader");
    check_bytes(b"#EXTM3U", "NoContent");
    check_bytes(b"#EXTM3U\nhello\nworld\n", "NoContent");
    check_bytes(b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n", "T6");
}

#[test]
fn a_bad_variant_keeps_its_own_uri() {
    check(
        "#EXT-X-STREAM-INF:BANDWIDTH=1|a|#EXT-X-STREAM-INF:nonsense|b|#EXT-X-STREAM-INF:BANDWIDTH=3|c",
        "master a:1 b:- c:3 ?4:BadAttributes",
    );
    check("#EXT-X-STREAM-INF|a", "master a:- ?2:BadAttributes");
    check("#EXT-X-STREAM-INF:BANDWIDTH=1|#EXT-X-STREAM-INF:BANDWIDTH=2|b", "master b:2 ?3:VariantWithoutUri");
    check("#EXT-X-STREAM-INF:BANDWIDTH=1|a|#EXT-X-STREAM-INF:BANDWIDTH=2", "master a:1 ?5:VariantWithoutUri");
}

#[test]
fn a_list_of_attributes_loses_only_what_cannot_be_read() {
    let variant = |list: &str, expected: &str| {
        check(&format!("#EXT-X-STREAM-INF:{list}|a"), &format!("master a:{expected}"));
    };
    variant("BANDWIDTH=5,AUDIO=\"x,y\",RESOLUTION=640x360", "5,x,y,640x360");
    variant("BANDWIDTH=5, AUDIO=\"x\"", "5,x");
    variant("BANDWIDTH=\"5\",RESOLUTION=\"640X360\",AUDIO=x", "5,x,640x360");
    variant("BANDWIDTH=5,AUDIO=\"x\",", "5,x ?2:BadAttributes");
    variant("BANDWIDTH=5,,AUDIO=\"x\"", "5,x ?2:BadAttributes");
    variant("BANDWIDTH=,AUDIO=\"x\"", "-,x ?2:BadAttributes");
    variant("debris,BANDWIDTH=5", "5 ?2:BadAttributes");
    variant("BANDWIDTH=5,AUDIO=\"x", "5,x ?2:BadAttributes");
    variant("BANDWIDTH=5 AUDIO=\"x\",RESOLUTION=1x2", "-,1x2 ?2:BadAttributes");
    variant("BANDWIDTH=-5,RESOLUTION=640", "-");
    variant("BANDWIDTH=5,BANDWIDTH=6", "5");
}

#[test]
fn renditions_and_i_frames() {
    check(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",URI=\"u\"|#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"h\",URI=\"\"",
        "master Audio/g/n:u Audio/h/:-",
    );
    check(
        "#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID=\"g\"|#EXT-X-STREAM-INF:BANDWIDTH=1|a",
        "master a:1 ?2:BadAttributes",
    );
    check("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"", "master i:i");
}

#[test]
fn problems_are_bounded() {
    let text = format!("#EXTM3U\n{}", "#EXTINF:x,\na\n".repeat(500));
    let Parsed::Media(list) = read(&text) else { panic!("a media playlist") };
    assert_eq!((list.segments.len(), list.problems.len()), (500, Problem::MAX));
}

/// Everything that must hold for any text whatever.
fn check_bounds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let text = decode(bytes);
    let lines = text.lines().count();
    match read(&text) {
        Parsed::NotAPlaylist(_) => {}
        Parsed::Multivariant(list) => {
            prop_assert!(list.variants.len() + list.media.len() + list.i_frame_uris.len() <= lines);
            prop_assert!(list.problems.len() <= Problem::MAX);
        }
        Parsed::Media(list) => {
            prop_assert!(list.segments.len() + list.maps.len() + list.keys.len() <= lines);
            prop_assert!(list.problems.len() <= Problem::MAX);
            prop_assert!((MediaUs::from_seconds(1)..=MediaUs::from_seconds(3_600)).contains(&list.target()));
            for (index, segment) in list.segments.iter().enumerate() {
                prop_assert!(!segment.uri.is_empty());
                prop_assert!(segment.duration <= MediaUs::from_seconds(315_360_000));
                prop_assert!(segment.map.is_none_or(|map| map < list.maps.len()));
                prop_assert!(segment.key.is_none_or(|key| key < list.keys.len()));
                prop_assert_eq!(segment.sequence, list.media_sequence.wrapping_add(index as u64));
            }
            prop_assert!(list.segments.is_sorted_by_key(|s| s.discontinuity_sequence));
        }
    }
    Ok(())
}

const CORPUS: [&[u8]; 6] = [
    include_bytes!("../../tests/corpus/live-ts.m3u8"),
    include_bytes!("../../tests/corpus/live-fmp4.m3u8"),
    include_bytes!("../../tests/corpus/byterange.m3u8"),
    include_bytes!("../../tests/corpus/aes-128.m3u8"),
    include_bytes!("../../tests/corpus/low-latency.m3u8"),
    include_bytes!("../../tests/corpus/master-apple.m3u8"),
];

/// Pieces that a mutation puts into a playlist: the characters that mean something, and whole tags.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> = [
        "",
        "\n",
        "\r\n",
        "\r",
        ",",
        "\"",
        "=",
        ":",
        "@",
        "#",
        "#EXT",
        "-",
        "9",
        "18446744073709551615",
        "1e308",
        "\u{feff}",
        "\0",
        "#EXTM3U\n",
        "#EXT-X-ENDLIST\n",
        "#EXT-X-GAP\n",
        "#EXT-X-STREAM-INF:\n",
        "nan",
        "Z",
        "#EXT-X-BYTERANGE:9\n",
        "#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:59:60-23:59\n",
        "#EXT-X-KEY:METHOD=\"\n",
    ]
    .iter()
    .map(|s| s.as_bytes().to_vec())
    .collect();
    prop_oneof![proptest::sample::select(known), proptest::collection::vec(any::<u8>(), 0..8)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        check_bounds(&bytes)?;
        check_bounds(&[b"#EXTM3U\n", bytes.as_slice()].concat())?;
    }

    #[test]
    fn mutated_playlists_are_read(
        base in proptest::sample::select(CORPUS.to_vec()),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..20, piece()), 1..12),
    ) {
        let mut bytes = base.to_vec();
        for (at, cut, piece) in edits {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, piece);
        }
        check_bounds(&bytes)?;
    }

    /// Lines in any order, among them nearly right ones: deeper than bytes at random.
    #[test]
    fn shuffled_lines_are_read(
        picks in proptest::collection::vec((0_usize..CORPUS.len(), any::<proptest::sample::Index>()), 0..60),
    ) {
        let mut bytes = b"#EXTM3U\n".to_vec();
        for (file, line) in picks {
            let lines: Vec<&[u8]> = CORPUS[file].split_inclusive(|b| *b == b'\n').collect();
            bytes.extend_from_slice(lines[line.index(lines.len())]);
        }
        check_bounds(&bytes)?;
    }
}
