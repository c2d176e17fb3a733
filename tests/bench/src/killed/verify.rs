//! What the table says after all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hlsops_domain::RenditionId;
use hlsops_engine::{Engine, EngineConfig};
use hlsops_origin::Origin;
use hlsops_store::pack::What;
use hlsops_store::{IncidentItem, Minute, Slot, Store, StoreError, StoredMinute, StreamId};

use super::writes::Writes;
use crate::BenchError;

/// What was found. Everything in `lost`, `twice`, `uncovered`, `overlapping` and `holes` is a fault.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Streams whose adding was answered.
    pub added: usize,
    /// Incidents whose acknowledgement was answered.
    pub acknowledged: usize,
    /// Answered writes that are not in the table.
    pub lost: Vec<String>,
    /// Media sequence numbers with a result.
    pub results: usize,
    /// Those that were said not to have been watched.
    pub not_watched: usize,
    /// Media sequence numbers that appear more than once.
    pub twice: Vec<String>,
    /// Media sequence numbers between the first and the last, or served by the origin, that do not appear.
    pub uncovered: Vec<String>,
    /// Incidents.
    pub incidents: usize,
    /// Incidents that were open at the same time as another one of their stream.
    pub overlapping: Vec<String>,
    /// Minutes in the table.
    pub minutes: usize,
    /// Places where the chain of minutes does not go on.
    pub holes: Vec<String>,
    /// Times at which nobody looked, as the table says.
    pub gaps: usize,
}

impl Verdict {
    /// Nothing is wrong, and there was something to be wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults().next().is_none() && self.added > 0 && self.results > 0
    }

    /// Everything that is wrong.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        let all = [&self.lost, &self.twice, &self.uncovered, &self.overlapping, &self.holes];
        all.into_iter().flatten().map(String::as_str)
    }
}

const TABLE: &str = "hlsops";
const ACCOUNT: &str = "default";
const MOST: usize = 10_000;

/// Opens the folder and holds it against what was answered and what was served.
pub(super) async fn verify(
    folder: &Path,
    ids: &BTreeMap<String, String>,
    writes: &Writes,
    origin: &Origin,
) -> Result<Verdict, BenchError> {
    let engine = Engine::open(EngineConfig::new(folder))?;
    let store = Store::new(engine.client(), TABLE);
    let mut verdict = examine(&store, ids, origin).await?;
    (verdict.added, verdict.acknowledged) = (writes.added.len(), writes.acknowledged.len());
    for (id, name) in &writes.added {
        let found = store.stream(&stream_id(id)?).await?.value;
        if found.is_none_or(|config| config.name != *name) {
            verdict.lost.push(format!("stream {name} ({id})"));
        }
    }
    let mut acknowledged = BTreeSet::new();
    for id in ids.values() {
        let incidents = store.incidents(&stream_id(id)?, MOST).await?.value;
        let taken = incidents.iter().filter(|incident| incident.acknowledged.is_some());
        acknowledged.extend(taken.map(|incident| incident.id.to_string()));
    }
    let lost = writes.acknowledged.difference(&acknowledged);
    verdict.lost.extend(lost.map(|id| format!("acknowledgement of {id}")));
    Ok(verdict)
}

/// Holds what a table has of streams, given as their ids by the origin's names, against what was served.
/// Nobody may be watching them any more.
///
/// # Errors
/// Whatever the table says.
pub async fn examine(
    store: &Store,
    ids: &BTreeMap<String, String>,
    origin: &Origin,
) -> Result<Verdict, StoreError> {
    let mut verdict = Verdict::default();
    for (name, id) in ids {
        let stream = stream_id(id)?;
        let minutes = store.minutes(&stream, Minute(0), Minute(u64::MAX / 60_000), MOST).await?.value;
        verdict.chain(name, &minutes);
        verdict.coverage(name, &minutes, &served(origin, name));
        verdict.incidents(name, store.incidents(&stream, MOST).await?.value);
    }
    Ok(verdict)
}

fn stream_id(name: &str) -> Result<StreamId, StoreError> {
    StreamId::new(ACCOUNT, name)
}

/// The numbers the origin was asked for, by its own names of renditions.
fn served(origin: &Origin, name: &str) -> BTreeMap<&'static str, BTreeSet<u64>> {
    let mut served: BTreeMap<&'static str, BTreeSet<u64>> = BTreeMap::new();
    for entry in origin.ledger(name).iter().filter(|entry| entry.kind == "segment") {
        if let (Some(rendition), Some(sequence)) = (entry.rendition, entry.sequence) {
            served.entry(rendition).or_default().insert(sequence);
        }
    }
    served
}

impl Verdict {
    /// Every item is followed by the one of the next minute.
    fn chain(&mut self, name: &str, minutes: &[StoredMinute]) {
        self.minutes += minutes.len();
        for pair in minutes.windows(2) {
            let [one, next] = pair else { continue };
            if one.next() != next.minute {
                self.holes.push(format!("{name}: {} is followed by {}", one.minute.0, next.minute.0));
            }
        }
        // A claim is what a watcher leaves that has not stored anything yet: nothing may follow it.
        let before_last = minutes.iter().rev().skip(1);
        let claims = before_last.filter(|minute| matches!(minute.slot, Slot::Claimed));
        self.holes.extend(claims.map(|minute| format!("{name}: {} was claimed only", minute.minute.0)));
        self.gaps += minutes.iter().filter(|minute| matches!(minute.slot, Slot::Gap(_))).count();
    }

    /// Every number appears once: as a result, or in one event that says it was not watched.
    fn coverage(
        &mut self,
        name: &str,
        minutes: &[StoredMinute],
        served: &BTreeMap<&'static str, BTreeSet<u64>>,
    ) {
        let mut seen: BTreeMap<RenditionId, BTreeMap<u64, usize>> = BTreeMap::new();
        for stored in minutes {
            let Slot::Watched { log, .. } = &stored.slot else { continue };
            for rendition in log.renditions() {
                for row in rendition.segments.iter().filter(|row| row.last) {
                    *seen.entry(rendition.id).or_default().entry(row.sequence).or_default() += 1;
                    self.results += 1;
                }
            }
            for change in log.changes() {
                match (&change.what, change.rendition) {
                    (What::NotWatched { first, last }, Some(id)) => {
                        for number in *first..=*last {
                            *seen.entry(id).or_default().entry(number).or_default() += 1;
                            self.not_watched += 1;
                        }
                    }
                    (What::OwnGap(_), _) => self.gaps += 1,
                    _ => {}
                }
            }
        }
        for (id, numbers) in &seen {
            let of = format!("{name} {id:?}");
            let twice = numbers.iter().filter(|(_, times)| **times > 1);
            self.twice.extend(twice.map(|(number, times)| format!("{of}: {number} {times} times")));
            let (first, last) = (numbers.first_key_value(), numbers.last_key_value());
            let (Some((first, _)), Some((last, _))) = (first, last) else { continue };
            let missing = (*first..=*last).filter(|number| !numbers.contains_key(number));
            self.uncovered.extend(missing.map(|number| format!("{of}: {number}")));
        }
        for (rendition, numbers) in served {
            if !seen.values().any(|known| numbers.iter().all(|number| known.contains_key(number))) {
                self.uncovered.push(format!("{name} {rendition}: not all that was served is in the table"));
            }
        }
    }

    /// Each begins after the one before has ended.
    fn incidents(&mut self, name: &str, mut incidents: Vec<IncidentItem>) {
        self.incidents += incidents.len();
        incidents.sort_by_key(|incident| incident.version);
        for pair in incidents.windows(2) {
            let [one, next] = pair else { continue };
            if one.closed.is_none_or(|closed| closed > next.opened) {
                self.overlapping.push(format!("{name}: {} and {}", one.id, next.id));
            }
        }
    }
}
