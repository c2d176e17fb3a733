//! From bytes to [`Parsed`].

use std::borrow::Cow;

use super::media::{MediaReader, Pending, Scope};
use super::model::{NotAPlaylist, Parsed, Problem, ProblemKind};
use super::multivariant::MultivariantReader;

/// Bytes as text: the byte order mark is dropped and bytes that are not UTF-8 become U+FFFD, so that
/// a Latin-1 title never hides the segments behind it.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Nearly all of them are UTF-8, and checking that is several times faster than looking for what is not.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Reads a playlist. Never fails and never panics; time and memory are linear in the text.
#[must_use]
pub fn read(text: &str) -> Parsed<'_> {
    if let Some(why) = no_playlist(text) {
        return Parsed::NotAPlaylist(why);
    }
    let mut walk = Walk::default();
    for line in lines(text) {
        walk.line(line);
    }
    walk.finish()
}

/// Why a text is none, as far as its beginning tells.
pub(super) fn no_playlist(text: &str) -> Option<NotAPlaylist> {
    if text.trim_start().is_empty() {
        return Some(NotAPlaylist::Empty);
    }
    let first = text.split('\n').next().map(str::trim_end);
    (first != Some("#EXTM3U")).then_some(NotAPlaylist::NoHeader)
}

/// A playlist of either kind, line by line.
#[derive(Default)]
pub(super) struct Walk<'a> {
    pub(super) media: MediaReader<'a>,
    pub(super) multivariant: MultivariantReader<'a>,
    pub(super) problems: Problems,
}

/// What a line of a playlist said.
pub(super) enum Said<'a> {
    /// Nothing that we read.
    Nothing,
    /// Something of the segment whose URI comes next.
    OfNext,
    /// Something of the list, or of its segments from here on.
    OfList,
    /// A segment: its URI, and what stood before it.
    Segment(&'a str, Pending),
}

impl<'a> Walk<'a> {
    pub(super) fn line(&mut self, line: &'a str) -> Said<'a> {
        let problems = &mut self.problems;
        problems.line = problems.line.saturating_add(1);
        match Line::of(line) {
            Line::Tag(tag) if self.multivariant.tag(&tag, problems) => Said::OfList,
            Line::Tag(tag) => match self.media.tag(&tag, problems) {
                Scope::Nothing => Said::Nothing,
                Scope::Segment => Said::OfNext,
                Scope::List => Said::OfList,
            },
            Line::Uri(uri) if self.multivariant.uri(uri) => Said::OfList,
            Line::Uri(uri) => Said::Segment(uri, self.media.uri(uri, problems)),
            Line::Nameless => {
                problems.add(ProblemKind::BadTag);
                Said::Nothing
            }
            Line::Nothing => Said::Nothing,
        }
    }

    pub(super) fn finish(self) -> Parsed<'a> {
        let Self { media, multivariant, mut problems } = self;
        problems.line = problems.line.saturating_add(1);
        if multivariant.has_content() {
            Parsed::Multivariant(multivariant.finish(problems))
        } else if media.has_content() {
            Parsed::Media(media.finish(problems))
        } else {
            Parsed::NotAPlaylist(NotAPlaylist::NoContent)
        }
    }
}

/// As [`str::lines`], with a faster search.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    ends.scan(0, |begin, end| {
        let line = text.get(*begin..end).filter(|_| *begin < text.len())?;
        *begin = end + 1;
        Some(if end < text.len() { line.strip_suffix('\r').unwrap_or(line) } else { line })
    })
}

/// A line, by its form alone (RFC 8216 section 4.1).
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Tag(Tag<'a>),
    Uri(&'a str),
    /// `#EXT` and no name.
    Nameless,
    /// A comment or a blank line.
    Nothing,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(tag) = line.strip_prefix("#EXT") {
            if tag.is_empty() || tag.starts_with('\r') {
                return Self::Nameless;
            }
            let colon = tag.bytes().position(|byte| byte == b':');
            let (name, value) = colon.map_or((tag, None), |at| (&tag[..at], Some(&tag[at + 1..])));
            return Self::Tag(Tag { name: name.trim_end(), value });
        }
        if line.starts_with('#') {
            return Self::Nothing;
        }
        match line.trim() {
            "" => Self::Nothing,
            uri => Self::Uri(uri),
        }
    }
}

/// A tag: the name follows `#EXT`, and the value is what stands behind the colon.
#[derive(Debug, PartialEq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) value: Option<&'a str>,
}

impl<'a> Tag<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.map(str::trim)
    }

    pub(super) fn integer(&self) -> Option<u64> {
        self.text()?.parse().ok()
    }
}

/// Problems so far and the line being read.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) line: u32,
    pub(super) found: Vec<Problem>,
    /// Those noted and those left out.
    pub(super) seen: usize,
}

impl Problems {
    /// Notes a problem of the current line; the same one of one line is noted once.
    pub(super) fn add(&mut self, kind: ProblemKind) {
        self.seen = self.seen.saturating_add(1);
        let problem = Problem { line: self.line, kind };
        if self.found.len() < Problem::MAX && self.found.last() != Some(&problem) {
            self.found.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Tag, lines};
    use proptest::prelude::*;
    use quick_m3u8::config::ParsingOptions;
    use quick_m3u8::{HlsLine, Reader};

    /// The lines of a text as another reader tells them apart.
    fn theirs(text: &str) -> Vec<Line<'_>> {
        let mut reader = Reader::from_str(text, ParsingOptions::builder().build());
        let mut lines = Vec::new();
        loop {
            lines.push(match reader.read_line() {
                Ok(None) => return lines,
                Ok(Some(HlsLine::UnknownTag(tag))) => Line::Tag(Tag {
                    name: tag.name().trim_end(),
                    value: tag.value().map(|value| std::str::from_utf8(value.0).unwrap()),
                }),
                Ok(Some(HlsLine::Uri(std::borrow::Cow::Borrowed(uri)))) if !uri.trim().is_empty() => {
                    Line::Uri(uri.trim())
                }
                Ok(Some(_)) => Line::Nothing,
                Err(_) => Line::Nameless,
            });
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_are_told_apart_as_by_another_reader(
            pieces in proptest::collection::vec("#EXT|#EX|#|:|\r|\n|\r\n|-X-KEY| |\t|[a-z,=\"]{1,4}|\u{a0}|\\PC", 0..40),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(lines(&text).collect::<Vec<_>>(), text.lines().collect::<Vec<_>>());
            prop_assert_eq!(lines(&text).map(Line::of).collect::<Vec<_>>(), theirs(&text));
        }
    }
}
