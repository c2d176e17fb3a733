//! Collects what a watched stream brings into minutes, and hands them to the writer.

use std::time::Duration;

use hlsops_domain::event::EventKind;
use hlsops_domain::findings::FindingBook;
use hlsops_domain::id::StableHash;
use hlsops_domain::incident::Transition;
use hlsops_domain::{Closing, EpochMs, Event, Health, RenditionId, StreamState};
use hlsops_store::pack::MinuteLog;
use hlsops_store::{Minute, Outline, StreamId, Writer};
use hlsops_watch::Sink;
use tokio::sync::mpsc;

use crate::board::Place;
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
    /// What the stream consists of now, and why it is as it is.
    pub outline: Outline,
    /// Everything that happened in the minute so far.
    pub log: MinuteLog,
    /// Findings of the minute so far.
    pub findings: FindingBook,
    /// Incidents opened and resolved since the page before.
    pub transitions: Vec<(EpochMs, Transition)>,
    /// Who goes on after it, where it is the last one and that is known.
    pub heir: Option<Writer>,
}

/// The sink of one stream.
///
/// A page is cut when the stream's minute is over, and inside it when something changed that somebody waits
/// for: at once, but not more often than every 5 s. Streams have minutes of their own: each begins at its own
/// second, so that they do not all write at the same moment.
#[derive(Debug)]
pub struct Recorder {
    pages: mpsc::Sender<Page>,
    offset: Duration,
    log: MinuteLog,
    minute: Minute,
    findings: FindingBook,
    transitions: Vec<(EpochMs, Transition)>,
    urgent: bool,
    cut_at: Option<EpochMs>,
    place: Option<Place>,
    work: Work,
}

impl Recorder {
    /// Least time between two pages of one minute.
    pub const PAUSE: Duration = Duration::from_secs(5);
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
            transitions: Vec::new(),
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
        self.send(state, at, heir).await;
    }

    /// Cuts a page now, and waits until the writer has room for it.
    pub async fn flush(&mut self, state: &StreamState, at: EpochMs) {
        self.send(state, at, None).await;
    }

    async fn send(&mut self, state: &StreamState, at: EpochMs, heir: Option<Writer>) {
        let page = Page { heir, ..self.page(state, at) };
        self.urgent = false;
        self.cut_at = Some(at);
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
            place.show(state);
        }
        Page {
            at,
            minute: self.minute,
            closing: state.closing(),
            health: state.health.clone(),
            outline: Outline::of(state.renditions().map(|known| &known.spec), &state.health),
            log: self.log.clone(),
            findings: self.findings.clone(),
            transitions: std::mem::take(&mut self.transitions),
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
    fn show(&self, state: &StreamState) {
        match &self.place {
            Some(place) if self.urgent => place.show(state),
            Some(place) => place.looked(state),
            None => {}
        }
    }

    fn take(&mut self, event: &Event) {
        self.log.push(event);
        self.work.add(&event.kind);
        match &event.kind {
            EventKind::Finding(finding) => {
                self.urgent |= !self.findings.iter().any(|f| f.rule == finding.rule);
                self.findings.add(finding);
            }
            EventKind::Incident(transition) => {
                self.transitions.push((event.at, *transition));
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
            self.take(event);
        }
        self.show(state);
        let minute = Minute::of(at - self.offset);
        if minute > self.minute {
            // The step that ends a minute belongs to it: state and log agree.
            if self.cut(state, at) {
                self.begin(minute, at);
            }
            return;
        }
        let rested = self.cut_at.is_none_or(|cut| at.since(cut) >= Self::PAUSE);
        if self.urgent && rested {
            self.cut(state, at);
        }
    }

    fn loaded(&mut self, rendition: RenditionId, ttfb: Option<Duration>) {
        self.work.loaded();
        self.log.loaded(rendition, ttfb);
    }
}
