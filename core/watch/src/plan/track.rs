//! One rendition: its playlist, and the segments that wait.

use std::collections::VecDeque;
use std::time::Duration;

use hlsops_domain::playlist::{ByteRange, Key, MediaPlaylist};
use hlsops_domain::rendition::Follow;
use hlsops_domain::{EpochMs, Failure, MediaUs, RenditionId};
use url::Url;

use super::{Action, Plan};

/// A segment to fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Media sequence number.
    pub sequence: u64,
    /// Where.
    pub url: Url,
    /// Part of the resource.
    pub byte_range: Option<ByteRange>,
    /// EXTINF.
    pub duration: MediaUs,
    /// The whole segment is encrypted.
    pub opaque: bool,
    /// 1, or 2 for the retry.
    pub attempt: u8,
    /// Why the first attempt failed.
    pub earlier: Option<Failure>,
    pub(super) due: EpochMs,
}

impl Job {
    pub(super) const fn is_first(&self) -> bool {
        !self.is_retry()
    }

    pub(super) const fn is_retry(&self) -> bool {
        self.attempt > 1
    }
}

/// A job that will not be tried, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// The job.
    pub job: Job,
    /// Why.
    pub failure: Failure,
}

/// A rendition that is followed.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) url: Url,
    pub(super) next: EpochMs,
    pub(super) loading: bool,
    pub(super) fresh: bool,
    pub(super) target: Option<MediaUs>,
    pub(super) jobs: VecDeque<Job>,
    /// A first attempt is under way.
    pub(super) fetching: bool,
    /// A second attempt is under way.
    pub(super) retrying: bool,
    pub(super) first_listed: u64,
    /// The stream's own playlist is asked for a fresh URL: the next load waits for it, but not longer.
    pub(super) patient_until: Option<EpochMs>,
}

impl Track {
    pub(super) const fn new(url: Url, next: EpochMs) -> Self {
        Self {
            url,
            next,
            loading: false,
            fresh: false,
            target: None,
            jobs: VecDeque::new(),
            fetching: false,
            retrying: false,
            first_listed: 0,
            patient_until: None,
        }
    }

    /// No longer than a target duration: where nobody asks, what goes wrong is not seen.
    pub(super) fn patience(&self) -> Duration {
        let target = self.target.map_or(Plan::PATIENCE, MediaUs::as_duration);
        target.clamp(Duration::from_secs(1), Plan::PATIENCE)
    }

    pub(super) fn next_load(&self) -> EpochMs {
        self.patient_until.map_or(self.next, |until| self.next.max(until))
    }

    pub(super) fn playlist_due(&mut self, id: RenditionId, now: EpochMs) -> Option<Action> {
        if self.loading || self.next_load() > now {
            return None;
        }
        self.loading = true;
        self.patient_until = None;
        Some(Action::Playlist {
            id,
            url: self.url.clone(),
            planned: self.next,
            fresh_connection: std::mem::take(&mut self.fresh),
            target: self.target,
        })
    }

    /// One first attempt at a time, as a player does, and one retry beside it: neither waits for the other. The
    /// next segment may hang for as long as a request may take, and a failure is known for certain only when the
    /// retry has ended.
    pub(super) fn segment_due(
        &mut self,
        id: RenditionId,
        now: EpochMs,
        in_lane: fn(&Job) -> bool,
    ) -> Option<Action> {
        let index = self.jobs.iter().position(|job| in_lane(job) && job.due <= now && !self.is_busy(job))?;
        let job = self.jobs.remove(index)?;
        *self.lane(&job) = true;
        let target = self.target.unwrap_or(job.duration);
        Some(Action::Segment { id, job, target })
    }

    /// Whether an attempt of this kind is under way.
    pub(super) const fn is_busy(&self, job: &Job) -> bool {
        if job.is_retry() { self.retrying } else { self.fetching }
    }

    pub(super) const fn lane(&mut self, job: &Job) -> &mut bool {
        if job.is_retry() { &mut self.retrying } else { &mut self.fetching }
    }

    pub(super) fn take_list(
        &mut self,
        now: EpochMs,
        follow: &Follow,
        list: &MediaPlaylist<'_>,
        base: &Url,
    ) -> Vec<Dropped> {
        self.target = Some(list.target());
        let Some(first) = list.segments.first().map(|s| s.sequence) else { return Vec::new() };
        let last = list.last_sequence().unwrap_or(first);
        if self.jobs.iter().any(|job| job.sequence > last) && !follow.fetch.is_empty() {
            // A new numbering began: what waits belongs to the old one.
            self.jobs.clear();
        }
        self.first_listed = first;
        let (kept, gone): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut self.jobs).into_iter().partition(|job| job.sequence >= first);
        self.jobs = kept;
        let mut dropped: Vec<Dropped> = gone.into_iter().map(give_up).collect();
        let indices = follow.again.iter().copied().chain(follow.fetch.clone());
        for segment in indices.filter_map(|index| list.segments.get(index)).filter(|s| !s.gap) {
            let url = base.join(segment.uri);
            let opaque = segment.key.is_some_and(|key| list.keys.get(key).is_some_and(Key::hides_container));
            let job = Job {
                sequence: segment.sequence,
                url: url.clone().unwrap_or_else(|_| base.clone()),
                byte_range: segment.byte_range,
                duration: segment.duration,
                opaque,
                attempt: 1,
                earlier: None,
                due: now,
            };
            match url {
                Ok(_) => self.jobs.push_back(job),
                Err(_) => dropped.push(Dropped { job, failure: Failure::BadUri }),
            }
        }
        while self.jobs.len() > Plan::MAX_JOBS {
            dropped.extend(self.jobs.pop_front().map(give_up));
        }
        dropped
    }
}

/// A retry that is no longer listed never had its turn: what counts is how the first attempt failed. A first
/// attempt that never had its turn expired.
fn give_up(job: Job) -> Dropped {
    match job.earlier {
        Some(failure) => Dropped { job: Job { attempt: 1, earlier: None, ..job }, failure },
        None => Dropped { job, failure: Failure::Expired },
    }
}
