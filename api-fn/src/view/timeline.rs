//! A timeline out of stored minutes.

mod gap;

use hlsops_domain::incident::{Transition, Trigger};
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState, RenditionId, checks};
use hlsops_store::pack::{MinuteLog, SegmentRow, What};
use hlsops_store::{IncidentItem, Pause, Slot, StoredMinute};
use hlsops_wire::{TimelineEntry, TimelineKind};

use super::pauses::explain;
use super::{Labels, length, seconds_between, state};
use crate::times;

/// An entry and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) at: EpochMs,
    pub(crate) entry: TimelineEntry,
}

/// What entries are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) labels: &'a Labels,
    /// Incidents of the stream around that time.
    pub(crate) incidents: &'a [IncidentItem],
    /// When the stream was paused: what is missing for that is not told again.
    pub(crate) pauses: &'a [Pause],
}

/// What happened in a stored minute, in the order in which it was stored; segments that were obtained only where
/// `obtained`, for there are many. The ids of entries stay when more is stored in the same minute.
pub(crate) fn entries(stored: &StoredMinute, names: Names<'_>, obtained: bool) -> Vec<Placed> {
    let mut out = Out { minute: stored.minute.0, names, obtained, entries: Vec::new() };
    match &stored.slot {
        Slot::Watched { log, .. } => out.log(log),
        Slot::Gap(to) => {
            let (from, to) = (stored.minute.start(), to.next().start());
            if !explain(names.pauses, from, to) {
                let text = format!("nobody watched for {}", length(seconds_between(from, to)));
                out.add(from, 'g', 0, TimelineKind::Gap, None, text);
            }
        }
        Slot::Claimed => {}
    }
    out.entries
}

/// Newest first. Entries of one time in the order of their ids.
pub(crate) fn sort(entries: &mut [Placed]) {
    entries.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.entry.id.cmp(&a.entry.id)));
}

struct Out<'a> {
    minute: u64,
    names: Names<'a>,
    obtained: bool,
    entries: Vec<Placed>,
}

impl Out<'_> {
    fn add(
        &mut self,
        at: EpochMs,
        class: char,
        index: usize,
        kind: TimelineKind,
        rendition: Option<RenditionId>,
        text: String,
    ) -> &mut TimelineEntry {
        let entry = TimelineEntry {
            id: format!("evt_{:010}{class}{index:05}", self.minute),
            at: times::text(at),
            kind,
            text,
            state: None,
            rendition_id: rendition.map(|id| id.to_string()),
            rendition: rendition.and_then(|id| self.names.labels.get(id)),
            sequence: None,
            code: None,
            incident_id: None,
        };
        self.entries.push(Placed { at, entry });
        let last = self.entries.len() - 1;
        &mut self.entries[last].entry
    }

    fn log(&mut self, log: &MinuteLog) {
        for (index, told) in gap::told(log.changes(), self.names.pauses) {
            self.change(index, &told);
        }
        for (nth, rendition) in log.renditions().iter().enumerate() {
            for (index, row) in rendition.segments.iter().enumerate() {
                if self.obtained || row.failure.is_some() {
                    self.segment(nth * 1_000 + index.min(999), rendition.id, row);
                }
            }
        }
        if log.dropped() > 0 {
            let text = format!("{} more events of this minute were not kept", log.dropped());
            self.add(log.minute().next().start(), 'x', 0, TimelineKind::Gap, None, text);
        }
    }

    fn change(&mut self, index: usize, told: &gap::Told) {
        let (at, change) = (told.at, &told.change);
        let (kind, text) = describe(at, &change.what, told.beside);
        let incident = self.incident(change.at, &change.what);
        // By its id a gap comes before what happened at the same time.
        let class = if kind == TimelineKind::Gap { 'b' } else { 'c' };
        let entry = self.add(at, class, index, kind, change.rendition, text);
        entry.incident_id = incident;
        match &change.what {
            What::Health { to, .. } => entry.state = Some(state(*to)),
            What::Found { code, .. } => entry.code = Some(code.clone()),
            _ => {}
        }
    }

    fn incident(&self, at: EpochMs, what: &What) -> Option<String> {
        let What::Incident(transition) = what else { return None };
        let opened = match transition {
            Transition::Opened(_) => at,
            Transition::Resolved { lasted } => at - *lasted,
        };
        // Both times are the state's own, to the millisecond; a take-over may open it a little later.
        let near = |incident: &&IncidentItem| incident.opened.0.abs_diff(opened.0) <= 1_000;
        self.names.incidents.iter().find(near).map(|incident| incident.id.to_string())
    }

    fn segment(&mut self, index: usize, rendition: RenditionId, row: &SegmentRow) {
        let (kind, text) = match row.failure {
            Some(failure) => {
                let fate = if row.last { "lost" } else { "tried again" };
                (TimelineKind::SegmentFailed, format!("segment {}: {failure}; {fate}", row.sequence))
            }
            None => {
                let took = f64::from(u32::try_from(row.download_ms).unwrap_or(u32::MAX)) / 1e3;
                let text = format!("segment {} of {} in {took:.2} s", row.sequence, row.media);
                (TimelineKind::SegmentObtained, text)
            }
        };
        // By its id a request comes before what followed from it at the same time.
        let entry = self.add(row.at, 'a', index, kind, Some(rendition), text);
        entry.sequence = Some(row.sequence);
    }
}

/// What happened at `at`. `beside`: how many segments the other part of the same jump is about.
fn describe(at: EpochMs, what: &What, beside: Option<u64>) -> (TimelineKind, String) {
    let plural = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match what {
        What::LoadFailed(failure) => {
            (TimelineKind::LoadFailed, format!("the playlist did not load: {failure}"))
        }
        What::Playlist { from, to } => (TimelineKind::Playlist, playlist(*from, *to)),
        What::Health { from, to, .. } => (TimelineKind::Health, health(*from, *to, what.reason())),
        What::Incident(Transition::Opened(Trigger::Unhealthy)) => {
            (TimelineKind::Incident, "incident opened: the stream turned UNHEALTHY".into())
        }
        What::Incident(Transition::Opened(Trigger::LongDegraded)) => {
            (TimelineKind::Incident, "incident opened: the stream stayed DEGRADED".into())
        }
        What::Incident(Transition::Resolved { lasted }) => (
            TimelineKind::Incident,
            format!("incident resolved after {}", length(seconds_between(at - *lasted, at))),
        ),
        What::Found { code, count } => {
            let summary = checks::ALL.iter().find(|rule| rule.code == code).map_or("", |rule| rule.summary);
            // It stands at the first time of its minute, which is the stream's own, and counts on.
            let times =
                if *count > 1 { format!(", the first of {count} within a minute") } else { String::new() };
            (TimelineKind::Finding, format!("{code}: {summary}{times}"))
        }
        What::RebufferingStarted => {
            (TimelineKind::Rebuffering, "a viewer of this rendition would have run out of media".into())
        }
        What::RebufferingEnded { waited } => (
            TimelineKind::Rebuffering,
            format!(
                "media came again; a viewer of this rendition would have waited {:.1} s",
                waited.as_secs_f64()
            ),
        ),
        What::Restarted { from, to } => {
            (TimelineKind::Origin, format!("the encoder began a new numbering: {from}, then {to}"))
        }
        What::OlderCopy { behind } => {
            (TimelineKind::Origin, format!("an older copy was served, {} behind", plural(*behind, "segment")))
        }
        What::Renditions { added, removed } => {
            (TimelineKind::Origin, format!("the renditions changed: {added} new, {removed} gone"))
        }
        What::OwnGap(gap) => (TimelineKind::Gap, gap::own(*gap)),
        What::NotWatched { first, last } => (TimelineKind::Gap, gap::unseen(*first, *last, beside.is_some())),
        What::Lost { segments, media } => {
            let lost =
                format!("{} lost ({media} of media): the numbering jumped", plural(*segments, "segment"));
            let text = match beside {
                Some(missing) if missing > *segments => {
                    format!("{lost}, and no more can have been published since the last look")
                }
                _ => lost,
            };
            (TimelineKind::SegmentFailed, text)
        }
    }
}

fn playlist(from: PlaylistState, to: PlaylistState) -> String {
    match to {
        PlaylistState::HttpError(failure) => {
            format!("playlist {}: {failure} (was {})", to.name(), from.name())
        }
        _ => format!("playlist {} (was {})", to.name(), from.name()),
    }
}

fn health(from: HealthState, to: HealthState, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{} (was {}): {reason}", to.name(), from.name()),
        None => format!("{} (was {})", to.name(), from.name()),
    }
}
