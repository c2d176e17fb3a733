//! One stream: its specification, faults and ledger, and how it answers a request. No HTTP, no clock.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::answer::{Answer, Resource, answer};
use crate::expect::{Expectation, expected};
use crate::fault::{Applied, Fault, FaultKind};
use crate::ledger::{Entry, Ledger, Outcome};
use crate::live::Live;
use crate::media::Media;
use crate::numbering::Numbering;
use crate::spec::StreamSpec;

/// Why a fault was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultRefused {
    /// A stream has at most [`Stream::MAX_FAULTS`] faults.
    #[error("the stream already has {} faults: clear them first", Stream::MAX_FAULTS)]
    TooMany,
    /// A stream renumbers at most [`Numbering::MAX_CHANGES`] times.
    #[error("the stream was renumbered {} times: make it anew", Numbering::MAX_CHANGES)]
    RenumberedTooOften,
    /// A short jump would give names that are still in use to other segments.
    #[error("`by` must be at least {least}, more than two windows")]
    JumpTooShort {
        /// The shortest jump this stream can make.
        least: u64,
    },
}

/// A stream, shared between connections.
#[derive(Debug)]
pub struct Stream {
    name: String,
    spec: StreamSpec,
    epoch_ms: u64,
    media: &'static Media,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    numbering: Numbering,
    faults: Vec<Applied>,
    past: VecDeque<Applied>,
    next_fault: u64,
    ledger: Ledger,
}

/// A copy of what is known about a stream, for reports.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What it is.
    pub spec: StreamSpec,
    /// When its first segment started. Unit: milliseconds since 1970.
    pub epoch_ms: u64,
    /// Faults set now, expired ones included.
    pub faults: Vec<Applied>,
    /// Faults that were cleared, oldest first.
    pub past: Vec<Applied>,
    /// What a monitor should say.
    pub expected: Expectation,
    /// Requests ever seen.
    pub requests: u64,
}

impl Stream {
    /// Most faults at once.
    pub const MAX_FAULTS: usize = 16;
    /// Most cleared faults remembered.
    pub const MAX_PAST: usize = 32;

    /// A healthy stream that has been running for a while. Time unit: milliseconds since 1970.
    #[must_use]
    pub fn new(name: &str, spec: StreamSpec, media: &'static Media, now_ms: u64) -> Self {
        let state = State {
            numbering: Numbering::new(spec.first_sequence),
            faults: Vec::new(),
            past: VecDeque::new(),
            next_fault: 1,
            ledger: Ledger::default(),
        };
        let epoch_ms = spec.epoch_ms(name, now_ms);
        Self { name: name.to_owned(), spec, epoch_ms, media, state: Mutex::new(state) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    #[must_use]
    pub const fn spec(&self) -> &StreamSpec {
        &self.spec
    }

    /// Decides on an answer, counting it for the faults that change it.
    pub fn answer(&self, resource: &Resource, now_ms: u64) -> Answer {
        let mut state = self.lock();
        let State { numbering, faults, .. } = &mut *state;
        let live = self.live(numbering);
        answer(&live, &self.name, faults, resource, now_ms)
    }

    /// Adds a fault and gives its id. Time unit: milliseconds since 1970.
    ///
    /// # Errors
    /// If there are too many faults or renumberings.
    pub fn set_fault(&self, fault: Fault, now_ms: u64) -> Result<u64, FaultRefused> {
        let mut state = self.lock();
        if state.faults.len() >= Self::MAX_FAULTS {
            return Err(FaultRefused::TooMany);
        }
        let id = state.next_fault;
        let applied = Applied::new(id, fault, now_ms);
        self.renumber(&mut state.numbering, &applied)?;
        state.next_fault += 1;
        state.faults.push(applied);
        Ok(id)
    }

    /// Removes all faults. What was renumbered stays so.
    pub fn clear_faults(&self, now_ms: u64) {
        let mut state = self.lock();
        let slot = self.live(&state.numbering).next_slot(now_ms);
        state.numbering.settle(slot);
        let cleared = std::mem::take(&mut state.faults);
        state.past.extend(cleared);
        let surplus = state.past.len().saturating_sub(Self::MAX_PAST);
        state.past.drain(..surplus);
    }

    /// When the first answer changed by a fault that is still set was given. Unit: milliseconds since 1970.
    #[must_use]
    pub fn first_faulty(&self) -> Option<u64> {
        self.lock().faults.iter().filter_map(|applied| applied.first_faulty_ms).min()
    }

    /// Everything known.
    #[must_use]
    pub fn snapshot(&self, now_ms: u64) -> Snapshot {
        let state = self.lock();
        Snapshot {
            spec: self.spec,
            epoch_ms: self.epoch_ms,
            faults: state.faults.clone(),
            past: state.past.iter().cloned().collect(),
            expected: expected(&self.spec, &state.faults, now_ms),
            requests: state.ledger.total(),
        }
    }

    /// Adds a request to the ledger and gives its id.
    pub fn record(&self, entry: Entry) -> u64 {
        self.lock().ledger.push(entry)
    }

    /// Notes the end of a request.
    pub fn finish(&self, id: u64, bytes: u64, outcome: Outcome, now_ms: u64) {
        self.lock().ledger.finish(id, bytes, outcome, now_ms);
    }

    /// Requests decided on at this time or later, oldest first. Unit: milliseconds since 1970.
    #[must_use]
    pub fn served(&self, since_ms: u64) -> Vec<Entry> {
        self.lock().ledger.since(since_ms).cloned().collect()
    }

    const fn live<'a>(&'a self, numbering: &'a Numbering) -> Live<'a> {
        Live { media: self.media, spec: &self.spec, epoch_ms: self.epoch_ms, numbering }
    }

    fn renumber(&self, numbering: &mut Numbering, applied: &Applied) -> Result<(), FaultRefused> {
        let live = self.live(numbering);
        let slot = live.next_slot(applied.begins_ms());
        let until = applied.fault.for_ms.map(|length| live.next_slot(applied.begins_ms() + length));
        let taken = match applied.fault.kind {
            FaultKind::Jump { by, every_ms } => {
                let least = shortest_jump(&self.spec);
                if by < least {
                    return Err(FaultRefused::JumpTooShort { least });
                }
                let every_slots = every_ms.map(|every| every.div_ceil(self.spec.segment.ms()));
                numbering.jump(slot, by, every_slots, applied.fault.count, until)
            }
            FaultKind::EncoderRestart { first } => numbering.restart(slot, first),
            _ => true,
        };
        taken.then_some(()).ok_or(FaultRefused::RenumberedTooOften)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole values behind: every change is made by one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shortest jump a stream can make without giving a name that can still be fetched to another segment.
#[must_use]
pub const fn shortest_jump(spec: &StreamSpec) -> u64 {
    2 * spec.window_segments + 2
}
