//! The catalogue of checks. One file each: data plus one pure function, named after the fault.
//!
//! To add a check: its file with its fixtures, and here its `mod` line and its name in the catalogue.

#[cfg(test)]
mod fixtures;
mod jump;
mod playlist_unreachable;
mod rebuffering;
mod segment_lost;
mod sequence_went_down;
mod slow_download;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use crate::id::RenditionId;
use crate::observation::{Failure, SegmentAttempt};
use crate::rendition::Progress;
use crate::units::EpochMs;

/// The catalogue from the names of its files: the rules, and for the tests the fixtures of each.
macro_rules! catalogue {
    ($($file:ident),+ $(,)?) => {
        /// Every check, in the order of their codes.
        pub const ALL: &[&Rule] = &[$(&$file::RULE),+];

        #[cfg(test)]
        const FIXTURES: &[fn() -> fixtures::Fixtures] = &[$($file::fixtures),+];
    };
}

catalogue![jump, sequence_went_down, segment_lost, playlist_unreachable, rebuffering, slow_download];

/// A stable public name of a check. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub &'static str);

/// One entry of the catalogue.
#[derive(Debug)]
pub struct Rule {
    /// Stable name.
    pub id: RuleId,
    /// Public code, as known from the second system this product replaces.
    pub code: &'static str,
    /// The fault in one clause.
    pub summary: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Where the standard says so.
    pub clause: Clause,
    /// How bad a single finding is.
    pub severity: Severity,
    /// Looks at one fact.
    check: fn(&Fact<'_>) -> Option<String>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A place in a standard, or in our own model where no standard speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Document.
    pub spec: Spec,
    /// Section number.
    pub section: &'static str,
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spec {
            Spec::Rfc8216 => write!(f, "RFC 8216 section {}", self.section),
            Spec::Rfc8216bis => write!(f, "rfc8216bis section {}", self.section),
        }
    }
}

/// A document. The two editions number their sections differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spec {
    /// RFC 8216, August 2017.
    Rfc8216,
    /// draft-pantos-hls-rfc8216bis-22.
    Rfc8216bis,
}

/// How bad a finding is. Not how sure, and not whether someone is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Broken.
    Error,
}

/// A rule that was broken, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// When.
    pub at: EpochMs,
    /// Which rendition; none for the stream's own playlist.
    pub rendition: Option<RenditionId>,
    /// The rule.
    pub rule: &'static Rule,
    /// What was seen, with values.
    pub message: String,
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A media playlist loaded.
    Loaded(&'a Progress),
    /// A playlist has just failed for the second time in a row.
    Unreachable(Failure),
    /// An attempt at a segment ended.
    Segment(&'a SegmentAttempt),
    /// The buffer of a rendition has just run dry.
    RanDry {
        /// Since when the viewer waits.
        waiting: Duration,
    },
}

/// Runs the catalogue over one fact.
pub fn run(at: EpochMs, rendition: Option<RenditionId>, fact: &Fact<'_>) -> impl Iterator<Item = Finding> {
    ALL.iter()
        .filter_map(move |rule| (rule.check)(fact).map(|message| Finding { at, rendition, rule, message }))
}
