//! Findings folded: the same rule on the same rendition is one line with a count.

use crate::checks::{Finding, Rule};
use crate::id::RenditionId;
use crate::units::EpochMs;

/// Equal findings of one rendition.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// The rule.
    pub rule: &'static Rule,
    /// The rendition; none for the stream's own playlist.
    pub rendition: Option<RenditionId>,
    /// First seen.
    pub first_at: EpochMs,
    /// Last seen.
    pub last_at: EpochMs,
    /// How often.
    pub count: u64,
    /// Message of the last one.
    pub message: String,
}

/// The findings of one stream. Past [`FindingBook::MAX`] different ones, new ones are only counted.
#[derive(Clone, Debug, Default)]
pub struct FindingBook {
    folded: Vec<Folded>,
    overflow: u64,
}

impl FindingBook {
    /// Most different findings kept.
    pub const MAX: usize = 400;

    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding) {
        let same = |f: &Folded| f.rule == finding.rule && f.rendition == finding.rendition;
        match self.folded.iter().position(same) {
            Some(known) => {
                let known = &mut self.folded[known];
                known.last_at = finding.at;
                known.count = known.count.saturating_add(1);
                known.message.clone_from(&finding.message);
            }
            None if self.folded.len() < Self::MAX => self.folded.push(Folded {
                rule: finding.rule,
                rendition: finding.rendition,
                first_at: finding.at,
                last_at: finding.at,
                count: 1,
                message: finding.message.clone(),
            }),
            None => self.overflow = self.overflow.saturating_add(1),
        }
    }

    /// In the order in which they first appeared.
    pub fn iter(&self) -> impl Iterator<Item = &Folded> {
        self.folded.iter()
    }

    /// Nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Findings that did not fit and were only counted.
    #[must_use]
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }
}
