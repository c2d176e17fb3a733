//! What was obtained and what was lost lately, and what a window of it comes to.

use std::time::Duration;

use crate::rolling::Entry;
use crate::units::MediaUs;

/// A segment obtained, as health sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// EXTINF.
    pub media: MediaUs,
    /// Time to first byte.
    pub ttfb: Duration,
    /// Request to last byte; none when the response was paced by the origin.
    pub download: Option<Duration>,
}

/// What the samples of a window come to. No sum of [`Rendition::MAX_SAMPLES`](super::Rendition::MAX_SAMPLES)
/// values overflows 128 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SampleSum {
    pub(crate) count: usize,
    pub(crate) ttfb_ns: u128,
    pub(super) media_us: u128,
    /// Of those whose download was timed.
    timed: usize,
    timed_media_us: u128,
    download_ns: u128,
}

impl SampleSum {
    /// Media seconds per second of downloading; none below `min_samples` or without a measurable download.
    pub(crate) fn ratio(&self, min_samples: usize) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people: 2^53 nanoseconds are 104 days")]
        let ratio = || self.timed_media_us as f64 * 1e3 / self.download_ns as f64;
        (self.timed >= min_samples && self.download_ns > 0).then(ratio)
    }
}

impl Entry for Sample {
    type Sum = SampleSum;

    fn enter(self, sum: &mut SampleSum) {
        sum.count += 1;
        sum.ttfb_ns += self.ttfb.as_nanos();
        sum.media_us += u128::from(self.media.0);
        if let Some(download) = self.download {
            sum.timed += 1;
            sum.timed_media_us += u128::from(self.media.0);
            sum.download_ns += download.as_nanos();
        }
    }

    fn leave(self, sum: &mut SampleSum) {
        sum.count -= 1;
        sum.ttfb_ns -= self.ttfb.as_nanos();
        sum.media_us -= u128::from(self.media.0);
        if let Some(download) = self.download {
            sum.timed -= 1;
            sum.timed_media_us -= u128::from(self.media.0);
            sum.download_ns -= download.as_nanos();
        }
    }
}

/// Media that was published and not obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Segments.
    pub segments: u64,
    /// Their EXTINF.
    pub media: MediaUs,
}

impl Loss {
    /// Nothing.
    pub const NONE: Self = Self { segments: 0, media: MediaUs::ZERO };
}

/// What the losses of a window come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LossSum {
    pub(super) segments: u128,
    pub(super) media_us: u128,
}

impl Entry for Loss {
    type Sum = LossSum;

    fn enter(self, sum: &mut LossSum) {
        sum.segments += u128::from(self.segments);
        sum.media_us += u128::from(self.media.0);
    }

    fn leave(self, sum: &mut LossSum) {
        sum.segments -= u128::from(self.segments);
        sum.media_us -= u128::from(self.media.0);
    }
}
