//! Walks top-level boxes (ISO/IEC 14496-12 section 4.2).

use crate::Fmp4Report;

/// Size and type, as 32-bit values.
const HEADER_BYTES: usize = 8;
/// The same with the 64-bit size behind it.
const LARGE_HEADER_BYTES: usize = 16;
/// A 32-bit size that says: the box ends where the content ends.
const TO_THE_END: u32 = 0;
/// A 32-bit size that says: the size is the 64-bit one.
const IS_LARGE: u32 = 1;

/// The walk over one segment. Bodies are skipped, so it keeps one header.
#[derive(Debug, Default)]
pub(crate) struct BoxWalk {
    place: Place,
    header: [u8; LARGE_HEADER_BYTES],
    header_len: usize,
    /// Where the header in hand began, in bytes from the start.
    header_at: u64,
    report: Fmp4Report,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Header,
    Body {
        left: u64,
    },
    /// In a box without end, or behind something that is no box.
    Rest,
}

impl BoxWalk {
    pub(crate) fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            chunk = match self.place {
                Place::Header => self.header(chunk),
                Place::Body { left } => self.body(chunk, left),
                Place::Rest => &[],
            };
        }
    }

    pub(crate) fn finish(mut self) -> Fmp4Report {
        self.report.missing_bytes = match self.place {
            Place::Body { left } => left,
            Place::Header if self.header_len > 0 => {
                let wanted = self.header_bytes().unwrap_or(HEADER_BYTES);
                (wanted - self.header_len) as u64
            }
            Place::Header | Place::Rest => 0,
        };
        self.report
    }

    fn body<'a>(&mut self, chunk: &'a [u8], left: u64) -> &'a [u8] {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        self.place = match left - here as u64 {
            0 => Place::Header,
            left => Place::Body { left },
        };
        &chunk[here..]
    }

    /// Takes one header, or as much of it as there is.
    fn header<'a>(&mut self, mut chunk: &'a [u8]) -> &'a [u8] {
        for wanted in [HEADER_BYTES, LARGE_HEADER_BYTES] {
            let here = chunk.len().min(wanted.saturating_sub(self.header_len));
            let (head, rest) = chunk.split_at(here);
            self.header[self.header_len..self.header_len + here].copy_from_slice(head);
            self.header_len += here;
            chunk = rest;
            if self.header_len < wanted {
                return chunk;
            }
            if self.header_bytes() == Some(wanted) {
                break;
            }
        }
        self.enter_box();
        chunk
    }

    /// How long the header in hand is; `None` before its first half is there.
    fn header_bytes(&self) -> Option<usize> {
        (self.header_len >= HEADER_BYTES).then(|| match self.size() {
            IS_LARGE => LARGE_HEADER_BYTES,
            _ => HEADER_BYTES,
        })
    }

    fn size(&self) -> u32 {
        let [a, b, c, d, ..] = self.header;
        u32::from_be_bytes([a, b, c, d])
    }

    fn large_size(&self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.header;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn enter_box(&mut self) {
        let [_, _, _, _, a, b, c, d, ..] = self.header;
        let kind = [a, b, c, d];
        let whole = match self.size() {
            TO_THE_END => None,
            IS_LARGE => Some(self.large_size()),
            size => Some(u64::from(size)),
        };
        let body = match whole {
            _ if !is_box_type(kind) => Err(()),
            None => Ok(None),
            Some(whole) => whole.checked_sub(self.header_len as u64).map(Some).ok_or(()),
        };
        let Ok(body) = body else {
            self.report.broken_at_byte = Some(self.header_at);
            self.place = Place::Rest;
            return;
        };
        self.count(kind);
        self.header_len = 0;
        self.header_at = self.header_at.saturating_add(whole.unwrap_or(u64::MAX));
        self.place = match body {
            None => Place::Rest,
            Some(0) => Place::Header,
            Some(left) => Place::Body { left },
        };
    }

    fn count(&mut self, kind: [u8; 4]) {
        let boxes = &mut self.report.boxes;
        let count = match &kind {
            b"ftyp" => &mut boxes.ftyp,
            b"styp" => &mut boxes.styp,
            b"moov" => &mut boxes.moov,
            b"sidx" => &mut boxes.sidx,
            b"emsg" => &mut boxes.emsg,
            b"prft" => &mut boxes.prft,
            b"moof" => &mut boxes.moof,
            b"mdat" => &mut boxes.mdat,
            _ => &mut boxes.other,
        };
        *count = count.saturating_add(1);
    }
}

/// Four printable characters; the copyright sign of old Apple types is one.
fn is_box_type(kind: [u8; 4]) -> bool {
    kind.iter().all(|byte| matches!(byte, 0x20..=0x7E | 0xA9))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box with a 32-bit size and so many zero bytes of body.
    fn boxed(kind: &[u8; 4], body: u32) -> Vec<u8> {
        let mut bytes = (body + 8).to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.resize(bytes.len() + body as usize, 0);
        bytes
    }

    fn large(kind: &[u8; 4], size: u64, body: usize) -> Vec<u8> {
        let mut bytes = IS_LARGE.to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.resize(bytes.len() + body, 0);
        bytes
    }

    /// Walks the boxes at once and byte by byte.
    #[track_caller]
    fn walk(bytes: &[u8]) -> Fmp4Report {
        let mut whole = BoxWalk::default();
        whole.feed(bytes);
        let whole = whole.finish();
        let mut single = BoxWalk::default();
        bytes.chunks(1).for_each(|chunk| single.feed(chunk));
        assert_eq!(whole, single.finish());
        whole
    }

    #[test]
    fn boxes_are_counted_and_bodies_skipped() {
        let report = walk(
            &[
                boxed(b"styp", 16),
                boxed(b"sidx", 0),
                boxed(b"moof", 100),
                large(b"mdat", 516, 500),
                boxed(b"abcd", 1),
            ]
            .concat(),
        );
        assert_eq!((report.boxes.styp, report.boxes.sidx, report.boxes.other), (1, 1, 1));
        assert!(report.has_media() && !report.has_init());
        assert_eq!((report.broken_at_byte, report.missing_bytes), (None, 0));
    }

    #[test]
    fn a_size_of_zero_reaches_to_the_end() {
        let report = walk(b"\0\0\0\0mdat\0\0\0\x08moov");
        assert_eq!((report.boxes.mdat, report.boxes.moov), (1, 0));
        assert_eq!((report.broken_at_byte, report.missing_bytes), (None, 0));
    }

    #[test]
    fn a_cut_box_says_how_much_is_missing() {
        let bytes = [boxed(b"moof", 24), boxed(b"mdat", 60)].concat();
        for (len, missing) in [(100, 0), (99, 1), (40, 60), (39, 1), (33, 7), (32, 0), (8, 24)] {
            assert_eq!(walk(&bytes[..len]).missing_bytes, missing, "of the first {len} bytes");
        }
        assert_eq!(walk(&large(b"mdat", 16, 0)[..12]).missing_bytes, 4);
        assert_eq!(walk(&large(b"mdat", u64::MAX, 4)).missing_bytes, u64::MAX - 20);
    }

    #[test]
    fn what_is_no_box_ends_the_walk() {
        for no_box in [&b"\0\0\0\x07free"[..], b"\0\0\0\x20\0\0\0\0", &large(b"mdat", 15, 0)] {
            let report = walk(&[&boxed(b"moof", 24)[..], no_box, &boxed(b"mdat", 8)].concat());
            assert_eq!((report.broken_at_byte, report.missing_bytes), (Some(32), 0));
            assert_eq!((report.boxes.moof, report.boxes.mdat), (1, 0));
        }
    }
}
