//! Incidents: at most one is open for a stream, and each transition goes with the row that tells of it.
//!
//! The stream's pointer says which incident is open and how often that has changed. A transition is one
//! transaction on condition of the pointer's version: pointer, incident, outbox row and timeline entry, all or
//! none.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::{IncidentId, StreamId, Writer};
use crate::incident_item::{
    BY, CLOSED, ID, IncidentItem, NOTE, OPEN, OPENED, POINTER_VERSION, SEQ, STREAM, STREAM_NAME, TITLE,
    TRIGGER, VERSION, head, read_incident, read_pointer,
};
use crate::item::{Writing, expiry};
use crate::keys::{self, IndexKey, Key, attribute, kept};
use crate::outbox::{Notice, write_row};
use crate::spent::{Paid, Spent};

/// Which incident of a stream is open, and how often that has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    /// Transitions so far: the condition of the next one.
    pub version: u64,
    /// The open incident and when it was opened.
    pub open: Option<(IncidentId, EpochMs)>,
    /// The newest outbox row of the newest incident.
    pub seq: u64,
    /// Who made the newest transition.
    pub by: String,
}

/// An incident about to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewIncident<'a> {
    /// When it began.
    pub at: EpochMs,
    /// What people call its stream now: it may be removed later.
    pub stream_name: &'a str,
    /// What opened it, in one word: `unhealthy`, `long_degraded`.
    pub trigger: &'a str,
    /// For people.
    pub title: &'a str,
    /// What is to be told.
    pub notice: Notice<'a>,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug)]
pub struct Resolution<'a> {
    /// When; not before it was opened.
    pub at: EpochMs,
    /// Why, for people.
    pub note: &'a str,
    /// What is to be told.
    pub notice: Notice<'a>,
}

/// What became of opening an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// This writer opened it.
    Opened(IncidentId),
    /// Another one had opened an incident before: it stands for this one too.
    Already(IncidentId),
    /// The pointer has moved on and nothing is open: what was to be opened rests on an old state. Judge anew
    /// with the pointer as it is.
    Moved(Pointer),
}

/// What became of closing an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// This writer closed it.
    Closed,
    /// Another one had closed it before.
    Already,
    /// Another incident is open, or the pointer has moved: judge anew with the pointer as it is.
    Moved(Pointer),
}

impl Store {
    /// Which incident of a stream is open. Consistent: it sees every transition answered before.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incident_pointer(&self, stream: &StreamId) -> Result<Paid<Pointer>, StoreError> {
        let item = self.get("read an incident pointer", &Key::Pointer(stream), true).await?;
        item.try_map(|item| item.as_ref().map_or_else(|| Ok(Pointer::default()), read_pointer))
    }

    /// Opens an incident on condition that the pointer has version `read` and none is open.
    ///
    /// Concurrent writers: one opens it; the others get [`Opened::Already`] with its id. With an old `read`
    /// and nothing open any more: [`Opened::Moved`]. Whoever repeats a call whose reply was lost gets the
    /// first call's outcome. The state must carry the wanted transition until this has answered.
    ///
    /// Cost: two write units per item and KB, and the index: about 12.
    ///
    /// # Errors
    /// Whatever the table says; nothing is stored then, or all of it, which the same call finds out.
    pub async fn open_incident(
        &self,
        stream: &StreamId,
        read: u64,
        new: &NewIncident<'_>,
        writer: &Writer,
    ) -> Result<Paid<Opened>, StoreError> {
        let version = read + 1;
        let id = IncidentId::new(stream, version);
        let pointer = Writing::new(&Key::Pointer(stream), VERSION)
            .number(POINTER_VERSION, version)
            .text(OPEN, id.as_str())
            .number(OPENED, new.at.0)
            .number(SEQ, 1)
            .text(BY, &writer.name)
            .done();
        let terms = Terms::default().name("#v", POINTER_VERSION).name("#open", OPEN).number(":v", read);
        let (condition, terms) = if read == 0 {
            ("attribute_not_exists(pk)", Terms::default())
        } else {
            ("#v = :v AND attribute_not_exists(#open)", terms)
        };
        let incident = Writing::new(&Key::Incident { stream, opened: new.at, version }, VERSION)
            .indexed(&IndexKey::Open { stream, opened: new.at })
            .text(ID, id.as_str())
            .text(STREAM, stream.to_string())
            .number(POINTER_VERSION, version)
            .number(OPENED, new.at.0)
            .text(TRIGGER, new.trigger)
            .text(TITLE, new.title)
            .text(STREAM_NAME, new.stream_name)
            .kept(new.at, kept::INCIDENTS)
            .done();
        let row = write_row(id.as_str(), 1, stream, &new.notice)?;
        let none = Terms::default();
        let writes = [
            self.part_put(pointer, Some(condition), &terms)?,
            self.part_put(incident, Some("attribute_not_exists(pk)"), &none)?,
            self.part_put(row, Some("attribute_not_exists(pk)"), &none)?,
            self.part_put(head(&id, new.at, 1, new.notice.kind, new.title), None, &none)?,
        ];
        let mut spent = Spent::default();
        let verdict = self.transact("open an incident", &token("o", &id), &writes).await?;
        let Verdict::Refused(_) = verdict.add_to(&mut spent) else {
            return Ok(Paid { value: Opened::Opened(id), spent });
        };
        let now = self.incident_pointer(stream).await?.add_to(&mut spent);
        let value = match &now.open {
            Some((open, _)) if *open == id && now.by == writer.name => Opened::Opened(id),
            Some((open, _)) => Opened::Already(open.clone()),
            None => Opened::Moved(now),
        };
        Ok(Paid { value, spent })
    }

    /// Closes the incident that `read` says is open, on condition that the pointer is still like that.
    ///
    /// Concurrent writers: one closes it; the others get [`Closed::Already`], or [`Closed::Moved`] when the
    /// next incident is open. Whoever repeats a call whose reply was lost gets the first call's outcome, as
    /// long as nothing else has happened to the pointer. Nothing open in `read`: [`Closed::Already`].
    ///
    /// # Errors
    /// As [`Store::open_incident`].
    pub async fn close_incident(
        &self,
        stream: &StreamId,
        read: &Pointer,
        resolution: &Resolution<'_>,
        writer: &Writer,
    ) -> Result<Paid<Closed>, StoreError> {
        let Some((id, opened)) = &read.open else { return Ok(Paid::free(Closed::Already)) };
        let (version, seq) = (read.version + 1, read.seq + 1);
        // Who opened it may have a clock that is ahead: an end before the beginning would come first in its timeline,
        // where the beginning is looked for.
        let notice = Notice { at: resolution.notice.at.max(*opened), ..resolution.notice };
        let resolution = &Resolution { at: resolution.at.max(*opened), notice, ..*resolution };
        let writes = self.closing_writes(stream, read, (id, *opened), resolution, writer)?;
        let mut spent = Spent::default();
        let verdict = self.transact("close an incident", &token("c", id), &writes).await?;
        let Verdict::Refused(_) = verdict.add_to(&mut spent) else {
            return Ok(Paid { value: Closed::Closed, spent });
        };
        let now = self.incident_pointer(stream).await?.add_to(&mut spent);
        let value = match &now.open {
            None if now.version == version && now.by == writer.name && now.seq == seq => Closed::Closed,
            None => Closed::Already,
            Some(_) => Closed::Moved(now),
        };
        Ok(Paid { value, spent })
    }

    fn closing_writes(
        &self,
        stream: &StreamId,
        read: &Pointer,
        (id, opened): (&IncidentId, EpochMs),
        resolution: &Resolution<'_>,
        writer: &Writer,
    ) -> Result<[aws_sdk_dynamodb::types::TransactWriteItem; 4], StoreError> {
        let seq = read.seq + 1;
        let pointer = Terms::default()
            .name("#v", POINTER_VERSION)
            .name("#open", OPEN)
            .name("#at", OPENED)
            .name("#s", SEQ)
            .name("#by", BY)
            .number(":v", read.version)
            .number(":n", read.version + 1)
            .number(":s", seq)
            .text(":id", id.as_str())
            .text(":me", &writer.name);
        let (g1p, g1s) = IndexKey::Closed { stream, opened, closed: resolution.at }.pair();
        let incident = Terms::default()
            .name("#c", CLOSED)
            .name("#n", NOTE)
            .name("#g", attribute::G1P)
            .name("#h", attribute::G1S)
            .name("#t", attribute::TTL)
            .number(":c", resolution.at.0)
            .number(":t", expiry(resolution.at, kept::INCIDENTS))
            .text(":n", resolution.note)
            .text(":g", g1p)
            .text(":h", g1s);
        let row = write_row(id.as_str(), seq, stream, &resolution.notice)?;
        let none = Terms::default();
        let kind = resolution.notice.kind;
        Ok([
            self.part_update(
                &Key::Pointer(stream),
                "SET #v = :n, #s = :s, #by = :me REMOVE #open, #at",
                "#v = :v AND #open = :id",
                &pointer,
            )?,
            self.part_update(
                &Key::Incident { stream, opened, version: read.version },
                "SET #c = :c, #n = :n, #g = :g, #h = :h, #t = :t",
                "attribute_exists(pk) AND attribute_not_exists(#c)",
                &incident,
            )?,
            self.part_put(row, Some("attribute_not_exists(pk)"), &none)?,
            self.part_put(head(id, resolution.at, seq, kind, resolution.note), None, &none)?,
        ])
    }

    /// The newest incidents of a stream, newest first, at most `most`.
    ///
    /// Concurrent writers: eventually consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incidents(
        &self,
        stream: &StreamId,
        most: usize,
    ) -> Result<Paid<Vec<IncidentItem>>, StoreError> {
        let terms = Terms::default().text(":s", keys::of_stream(stream)).text(":i", keys::INCIDENT);
        let mut select = Select::new("pk = :s AND begins_with(sk, :i)", terms);
        select.newest_first = true;
        select.limit = u32::try_from(most).ok();
        let items = self.query_all("read incidents", select, most).await?;
        items.try_map(|items| items.iter().map(read_incident).collect())
    }

    /// All open incidents of an account, oldest first, at most `most`.
    ///
    /// Concurrent writers: an index, so eventually consistent by nature.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn open_incidents(
        &self,
        account: &str,
        most: usize,
    ) -> Result<Paid<Vec<IncidentItem>>, StoreError> {
        self.incidents_of(keys::open_incidents(account), most).await
    }

    /// The incidents of an account that were closed in the month `within` lies in (UTC), by when they were
    /// opened, at most `most`. As [`Store::open_incidents`].
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn closed_incidents(
        &self,
        account: &str,
        within: EpochMs,
        most: usize,
    ) -> Result<Paid<Vec<IncidentItem>>, StoreError> {
        self.incidents_of(keys::closed_incidents(account, within), most).await
    }

    async fn incidents_of(&self, part: String, most: usize) -> Result<Paid<Vec<IncidentItem>>, StoreError> {
        let select = Select::index("g1p = :p", Terms::default().text(":p", part));
        let items = self.query_all("read incidents", select, most).await?;
        items.try_map(|items| items.iter().map(read_incident).collect())
    }
}

/// At most 36 characters, the same for the same transition.
fn token(kind: &str, id: &IncidentId) -> String {
    let hash =
        |salt: &[u8]| hlsops_domain::id::StableHash::new().with(salt).with(id.as_str().as_bytes()).finish();
    format!("{kind}-{:016x}{:016x}", hash(b"1"), hash(b"2"))
}
