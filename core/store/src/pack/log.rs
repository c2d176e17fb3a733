//! What happened in one minute of a stream, as it is stored.

use std::time::Duration;

use hlsops_domain::incident::Transition;
use hlsops_domain::rendition::{Loss, PlaylistState};
use hlsops_domain::{EpochMs, Event, EventKind, Failure, HealthState, MediaUs, RenditionId};

use super::codes::{reason_code, reason_name};
use crate::ids::Minute;

/// The log of one minute. Times are to the millisecond; so are lengths of downloads.
#[derive(Clone, Debug, PartialEq)]
pub struct MinuteLog {
    pub(super) minute: Minute,
    pub(super) renditions: Vec<RenditionLog>,
    pub(super) changes: Vec<Change>,
    pub(super) dropped: u64,
}

/// A rendition's part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionLog {
    /// Which.
    pub id: RenditionId,
    /// Loads of its playlist.
    pub loads: Loads,
    /// Attempts at its segments, in the order in which they ended.
    pub segments: Vec<SegmentRow>,
}

/// Loads of a playlist, folded. The failed ones are changes as well, with their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    /// Loads that ended well.
    pub good: u64,
    /// Loads that failed.
    pub failed: u64,
    /// Time to first byte of the good ones, together, in milliseconds.
    pub ttfb_sum_ms: u64,
    /// The largest of them.
    pub ttfb_max_ms: u64,
}

/// An attempt to obtain a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// When it ended.
    pub at: EpochMs,
    /// Media sequence number.
    pub sequence: u64,
    /// EXTINF.
    pub media: MediaUs,
    /// Bytes.
    pub bytes: u64,
    /// Time to first byte, in milliseconds.
    pub ttfb_ms: u64,
    /// Request to last byte, in milliseconds.
    pub download_ms: u64,
    /// The origin sent it at the pace of the media, so the download says nothing about the network.
    pub paced: bool,
    /// 1, or 2 for the retry.
    pub attempt: u8,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// No further attempt followed.
    pub last: bool,
}

/// Something other than a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: EpochMs,
    /// The rendition it is about; none for the whole stream.
    pub rendition: Option<RenditionId>,
    /// What.
    pub what: What,
}

/// What changed: the domain's events as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A playlist did not load.
    LoadFailed(Failure),
    /// The state of a media playlist.
    Playlist {
        /// Before.
        from: PlaylistState,
        /// Now.
        to: PlaylistState,
    },
    /// Health.
    Health {
        /// Before.
        from: HealthState,
        /// Now.
        to: HealthState,
        /// Kind of the first reason; 0 for none.
        reason: u8,
    },
    /// An incident opened or was resolved.
    Incident(Transition),
    /// A rule was broken, `count` times since; the first time is the change's.
    Found {
        /// Public code of the rule.
        code: String,
        /// How often.
        count: u64,
    },
    /// A viewer ran out of media.
    RebufferingStarted,
    /// Media came again.
    RebufferingEnded {
        /// How long the viewer waited.
        waited: Duration,
    },
    /// The encoder began a new numbering.
    Restarted {
        /// Newest media sequence number before.
        from: u64,
        /// Newest media sequence number now.
        to: u64,
    },
    /// An earlier state of the playlist.
    OlderCopy {
        /// Segments it lacked.
        behind: u64,
    },
    /// We did not look for this long.
    OwnGap(Duration),
    /// Segments that were never asked for.
    NotWatched {
        /// First media sequence number.
        first: u64,
        /// Last media sequence number.
        last: u64,
    },
    /// The set of renditions changed.
    Renditions {
        /// How many are new.
        added: u64,
        /// How many are gone.
        removed: u64,
    },
    /// Media was lost without an attempt at it: a jump of the numbering.
    Lost {
        /// Segments.
        segments: u64,
        /// Their media.
        media: MediaUs,
    },
}

/// Bounds of a log. What is more is counted and not kept.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits;

impl LogLimits {
    /// Most renditions.
    pub const RENDITIONS: usize = 256;
    /// Most attempts at segments, over all renditions: 200 renditions of 2 s segments, twice.
    pub const SEGMENTS: usize = 12_000;
    /// Most changes.
    pub const CHANGES: usize = 1_024;
    /// Longest code of a rule, in bytes.
    pub const CODE: usize = 32;
}

impl What {
    /// Kind of the first reason of a change of health, in words; none where health became good.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Health { reason, .. } => reason_name(*reason),
            _ => None,
        }
    }
}

impl MinuteLog {
    /// An empty log.
    #[must_use]
    pub const fn new(minute: Minute) -> Self {
        Self { minute, renditions: Vec::new(), changes: Vec::new(), dropped: 0 }
    }

    /// Which minute.
    #[must_use]
    pub const fn minute(&self) -> Minute {
        self.minute
    }

    /// Its renditions, in the order in which they first appeared.
    #[must_use]
    pub fn renditions(&self) -> &[RenditionLog] {
        &self.renditions
    }

    /// Everything but segments, in the order in which it happened.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What did not fit.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Attempts at segments.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.renditions.iter().map(|rendition| rendition.segments.len()).sum()
    }

    /// Nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.renditions.is_empty() && self.changes.is_empty() && self.dropped == 0
    }

    /// Takes in an event.
    pub fn push(&mut self, event: &Event) {
        let (at, id) = (event.at, event.rendition);
        match &event.kind {
            EventKind::SegmentObtained { sequence, media, bytes, ttfb, download, ratio, attempt } => {
                let row = SegmentRow {
                    at,
                    sequence: *sequence,
                    media: *media,
                    bytes: *bytes,
                    ttfb_ms: millis(*ttfb),
                    download_ms: millis(*download),
                    paced: ratio.is_none() && !download.is_zero(),
                    attempt: *attempt,
                    failure: None,
                    last: true,
                };
                self.attempted(id, row);
            }
            EventKind::SegmentFailed { sequence, media, failure, attempt, last } => {
                let row = SegmentRow {
                    at,
                    sequence: *sequence,
                    media: *media,
                    bytes: 0,
                    ttfb_ms: 0,
                    download_ms: 0,
                    paced: false,
                    attempt: *attempt,
                    failure: Some(*failure),
                    last: *last,
                };
                self.attempted(id, row);
            }
            EventKind::Finding(finding) => self.found(at, id, finding.rule.code),
            kind => {
                if let Some(what) = what(kind) {
                    self.change(at, id, what);
                }
            }
        }
    }

    /// Adds the load of a rendition's playlist to the rollup; for a failed one there is no `ttfb`.
    pub fn loaded(&mut self, rendition: RenditionId, ttfb: Option<Duration>) {
        let Some(log) = self.rendition(rendition) else { return };
        match ttfb {
            Some(ttfb) => {
                let ms = millis(ttfb);
                log.loads.good = log.loads.good.saturating_add(1);
                log.loads.ttfb_sum_ms = log.loads.ttfb_sum_ms.saturating_add(ms);
                log.loads.ttfb_max_ms = log.loads.ttfb_max_ms.max(ms);
            }
            None => log.loads.failed = log.loads.failed.saturating_add(1),
        }
    }

    /// Adds media that was lost without an attempt at it.
    pub fn lost(&mut self, at: EpochMs, rendition: RenditionId, loss: Loss) {
        self.change(at, Some(rendition), What::Lost { segments: loss.segments, media: loss.media });
    }

    /// Adds the attempt at a segment.
    pub fn attempted(&mut self, rendition: Option<RenditionId>, row: SegmentRow) {
        let full = self.segments() >= LogLimits::SEGMENTS;
        match rendition.and_then(|id| self.rendition(id)) {
            Some(log) if !full => log.segments.push(row),
            _ => self.dropped = self.dropped.saturating_add(1),
        }
    }

    /// The same rule on the same rendition is one change with a count.
    fn found(&mut self, at: EpochMs, rendition: Option<RenditionId>, code: &str) {
        let same = self.changes.iter_mut().find_map(|change| match &mut change.what {
            What::Found { code: known, count } if known == code && change.rendition == rendition => {
                Some(count)
            }
            _ => None,
        });
        match same {
            Some(count) => *count = count.saturating_add(1),
            None => {
                let code = code.chars().take(LogLimits::CODE / 4).collect();
                self.change(at, rendition, What::Found { code, count: 1 });
            }
        }
    }

    /// Adds a change.
    pub fn change(&mut self, at: EpochMs, rendition: Option<RenditionId>, what: What) {
        let known = rendition.is_none_or(|id| self.rendition(id).is_some());
        if known && self.changes.len() < LogLimits::CHANGES {
            self.changes.push(Change { at, rendition, what });
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn rendition(&mut self, id: RenditionId) -> Option<&mut RenditionLog> {
        let index = match self.renditions.iter().position(|log| log.id == id) {
            Some(index) => index,
            None if self.renditions.len() < LogLimits::RENDITIONS => {
                self.renditions.push(RenditionLog { id, loads: Loads::default(), segments: Vec::new() });
                self.renditions.len() - 1
            }
            None => return None,
        };
        self.renditions.get_mut(index)
    }
}

/// The stored form of what is neither a segment nor a finding.
fn what(kind: &EventKind) -> Option<What> {
    let count = |n: &usize| u64::try_from(*n).unwrap_or(u64::MAX);
    Some(match kind {
        EventKind::Playlist { from, to } => What::Playlist { from: *from, to: *to },
        EventKind::LoadFailed(failure) => What::LoadFailed(*failure),
        EventKind::Health { from, to } => What::Health {
            from: *from,
            to: to.state,
            reason: to.reasons.first().map_or(0, |reason| reason_code(&reason.what)),
        },
        EventKind::Incident(transition) => What::Incident(*transition),
        EventKind::JumpedOver(loss) => What::Lost { segments: loss.segments, media: loss.media },
        EventKind::RebufferingStarted => What::RebufferingStarted,
        EventKind::RebufferingEnded { waited } => What::RebufferingEnded { waited: *waited },
        EventKind::EncoderRestarted { from, to } => What::Restarted { from: *from, to: *to },
        EventKind::OlderCopy { behind } => What::OlderCopy { behind: *behind },
        EventKind::OwnGap(length) => What::OwnGap(*length),
        EventKind::NotWatched { first, last } => What::NotWatched { first: *first, last: *last },
        EventKind::Renditions { added, removed } => {
            What::Renditions { added: count(added), removed: count(removed) }
        }
        EventKind::SegmentObtained { .. } | EventKind::SegmentFailed { .. } | EventKind::Finding(_) => {
            return None;
        }
    })
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
