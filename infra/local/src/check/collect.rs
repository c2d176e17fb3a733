//! Gathers what a watched stream brings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::findings::FindingBook;
use hlsops_domain::{EpochMs, Event, EventKind, Failure, HealthState, RenditionId, StreamState};
use hlsops_watch::Sink;
use tokio::sync::Notify;

use super::progress::Progress;

/// Segments of one rendition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Segments {
    pub(crate) obtained: u64,
    pub(crate) lost: u64,
    pub(crate) bytes: u64,
}

/// Everything the verdict is made of.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) state: StreamState,
    pub(crate) began_at: EpochMs,
    pub(crate) ended_at: EpochMs,
    /// Somebody ended it early.
    pub(crate) cut_short: bool,
    pub(crate) findings: FindingBook,
    pub(crate) segments: BTreeMap<RenditionId, Segments>,
    /// The worst health on the way.
    pub(crate) worst: HealthState,
    /// A playlist has been loaded at least once.
    pub(crate) reached: bool,
    /// Why the last load failed.
    pub(crate) last_failure: Option<Failure>,
}

/// The sink of `hlsops check`.
pub(crate) struct Collector {
    began_at: EpochMs,
    until: EpochMs,
    ended: Arc<Notify>,
    all_ended_at: Option<EpochMs>,
    progress: Progress,
    findings: FindingBook,
    segments: BTreeMap<RenditionId, Segments>,
    worst: HealthState,
    reached: bool,
    last_failure: Option<Failure>,
}

impl Collector {
    /// A list that has ended brings nothing more: stop this long after.
    const AFTER_END: Duration = Duration::from_secs(5);

    /// What has only failed for so long is not there: an origin that is just starting gets this long.
    const UNREACHABLE: Duration = Duration::from_secs(10);

    pub(crate) fn new(began_at: EpochMs, length: Duration, progress: Progress) -> Self {
        Self {
            began_at,
            until: began_at + length,
            ended: Arc::new(Notify::new()),
            all_ended_at: None,
            progress,
            findings: FindingBook::default(),
            segments: BTreeMap::new(),
            worst: HealthState::NoData,
            reached: false,
            last_failure: None,
        }
    }

    /// Notified when there is nothing more to see: all playlists have ended, or the stream's own one cannot be had.
    pub(crate) fn ended(&self) -> Arc<Notify> {
        Arc::clone(&self.ended)
    }

    pub(crate) fn finish(mut self, state: StreamState, ended_at: EpochMs, cut_short: bool) -> Collected {
        self.progress.clear();
        let worst = self.worst.max(state.health.state);
        Collected {
            state,
            began_at: self.began_at,
            ended_at,
            cut_short,
            findings: self.findings,
            segments: self.segments,
            worst,
            reached: self.reached,
            last_failure: self.last_failure,
        }
    }

    fn take(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finding(finding) => self.findings.add(finding),
            EventKind::LoadFailed(failure) => self.last_failure = Some(*failure),
            _ => self.count(event),
        }
    }

    /// Lost is also what a jump of the numbering left out, as health counts it.
    fn count(&mut self, event: &Event) {
        let (obtained, lost, bytes) = match &event.kind {
            EventKind::SegmentObtained { bytes, .. } => (1, 0, *bytes),
            EventKind::SegmentFailed { last: true, .. } => (0, 1, 0),
            EventKind::JumpedOver(loss) => (0, loss.segments, 0),
            _ => return,
        };
        let Some(rendition) = event.rendition else { return };
        let sums = self.segments.entry(rendition).or_default();
        sums.obtained += obtained;
        sums.lost += lost;
        sums.bytes += bytes;
    }

    fn watch_for_end(&mut self, state: &StreamState, at: EpochMs) {
        if !self.reached && state.master_down().is_some() && at.since(self.began_at) >= Self::UNREACHABLE {
            self.ended.notify_one();
            return;
        }
        let mut renditions = state.renditions().peekable();
        if renditions.peek().is_none() || !renditions.all(|r| r.playlist.has_ended()) {
            self.all_ended_at = None;
            return;
        }
        let since = *self.all_ended_at.get_or_insert(at);
        if at.since(since) >= Self::AFTER_END {
            self.ended.notify_one();
        }
    }
}

impl Sink for Collector {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        for event in events {
            self.take(event);
        }
        self.worst = self.worst.max(state.health.state);
        self.reached |= state.renditions().next().is_some();
        self.watch_for_end(state, at);
        self.progress.show(state, at, self.until, events);
    }
}
