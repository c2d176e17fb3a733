//! The state of a stream, and the one function that changes it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::buffer::Buffer;
use crate::checks::{self, Fact};
use crate::closing::{Past, RenditionClosing};
use crate::event::{Event, EventKind};
use crate::health::{self, Health, HealthState, What};
use crate::id::RenditionId;
use crate::incident::Incident;
use crate::limits::Limits;
use crate::observation::{Failure, Load, Observation, SegmentAttempt};
use crate::playlist::MediaPlaylist;
use crate::rendition::{self, Change, Follow, PlaylistState, Rendition, RenditionSpec};
use crate::units::EpochMs;

/// Everything known of one stream.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// When it was first watched, or again after a pause.
    pub began_at: EpochMs,
    /// When the last look ended.
    pub last_look: Option<EpochMs>,
    /// Health as of the last step.
    pub health: Health,
    /// Since when health has been in its state.
    pub health_since: EpochMs,
    /// Whether an incident is open.
    pub incident: Incident,
    renditions: BTreeMap<RenditionId, Rendition>,
    pub(crate) master_failures: u32,
    pub(crate) master_failure: Option<Failure>,
    /// Renditions of another watcher that the stream's own playlist has not named to this one yet.
    pub(crate) waiting: BTreeMap<RenditionId, (RenditionClosing, Vec<Past>)>,
}

impl StreamState {
    /// A stream nobody has looked at.
    #[must_use]
    pub const fn new(at: EpochMs) -> Self {
        Self {
            began_at: at,
            last_look: None,
            health: Health { state: HealthState::NoData, reasons: Vec::new() },
            health_since: at,
            incident: Incident::None,
            renditions: BTreeMap::new(),
            master_failures: 0,
            master_failure: None,
            waiting: BTreeMap::new(),
        }
    }

    /// A rendition that is new to this watcher, carried on where another one has seen it.
    fn begin(&mut self, at: EpochMs, spec: &RenditionSpec) {
        let rendition = match self.waiting.remove(&spec.id) {
            Some((closing, past)) => Rendition::resume(spec.clone(), &closing, &past),
            None => Rendition::new(spec.clone(), at),
        };
        self.renditions.insert(spec.id, rendition);
    }

    /// All renditions, by id.
    pub fn renditions(&self) -> impl Iterator<Item = &Rendition> {
        self.renditions.values()
    }

    /// A fresh listing of the stream's own playlist, each rendition with the id it is known by.
    #[must_use]
    pub fn recognise(&self, listed: Vec<RenditionSpec>) -> Vec<RenditionSpec> {
        let waiting = self.waiting.values().map(|(closing, _)| closing);
        rendition::recognise(&self.renditions().collect::<Vec<_>>(), waiting, listed)
    }

    /// One rendition.
    #[must_use]
    pub fn rendition(&self, id: RenditionId) -> Option<&Rendition> {
        self.renditions.get(&id)
    }

    /// The renditions that count for health.
    pub fn played(&self) -> impl Iterator<Item = &Rendition> {
        self.renditions.values().filter(|r| r.spec.kind.is_played())
    }

    /// Why the stream's own playlist does not load, once two loads in a row have failed.
    #[must_use]
    pub fn master_down(&self) -> Option<Failure> {
        self.master_failure.filter(|_| self.master_failures >= 2)
    }

    /// The renditions by the names people know them by.
    #[must_use]
    pub fn labels(&self) -> Vec<(RenditionId, &str)> {
        self.renditions().map(|known| (known.spec.id, known.spec.label.as_str())).collect()
    }

    /// Loads of the stream's own playlist that failed in a row.
    #[must_use]
    pub const fn master_failures(&self) -> u32 {
        self.master_failures
    }
}

/// One observation later. Deterministic: the only clock is `at`. Returns what to do next where the
/// observation was a media playlist, and appends what happened to `out`.
pub fn step(
    state: &mut StreamState,
    at: EpochMs,
    seen: &Observation<'_>,
    limits: &Limits,
    out: &mut Vec<Event>,
) -> Option<Follow> {
    let mut log = Log { at, out, evidence: false };
    let mut follow = None;
    match seen {
        Observation::Master(load) => master(state, at, load, &mut log),
        Observation::Single(spec) => {
            single_loaded(state, at, spec);
            state.last_look = Some(at);
        }
        Observation::Asked(id) => {
            if let Some(rendition) = state.renditions.get_mut(id) {
                rendition.asked_at = Some(at);
            }
            return None;
        }
        Observation::Playlist(id, load) => follow = playlist(state, at, *id, load, limits, &mut log),
        Observation::Segment(id, attempt) => segment(state, at, *id, attempt, limits, &mut log),
        Observation::Tick => {}
    }
    judge(state, at, seen, limits, &mut log);
    follow
}

/// Where events go, and whether one of them is new evidence of trouble.
struct Log<'a> {
    at: EpochMs,
    out: &'a mut Vec<Event>,
    evidence: bool,
}

impl Log<'_> {
    fn add(&mut self, rendition: Option<RenditionId>, kind: EventKind) {
        self.out.push(Event { at: self.at, rendition, kind });
    }

    fn check(&mut self, rendition: Option<RenditionId>, fact: &Fact<'_>) {
        for finding in checks::run(self.at, rendition, fact) {
            self.add(rendition, EventKind::Finding(finding));
        }
    }
}

fn single_loaded(state: &mut StreamState, at: EpochMs, spec: &RenditionSpec) {
    state.master_failures = 0;
    state.master_failure = None;
    state.renditions.retain(|id, _| *id == spec.id);
    if !state.renditions.contains_key(&spec.id) {
        state.begin(at, spec);
    }
    state.waiting.clear();
}

fn master(state: &mut StreamState, at: EpochMs, load: &Load<&[RenditionSpec]>, log: &mut Log<'_>) {
    match load.outcome {
        Ok(specs) => {
            state.last_look = Some(at);
            state.master_failures = 0;
            state.master_failure = None;
            take_renditions(state, at, specs, log);
        }
        Err(failure) if failure.is_no_evidence() => {}
        Err(Failure::NOT_MODIFIED) if !state.renditions.is_empty() => {
            state.last_look = Some(at);
            state.master_failures = 0;
            state.master_failure = None;
        }
        Err(failure) => {
            state.last_look = Some(at);
            state.master_failures = state.master_failures.saturating_add(1);
            state.master_failure = Some(failure);
            log.evidence = true;
            log.add(None, EventKind::LoadFailed(failure));
            if state.master_failures == 2 {
                log.check(None, &Fact::Unreachable(failure));
            }
        }
    }
}

fn take_renditions(state: &mut StreamState, at: EpochMs, specs: &[RenditionSpec], log: &mut Log<'_>) {
    let first = state.renditions.is_empty() && state.waiting.is_empty();
    let before = state.renditions.len() + state.waiting.len();
    state.waiting.retain(|id, _| specs.iter().any(|spec| spec.id == *id));
    state.renditions.retain(|id, _| specs.iter().any(|spec| spec.id == *id));
    let removed = before - state.renditions.len() - state.waiting.len();
    for spec in specs {
        match state.renditions.get_mut(&spec.id) {
            Some(known) => known.list_again(spec),
            None => state.begin(at, spec),
        }
    }
    let added = state.renditions.len() + removed - before;
    if !first && added + removed > 0 {
        log.add(None, EventKind::Renditions { added, removed });
    }
}

fn playlist(
    state: &mut StreamState,
    at: EpochMs,
    id: RenditionId,
    load: &Load<&MediaPlaylist<'_>>,
    limits: &Limits,
    log: &mut Log<'_>,
) -> Option<Follow> {
    let rendition = state.renditions.get_mut(&id)?;
    let before = Waiting::of(rendition);
    let (follow, progress) = rendition.on_playlist(at, load, limits);
    state.last_look = state.last_look.max(rendition.last_look);
    let (from, to) = (progress.state_before, rendition.playlist);
    if let Some(length) = progress.own_gap.filter(|length| !limits.watch.explains(*length)) {
        log.add(Some(id), EventKind::OwnGap(length));
    }
    for sequence in std::mem::take(&mut rendition.abandoned) {
        log.add(Some(id), EventKind::NotWatched { first: sequence, last: sequence });
    }
    if let Some((first, last)) = progress.not_watched {
        log.add(Some(id), EventKind::NotWatched { first, last });
    }
    if progress.lost.segments > 0 {
        log.add(Some(id), EventKind::JumpedOver(progress.lost));
    }
    if let (Err(failure), None) = (load.outcome, progress.change) {
        log.evidence |= !failure.is_no_evidence();
        log.add(Some(id), EventKind::LoadFailed(failure));
        if rendition.failed_loads == 2 && !failure.is_no_evidence() {
            log.check(Some(id), &Fact::Unreachable(failure));
        }
    }
    match progress.change {
        Some(Change::WentDown { from, to, .. }) => {
            log.add(Some(id), EventKind::EncoderRestarted { from, to })
        }
        Some(Change::OlderCopy { behind }) => log.add(Some(id), EventKind::OlderCopy { behind }),
        _ => {}
    }
    if progress.change.is_some() {
        log.check(Some(id), &Fact::Loaded(&progress));
    }
    if std::mem::discriminant(&from) != std::mem::discriminant(&to) {
        log.add(Some(id), EventKind::Playlist { from, to });
    }
    log.evidence |= to == PlaylistState::Stalled || matches!(progress.change, Some(Change::Jumped { .. }));
    report_waiting(rendition, before, at, log);
    Some(follow)
}

fn segment(
    state: &mut StreamState,
    at: EpochMs,
    id: RenditionId,
    attempt: &SegmentAttempt,
    limits: &Limits,
    log: &mut Log<'_>,
) {
    let Some(rendition) = state.renditions.get_mut(&id) else { return };
    let before = Waiting::of(rendition);
    rendition.on_segment(at, attempt, limits);
    state.last_look = state.last_look.max(rendition.last_look);
    let sequence = attempt.sequence;
    match attempt.outcome {
        Ok(()) => log.add(Some(id), obtained(attempt)),
        Err(failure) => {
            log.evidence |= attempt.last && !failure.is_no_evidence();
            let kind = EventKind::SegmentFailed {
                sequence,
                media: attempt.duration,
                failure,
                attempt: attempt.attempt,
                last: attempt.last,
            };
            log.add(Some(id), kind);
        }
    }
    log.check(Some(id), &Fact::Segment(attempt));
    report_waiting(rendition, before, at, log);
}

fn obtained(attempt: &SegmentAttempt) -> EventKind {
    let ratio = (!attempt.is_paced() && !attempt.download.is_zero())
        .then(|| attempt.duration.as_seconds() / attempt.download.as_secs_f64());
    EventKind::SegmentObtained {
        sequence: attempt.sequence,
        media: attempt.duration,
        bytes: attempt.bytes,
        ttfb: attempt.ttfb,
        download: attempt.download,
        ratio,
        attempt: attempt.attempt,
    }
}

/// A viewer's waiting before a look was taken in.
struct Waiting {
    since: Option<EpochMs>,
    total: Duration,
}

impl Waiting {
    fn of(rendition: &Rendition) -> Self {
        Self { since: rendition.buffer.waiting_since(), total: rendition.buffer.sums().rebuffering }
    }
}

/// Says once for each event that a viewer ran out of media for long enough to notice, and once that it is
/// over; also when both lie between two looks.
fn report_waiting(rendition: &mut Rendition, before: Waiting, at: EpochMs, log: &mut Log<'_>) {
    let id = Some(rendition.spec.id);
    let since = rendition.buffer.waiting_since();
    let more = rendition.buffer.sums().rebuffering.saturating_sub(before.total);
    let waiting = since.map_or(more, |since| at.since(since));
    if !rendition.dry_reported && waiting > Buffer::NOTICED {
        rendition.dry_reported = true;
        log.evidence = true;
        log.add(id, EventKind::RebufferingStarted);
        log.check(id, &Fact::RanDry { waiting });
    }
    log.evidence |= rendition.dry_reported && since.is_some();
    if rendition.dry_reported && since.is_none() {
        rendition.dry_reported = false;
        let waited = before.since.map_or(more, |from| at.since(from));
        log.add(id, EventKind::RebufferingEnded { waited });
    }
}

/// Health and incident, after whatever was seen.
fn judge(state: &mut StreamState, at: EpochMs, seen: &Observation<'_>, limits: &Limits, log: &mut Log<'_>) {
    if !matches!(seen, Observation::Tick) {
        state.renditions.values_mut().for_each(|rendition| rendition.forget(at, limits.window));
    }
    let mut health = health::evaluate(state, at, limits);
    if !state.waiting.is_empty() && state.master_down().is_none() && health.state == HealthState::NoData {
        // Taken over and not looked at yet: what was true a moment ago is the best there is to say.
        let silent = health.reasons.iter().any(|r| matches!(r.what, What::NotLooked(_)));
        health = if silent { health } else { state.health.clone() };
    }
    // A figure that is still bad after another segment is evidence anew.
    let measured = matches!(seen, Observation::Segment(..));
    log.evidence |= measured
        && health
            .reasons
            .iter()
            .any(|r| matches!(r.what, What::SlowFirstByte { .. } | What::LowRatio { .. }));
    let (incident, transition) = state.incident.next(at, health.state, log.evidence, limits);
    let from = state.health.state;
    if from != health.state {
        state.health_since = at;
        log.add(None, EventKind::Health { from, to: health.clone() });
    }
    state.health = health;
    state.incident = incident;
    if let Some(transition) = transition {
        log.add(None, EventKind::Incident(transition));
    }
}
