//! Reading a playlist again and again: most of what it lists was listed before.

use super::media::Pending;
use super::model::Parsed;
use super::read::{Problems, Said, Walk, no_playlist};

/// Reads one playlist, load after load, and remembers what the lines of each segment said: where they stand
/// again, letter for letter, they are not read again. Tells exactly what [`read`](super::read()) tells, whatever
/// it has read before.
///
/// Numbers, keys, initialisation sections and byte ranges that go on from one segment to the next are not
/// remembered but worked out anew, as the lines before may have changed.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// As read last.
    text: String,
    /// The media sequence number it began with.
    first_sequence: u64,
    /// One for each of its segments, where it is one to remember.
    segments: Vec<Option<Lines>>,
}

/// The lines of one segment up to its URI, of which each speaks of this segment alone and none is wrong.
#[derive(Clone, Copy, Debug)]
struct Lines {
    /// Where they begin in the text. Unit: bytes.
    at: usize,
    /// Line feeds included. Unit: bytes.
    length: usize,
    count: u32,
    /// First byte of the URI, and the one behind it, from the first line's begin.
    uri: (usize, usize),
    said: Pending,
}

/// Where the lines of a segment under way began.
#[derive(Clone, Copy)]
enum Begin {
    /// They have not begun.
    NotYet,
    /// At this byte of the text and this line, after so many problems.
    At { at: usize, line: u32, problems: usize },
    /// Among them is one that speaks of more than the segment.
    Mixed,
}

impl Reader {
    /// The longest text that is remembered, in bytes: some hundred segments. A watcher follows hundreds of
    /// playlists, and those that are longer are few.
    pub const MAX_BYTES: usize = 64 << 10;

    /// Reads a playlist. Never fails and never panics; time and memory are linear in the text.
    pub fn read<'a>(&mut self, text: &'a str) -> Parsed<'a> {
        if let Some(why) = no_playlist(text) {
            return Parsed::NotAPlaylist(why);
        }
        let mut walk = Walk::default();
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        walk.media.expect(self.segments.len() + 1);
        let mut begin = Begin::NotYet;
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if let (Begin::NotYet, Some(known)) = (begin, self.known(&walk, rest)) {
                let uri = &rest[known.uri.0..known.uri.1];
                walk.problems.line = walk.problems.line.saturating_add(known.count);
                walk.media.segment(uri, known.said, &mut walk.problems);
                segments.push(Some(Lines { at, ..*known }));
                at += known.length;
                continue;
            }
            let here = Begin::At { at, line: walk.problems.line, problems: walk.problems.seen };
            let feed = memchr::memchr(b'\n', rest.as_bytes());
            let line = &rest[..feed.unwrap_or(rest.len())];
            let line = feed.and_then(|_| line.strip_suffix('\r')).unwrap_or(line);
            let line_at = at;
            at += feed.map_or(rest.len(), |feed| feed + 1);
            begin = match (walk.line(line), begin) {
                (Said::Nothing, begin) => begin,
                (Said::OfNext, Begin::NotYet) => here,
                (Said::OfNext, begin) => begin,
                (Said::OfList, Begin::NotYet) => Begin::NotYet,
                (Said::OfList, _) => Begin::Mixed,
                (Said::Segment(uri, said), begin) => {
                    let uri_at = line_at + line.len() - line.trim_start().len();
                    let uri = (uri_at, uri_at + uri.len());
                    segments.push(feed.and_then(|_| begin.remember(at, uri, said, &walk.problems)));
                    Begin::NotYet
                }
            };
        }
        self.learn(text, walk.media.first_sequence(), segments);
        walk.finish()
    }

    /// The lines of the segment that comes next, if `rest` begins with those that it had in the last list.
    fn known(&self, walk: &Walk<'_>, rest: &str) -> Option<&Lines> {
        let gone = walk.media.first_sequence().wrapping_sub(self.first_sequence);
        let index = usize::try_from(gone).ok()?.checked_add(walk.media.segments())?;
        let lines = self.segments.get(index)?.as_ref()?;
        let before = self.text.as_bytes().get(lines.at..lines.at + lines.length)?;
        (rest.as_bytes().starts_with(before) && !walk.multivariant.has_content()).then_some(lines)
    }

    fn learn(&mut self, text: &str, first_sequence: u64, segments: Vec<Option<Lines>>) {
        if text.len() > Self::MAX_BYTES {
            *self = Self::default();
            return;
        }
        self.text.clear();
        self.text.push_str(text);
        self.first_sequence = first_sequence;
        self.segments = segments;
    }
}

impl Begin {
    /// The lines from here to the byte `end`, with the bytes of the URI, unless they are not to be remembered.
    fn remember(
        self,
        end: usize,
        (uri_at, uri_end): (usize, usize),
        said: Pending,
        now: &Problems,
    ) -> Option<Lines> {
        let Self::At { at, line, problems } = self else { return None };
        let lines =
            Lines { at, length: end - at, count: now.line - line, uri: (uri_at - at, uri_end - at), said };
        (now.seen == problems).then_some(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, Variables, expand, read};
    use super::*;
    use proptest::prelude::*;

    fn list(head: &str, segments: std::ops::Range<u64>) -> String {
        let head =
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n{head}", segments.start);
        segments.fold(head, |text, n| format!("{text}#EXTINF:2.0,\n#EXT-X-GAP\nseg-{n}.ts\n"))
    }

    /// How many segments of `text` are not read because `reader` knows them.
    fn known(reader: &Reader, text: &str) -> usize {
        let mut walk = Walk::default();
        let mut count = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            count += usize::from(reader.known(&walk, rest).is_some());
            walk.line(line);
            rest = after;
        }
        count
    }

    #[test]
    fn what_was_listed_before_is_not_read_again() {
        let mut reader = Reader::default();
        let before = list("", 10..16);
        assert_eq!(known(&reader, &before), 0);
        let _ = reader.read(&before);
        assert_eq!(known(&reader, &before), 6, "the same list");
        assert_eq!(known(&reader, &list("", 12..18)), 4, "two came and two went");
        assert_eq!(
            known(&reader, &list("#EXT-X-KEY:METHOD=NONE\n", 12..18)),
            4,
            "and a line more in the head"
        );
        assert_eq!(known(&reader, &list("", 16..22)), 0, "all went");
        assert_eq!(known(&reader, &list("", 4..8)), 0, "an older copy");
        assert_eq!(
            known(&reader, &before.replace("GAP", "DISCONTINUITY")),
            0,
            "the same names and other tags"
        );
        let _ = reader.read(&list("", 0..4_000));
        assert_eq!(known(&reader, &list("", 0..4_000)), 0, "too long to remember");
    }

    /// Lines of which lists are made, so that every tag meets every other.
    const PIECES: &str = "#EXTINF:(2|2.5|-1|x),(|,title)\r?\n|[abc]\\.ts(\\?q=[12])?\r?\n|#EXT-X-DISCONTINUITY\n|#EXT-X-GAP\n\
        |#EXT-X-BYTERANGE:(7|7@[09]|x)\n|#EXT-X-PROGRAM-DATE-TIME:(2024-01-01T00:00:0[0-9]Z|x)\n\
        |#EXT-X-KEY:METHOD=(NONE|AES-128,URI=\"[kl]\")\n|#EXT-X-MAP:URI=\"[mn]\"(,BYTERANGE=\"9@0\")?\n|#EXT-X-MAP\n\
        |#EXT-X-MEDIA-SEQUENCE:[0-4x]\n|#EXT-X-DISCONTINUITY-SEQUENCE:[0-4]\n|#EXT-X-TARGETDURATION:[26]\n\
        |#EXT-X-DATERANGE:ID=\"[12]\"\n|#EXT\n|# comment\n|\n| +[ab]\\.ts \n|#EXT-X-ENDLIST\n|#EXTINF:3,\n[abc]\\.ts\n\
        |#EXT-X-DEFINE:(NAME=\"v\",VALUE=\"[12]\"|IMPORT=\"w\"|QUERYPARAM=\"x\")\n|\\{\\$[vwx]\\}\\.ts\n\
        |#EXT-X-(STREAM-INF:BANDWIDTH=1|MEDIA:TYPE=AUDIO)\n";

    /// Lists as an encoder writes them one after the other: each goes on from the one before, and is now and then
    /// changed somewhere.
    fn lists() -> impl Strategy<Value = Vec<String>> {
        let pieces = proptest::collection::vec(PIECES, 1..24);
        let windows = proptest::collection::vec((0..12_usize, 1..24_usize, 0..6_u64, 0..24_usize), 2..5);
        let other = proptest::collection::vec(PIECES, 0..3);
        (pieces, windows, other).prop_map(|(pieces, windows, other)| {
            let list = |(from, length, number, change): (usize, usize, u64, usize)| {
                let mut lines: Vec<&str> =
                    pieces.iter().cycle().skip(from).take(length).map(String::as_str).collect();
                let change = change.min(lines.len());
                if change % 3 == 0 {
                    lines.splice(change..change, other.iter().map(String::as_str));
                }
                let head = format!("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{}\n", number);
                let text = head + &lines.concat();
                // The last line needs no end.
                if change % 5 == 0 { text.trim_end().to_owned() } else { text }
            };
            windows.into_iter().map(list).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_tells_what_a_first_reading_tells(lists in lists()) {
            let imports = Variables::default();
            let sources = Sources { query: Some("x=5"), imports: Some(&imports) };
            let mut reader = Reader::default();
            for text in &lists {
                prop_assert_eq!(reader.read(text), read(text));
                let expanded = expand(text, sources);
                prop_assert_eq!(reader.read(&expanded.text), read(&expanded.text));
                // And twice the same.
                prop_assert_eq!(reader.read(text), read(text));
            }
        }

        #[test]
        fn whatever_the_texts(texts in proptest::collection::vec("(#EXTM3U\n)?(\\PC|\n|#EXT|INF|:|,){0,60}", 0..6)) {
            let mut reader = Reader::default();
            for text in &texts {
                prop_assert_eq!(reader.read(text), read(text));
            }
        }
    }
}
