//! What must hold at the end: seen from the table, beside what the origin published.

use std::collections::{BTreeMap, BTreeSet};

use hlsops_domain::incident::{Incident, Transition, Trigger};
use hlsops_domain::{Closing, EpochMs};
use hlsops_store::pack::{MinuteLog, What};
use hlsops_store::{IncidentItem, Minute, Slot, Store, StoredMinute, StreamConfig, WatchMode};

use crate::origin::VirtualStream;
use crate::world::{BEGIN, Plan, World};

/// What a simulation came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Stream-minutes that somebody watched.
    pub(crate) watched: u64,
    pub(crate) results: u64,
    pub(crate) skipped: u64,
    pub(crate) transitions: u64,
    pub(crate) runs: u64,
}

impl World {
    /// Checks every stream; what is wrong is said with the seed.
    pub(crate) async fn check(&self) -> Tally {
        let mut tally = Tally { runs: self.runs, ..Tally::default() };
        for (stream, config) in self.origin.streams.iter().zip(&self.configs) {
            let case = Case { world: self, stream, config, store: &self.store };
            case.check(&mut tally).await;
        }
        tally
    }
}

/// One stream of a simulation.
struct Case<'a> {
    world: &'a World,
    stream: &'a VirtualStream,
    config: &'a StreamConfig,
    store: &'a Store,
}

/// What the table says of the numbers of one rendition.
#[derive(Default)]
struct Numbers {
    /// How often each has a result.
    results: BTreeMap<u64, u32>,
    /// How often each is said not to have been watched.
    skipped: BTreeMap<u64, u32>,
    /// New numberings: newest number before, newest number after.
    restarts: BTreeSet<(u64, u64)>,
}

impl Case<'_> {
    #[track_caller]
    fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        let (plan, faults) = (self.world.plan, &self.stream.faults);
        assert!(
            holds,
            "{}\n  stream {} ({} s, {:?}, {:?})\n  {plan:?}\n  {faults:#?}",
            what(),
            self.stream.name,
            self.stream.target_s,
            self.config.watch,
            self.config.segments,
        );
    }

    async fn check(&self, tally: &mut Tally) {
        let end = Minute(u64::MAX / 100_000);
        let chain = self.store.minutes(&self.config.id, Minute(0), end, 100_000).await.unwrap().value;
        self.check_chain(&chain);
        let watched: Vec<(&Closing, &MinuteLog)> = chain
            .iter()
            .filter_map(|stored| match &stored.slot {
                Slot::Watched { closing, log } => Some((&**closing, log)),
                _ => None,
            })
            .collect();
        tally.watched += watched.len() as u64;
        self.must(watched.iter().all(|(_, log)| log.dropped() == 0), || "a log was cut off".into());
        self.check_numbers(&watched, tally);
        self.check_incidents(&watched, tally).await;
        if self.stream.faults.is_empty() {
            self.check_healthy(&watched).await;
        }
    }

    fn check_chain(&self, chain: &[StoredMinute]) {
        self.must(!chain.is_empty(), || "nothing was stored".into());
        let (mut next, mut epoch) = (chain[0].minute, 0);
        for stored in chain {
            self.must(stored.minute == next, || format!("a hole or a fork at {}", stored.minute.0));
            self.must(stored.holder.epoch >= epoch, || "an older epoch wrote later".into());
            (next, epoch) = (stored.next(), stored.holder.epoch);
        }
        let claims = chain.iter().filter(|stored| stored.slot == Slot::Claimed).count();
        self.must(claims == 0, || "a claim is left".into());
    }

    fn check_numbers(&self, watched: &[(&Closing, &MinuteLog)], tally: &mut Tally) {
        let mut tracks: BTreeMap<usize, Numbers> = BTreeMap::new();
        for (_, log) in watched {
            for row in log.renditions().iter().flat_map(|r| &r.segments).filter(|row| row.last) {
                let numbers = tracks.entry(VirtualStream::track_of(row.sequence)).or_default();
                *numbers.results.entry(row.sequence).or_default() += 1;
            }
            for change in log.changes() {
                match change.what {
                    What::NotWatched { first, last } => {
                        self.must(first <= last && last - first < 100_000, || format!("{change:?}"));
                        let numbers = tracks.entry(VirtualStream::track_of(first)).or_default();
                        (first..=last).for_each(|n| *numbers.skipped.entry(n).or_default() += 1);
                    }
                    What::Restarted { from, to } => {
                        let numbers = tracks.entry(VirtualStream::track_of(from)).or_default();
                        numbers.restarts.insert((from, to));
                    }
                    _ => {}
                }
            }
        }
        self.must(tracks.len() == self.stream.tracks(), || "a rendition was never seen".into());
        for (track, numbers) in &tracks {
            self.check_track(*track, numbers);
            tally.results += numbers.results.len() as u64;
            tally.skipped += numbers.skipped.len() as u64;
        }
    }

    /// Every number once; and where a row of them ends, a new numbering or the end of the simulation.
    fn check_track(&self, track: usize, numbers: &Numbers) {
        let mut all = numbers.results.clone();
        numbers.skipped.iter().for_each(|(n, times)| *all.entry(*n).or_default() += times);
        let double: Vec<String> = all
            .iter()
            .filter(|(_, times)| **times != 1)
            .map(|(n, _)| format!("{n}: {:?} {:?}", numbers.results.get(n), numbers.skipped.get(n)))
            .collect();
        self.must(double.is_empty(), || format!("counted more than once (results, skipped): {double:?}"));
        let rows = rows(all.keys().copied());
        let restarts = &numbers.restarts;
        // An interval's look is over a minute before the next; a stream may be let go a minute before the last.
        let unseen_s = match self.config.watch {
            WatchMode::Continuous => 3 * self.stream.target_s,
            WatchMode::Interval { every_s } => 60 + every_s + 3 * self.stream.target_s,
        };
        let newest = self.stream.newest(track, self.world.ended_ms.saturating_sub(1_000 * unseen_s));
        for (first, last) in &rows {
            let ended = restarts.iter().any(|(from, _)| from == last) || *last >= newest;
            // After a gap of our own it goes on with the next number.
            let begins = |to: &u64| (to + 1).checked_sub(*first).is_some_and(|n| n <= self.stream.window());
            let begun = restarts.iter().any(|(_, to)| begins(to));
            let began = begun || Some(first) == rows.last().map(|(first, _)| first);
            self.must(ended && began, || {
                format!(
                    "track {track}: a hole before {first} or after {last}: {rows:?} {restarts:?} {newest}"
                )
            });
        }
        self.must(rows.len() == restarts.len() + 1, || format!("track {track}: {rows:?} {restarts:?}"));
        self.must(rows.iter().any(|(_, last)| *last >= newest), || {
            format!("{newest} was never seen: {rows:?}")
        });
    }

    async fn check_incidents(&self, watched: &[(&Closing, &MinuteLog)], tally: &mut Tally) {
        let mut incidents = self.store.incidents(&self.config.id, 10_000).await.unwrap().value;
        incidents.sort_by_key(|incident| incident.version);
        let pointer = self.store.incident_pointer(&self.config.id).await.unwrap().value;
        let (mut version, mut transitions, mut free_from) = (1, 0, EpochMs(0));
        for incident in &incidents {
            self.must(incident.version == version, || format!("not one after the other: {incidents:?}"));
            let open = pointer.open.as_ref().is_some_and(|(id, _)| *id == incident.id);
            self.must(incident.closed.is_none() == open, || format!("open or not: {incident:?}"));
            if !self.world.plan.clock_steps {
                self.must(incident.opened >= free_from, || format!("two at once: {incidents:?}"));
                free_from = incident.closed.unwrap_or(EpochMs(u64::MAX));
            }
            self.check_rows(incident).await;
            transitions += 1 + u64::from(!open);
            version += 2;
        }
        self.must(pointer.version == transitions, || format!("{pointer:?}"));
        tally.transitions += transitions;
        // What the stored states say is what the incidents say.
        let wanted =
            watched.iter().flat_map(|(_, log)| log.changes()).filter_map(|change| match change.what {
                What::Incident(transition) => Some((change.at, transition)),
                _ => None,
            });
        let (mut opened, mut resolved) = (Vec::new(), Vec::new());
        for (at, transition) in wanted {
            match transition {
                Transition::Opened(trigger) => opened.push((at, trigger)),
                Transition::Resolved { .. } => resolved.push(at),
            }
        }
        let stored = |(incident, (at, trigger)): (&IncidentItem, &(EpochMs, Trigger))| {
            // Health may be another by the time that the next one writes down what somebody who died has seen.
            let died = self.world.plan.chaos;
            let is_unhealthy = incident.trigger == "unhealthy";
            incident.opened == *at && (died || is_unhealthy == (*trigger == Trigger::Unhealthy))
        };
        let agree = opened.len() == incidents.len() && incidents.iter().zip(&opened).all(stored);
        self.must(agree, || format!("wanted {opened:?}, stored {incidents:?}"));
        let closed: Vec<EpochMs> = incidents.iter().filter_map(|incident| incident.closed).collect();
        // Who died between a state and its incident leaves it to the next one, who closes it when it comes.
        let agree = match self.world.plan {
            Plan { clock_steps: true, .. } => closed.len() == resolved.len(),
            Plan { chaos: true, .. } => {
                closed.len() == resolved.len()
                    && closed.iter().zip(&resolved).all(|(stored, at)| stored >= at)
            }
            _ => closed == resolved,
        };
        self.must(agree, || format!("{resolved:?} resolved, stored {incidents:?}"));
        let last = watched.last().map(|(closing, _)| closing.incident);
        let is_open = matches!(last, Some(Incident::Open { .. }));
        self.must(is_open == pointer.open.is_some(), || format!("{last:?} {pointer:?}"));
    }

    async fn check_rows(&self, incident: &IncidentItem) {
        let rows = self.store.notices(incident.id.as_str(), 10).await.unwrap().value;
        let told: Vec<(u64, &str)> = rows.iter().map(|row| (row.seq, row.kind.as_str())).collect();
        let all = [(1, "incident.opened"), (2, "incident.resolved")];
        let expected = if incident.closed.is_some() { &all[..] } else { &all[..1] };
        self.must(told == expected, || format!("{told:?} of {incident:?}"));
    }

    /// Nothing was ever wrong with it. What passed between the looks of two watchers whose clocks differ nobody
    /// can tell: there a buffer may be thought empty for a moment, and nothing else.
    async fn check_healthy(&self, watched: &[(&Closing, &MinuteLog)]) {
        let steps = self.world.plan.clock_steps;
        let doubtful = |code: &str| steps && code == "WA-1001";
        let (from, to) = (Minute(0), Minute(u64::MAX / 100_000));
        let findings = self.store.findings(&self.config.id, from, to, 100).await.unwrap().value;
        let fine = findings.iter().flat_map(|minute| &minute.rows).all(|row| doubtful(&row.code));
        self.must(fine, || format!("findings on a healthy stream: {findings:?}"));
        for (closing, log) in watched {
            let harmless = |what: &What| match what {
                What::OwnGap(_) | What::NotWatched { .. } => true,
                What::Playlist { to, .. } => to.name() == "Live",
                What::Health { to, .. } => steps || matches!(to.name(), "HEALTHY" | "NO DATA"),
                What::RebufferingStarted | What::RebufferingEnded { .. } => steps,
                What::Found { code, .. } => doubtful(code),
                _ => false,
            };
            let wrong: Vec<_> = log.changes().iter().filter(|change| !harmless(&change.what)).collect();
            self.must(wrong.is_empty(), || format!("a healthy stream: {wrong:?}"));
            let open = matches!(closing.incident, Incident::Open { .. });
            self.must(!open, || "an incident of a healthy stream".into());
            let failed = log.renditions().iter().flat_map(|r| &r.segments).any(|row| row.failure.is_some());
            self.must(!failed, || "a segment of a healthy stream failed".into());
        }
        let seen = watched.last().is_some_and(|(closing, _)| closing.health.name() == "HEALTHY");
        self.must(seen, || format!("not healthy at the end: {:?}", watched.last()));
        let (first, last) = (watched[0].1.minute(), watched[watched.len() - 1].1.minute());
        let length = self.world.ended_ms / 60_000;
        self.must(last.0 - first.0 + 12 >= length, || {
            format!("{first:?} {last:?} of {length} from {BEGIN:?}")
        });
        if self.config.watch == WatchMode::Continuous && !self.world.plan.chaos {
            let silent = watched.iter().flat_map(|(_, log)| log.changes()).any(|change| match change.what {
                What::OwnGap(_) => true,
                What::Health { to, .. } => to.name() == "NO DATA",
                _ => false,
            });
            self.must(!silent, || "a hand-over shows".into());
        }
    }
}

/// Numbers as rows without a hole.
fn rows(numbers: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut rows: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    rows
}
