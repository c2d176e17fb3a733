//! Collects what a watched stream brings into minutes, and hands them to the writer.

use std::time::Duration;

use hlsops_domain::event::EventKind;
use hlsops_domain::findings::FindingBook;
use hlsops_domain::id::StableHash;
use hlsops_domain::incident::Transition;
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{Closing, EpochMs, Event, Health, HealthState, RenditionId, StreamState};
use hlsops_store::pack::MinuteLog;
use hlsops_store::{Minute, Outline, StreamId, Writer};
use hlsops_watch::Sink;
use tokio::sync::mpsc;

use crate::board::{Place, playlist};
use crate::weight::Work;

/// A minute as it stands: what the writer stores.
#[derive(Clone, Debug)]
pub struct Page {
    /// When it was cut.
    pub at: EpochMs,
    /// Which minute of the stream.
    pub minute: Minute,
    /// The state now.
    pub closing: Closing,
    /// Health now, with its reasons.
    pub health: Health,
    /// The worst state of its playlists now; none before any is known.
    pub playlist: Option<PlaylistState>,
    /// What the stream consists of now, and why it is as it is.
    pub outline: Outline,
    /// Everything that happened in the minute so far.
    pub log: MinuteLog,
    /// Findings of the minute so far.
    pub findings: FindingBook,
    /// Incidents opened and resolved since the page before.
    pub steps: Vec<Step>,
    /// The last one of this watch.
    pub is_last: bool,
    /// Who goes on after it, where it is the last one and that is known.
    pub heir: Option<Writer>,
}

/// A step in the life of an incident.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: EpochMs,
    /// What it was.
    pub transition: Transition,
    /// Health that made it: by the time its page is stored, health may be another.
    pub health: Health,
}

/// The sink of one stream.
///
/// A page is cut when the stream's minute is over, and inside it when something changed that somebody waits
/// for: at once, but not more often than every 2 s, for which only incidents do not wait; and every 10 s
/// while the stream is not well. Streams have minutes of their own: each begins at its own
/// second, so that they do not all write at the same moment.
#[derive(Debug)]
pub struct Recorder {
    pages: mpsc::Sender<Page>,
    offset: Duration,
    log: MinuteLog,
    minute: Minute,
    findings: FindingBook,
    steps: Vec<Step>,
    urgent: bool,
    cut_at: Option<EpochMs>,
    place: Option<Place>,
    work: Work,
}

impl Recorder {
    /// Least time between two pages of one minute.
    pub const PAUSE: Duration = Duration::from_secs(2);
    /// Most time between two pages of a stream that is not well: the figures in its reasons are looked at then.
    pub const PAUSE_ILL: Duration = Duration::from_secs(10);
    /// Pages that may wait for the writer.
    pub const QUEUE: usize = 4;

    /// Carries on in `log`, which is that of `minute`.
    #[must_use]
    pub fn new(pages: mpsc::Sender<Page>, second: u64, minute: Minute, log: MinuteLog) -> Self {
        Self {
            pages,
            offset: Duration::from_secs(second % 60),
            log,
            minute,
            findings: FindingBook::default(),
            steps: Vec::new(),
            urgent: false,
            cut_at: None,
            place: None,
            work: Work::default(),
        }
    }

    /// Also keeps the stream's tile up to date.
    #[must_use]
    pub(crate) fn shown_at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The second at which a stream's minutes begin.
    #[must_use]
    pub fn second_of(stream: &StreamId) -> u64 {
        StableHash::new().with(stream.name().as_bytes()).finish() % 60
    }

    /// The minute of a stream that begins its minutes at `second`.
    #[must_use]
    pub fn minute_of(at: EpochMs, second: u64) -> Minute {
        Minute::of(at - Duration::from_secs(second % 60))
    }

    /// Cuts the last page, which is left to `heir` if there is one.
    pub async fn finish(mut self, state: &StreamState, at: EpochMs, heir: Option<Writer>) {
        let last = Page { is_last: true, heir, ..self.page(state, at) };
        self.send(last).await;
    }

    /// Cuts a page now, and waits until the writer has room for it.
    pub async fn flush(&mut self, state: &StreamState, at: EpochMs) {
        let page = self.page(state, at);
        self.send(page).await;
    }

    async fn send(&mut self, page: Page) {
        self.urgent = false;
        self.cut_at = Some(page.at);
        // A writer that is gone has lost the stream to another watcher: there is nothing to save.
        let _ = self.pages.send(page).await;
    }

    /// Begins the minute `at` lies in without cutting a page of the one before: for who has flushed, and has
    /// not looked since.
    pub fn turn(&mut self, at: EpochMs) {
        let minute = Minute::of(at - self.offset);
        if minute > self.minute {
            self.begin(minute, at);
        }
    }

    fn begin(&mut self, minute: Minute, at: EpochMs) {
        self.minute = minute;
        self.log = MinuteLog::new(minute);
        self.findings = FindingBook::default();
        if let (Some(place), Some(weight)) = (&self.place, self.work.finish(at)) {
            place.weigh(weight);
        }
    }

    fn page(&mut self, state: &StreamState, at: EpochMs) -> Page {
        if let Some(place) = &self.place {
            place.show(state, at);
        }
        Page {
            at,
            minute: self.minute,
            closing: state.closing(),
            health: state.health.clone(),
            playlist: playlist(state),
            outline: Outline::of(state.renditions().map(|known| &known.spec), &state.health, at),
            log: self.log.clone(),
            findings: self.findings.clone(),
            steps: std::mem::take(&mut self.steps),
            is_last: false,
            heir: None,
        }
    }

    /// Sends a page if there is room; otherwise the minute goes on and is sent at the next step.
    fn cut(&mut self, state: &StreamState, at: EpochMs) -> bool {
        let Ok(permit) = self.pages.clone().try_reserve_owned() else { return false };
        permit.send(self.page(state, at));
        self.urgent = false;
        self.cut_at = Some(at);
        true
    }

    /// A tile shows a change at once, and everything else when a page is cut.
    fn show(&self, state: &StreamState, at: EpochMs) {
        match &self.place {
            Some(place) if self.urgent => place.show(state, at),
            Some(place) => place.looked(state, at),
            None => {}
        }
    }

    fn take(&mut self, event: &Event, health: &Health) {
        self.log.push(event);
        self.work.add(&event.kind);
        match &event.kind {
            EventKind::Finding(finding) => {
                self.urgent |= !self.findings.iter().any(|f| f.rule == finding.rule);
                self.findings.add(finding);
            }
            EventKind::Incident(transition) => {
                let (at, transition, health) = (event.at, *transition, health.clone());
                self.steps.push(Step { at, transition, health });
                self.urgent = true;
            }
            EventKind::Playlist { .. } | EventKind::Health { .. } => self.urgent = true,
            _ => {}
        }
    }
}

impl Sink for Recorder {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        for event in events {
            self.take(event, &state.health);
        }
        self.show(state, at);
        let minute = Minute::of(at - self.offset);
        if minute > self.minute {
            // The step that ends a minute belongs to it: state and log agree.
            if self.cut(state, at) {
                self.begin(minute, at);
            }
            return;
        }
        let rested = |length| self.cut_at.is_none_or(|cut| at.since(cut) >= length);
        let moves = matches!(state.health.state, HealthState::Degraded | HealthState::Unhealthy);
        let news = self.urgent && (rested(Self::PAUSE) || !self.steps.is_empty());
        if news || (moves && rested(Self::PAUSE_ILL)) {
            self.cut(state, at);
        }
    }

    fn loaded(&mut self, rendition: RenditionId, ttfb: Option<Duration>) {
        self.work.loaded();
        self.log.loaded(rendition, ttfb);
    }
}

#[cfg(test)]
mod tests {
    use hlsops_domain::health;
    use hlsops_domain::incident::Trigger;

    use super::*;

    /// A stream that turned UNHEALTHY, right after another page, and is DEGRADED a moment later.
    #[test]
    fn an_incident_is_told_at_once_and_with_the_health_that_made_it() {
        let start = EpochMs(1_800_000_000_000);
        let minute = Recorder::minute_of(start, 0);
        let (pages, mut cut) = mpsc::channel(Recorder::QUEUE);
        let mut recorder = Recorder::new(pages, 0, minute, MinuteLog::new(minute));
        let mut state = StreamState::new(start);
        let mut step = |after_ms, now, what: fn(Health) -> Option<EventKind>| {
            let at = start + Duration::from_millis(after_ms);
            let lost = health::What::SegmentsLost {
                count: after_ms,
                share: 0.1,
                within: Duration::ZERO,
                of: Duration::ZERO,
            };
            let reasons = vec![health::Reason { state: now, rendition: None, what: lost }];
            state.health = Health { state: now, reasons };
            let event = |kind| Event { at, rendition: None, kind };
            let events: Vec<Event> = what(state.health.clone()).into_iter().map(event).collect();
            recorder.stepped(&state, at, &events);
            cut.try_recv().ok()
        };
        let turned = |to| Some(EventKind::Health { from: HealthState::NoData, to });
        let opened = |_| Some(EventKind::Incident(Transition::Opened(Trigger::Unhealthy)));
        assert!(step(0, HealthState::Degraded, turned).is_some_and(|page| page.steps.is_empty()));
        assert!(step(1, HealthState::Degraded, turned).is_none(), "it has not rested");
        let page = step(2, HealthState::Unhealthy, opened).unwrap();
        let [told] = &page.steps[..] else { panic!("{:?}", page.steps) };
        assert_eq!((told.at, told.health.state), (start + Duration::from_millis(2), HealthState::Unhealthy));
        assert!(step(3, HealthState::Degraded, |_| None).is_none());
    }
}
