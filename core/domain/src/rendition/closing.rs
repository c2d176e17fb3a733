//! A rendition between two watchers.

use std::time::Duration;

use super::memory::{Change, Memory};
use super::spec::RenditionSpec;
use super::state::{Rendition, TargetDuration};
use crate::buffer::Buffer;
use crate::closing::{Past, RenditionClosing};
use crate::playlist::MediaPlaylist;
use crate::units::EpochMs;

impl Rendition {
    /// What another watcher needs to carry on.
    #[must_use]
    pub fn closing(&self) -> RenditionClosing {
        RenditionClosing {
            id: self.spec.id,
            attributes: self.spec.attributes(),
            playlist: self.playlist,
            playlist_since: self.playlist_since,
            was_live: self.was_live,
            failed_loads: self.failed_loads,
            loaded_at: self.loaded_at,
            changed_at: self.changed_at,
            last_look: self.last_look,
            target: self.target(),
            remembered: self.memory.newest(RenditionClosing::REMEMBERED),
            unsettled: self.unsettled.iter().copied().collect(),
            consecutive_lost: self.consecutive_lost,
            obtained_to: self.obtained_to,
            dry_reported: self.dry_reported,
            buffer: self.buffer.closing(),
        }
    }

    /// Carries on from `closing`, with the recent past as its log has it.
    #[must_use]
    pub(crate) fn resume(spec: RenditionSpec, closing: &RenditionClosing, past: &[Past]) -> Self {
        let mut rendition = Self::new(spec, closing.playlist_since);
        rendition.playlist = closing.playlist;
        rendition.was_live = closing.was_live;
        rendition.failed_loads = closing.failed_loads;
        rendition.loaded_at = closing.loaded_at;
        rendition.changed_at = closing.changed_at;
        rendition.last_look = closing.last_look;
        rendition.target = TargetDuration::only(closing.target);
        rendition.memory = Memory::of(&closing.remembered);
        if rendition.spec.renamed {
            rendition.memory.forget_names();
        }
        rendition.unsettled =
            closing.unsettled.iter().rev().take(Self::MAX_UNSETTLED).rev().copied().collect();
        rendition.consecutive_lost = closing.consecutive_lost;
        rendition.obtained_to = closing.obtained_to;
        rendition.dry_reported = closing.dry_reported;
        rendition.buffer = Buffer::resume(&closing.buffer);
        rendition.taken_over = true;
        for entry in past {
            rendition.recall(*entry);
        }
        rendition
    }

    /// After a change of watcher: which listed segments the other one left open. What is no longer listed is
    /// abandoned; a new numbering makes all of it void.
    pub(super) fn take_up(&mut self, list: &MediaPlaylist<'_>, change: Change) -> Vec<usize> {
        if matches!(change, Change::WentDown { .. }) {
            self.unsettled.clear();
            self.failed_once.clear();
        }
        if !std::mem::take(&mut self.taken_over) || list.ended {
            return Vec::new();
        }
        let open = std::mem::take(&mut self.unsettled);
        self.failed_once.clear();
        let is_listed = |sequence: &u64| list.segments.iter().any(|s| s.sequence == *sequence);
        self.abandoned = open.iter().copied().filter(|sequence| !is_listed(sequence)).collect();
        let listed = list.segments.iter().enumerate().filter(|(_, s)| open.contains(&s.sequence));
        let again: Vec<usize> = listed.map(|(index, _)| index).collect();
        self.unsettled.extend(again.iter().map(|index| list.segments[*index].sequence));
        again
    }

    fn recall(&mut self, entry: Past) {
        match entry {
            Past::Obtained(at, sample) => self.samples.push(at, sample, Duration::MAX),
            Past::Lost(at, loss) => self.losses.push(at, loss, Duration::MAX),
            Past::Rebuffered(from, to) => self.buffer.recall(from, to),
        }
    }

    /// The last `window` before `now` as log entries, each kind oldest first.
    pub(crate) fn past(&self, now: EpochMs, window: Duration) -> Vec<Past> {
        let samples = self.samples.entries(now, window).map(|(at, sample)| Past::Obtained(at, sample));
        let losses = self.losses.entries(now, window).map(|(at, loss)| Past::Lost(at, loss));
        let waits = self.buffer.waits(now, window).map(|(from, to)| Past::Rebuffered(from, to));
        samples.chain(losses).chain(waits).collect()
    }
}
