//! Stores the pages of one stream.

use hlsops_domain::incident::Incident;
use hlsops_domain::{EpochMs, Health, HealthState};
use hlsops_store::{
    Chain, Closed, Content, Holder, MinuteFindings, NewIncident, Notice, Opened, Pointer, Resolution, Saved,
    Spent, Store, StoreError,
};
use tokio::sync::mpsc;

use crate::recorder::Page;

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
    chain: Chain,
    pointer: Pointer,
    spent: Spent,
}

impl PageWriter {
    /// Tries to bring the pointer and the state together before the page waits for the next one.
    const INCIDENT_TRIES: u32 = 3;

    /// A writer with a chain it has taken and the stream's incident pointer.
    #[must_use]
    pub fn new(store: Store, chain: Chain, pointer: Pointer) -> Self {
        Self { store, chain, pointer, spent: Spent::default() }
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
        Ok(Saved::Saved)
    }

    /// The stored state carries the wanted transition, so a crash between the two writes loses nothing: the
    /// next watcher finds state and pointer apart and brings them together.
    async fn reconcile(&mut self, page: &Page) -> Result<(), StoreError> {
        for _ in 0..Self::INCIDENT_TRIES {
            let done = match (page.closing.incident, self.pointer.open.is_some()) {
                (Incident::Open { since, .. }, false) => self.open(page, since).await?,
                (Incident::None | Incident::Pending { .. }, true) => self.close(page).await?,
                _ => return Ok(()),
            };
            if done {
                return self.read_pointer().await;
            }
        }
        Ok(())
    }

    async fn open(&mut self, page: &Page, since: EpochMs) -> Result<bool, StoreError> {
        let title = title(&page.health);
        let trigger = match page.health.state {
            HealthState::Unhealthy => "unhealthy",
            _ => "long_degraded",
        };
        let notice = Notice { at: since, kind: "incident.opened", body: &title };
        let new = NewIncident { at: since, trigger, title: &title, notice };
        let (stream, writer) = (self.chain.stream().clone(), self.chain.writer().clone());
        let opened = self.store.open_incident(&stream, self.pointer.version, &new, &writer).await?;
        Ok(match opened.add_to(&mut self.spent) {
            Opened::Opened(_) | Opened::Already(_) => true,
            Opened::Moved(pointer) => {
                self.pointer = pointer;
                false
            }
        })
    }

    async fn close(&mut self, page: &Page) -> Result<bool, StoreError> {
        let note = "healthy again";
        let notice = Notice { at: page.at, kind: "incident.resolved", body: note };
        let resolution = Resolution { at: page.at, note, notice };
        let (stream, writer) = (self.chain.stream().clone(), self.chain.writer().clone());
        let closed = self.store.close_incident(&stream, &self.pointer, &resolution, &writer).await?;
        Ok(match closed.add_to(&mut self.spent) {
            Closed::Closed | Closed::Already => true,
            Closed::Moved(pointer) => {
                self.pointer = pointer;
                false
            }
        })
    }

    async fn read_pointer(&mut self) -> Result<(), StoreError> {
        let stream = self.chain.stream().clone();
        self.pointer = self.store.incident_pointer(&stream).await?.add_to(&mut self.spent);
        Ok(())
    }
}

fn title(health: &Health) -> String {
    let reasons: Vec<String> = health.reasons.iter().take(2).map(|reason| reason.what.to_string()).collect();
    if reasons.is_empty() { health.state.name().to_owned() } else { reasons.join("; ") }
}
