//! Taking an incident: who looks after it, told like every other transition by a row of the outbox.

use hlsops_domain::EpochMs;

use crate::Store;
use crate::call::{Select, Terms, Verdict};
use crate::error::StoreError;
use crate::ids::IncidentId;
use crate::incident_item::{
    ACKNOWLEDGED, ACKNOWLEDGED_BY, CLOSED, IncidentItem, OPEN, POINTER_VERSION, SEQ, head, read_incident,
    read_note,
};
use crate::incidents::Pointer;
use crate::keys::{IndexKey, Key};
use crate::outbox::{Notice, write_row};
use crate::spent::{Paid, Spent};

/// Somebody takes an incident.
#[derive(Clone, Copy)]
pub struct Acknowledgement<'a> {
    /// When; not before it was opened, whose clock may be ahead.
    pub at: EpochMs,
    /// Who, for people.
    pub by: &'a str,
    /// Type of the event that is told, such as `incident.acknowledged`.
    pub kind: &'a str,
    /// Makes the event, given the incident and the number of its outbox row.
    pub body: &'a (dyn Fn(&IncidentItem, u64) -> String + Send + Sync),
}

/// What became of taking an incident, or of giving it back; with the incident as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// It is done.
    Done(IncidentItem),
    /// It was like that before; nobody was told again.
    Already(IncidentItem),
    /// It is over: nobody can take it any more.
    Resolved(IncidentItem),
    /// There is no such incident.
    Missing,
}

/// A transition of an incident as its own timeline has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentNote {
    /// When.
    pub at: EpochMs,
    /// Type of the event, such as `incident.opened`.
    pub kind: String,
    /// For people.
    pub text: String,
}

/// Races with the watcher that are tried again.
const TRIES: u32 = 4;

impl Store {
    /// One incident. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incident(&self, id: &IncidentId) -> Result<Paid<Option<IncidentItem>>, StoreError> {
        let found = self.incident_with_notes(id, 1).await?;
        Ok(found.map(|found| found.map(|(incident, _)| incident)))
    }

    /// One incident with its transitions, oldest first, at most `most` but at least the first. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incident_with_notes(
        &self,
        id: &IncidentId,
        most: usize,
    ) -> Result<Paid<Option<(IncidentItem, Vec<IncidentNote>)>>, StoreError> {
        let mut spent = Spent::default();
        let Some((stream, version)) = id.parts() else { return Ok(Paid { value: None, spent }) };
        // Its timeline begins when it was opened; by that its item is found.
        let notes = self.incident_notes(id, most.max(1)).await?.add_to(&mut spent);
        let Some(IncidentNote { at, .. }) = notes.first() else { return Ok(Paid { value: None, spent }) };
        let key = Key::Incident { stream: &stream, opened: *at, version };
        let item = self.get("read an incident", &key, true).await?.add_to(&mut spent);
        let incident = item.as_ref().map(read_incident).transpose()?;
        Ok(Paid { value: incident.map(|incident| (incident, notes)), spent })
    }

    /// The transitions of an incident, oldest first, at most `most`. Consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incident_notes(
        &self,
        id: &IncidentId,
        most: usize,
    ) -> Result<Paid<Vec<IncidentNote>>, StoreError> {
        let (pk, _) = Key::Timeline { incident: id, at: EpochMs(0), n: 0 }.pair();
        // Copied minutes are in the same partition, behind all times.
        let terms = Terms::default().text(":p", pk).text(":end", "A");
        let mut select = Select::new("pk = :p AND sk < :end", terms);
        (select.consistent, select.limit) = (true, u32::try_from(most).ok());
        let items = self.query_all("read an incident's timeline", select, most).await?;
        items.try_map(|items| items.iter().map(read_note).collect())
    }

    /// Takes an incident: who and when, its outbox row and timeline entry, all or none.
    ///
    /// Concurrent writers: the first takes it, the others get [`Acknowledged::Already`] with who did. If the
    /// watcher resolves it meanwhile: [`Acknowledged::Resolved`]. Repeating a call whose reply was lost gives
    /// [`Acknowledged::Already`].
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for the event, and whatever the table says.
    pub async fn acknowledge_incident(
        &self,
        id: &IncidentId,
        taken: &Acknowledgement<'_>,
    ) -> Result<Paid<Acknowledged>, StoreError> {
        let mut spent = Spent::default();
        for _ in 0..TRIES {
            let Some(incident) = self.incident(id).await?.add_to(&mut spent) else {
                return Ok(Paid { value: Acknowledged::Missing, spent });
            };
            if incident.closed.is_some() {
                return Ok(Paid { value: Acknowledged::Resolved(incident), spent });
            }
            if incident.acknowledged.is_some() {
                return Ok(Paid { value: Acknowledged::Already(incident), spent });
            }
            let pointer = self.incident_pointer(&incident.stream).await?.add_to(&mut spent);
            // The first entry of its timeline is where the incident is found: nothing may come before it.
            let taken = &Acknowledgement { at: taken.at.max(incident.opened), ..*taken };
            let writes = self.taking_writes(&incident, &pointer, taken)?;
            let token = token(id, pointer.seq, taken.by, taken.at);
            let verdict = self.transact("acknowledge an incident", &token, &writes).await?;
            if let Verdict::Done = verdict.add_to(&mut spent) {
                let acknowledged = Some((taken.at, taken.by.to_owned()));
                let value = Acknowledged::Done(IncidentItem { acknowledged, ..incident });
                return Ok(Paid { value, spent });
            }
        }
        Err(StoreError::Contended { operation: "acknowledge an incident", attempts: TRIES })
    }

    fn taking_writes(
        &self,
        incident: &IncidentItem,
        read: &Pointer,
        taken: &Acknowledgement<'_>,
    ) -> Result<[aws_sdk_dynamodb::types::TransactWriteItem; 4], StoreError> {
        let (id, stream, seq) = (&incident.id, &incident.stream, read.seq + 1);
        // The version stays: what is open is the same incident. A watcher that closes it with the old number
        // of rows is refused by the row, and reads again.
        let pointer = Terms::default()
            .name("#v", POINTER_VERSION)
            .name("#open", OPEN)
            .name("#s", SEQ)
            .number(":v", read.version)
            .number(":read", read.seq)
            .number(":s", seq)
            .text(":id", id.as_str());
        let item = Terms::default()
            .name("#a", ACKNOWLEDGED)
            .name("#b", ACKNOWLEDGED_BY)
            .name("#c", CLOSED)
            .number(":a", taken.at.0)
            .text(":b", taken.by);
        let none = Terms::default();
        let body = (taken.body)(incident, seq);
        let notice = Notice { at: taken.at, kind: taken.kind, body: &body };
        let row = write_row(id.as_str(), seq, stream, &notice)?;
        Ok([
            self.part_update(
                &Key::Pointer(stream),
                "SET #s = :s",
                "#v = :v AND #open = :id AND #s = :read",
                &pointer,
            )?,
            self.part_update(
                &incident.key(),
                "SET #a = :a, #b = :b",
                "attribute_exists(pk) AND attribute_not_exists(#a) AND attribute_not_exists(#c)",
                &item,
            )?,
            self.part_put(row, Some("attribute_not_exists(pk)"), &none)?,
            self.part_put(head(id, taken.at, seq, taken.kind, taken.by), None, &none)?,
        ])
    }

    /// Gives an incident back. Nobody is told; its timeline says so.
    ///
    /// Concurrent writers: as [`Store::acknowledge_incident`].
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn unacknowledge_incident(
        &self,
        id: &IncidentId,
        at: EpochMs,
        by: &str,
    ) -> Result<Paid<Acknowledged>, StoreError> {
        let mut spent = Spent::default();
        for _ in 0..TRIES {
            let Some(incident) = self.incident(id).await?.add_to(&mut spent) else {
                return Ok(Paid { value: Acknowledged::Missing, spent });
            };
            if incident.closed.is_some() {
                return Ok(Paid { value: Acknowledged::Resolved(incident), spent });
            }
            let Some((taken_at, _)) = incident.acknowledged else {
                return Ok(Paid { value: Acknowledged::Already(incident), spent });
            };
            // Behind what it takes back, which is not before the opening.
            let at = at.max(EpochMs(taken_at.0.saturating_add(1))).max(incident.opened);
            let terms = Terms::default()
                .name("#a", ACKNOWLEDGED)
                .name("#b", ACKNOWLEDGED_BY)
                .name("#c", CLOSED)
                .number(":a", taken_at.0);
            let condition = "#a = :a AND attribute_not_exists(#c)";
            let note = head(id, at, 0, "incident.unacknowledged", by);
            let writes = [
                self.part_update(&incident.key(), "REMOVE #a, #b", condition, &terms)?,
                self.part_put(note, None, &Terms::default())?,
            ];
            let token = token(id, taken_at.0, by, at);
            let verdict = self.transact("give an incident back", &token, &writes).await?;
            if let Verdict::Done = verdict.add_to(&mut spent) {
                let value = Acknowledged::Done(IncidentItem { acknowledged: None, ..incident });
                return Ok(Paid { value, spent });
            }
        }
        Err(StoreError::Contended { operation: "give an incident back", attempts: TRIES })
    }

    /// A page of incidents, newest first, at most `most`, and whether there are more. `after`: the last one
    /// of the page before.
    ///
    /// Concurrent writers: eventually consistent. One that is closed between two pages may be in both lists.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn incident_page(
        &self,
        of: &IncidentsOf<'_>,
        after: Option<&IncidentItem>,
        most: u32,
    ) -> Result<Paid<(Vec<IncidentItem>, bool)>, StoreError> {
        let mut select = of.select();
        (select.newest_first, select.limit) = (true, Some(most.max(1)));
        select.after = after.map(|last| of.position(last));
        let page = self.query("list incidents", &select).await?;
        page.try_map(|(items, more)| {
            let items = items.iter().map(read_incident).collect::<Result<_, _>>()?;
            Ok((items, more.is_some()))
        })
    }
}

/// Which incidents.
#[derive(Clone, Copy, Debug)]
pub enum IncidentsOf<'a> {
    /// All of a stream, by when they were opened.
    Stream(&'a crate::StreamId),
    /// The open ones of an account, by when they were opened.
    Open(&'a str),
    /// Those of an account that were closed in the month of this time (UTC), by when they were opened.
    Closed(&'a str, EpochMs),
}

impl IncidentsOf<'_> {
    fn select(&self) -> Select {
        use crate::keys;
        let part = |part: String| Select::index("g1p = :p", Terms::default().text(":p", part));
        match self {
            Self::Stream(stream) => Select::new(
                "pk = :s AND begins_with(sk, :i)",
                Terms::default().text(":s", keys::of_stream(stream)).text(":i", keys::INCIDENT),
            ),
            Self::Open(account) => part(keys::open_incidents(account)),
            Self::Closed(account, within) => part(keys::closed_incidents(account, *within)),
        }
    }

    fn position(&self, last: &IncidentItem) -> crate::item::Item {
        let (stream, opened) = (&last.stream, last.opened);
        let index = match (self, last.closed) {
            (Self::Stream(_), _) => return crate::item::key_item(&last.key()),
            (Self::Closed(..), Some(closed)) => IndexKey::Closed { stream, opened, closed },
            _ => IndexKey::Open { stream, opened },
        };
        crate::streams::position(&last.key(), &index)
    }
}

/// At most 36 characters, the same for the same change by the same hand.
fn token(id: &IncidentId, count: u64, by: &str, at: EpochMs) -> String {
    let hash = hlsops_domain::id::StableHash::new().with(id.as_str().as_bytes()).with(by.as_bytes());
    format!(
        "a-{:016x}{:016x}",
        hash.finish(),
        hash.with(&count.to_le_bytes()).with(&at.0.to_le_bytes()).finish()
    )
}
