//! What of a stream must outlive the process that watches it.
//!
//! [`StreamState::closing`] gives it at the end of a minute; [`StreamState::resume`] carries on from it.
//! The windows are not in it: whoever keeps a log of the last minutes hands those back as [`Past`], and the
//! stream goes on as if nobody had changed.

use std::time::Duration;

use crate::buffer::{Buffer, BufferClosing};
use crate::event::{Event, EventKind};
use crate::health::{Health, HealthState, Reason, What};
use crate::id::RenditionId;
use crate::incident::Incident;
use crate::observation::Failure;
use crate::rendition::{Loss, PlaylistState, Rendition, Sample};
use crate::stream::StreamState;
use crate::units::{EpochMs, MediaUs};

/// A stream between two watchers.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// When it was first watched.
    pub began_at: EpochMs,
    /// When the last look ended.
    pub last_look: Option<EpochMs>,
    /// Health as it was last judged.
    pub health: HealthState,
    /// Since when.
    pub health_since: EpochMs,
    /// Whether an incident is open, pending or neither.
    pub incident: Incident,
    /// Loads of the stream's own playlist that failed in a row, and how the last one failed.
    pub master: (u32, Option<Failure>),
    /// Renditions, by id.
    pub renditions: Vec<RenditionClosing>,
}

/// A rendition between two watchers.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionClosing {
    /// Which.
    pub id: RenditionId,
    /// [`crate::rendition::RenditionSpec::attributes`]: the next watcher recognises it by them where its path has
    /// changed meanwhile.
    pub attributes: u64,
    /// State of its playlist.
    pub playlist: PlaylistState,
    /// Since when.
    pub playlist_since: EpochMs,
    /// It has been Live before.
    pub was_live: bool,
    /// Loads that failed in a row.
    pub failed_loads: u32,
    /// When the last good load ended.
    pub loaded_at: Option<EpochMs>,
    /// When the last load with something new ended.
    pub changed_at: Option<EpochMs>,
    /// When the last look ended.
    pub last_look: Option<EpochMs>,
    /// Target duration in force.
    pub target: MediaUs,
    /// Newest segments seen, oldest first: media sequence number and fingerprint. At most
    /// [`RenditionClosing::REMEMBERED`].
    pub remembered: Vec<(u64, u64)>,
    /// Segments that were to be fetched and whose fate is not settled, oldest first: the next watcher fetches
    /// them. At most [`Rendition::MAX_UNSETTLED`].
    pub unsettled: Vec<u64>,
    /// Segments lost one after the other.
    pub consecutive_lost: u32,
    /// Newest segment obtained.
    pub obtained_to: Option<u64>,
    /// A viewer waits, and this was reported.
    pub dry_reported: bool,
    /// Playback.
    pub buffer: BufferClosing,
}

impl RenditionClosing {
    /// Segments remembered over a change of watcher: enough to recognise an older copy of a usual window.
    pub const REMEMBERED: usize = 16;

    /// Of a rendition that nobody has looked at, which the next watcher recognises all the same.
    fn begin_anew(&mut self, at: EpochMs) {
        *self = Self {
            id: self.id,
            attributes: self.attributes,
            playlist: PlaylistState::Unknown,
            playlist_since: at,
            was_live: false,
            failed_loads: 0,
            loaded_at: None,
            changed_at: None,
            last_look: None,
            target: self.target,
            remembered: Vec::new(),
            unsettled: Vec::new(),
            consecutive_lost: 0,
            obtained_to: None,
            dry_reported: false,
            buffer: Buffer::new(at, self.target, self.target.times(3)).closing(),
        };
    }
}

/// One entry of a rendition's recent past, as the log of the last minutes has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Past {
    /// A segment was obtained.
    Obtained(EpochMs, Sample),
    /// Media was lost.
    Lost(EpochMs, Loss),
    /// A viewer waited.
    Rebuffered(EpochMs, EpochMs),
}

impl Closing {
    /// As a clock tells it that says `now`: what another clock told for later is told for now, or else nothing
    /// would count as late until that time has come. The beginning of an incident stays: it is its name.
    #[must_use]
    pub fn not_after(mut self, now: EpochMs) -> Self {
        let past = |at: &mut EpochMs| *at = (*at).min(now);
        [&mut self.began_at, &mut self.health_since].into_iter().for_each(past);
        self.last_look.iter_mut().for_each(past);
        match &mut self.incident {
            Incident::Open { healthy_since, .. } => healthy_since.iter_mut().for_each(past),
            Incident::Pending { since, .. } => past(since),
            Incident::None => {}
        }
        for rendition in &mut self.renditions {
            let buffer = &mut rendition.buffer;
            [
                &mut rendition.playlist_since,
                &mut buffer.at,
                &mut buffer.began_at,
                &mut buffer.last_completion,
            ]
            .into_iter()
            .for_each(past);
            let seen = [&mut rendition.loaded_at, &mut rendition.changed_at, &mut rendition.last_look];
            let waits = [&mut buffer.consistent_since, &mut buffer.empty_since];
            seen.into_iter().chain(waits).flatten().for_each(past);
        }
        self
    }
}

impl StreamState {
    /// What another watcher needs to carry on.
    #[must_use]
    pub fn closing(&self) -> Closing {
        let waiting = self.waiting.values().map(|(closing, _)| closing.clone());
        Closing {
            began_at: self.began_at,
            last_look: self.last_look,
            health: self.health.state,
            health_since: self.health_since,
            incident: self.incident,
            master: (self.master_failures, self.master_failure),
            renditions: self.renditions().map(Rendition::closing).chain(waiting).collect(),
        }
    }

    /// Carries on from `closing`. `past` holds the log of the last minutes, oldest first.
    ///
    /// The renditions come back with the first load of the stream's own playlist; until then health stays as
    /// it was, or becomes NO DATA when nobody looks.
    #[must_use]
    pub fn resume(closing: Closing, past: &[(RenditionId, Past)]) -> Self {
        let mut state = Self::new(closing.began_at);
        state.last_look = closing.last_look;
        state.health = Health { state: closing.health, reasons: Vec::new() };
        state.health_since = closing.health_since;
        state.incident = closing.incident;
        (state.master_failures, state.master_failure) = closing.master;
        for rendition in closing.renditions {
            let own = past.iter().filter(|(id, _)| *id == rendition.id).map(|(_, past)| *past).collect();
            state.waiting.insert(rendition.id, (rendition, own));
        }
        state
    }

    /// Right after [`StreamState::resume`], where nobody was meant to look for a while: what was seen before says
    /// nothing of the time after it, neither of the playlists nor of a viewer's buffer. All begins as at the first look;
    /// only renditions keep their names, and an incident goes on. The change of health, if it is one.
    pub fn begin_anew(&mut self, at: EpochMs) -> Option<Event> {
        self.began_at = at;
        (self.master_failures, self.master_failure) = (0, None);
        for (closing, past) in self.waiting.values_mut() {
            closing.begin_anew(at);
            past.clear();
        }
        let from = self.health.state;
        let waits = Reason { state: HealthState::NoData, rendition: None, what: What::Starting };
        self.health = Health { state: HealthState::NoData, reasons: vec![waits] };
        if from == HealthState::NoData {
            return None;
        }
        self.health_since = at;
        Some(Event { at, rendition: None, kind: EventKind::Health { from, to: self.health.clone() } })
    }

    /// The last `window` before `now` as log entries, for [`StreamState::resume`].
    #[must_use]
    pub fn past(&self, now: EpochMs, window: Duration) -> Vec<(RenditionId, Past)> {
        let of = |r: &Rendition| {
            let id = r.spec.id;
            r.past(now, window).into_iter().map(move |past| (id, past)).collect::<Vec<_>>()
        };
        self.renditions().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests;
