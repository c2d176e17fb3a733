//! Presentation times (ISO/IEC 13818-1 sections 2.4.3.6 and 2.4.3.7).

use crate::PtsSpan;

/// The presentation times seen, by kind of stream id.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) video: Option<Span>,
    pub(super) audio: Option<Span>,
    pub(super) private: Option<Span>,
}

impl Spans {
    /// The payload of a packet in which an elementary stream packet begins.
    pub(super) fn pes(&mut self, payload: &[u8]) {
        let Some(&id) = payload.get(3) else { return };
        let span = match id {
            0xE0..=0xEF => &mut self.video,
            0xC0..=0xDF => &mut self.audio,
            0xBD => &mut self.private,
            _ => return,
        };
        if let Some(pts) = presentation_time(payload) {
            *span = Some(match *span {
                None => Span { anchor: pts, first: 0, last: 0 },
                Some(span) => span.with(pts),
            });
        }
    }
}

/// The 33 bits in five bytes, if the header says and has them.
fn presentation_time(payload: &[u8]) -> Option<u64> {
    let header = payload.get(6..14)?;
    let marked = header[0] & 0xC0 == 0x80 && header[1] & 0x80 != 0 && header[2] >= 5;
    if !marked {
        return None;
    }
    let [a, b, c, d, e] = [header[3], header[4], header[5], header[6], header[7]].map(u64::from);
    // Three marker bits keep the five bytes from looking like a start code.
    let pts = (a >> 1 & 0x07) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1;
    (a & c & e & 1 == 1).then_some(pts)
}

/// Times relative to the first one met, so that one wrap of the clock inside a
/// segment keeps their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    anchor: u64,
    first: i64,
    last: i64,
}

impl Span {
    fn with(self, pts: u64) -> Self {
        const HALF: u64 = PtsSpan::MODULUS / 2;
        let ahead = pts.wrapping_sub(self.anchor) % PtsSpan::MODULUS;
        let offset = if ahead < HALF {
            ahead.cast_signed()
        } else {
            ahead.cast_signed() - PtsSpan::MODULUS.cast_signed()
        };
        Self { first: self.first.min(offset), last: self.last.max(offset), ..self }
    }
}

impl From<Span> for PtsSpan {
    fn from(span: Span) -> Self {
        let at = |offset: i64| span.anchor.wrapping_add_signed(offset) % Self::MODULUS;
        Self { first: at(span.first), last: at(span.last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PES header of a video stream with a presentation time.
    fn pes(pts: u64) -> [u8; 14] {
        let byte = |shift: u32| u8::try_from(pts >> shift & 0xFF).unwrap();
        let (top, high, low) = (byte(30) & 0x07, byte(15), byte(0));
        let (second, fourth) = (byte(22), byte(7));
        [0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5, 0x21 | top << 1, second, high << 1 | 1, fourth, low << 1 | 1]
    }

    #[track_caller]
    fn check(times: &[u64], expected: Option<(u64, u64)>) {
        let mut spans = Spans::default();
        times.iter().for_each(|&pts| spans.pes(&pes(pts)));
        let found = spans.video.map(PtsSpan::from).map(|span| (span.first, span.last));
        assert_eq!(found, expected, "{times:?}");
    }

    #[test]
    fn times_are_ordered_on_screen_and_across_a_wrap() {
        check(&[], None);
        check(&[900_000], Some((900_000, 900_000)));
        check(&[6_000, 15_000, 9_000, 3_000, 12_000], Some((3_000, 15_000)));
        check(&[(1 << 33) - 3_000, 0, 3_000], Some(((1 << 33) - 3_000, 3_000)));
        check(&[3_000, (1 << 33) - 3_000], Some(((1 << 33) - 3_000, 3_000)));
        check(&[0x1_2345_6789], Some((0x1_2345_6789, 0x1_2345_6789)));
    }

    #[test]
    fn a_span_is_measured_across_a_wrap() {
        assert_eq!(PtsSpan { first: (1 << 33) - 3_000, last: 3_000 }.ticks(), 6_000);
    }

    #[test]
    fn headers_without_a_time_are_passed_over() {
        let whole = pes(900_000);
        let mut spans = Spans::default();
        (0..whole.len()).for_each(|len| spans.pes(&whole[..len]));
        for (byte, value) in [(3, 0xBE), (6, 0x00), (7, 0x00), (8, 4), (9, 0x20), (11, 0), (13, 0)] {
            let mut broken = whole;
            broken[byte] = value;
            spans.pes(&broken);
        }
        assert!(spans.video.is_none());
    }
}
