//! What to fetch next, and when. Pure: the watcher asks with the time, and carries it out.

mod track;

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::pace::{self, Cause};
use hlsops_domain::playlist::MediaPlaylist;
use hlsops_domain::rendition::{Follow, Rendition, RenditionSpec};
use hlsops_domain::{EpochMs, Failure, MediaUs, RenditionId};
use url::Url;

use crate::cadence::Cadence;
use track::Track;
pub use track::{Dropped, Job};

/// A request that is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Load the stream's own playlist.
    Master {
        /// When it was due.
        planned: EpochMs,
        /// Use a new connection.
        fresh_connection: bool,
    },
    /// Load a media playlist.
    Playlist {
        /// Whose.
        id: RenditionId,
        /// Where.
        url: Url,
        /// When it was due.
        planned: EpochMs,
        /// Use a new connection.
        fresh_connection: bool,
        /// Target duration, if known.
        target: Option<MediaUs>,
    },
    /// Fetch a segment.
    Segment {
        /// Whose.
        id: RenditionId,
        /// Which.
        job: Job,
        /// Target duration.
        target: MediaUs,
    },
}

/// Everything that is to be done for one stream.
#[derive(Clone, Debug)]
pub struct Plan {
    cadence: Cadence,
    master: MasterPlan,
    tracks: BTreeMap<RenditionId, Track>,
}

#[derive(Clone, Debug)]
struct MasterPlan {
    next: Option<EpochMs>,
    loading: bool,
    fresh: bool,
    /// The stream's own URL is a media playlist, followed as its only track.
    single: bool,
}

impl Plan {
    /// Most segments that may wait in one rendition; beyond that the oldest is given up.
    pub const MAX_JOBS: usize = Rendition::MAX_START;

    /// How long a rendition waits at most for the stream's own playlist to bring it a fresh URL.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Begins with the stream's own playlist, at `at`, and goes on by `cadence`.
    #[must_use]
    pub const fn new(at: EpochMs, cadence: Cadence) -> Self {
        let master = MasterPlan { next: Some(at), loading: false, fresh: false, single: false };
        Self { cadence, master, tracks: BTreeMap::new() }
    }

    /// The stream's own URL is a media playlist.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.master.single
    }

    /// Requests due at `now`. Each is given once; its end must be reported.
    pub fn due(&mut self, now: EpochMs) -> Vec<Action> {
        let mut due = Vec::new();
        if let Some(planned) = self.master.next.filter(|at| *at <= now && !self.master.loading) {
            self.master.loading = true;
            due.push(Action::Master { planned, fresh_connection: std::mem::take(&mut self.master.fresh) });
        }
        for (id, track) in &mut self.tracks {
            due.extend(track.playlist_due(*id, now));
            due.extend(track.segment_due(*id, now, Job::is_first));
            due.extend(track.segment_due(*id, now, Job::is_retry));
        }
        due
    }

    /// When something will be due next, requests under way apart.
    #[must_use]
    pub fn wake_at(&self) -> Option<EpochMs> {
        let master = self.master.next.filter(|_| !self.master.loading);
        let tracks = self.tracks.values().flat_map(|track| {
            let playlist = (!track.loading).then(|| track.next_load());
            let segment = track.jobs.iter().filter(|job| !track.is_busy(job)).map(|job| job.due).min();
            [playlist, segment]
        });
        tracks.flatten().chain(master).min()
    }

    /// The stream's own playlist came and lists `specs`: new ones are followed at once, gone ones dropped,
    /// and a known one may have a new URL.
    pub fn master_loaded(&mut self, now: EpochMs, specs: &[RenditionSpec]) {
        self.master_ended();
        self.master.next = Some(self.cadence.beat(now + pace::MASTER_EVERY));
        self.tracks.retain(|id, _| specs.iter().any(|spec| spec.id == *id));
        for spec in specs {
            let track = self.tracks.get_mut(&spec.id);
            if track.as_ref().is_some_and(|track| track.url.as_str() == spec.url) {
                continue;
            }
            let Ok(url) = Url::parse(&spec.url) else { continue };
            match track {
                Some(track) => track.url = url,
                None => {
                    self.tracks.insert(spec.id, Track::new(url, now));
                }
            }
        }
    }

    /// The stream's own URL turned out to be a media playlist; its load is reported next.
    pub fn single_loaded(&mut self, now: EpochMs, id: RenditionId, url: Url) {
        self.master = MasterPlan { next: None, loading: false, fresh: false, single: true };
        self.tracks.retain(|known, _| *known == id);
        self.tracks.entry(id).or_insert_with(|| Track::new(url, now));
    }

    /// The stream's own playlist failed for the `failures`-th time in a row.
    pub fn master_failed(
        &mut self,
        now: EpochMs,
        failures: u32,
        failure: Failure,
        retry_after: Option<Duration>,
    ) {
        let cause = match failures {
            _ if failure.is_no_evidence() => Cause::Throttled(retry_after),
            // Not modified: no failure at all.
            0 => return self.master_loaded_unchanged(now),
            1 => Cause::FirstFailure,
            _ => Cause::Failing,
        };
        self.master_ended();
        self.master.fresh = true;
        let wait = pace::reload_after(cause, MediaUs::from_seconds(6));
        self.master.next = Some(self.cadence.soon(now + wait));
    }

    fn master_loaded_unchanged(&mut self, now: EpochMs) {
        self.master_ended();
        self.master.next = Some(self.cadence.beat(now + pace::MASTER_EVERY));
    }

    /// A load of the stream's own playlist ended: who waited for it waits no more.
    fn master_ended(&mut self) {
        self.master.loading = false;
        self.tracks.values_mut().for_each(|track| track.patient_until = None);
    }

    /// A media playlist load ended. With a list, its new segments are queued; returns the jobs given up
    /// because their segments are no longer listed.
    pub fn playlist_loaded(
        &mut self,
        now: EpochMs,
        id: RenditionId,
        follow: &Follow,
        list: Option<(&MediaPlaylist<'_>, &Url)>,
    ) -> Vec<Dropped> {
        let resolve = follow.resolve_master && !self.master.single;
        if resolve {
            self.master.next = Some(now);
        }
        let Some(track) = self.tracks.get_mut(&id) else { return Vec::new() };
        track.patient_until = resolve.then(|| now + track.patience());
        track.loading = false;
        let at = follow.reload_at;
        track.next = if follow.fresh_connection { self.cadence.soon(at) } else { self.cadence.beat(at) };
        track.fresh = follow.fresh_connection;
        match list {
            Some((list, base)) => track.take_list(now, follow, list, base),
            None => Vec::new(),
        }
    }

    /// A segment attempt ended. A first failure is queued again; `true` when no attempt will follow.
    pub fn segment_ended(
        &mut self,
        now: EpochMs,
        id: RenditionId,
        job: &Job,
        outcome: Result<(), Failure>,
    ) -> bool {
        let Some(track) = self.tracks.get_mut(&id) else { return true };
        *track.lane(job) = false;
        let Err(failure) = outcome else { return true };
        let target = track.target.unwrap_or(job.duration);
        let listed = job.sequence >= track.first_listed;
        match pace::retry_after(job.attempt, failure, target).filter(|_| listed) {
            Some(wait) => {
                let again = Job {
                    attempt: job.attempt + 1,
                    earlier: Some(failure),
                    due: self.cadence.soon(now + wait),
                    ..job.clone()
                };
                track.jobs.push_front(again);
                false
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests;
