//! What speaks against a stream, in words.

use std::fmt;
use std::time::Duration;

use crate::observation::Failure;
use crate::units::Seconds;

/// What holds.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// No rendition has advanced yet.
    Starting,
    /// No look for this long.
    NotLooked(Duration),
    /// The multivariant playlist does not load: nobody can start.
    MasterDown(Failure),
    /// A media playlist does not load.
    PlaylistDown(Failure),
    /// A media playlist brings nothing new.
    Stalled,
    /// A stream that must never end has ended.
    Ended,
    /// On no pathway is there a video with its audio that a player could show.
    NothingPlayable,
    /// Segments lost in the window.
    SegmentsLost {
        /// How many.
        count: u64,
        /// Media lost as a share of what was published in that time.
        share: f64,
        /// The window, or what there was of it.
        within: Duration,
        /// The time whose media the share is of: a whole window until a rendition has lost three.
        of: Duration,
    },
    /// Segments lost one after the other.
    ConsecutiveLost(u32),
    /// Time to first byte, median of the window.
    SlowFirstByte {
        /// Median.
        median: Duration,
        /// Threshold.
        limit: Duration,
    },
    /// Media seconds per download second.
    LowRatio {
        /// Value.
        ratio: f64,
        /// Threshold.
        limit: f64,
    },
    /// Time a viewer waited in the window.
    Rebuffering {
        /// How long.
        waited: Duration,
        /// The window.
        window: Duration,
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Between { least: self, most: self }.fmt(f)
    }
}

impl What {
    /// The same thing, so that both can be said in one line.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PlaylistDown(a), Self::PlaylistDown(b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// By what like things of several renditions differ.
    fn value(&self) -> f64 {
        match self {
            Self::ConsecutiveLost(count) => f64::from(*count),
            Self::LowRatio { ratio, .. } => *ratio,
            Self::Rebuffering { waited, .. } => waited.as_secs_f64(),
            _ => 0.0,
        }
    }
}

/// Like things of several renditions, told by the least and the most of them.
#[derive(Clone, Copy)]
pub(super) struct Between<'a> {
    least: &'a What,
    most: &'a What,
}

impl<'a> Between<'a> {
    pub(super) const fn only(what: &'a What) -> Self {
        Self { least: what, most: what }
    }

    pub(super) fn and(self, what: &'a What) -> Self {
        let least = if what.value() < self.least.value() { what } else { self.least };
        let most = if what.value() > self.most.value() { what } else { self.most };
        Self { least, most }
    }

    /// From the least value to the most, as they are shown.
    fn span(self, decimals: usize) -> String {
        let [least, most] = [self.least, self.most].map(|what| format!("{:.decimals$}", what.value()));
        if least == most { least } else { format!("{least} to {most}") }
    }
}

impl fmt::Display for Between<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.least {
            What::Starting => f.write_str("waiting for the first new segment"),
            What::NotLooked(length) => write!(f, "no look for {}", Seconds(*length)),
            What::MasterDown(failure) => {
                write!(f, "no new viewer can start: the stream's playlist does not load: {failure}")
            }
            What::PlaylistDown(failure) => write!(f, "playlist does not load: {failure}"),
            What::Stalled => f.write_str("playlist brings no new segments"),
            What::Ended => f.write_str("the stream ended, and it must never end"),
            What::NothingPlayable => f.write_str("no variant can be played"),
            What::SegmentsLost { count, share, within, of } => {
                let (plural, percent) = (if *count == 1 { "" } else { "s" }, share * 100.0);
                let seconds = |length: &Duration| length.as_secs_f64().round().max(1.0);
                write!(f, "{count} segment{plural} lost within {} s, {percent:.1} % of ", seconds(within))?;
                match of > within {
                    true => write!(f, "a {} s window", seconds(of)),
                    false => f.write_str("the media"),
                }
            }
            What::ConsecutiveLost(_) => write!(f, "{} segments in a row missing", self.span(0)),
            What::SlowFirstByte { median, limit } => {
                write!(f, "TTFB {} ms > {} ms", median.as_millis(), limit.as_millis())
            }
            What::LowRatio { limit, .. } => write!(f, "download ratio {} < {limit}", self.span(2)),
            What::Rebuffering { window, .. } => {
                write!(f, "playback waited {} s within {} s", self.span(1), window.as_secs())
            }
        }
    }
}
