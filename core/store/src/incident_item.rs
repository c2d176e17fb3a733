//! The items of an incident: what a stream's pointer, an incident and its notes are made of.

use hlsops_domain::EpochMs;

use crate::acknowledge::IncidentNote;
use crate::error::StoreError;
use crate::ids::{IncidentId, StreamId};
use crate::incidents::Pointer;
use crate::item::{Item, Reading, Writing};
use crate::keys::{Key, attribute, kept};

pub(crate) const VERSION: u64 = 1;
pub(crate) const POINTER_VERSION: &str = "ver";
pub(crate) const OPEN: &str = "open";
pub(crate) const OPENED: &str = "oat";
pub(crate) const SEQ: &str = "seq";
pub(crate) const BY: &str = "own";
pub(crate) const ID: &str = "id";
pub(crate) const STREAM: &str = "str";
pub(crate) const TRIGGER: &str = "why";
pub(crate) const TITLE: &str = "tit";
pub(crate) const STREAM_NAME: &str = "nam";
pub(crate) const CLOSED: &str = "cat";
pub(crate) const ACKNOWLEDGED: &str = "aat";
pub(crate) const ACKNOWLEDGED_BY: &str = "aby";
pub(crate) const NOTE: &str = "nt";

/// A stored incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentItem {
    /// Which.
    pub id: IncidentId,
    /// Its stream.
    pub stream: StreamId,
    /// What people called that when it opened.
    pub stream_name: String,
    /// Pointer version that opened it.
    pub version: u64,
    /// When it began.
    pub opened: EpochMs,
    /// When it ended.
    pub closed: Option<EpochMs>,
    /// When somebody took it, and who.
    pub acknowledged: Option<(EpochMs, String)>,
    /// What opened it.
    pub trigger: String,
    /// For people.
    pub title: String,
    /// Why it ended.
    pub note: Option<String>,
}

impl IncidentItem {
    pub(crate) const fn key(&self) -> Key<'_> {
        Key::Incident { stream: &self.stream, opened: self.opened, version: self.version }
    }
}

/// The entry of a transition in the incident's own timeline.
pub(crate) fn head(id: &IncidentId, at: EpochMs, n: u64, kind: &str, text: &str) -> Item {
    Writing::new(&Key::Timeline { incident: id, at, n }, VERSION)
        .text(TRIGGER, kind)
        .text(NOTE, text)
        .kept(at, kept::INCIDENTS)
        .done()
}

pub(crate) fn read_pointer(item: &Item) -> Result<Pointer, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let open = match reading.find_text(OPEN) {
        Some(id) => Some((IncidentId::from_text(id), reading.time(OPENED)?)),
        None => None,
    };
    Ok(Pointer {
        version: reading.number(POINTER_VERSION)?,
        open,
        seq: reading.number(SEQ)?,
        by: reading.text(BY)?.into(),
    })
}

/// What [`head`] wrote.
pub(crate) fn read_note(item: &Item) -> Result<IncidentNote, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let at = reading.text(attribute::SK)?.split('#').next().and_then(|at| at.parse().ok());
    Ok(IncidentNote {
        at: EpochMs(at.ok_or_else(|| reading.damaged(attribute::SK))?),
        kind: reading.text(TRIGGER)?.into(),
        text: reading.text(NOTE)?.into(),
    })
}

pub(crate) fn read_incident(item: &Item) -> Result<IncidentItem, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let stream = StreamId::parse(reading.text(STREAM)?)?;
    Ok(IncidentItem {
        id: IncidentId::from_text(reading.text(ID)?),
        stream_name: reading.find_text(STREAM_NAME).unwrap_or_else(|| stream.name()).into(),
        stream,
        version: reading.number(POINTER_VERSION)?,
        opened: reading.time(OPENED)?,
        closed: reading.find_number(CLOSED).map(EpochMs),
        acknowledged: reading
            .find_number(ACKNOWLEDGED)
            .map(|at| (EpochMs(at), reading.find_text(ACKNOWLEDGED_BY).unwrap_or_default().into())),
        trigger: reading.text(TRIGGER)?.into(),
        title: reading.text(TITLE)?.into(),
        note: reading.find_text(NOTE).map(Into::into),
    })
}
