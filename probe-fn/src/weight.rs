//! What a stream costs to watch, counted while it is watched.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_domain::event::EventKind;

/// What was done for one stream since the last minute.
///
/// CPU time cannot be read per stream, but what takes it can be counted. The prices come from
/// `cargo xtask bench watch`: 60 playlists, 60 segments and 4.6 MB a minute are a usual stream, of which the
/// playlists take 60 %, the requests for segments a quarter, and their bytes the rest.
#[derive(Debug, Default)]
pub(crate) struct Work {
    playlists: u64,
    segments: u64,
    bytes: u64,
    since: Option<EpochMs>,
}

impl Work {
    /// Thousandths of a usual stream for one playlist, one segment, one megabyte a minute.
    const PLAYLIST: u64 = 10;
    const SEGMENT: u64 = 4;
    const MEGABYTE: u64 = 35;
    /// A shorter stretch says nothing.
    const LEAST: Duration = Duration::from_secs(30);

    pub(crate) fn loaded(&mut self) {
        self.playlists += 1;
    }

    pub(crate) fn add(&mut self, kind: &EventKind) {
        match kind {
            EventKind::SegmentObtained { bytes, .. } => {
                self.segments += 1;
                self.bytes += bytes;
            }
            EventKind::SegmentFailed { .. } => self.segments += 1,
            _ => {}
        }
    }

    /// The weight of what was counted, brought to a minute, and starts anew. None for the first stretch, which
    /// is cut off at its beginning and has the first look in it.
    pub(crate) fn finish(&mut self, at: EpochMs) -> Option<u64> {
        let counted = std::mem::replace(self, Self { since: Some(at), ..Self::default() });
        let length = at.since(counted.since?);
        if length < Self::LEAST {
            return None;
        }
        let work = Self::PLAYLIST * counted.playlists
            + Self::SEGMENT * counted.segments
            + Self::MEGABYTE * counted.bytes / 1_000_000;
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Some((work * 60_000 / length_ms).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_domain::MediaUs;

    #[test]
    fn a_usual_minute_weighs_a_thousand() {
        let mut work = Work::default();
        let segment = EventKind::SegmentObtained {
            sequence: 1,
            media: MediaUs(4_000_000),
            bytes: 4_600_000 / 60,
            ttfb: Duration::ZERO,
            download: Duration::ZERO,
            ratio: None,
            attempt: 1,
        };
        let minute = |work: &mut Work, at| {
            (0..60).for_each(|_| {
                work.loaded();
                work.add(&segment);
            });
            work.finish(EpochMs(at))
        };
        assert_eq!(minute(&mut work, 60_000), None, "the first is cut off");
        assert_eq!(minute(&mut work, 120_000), Some(1_000));
        assert_eq!(minute(&mut work, 130_000), None, "too short");
        assert_eq!(minute(&mut work, 250_000), Some(500), "two minutes");
        assert_eq!(work.finish(EpochMs(310_000)), Some(1), "never nothing");
    }
}
