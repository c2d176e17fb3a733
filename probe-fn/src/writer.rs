//! Stores the pages of one stream.

use std::sync::Arc;

use hlsops_domain::incident::{Incident, Transition, Trigger};
use hlsops_domain::{EpochMs, Health, HealthState, health};
use hlsops_notify::event::{self, End};
use hlsops_store::{
    Chain, Closed, Content, Holder, IncidentId, MinuteFindings, NewIncident, Notice, Opened, Outline,
    Pointer, Resolution, Saved, Spent, Store, StoreError, StreamConfig,
};
use tokio::sync::{Notify, mpsc};

use crate::recorder::{Page, Step};

/// Why a writer ended.
#[derive(Debug)]
pub enum WriterEnd {
    /// All pages are stored.
    Done,
    /// Another watcher has the stream; nothing of ours was stored since.
    Lost(Holder),
    /// The table did not take a page.
    Failed(StoreError),
}

/// Stores pages, and sees to it that what the state says of incidents is what the table says.
#[derive(Debug)]
pub struct PageWriter {
    store: Store,
    config: StreamConfig,
    chain: Chain,
    pointer: Pointer,
    /// As it is stored; none before it was read.
    outline: Option<Outline>,
    /// The worst there was since the incident was opened, as far as this writer has seen it: how bad, and what.
    worst: Option<((HealthState, u64), String)>,
    /// Told of every row put into the outbox.
    notice: Arc<Notify>,
    spent: Spent,
}

impl PageWriter {
    /// Tries to bring the pointer and the state together before the page waits for the next one.
    const INCIDENT_TRIES: u32 = 3;

    /// A writer with the stream's configuration, a chain it has taken and the stream's incident pointer.
    /// `notice` is told of every row put into the outbox.
    #[must_use]
    pub fn new(
        store: Store,
        config: StreamConfig,
        chain: Chain,
        pointer: Pointer,
        notice: Arc<Notify>,
    ) -> Self {
        Self { store, config, chain, pointer, outline: None, worst: None, notice, spent: Spent::default() }
    }

    /// Stores every page that comes, until the recorder is gone or the stream is lost. Also says what it cost.
    pub async fn run(mut self, mut pages: mpsc::Receiver<Page>) -> (WriterEnd, Spent) {
        while let Some(page) = pages.recv().await {
            match self.save(&page).await {
                Ok(Saved::Saved) => {}
                Ok(Saved::Lost(holder)) => return (WriterEnd::Lost(holder), self.spent),
                Err(error) => return (WriterEnd::Failed(error), self.spent),
            }
        }
        (WriterEnd::Done, self.spent)
    }

    async fn save(&mut self, page: &Page) -> Result<Saved, StoreError> {
        if let Some(heir) = &page.heir {
            self.chain.bequeath(heir.clone());
        }
        let minute = self.chain.minute_at(page.minute);
        let content = Content { closing: &page.closing, log: &page.log };
        let saved = self.store.save_minute(&mut self.chain, minute, content).await?.add_to(&mut self.spent);
        if saved != Saved::Saved {
            return Ok(saved);
        }
        if !page.findings.is_empty() {
            let findings = MinuteFindings::of(minute, &page.findings);
            let writer = self.chain.writer().clone();
            let stream = self.chain.stream().clone();
            self.store.save_findings(&stream, &findings, &writer).await?.add_to(&mut self.spent);
        }
        self.reconcile(page).await?;
        if let Err(error) = self.describe(page).await {
            // The watch does not depend on it, and the next page has it again.
            tracing::warn!(stream.id = %self.chain.stream(), "cannot describe the stream: {error}");
        }
        Ok(Saved::Saved)
    }

    /// Stores what the stream consists of and why it is as it is, where that has changed. Renditions that are
    /// not known yet, after a change of watcher, are those of the watcher before.
    async fn describe(&mut self, page: &Page) -> Result<(), StoreError> {
        let stored = match self.outline.take() {
            Some(stored) => stored,
            None => self.store.outline(self.chain.stream()).await?.add_to(&mut self.spent),
        };
        let mut outline = page.outline.clone();
        if outline.renditions.is_empty() {
            outline.renditions.clone_from(&stored.renditions);
        }
        if !outline.agrees(&stored) {
            let (stream, writer) = (self.chain.stream(), self.chain.writer());
            self.store.save_outline(stream, &outline, writer).await?.add_to(&mut self.spent);
        }
        self.outline = Some(outline);
        Ok(())
    }

    /// The stored state carries the wanted transition, so a crash between the two writes loses nothing: the
    /// next watcher finds state and pointer apart and brings them together.
    async fn reconcile(&mut self, page: &Page) -> Result<(), StoreError> {
        self.note_worst(page);
        let was_removed = self.was_removed(page).await?;
        for _ in 0..Self::INCIDENT_TRIES {
            let stored = self.pointer.open.as_ref().map(|(_, opened)| *opened);
            let done = match (page.closing.incident, stored) {
                (_, None) if was_removed => return Ok(()),
                (_, Some(_)) if was_removed => self.close(page, page.at, End::StreamRemoved).await?,
                (Incident::Open { since, .. }, None) => self.open(page, since).await?,
                // The one before was over, and who saw that died before it was written down.
                (Incident::Open { since, .. }, Some(opened)) if since > opened => {
                    self.close(page, since, End::Healed).await?
                }
                (Incident::None | Incident::Pending { .. }, Some(_)) => {
                    self.close(page, resolved_at(page), End::Healed).await?
                }
                _ => return Ok(()),
            };
            if done {
                self.notice.notify_one();
                self.read_pointer().await?;
            }
        }
        Ok(())
    }

    /// Of a stream that is not there any more nothing may stay open: nobody would see its end.
    async fn was_removed(&mut self, page: &Page) -> Result<bool, StoreError> {
        let may_be_open =
            self.pointer.open.is_some() || matches!(page.closing.incident, Incident::Open { .. });
        if !page.is_last || page.heir.is_some() || !may_be_open {
            return Ok(false);
        }
        Ok(self.store.stream(self.chain.stream()).await?.add_to(&mut self.spent).is_none())
    }

    fn note_worst(&mut self, page: &Page) {
        if !matches!(page.closing.incident, Incident::Open { .. }) {
            return;
        }
        for health in page.steps.iter().map(|step| &step.health).chain([&page.health]) {
            let badness = health.badness();
            if self.worst.as_ref().is_none_or(|(worst, _)| *worst < badness) {
                self.worst = Some((badness, title(page, health)));
            }
        }
    }

    async fn open(&mut self, page: &Page, since: EpochMs) -> Result<bool, StoreError> {
        let (health, trigger) = opened_by(page, since);
        let title = title(page, health);
        let trigger = match trigger {
            Trigger::Unhealthy => "unhealthy",
            Trigger::LongDegraded => "long_degraded",
        };
        let (stream, writer) = (self.chain.stream().clone(), self.chain.writer().clone());
        let id = IncidentId::new(&stream, self.pointer.version + 1);
        let about = event::About {
            stream: &self.config,
            incident: id.as_str(),
            seq: 1,
            title: &title,
            trigger,
            opened: since,
            seen: seen(page),
        };
        let body = event::opened(&about, health).to_json();
        let notice = Notice { at: since, kind: event::OPENED, body: &body };
        let new = NewIncident { at: since, stream_name: &self.config.name, trigger, title: &title, notice };
        let opened = self.store.open_incident(&stream, self.pointer.version, &new, &writer).await?;
        Ok(match opened.add_to(&mut self.spent) {
            Opened::Opened(_) | Opened::Already(_) => true,
            Opened::Moved(pointer) => {
                self.pointer = pointer;
                false
            }
        })
    }

    async fn close(&mut self, page: &Page, at: EpochMs, end: End) -> Result<bool, StoreError> {
        let body = self.resolved(page, at, end).await?;
        let notice = Notice { at, kind: event::RESOLVED, body: &body };
        let resolution = Resolution { at, note: end.note(), notice };
        let (stream, writer) = (self.chain.stream().clone(), self.chain.writer().clone());
        let closed = self.store.close_incident(&stream, &self.pointer, &resolution, &writer).await?;
        Ok(match closed.add_to(&mut self.spent) {
            Closed::Closed | Closed::Already => {
                self.worst = None;
                true
            }
            Closed::Moved(pointer) => {
                self.pointer = pointer;
                false
            }
        })
    }

    /// The event of closing what the pointer says is open. What opened it, maybe long ago and seen by another
    /// watcher, is in the table.
    async fn resolved(&mut self, page: &Page, at: EpochMs, end: End) -> Result<String, StoreError> {
        let Some((id, opened)) = self.pointer.open.clone() else { return Ok(String::new()) };
        let incident = self.store.incident(&id).await?.add_to(&mut self.spent);
        let (title, trigger) =
            incident.map(|incident| (incident.title, incident.trigger)).unwrap_or_default();
        let opened_with = match trigger.as_str() {
            "unhealthy" => HealthState::Unhealthy,
            _ => HealthState::Degraded,
        };
        let known = self.worst.as_ref().filter(|((worst, _), _)| *worst >= opened_with);
        let worst = known.map_or((opened_with, title.as_str()), |((state, _), what)| (*state, what.as_str()));
        let about = event::About {
            stream: &self.config,
            incident: id.as_str(),
            seq: self.pointer.seq + 1,
            title: &title,
            trigger: &trigger,
            opened,
            seen: seen(page),
        };
        Ok(event::resolved(&about, at, Some(worst), end).to_json())
    }

    async fn read_pointer(&mut self) -> Result<(), StoreError> {
        let stream = self.chain.stream().clone();
        self.pointer = self.store.incident_pointer(&stream).await?.add_to(&mut self.spent);
        Ok(())
    }
}

/// When the incident was over: as the timeline tells it, and not some seconds later, when the page was cut.
/// Where a watcher died in between, nobody knows better than this page.
fn resolved_at(page: &Page) -> EpochMs {
    let resolved = |step: &Step| matches!(step.transition, Transition::Resolved { .. }).then_some(step.at);
    page.steps.iter().rev().find_map(resolved).unwrap_or(page.at)
}

/// Health that opened the incident, and how. Where a watcher died in between, this page's health has to do.
fn opened_by(page: &Page, since: EpochMs) -> (&Health, Trigger) {
    let opened = |step: &'_ Step| match step.transition {
        Transition::Opened(trigger) if step.at == since => Some(trigger),
        _ => None,
    };
    let step = page.steps.iter().find_map(|step| Some((&step.health, opened(step)?)));
    step.unwrap_or_else(|| {
        let is_unhealthy = page.health.state == HealthState::Unhealthy;
        (&page.health, if is_unhealthy { Trigger::Unhealthy } else { Trigger::LongDegraded })
    })
}

fn seen(page: &Page) -> Option<event::Seen> {
    Some(event::Seen { playlist: page.playlist?, look: page.closing.last_look? })
}

fn title(page: &Page, health: &Health) -> String {
    let mut reasons = reasons(page, health);
    reasons.truncate(2);
    if reasons.is_empty() { health.state.name().to_owned() } else { reasons.join("; ") }
}

fn reasons(page: &Page, health: &Health) -> Vec<String> {
    let renditions = &page.outline.renditions;
    let labels: Vec<_> = renditions.iter().map(|known| (known.id, known.label.as_str())).collect();
    health::lines(&health.reasons, &labels)
}
