//! From bytes to [`Parsed`].

use std::borrow::Cow;

use quick_m3u8::config::ParsingOptions;
use quick_m3u8::tag::TagValue;
use quick_m3u8::{HlsLine, Reader};

use super::media::MediaReader;
use super::model::{NotAPlaylist, Parsed, Problem, ProblemKind};
use super::multivariant::MultivariantReader;

/// Bytes as text: the byte order mark is dropped and bytes that are not UTF-8 become U+FFFD, so that
/// a Latin-1 title never hides the segments behind it.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// Reads a playlist. Never fails and never panics; time and memory are linear in the text.
#[must_use]
pub fn read(text: &str) -> Parsed<'_> {
    if text.trim().is_empty() {
        return Parsed::NotAPlaylist(NotAPlaylist::Empty);
    }
    if text.lines().next().map(str::trim_end) != Some("#EXTM3U") {
        return Parsed::NotAPlaylist(NotAPlaylist::NoHeader);
    }
    let mut media = MediaReader::default();
    let mut multivariant = MultivariantReader::default();
    let mut problems = Problems::default();
    // No tag is parsed by the library: names and values come raw, and our model decides what they mean.
    let mut lines = Reader::from_str(text, ParsingOptions::builder().build());
    loop {
        problems.line = problems.line.saturating_add(1);
        match lines.read_line() {
            Ok(None) => break,
            Ok(Some(HlsLine::UnknownTag(tag))) => {
                let tag = Tag { name: tag.name().trim_end(), value: tag.value() };
                if !multivariant.tag(&tag, &mut problems) {
                    media.tag(&tag, &mut problems);
                }
            }
            Ok(Some(HlsLine::Uri(Cow::Borrowed(uri)))) if !uri.trim().is_empty() => {
                let uri = uri.trim();
                if !multivariant.uri(uri) {
                    media.uri(uri, &mut problems);
                }
            }
            Ok(Some(_)) => {}
            Err(_) => problems.add(ProblemKind::BadTag),
        }
    }
    if multivariant.has_content() {
        Parsed::Multivariant(multivariant.finish(problems))
    } else if media.has_content() {
        Parsed::Media(media.finish(problems))
    } else {
        Parsed::NotAPlaylist(NotAPlaylist::NoContent)
    }
}

/// A tag as the line reader gives it: the name follows `#EXT`.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) value: Option<TagValue<'a>>,
}

impl<'a> Tag<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.value?.0).ok().map(str::trim)
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
}

impl Problems {
    /// Notes a problem of the current line; the same one of one line is noted once.
    pub(super) fn add(&mut self, kind: ProblemKind) {
        let problem = Problem { line: self.line, kind };
        if self.found.len() < Problem::MAX && self.found.last() != Some(&problem) {
            self.found.push(problem);
        }
    }
}
