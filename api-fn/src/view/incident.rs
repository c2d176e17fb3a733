//! Incidents.

use hlsops_domain::EpochMs;
use hlsops_notify::event::{self, End};
use hlsops_store::{IncidentItem, IncidentNote};
use hlsops_wire::{Incident, IncidentStatus, RenditionLoss, TimelineEntry, TimelineKind};

use super::timeline::Placed;
use super::{length, losses, seconds_between};
use crate::times;

/// An incident, with what people call its stream.
pub(crate) fn incident(item: &IncidentItem, stream_name: Option<&str>, now: EpochMs) -> Incident {
    let status = match (item.closed, &item.acknowledged) {
        (Some(_), _) => IncidentStatus::Resolved,
        (None, Some(_)) => IncidentStatus::Acknowledged,
        (None, None) => IncidentStatus::Open,
    };
    Incident {
        id: item.id.to_string(),
        stream_id: item.stream.name().into(),
        stream_name: stream_name.unwrap_or(&item.stream_name).into(),
        stream_removed: stream_name.is_none(),
        status,
        trigger: item.trigger.clone(),
        title: item.title.clone(),
        opened_at: times::text(item.opened),
        acknowledged_at: item.acknowledged.as_ref().map(|(at, _)| times::text(*at)),
        acknowledged_by: item.acknowledged.as_ref().map(|(_, by)| by.clone()),
        resolved_at: item.closed.map(times::text),
        resolution: item.note.clone(),
        duration_s: seconds_between(item.opened, item.closed.unwrap_or(now)),
    }
}

/// What an incident comes down to, in one sentence. `is_cut`: not all of it is known here.
pub(crate) fn verdict(
    incident: &Incident,
    timeline: &[TimelineEntry],
    lost: &[RenditionLoss],
    is_cut: bool,
) -> String {
    let failed = |entry: &&TimelineEntry| entry.kind == TimelineKind::SegmentFailed;
    // What a numbering jumped over was never asked for.
    let (requests, jumps): (Vec<_>, Vec<_>) =
        timeline.iter().filter(failed).partition(|entry| entry.sequence.is_some());
    let loads = timeline.iter().filter(|entry| entry.kind == TimelineKind::LoadFailed).count();
    let mut evidence: Vec<String> = losses::in_all(lost, is_cut).into_iter().collect();
    for (count, what, rest) in [
        (requests.len(), "failed segment request", ""),
        (jumps.len(), "jump", " in the numbering"),
        (loads, "failed playlist load", ""),
    ] {
        evidence.extend((count > 0).then(|| counted(count as u64, what) + rest));
    }
    let since = since(incident, timeline);
    let evidence =
        if evidence.is_empty() { String::new() } else { format!(" ({since}{})", evidence.join("; ")) };
    let lasted = length(incident.duration_s);
    let standing = match (incident.status, &incident.acknowledged_by) {
        (IncidentStatus::Resolved, _) => format!("lasted {lasted}"),
        (_, Some(by)) => format!("open for {lasted}, {by} looks after it"),
        _ => format!("open for {lasted}, nobody has taken it"),
    };
    format!("Began with: {}{evidence}; {standing}", incident.title)
}

/// From when on the evidence is, where the first of it came before there was an incident.
fn since(incident: &Incident, timeline: &[TimelineEntry]) -> String {
    let is_evidence =
        |entry: &&TimelineEntry| matches!(entry.kind, TimelineKind::SegmentFailed | TimelineKind::LoadFailed);
    let second = |at: &str| at.get(11..19).map(str::to_owned);
    let first = timeline.iter().filter(is_evidence).min_by(|a, b| a.at.cmp(&b.at));
    let first = first.filter(|first| first.at < incident.opened_at).and_then(|first| second(&first.at));
    let first = first.filter(|first| Some(first) != second(&incident.opened_at).as_ref());
    first.map(|first| format!("since {first} UTC: ")).unwrap_or_default()
}

pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How much of a timeline is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Failed requests.
    pub(crate) requests: usize,
    /// Everything else.
    pub(crate) others: usize,
}

/// Failed requests at the beginning of a timeline that are kept: how it began.
const FIRST: usize = 50;

/// Keeps at most so many entries, newest first. Failed requests, which are many, go before anything else, the oldest
/// first; but for the first ones, which say how it began.
pub(crate) fn shorten(timeline: &mut Vec<TimelineEntry>, most: usize) -> Cut {
    let all = timeline.len();
    let mut over = all.saturating_sub(most);
    let mut first = FIRST.min(most / 2);
    timeline.reverse();
    timeline.retain(|entry| {
        if over == 0 || !matches!(entry.kind, TimelineKind::SegmentFailed | TimelineKind::LoadFailed) {
            return true;
        }
        if first > 0 {
            first -= 1;
            return true;
        }
        over -= 1;
        false
    });
    timeline.reverse();
    let requests = all - timeline.len();
    timeline.truncate(most);
    Cut { requests, others: all - requests - timeline.len() }
}

/// What a timeline leaves out, in words; `unread`: a time of which nothing was read.
pub(crate) fn left_out(cut: Cut, unread: Option<(EpochMs, EpochMs)>) -> Option<String> {
    let older = |count: usize, what| (count > 0).then(|| counted(count as u64, what));
    let minute = |at| times::text(at).trim_end_matches(":00.000Z").replace('T', " ");
    let between = |(from, to)| format!("everything from {} to {} UTC", minute(from), minute(to));
    let parts = [
        unread.map(between),
        older(cut.requests, "failed request").map(|many| many + " after the first ones"),
        older(cut.others, "older change"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Why taking an incident, or giving it back, changed nothing.
pub(crate) fn already(item: &IncidentItem) -> String {
    match &item.acknowledged {
        Some((at, by)) => {
            let since = times::text(*at);
            format!("looked after by {by} since {since}: nothing was changed, and nobody was told again")
        }
        None => "nobody looked after it: nothing was changed".into(),
    }
}

/// What people did: the part of an incident's timeline that no minute holds.
pub(crate) fn people(item: &IncidentItem, notes: &[IncidentNote]) -> Vec<Placed> {
    let text = |note: &IncidentNote| match note.kind.as_str() {
        "incident.acknowledged" => Some(format!("{} looks after it", note.text)),
        "incident.unacknowledged" => Some(format!("{} gave it back", note.text)),
        // Nobody has seen its end: no minute tells of it.
        event::RESOLVED if note.text == End::StreamRemoved.note() => {
            Some(format!("incident closed: {}", note.text))
        }
        _ => None,
    };
    notes.iter().filter_map(|note| Some(placed(item, note.at, text(note)?))).collect()
}

/// Who looks after which of these incidents.
pub(crate) fn taken(items: &[IncidentItem]) -> impl Iterator<Item = Placed> {
    items.iter().filter_map(|item| {
        let (at, by) = item.acknowledged.as_ref()?;
        Some(placed(item, *at, format!("{by} looks after it")))
    })
}

fn placed(item: &IncidentItem, at: EpochMs, text: String) -> Placed {
    let entry = TimelineEntry {
        id: format!("evt_{:014}p", at.0),
        at: times::text(at),
        kind: TimelineKind::Incident,
        text,
        state: None,
        rendition_id: None,
        rendition: None,
        sequence: None,
        code: None,
        incident_id: Some(item.id.to_string()),
    };
    Placed { at, entry }
}
