//! Every threshold in one place, with its default. Ratios are parts of one.

use std::time::Duration;

use crate::freshness::Pace;
use crate::units::MediaUs;

/// Thresholds of one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How it is watched, and so what it means that nobody has looked for a while. Default: continuously.
    pub watch: Pace,
    /// How far back health looks. Default: 120 s.
    pub window: Duration,
    /// Segments lost in the window from which a stream is DEGRADED. Default: 1.
    pub lost_degraded: u64,
    /// Segments lost in the window from which a stream is UNHEALTHY, whatever their share.
    /// Default: none (the share decides); the `seed1` profile sets 3.
    pub lost_unhealthy: Option<u64>,
    /// Segments lost one after the other in a rendition that make UNHEALTHY. Default: 3.
    pub consecutive_unhealthy: u32,
    /// Share of the media published in the window that, lost, makes UNHEALTHY; until a rendition has lost three
    /// segments, of all a window holds. Default: 0.10.
    pub lost_share_unhealthy: f64,
    /// Median segment TTFB that makes DEGRADED. Default: 500 ms.
    pub ttfb_degraded: Duration,
    /// Median segment TTFB that makes UNHEALTHY. Default: none; the `seed1` profile sets 1000 ms.
    pub ttfb_unhealthy: Option<Duration>,
    /// Media seconds per download second below which a main rendition makes DEGRADED. Default: 1.2.
    pub ratio_degraded: f64,
    /// The same below which, on all main renditions, the stream is UNHEALTHY. Default: 1.0.
    pub ratio_unhealthy: f64,
    /// Samples without which neither TTFB nor download ratio is judged. Default: 5.
    pub min_samples: usize,
    /// Rebuffering in the window that makes DEGRADED: the larger of this and `rebuffer_share_degraded`.
    /// Default: 0.5 s.
    pub rebuffer_degraded: Duration,
    /// See `rebuffer_degraded`. Default: 0.02 of the window.
    pub rebuffer_share_degraded: f64,
    /// Share of the window spent rebuffering that makes UNHEALTHY. Default: 0.10.
    pub rebuffer_share_unhealthy: f64,
    /// The stream must never end: ENDLIST on a live stream is an outage. Default: false.
    pub expect_24x7: bool,
    /// DEGRADED for this long opens an incident. Default: 300 s.
    pub degraded_opens: Duration,
    /// Minutes with new evidence that a DEGRADED incident needs. Default: 3.
    pub degraded_minutes: u32,
    /// HEALTHY for this long resolves an incident. Default: 120 s.
    pub clear: Duration,
    /// Consistent delivery for this long ends an alert condition. Default: 120 s.
    pub min_clear: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            watch: Pace::Continuous,
            window: Duration::from_secs(120),
            lost_degraded: 1,
            lost_unhealthy: None,
            consecutive_unhealthy: 3,
            lost_share_unhealthy: 0.10,
            ttfb_degraded: Duration::from_millis(500),
            ttfb_unhealthy: None,
            ratio_degraded: 1.2,
            ratio_unhealthy: 1.0,
            min_samples: 5,
            rebuffer_degraded: Duration::from_millis(500),
            rebuffer_share_degraded: 0.02,
            rebuffer_share_unhealthy: 0.10,
            expect_24x7: false,
            degraded_opens: Duration::from_secs(300),
            degraded_minutes: 3,
            clear: Duration::from_secs(120),
            min_clear: Duration::from_secs(120),
        }
    }
}

impl Limits {
    /// The thresholds of the first system this product replaces: errors 1 and 3, mean TTFB 500 and
    /// 1000 ms, download ratio 0.8 and 0.5, an incident after 120 s of DEGRADED.
    #[must_use]
    pub fn seed1() -> Self {
        Self {
            lost_unhealthy: Some(3),
            ttfb_unhealthy: Some(Duration::from_millis(1_000)),
            ratio_degraded: 0.8,
            ratio_unhealthy: 0.5,
            degraded_opens: Duration::from_secs(120),
            degraded_minutes: 1,
            ..Self::default()
        }
    }

    /// A median TTFB up to this is no reason for anything.
    pub(crate) fn strictest_ttfb(&self) -> Duration {
        self.ttfb_unhealthy.map_or(self.ttfb_degraded, |limit| limit.min(self.ttfb_degraded))
    }

    /// Without a look for this long there is nothing to say: max(30 s, 3 target durations), or the
    /// [`Pace::stale_after`] of a stream that is looked at now and then, if that is longer.
    #[must_use]
    pub fn no_data_after(&self, target: MediaUs) -> Duration {
        let least = match self.watch {
            Pace::Continuous => Duration::from_secs(30),
            Pace::Interval(_) => self.watch.stale_after(),
        };
        target.times(3).as_duration().max(least)
    }
}
