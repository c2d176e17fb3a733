//! What to fetch next, and when. Pure: the watcher asks with the time, and carries it out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hlsops_domain::pace::{self, Cause};
use hlsops_domain::playlist::{ByteRange, Key, MediaPlaylist};
use hlsops_domain::rendition::{Follow, Rendition, RenditionSpec};
use hlsops_domain::{EpochMs, Failure, MediaUs, RenditionId};
use url::Url;

use crate::cadence::Cadence;

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
    due: EpochMs,
}

impl Job {
    const fn is_first(&self) -> bool {
        !self.is_retry()
    }

    const fn is_retry(&self) -> bool {
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

#[derive(Clone, Debug)]
struct Track {
    url: Url,
    next: EpochMs,
    loading: bool,
    fresh: bool,
    target: Option<MediaUs>,
    jobs: VecDeque<Job>,
    /// A first attempt is under way.
    fetching: bool,
    /// A second attempt is under way.
    retrying: bool,
    first_listed: u64,
    /// The stream's own playlist is asked for a fresh URL: the next load waits for it, but not longer.
    patient_until: Option<EpochMs>,
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

impl Track {
    const fn new(url: Url, next: EpochMs) -> Self {
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
    fn patience(&self) -> Duration {
        let target = self.target.map_or(Plan::PATIENCE, MediaUs::as_duration);
        target.clamp(Duration::from_secs(1), Plan::PATIENCE)
    }

    fn next_load(&self) -> EpochMs {
        self.patient_until.map_or(self.next, |until| self.next.max(until))
    }

    fn playlist_due(&mut self, id: RenditionId, now: EpochMs) -> Option<Action> {
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
    fn segment_due(&mut self, id: RenditionId, now: EpochMs, in_lane: fn(&Job) -> bool) -> Option<Action> {
        let index = self.jobs.iter().position(|job| in_lane(job) && job.due <= now && !self.is_busy(job))?;
        let job = self.jobs.remove(index)?;
        *self.lane(&job) = true;
        let target = self.target.unwrap_or(job.duration);
        Some(Action::Segment { id, job, target })
    }

    /// Whether an attempt of this kind is under way.
    const fn is_busy(&self, job: &Job) -> bool {
        if job.is_retry() { self.retrying } else { self.fetching }
    }

    const fn lane(&mut self, job: &Job) -> &mut bool {
        if job.is_retry() { &mut self.retrying } else { &mut self.fetching }
    }

    fn take_list(
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

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_domain::playlist::{self, Parsed};

    const ID: RenditionId = RenditionId(1);
    const NOW: EpochMs = EpochMs(1_000_000);

    fn base() -> Url {
        Url::parse("http://host/a/index.m3u8").unwrap()
    }

    fn text(first: u64, count: u64) -> String {
        let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        (first..first + count).fold(head, |text, n| format!("{text}#EXTINF:2,\nseg-{n}.ts\n"))
    }

    /// A plan whose only rendition has just loaded `text` and is to fetch its newest `fetch` segments.
    fn load(plan: &mut Plan, now: EpochMs, text: &str, fetch: usize) -> Vec<Dropped> {
        let Parsed::Media(list) = playlist::read(text) else { panic!("not a media playlist: {text}") };
        let count = list.segments.len();
        let follow = Follow {
            reload_at: now + Duration::from_secs(2),
            fetch: count - fetch..count,
            again: Vec::new(),
            fresh_connection: false,
            resolve_master: false,
        };
        plan.playlist_loaded(now, ID, &follow, Some((&list, &base())))
    }

    fn single() -> Plan {
        let mut plan = Plan::new(NOW, Cadence::default());
        assert!(matches!(plan.due(NOW)[..], [Action::Master { .. }]));
        plan.single_loaded(NOW, ID, base());
        plan
    }

    fn segments(actions: Vec<Action>) -> Vec<Job> {
        let jobs = actions.into_iter().filter_map(|action| match action {
            Action::Segment { job, .. } => Some(job),
            _ => None,
        });
        jobs.collect()
    }

    #[test]
    fn one_segment_at_a_time_oldest_first() {
        let mut plan = single();
        assert_eq!(load(&mut plan, NOW, &text(10, 6), 3), []);
        let first = segments(plan.due(NOW));
        assert_eq!(first.iter().map(|j| j.sequence).collect::<Vec<_>>(), [13]);
        assert_eq!(first[0].url.as_str(), "http://host/a/seg-13.ts");
        assert_eq!(segments(plan.due(NOW)), [], "one is under way");
        assert!(plan.segment_ended(NOW, ID, &first[0], Ok(())));
        assert_eq!(segments(plan.due(NOW))[0].sequence, 14);
    }

    #[test]
    fn a_retry_waits_without_holding_up_the_next() {
        let mut plan = single();
        load(&mut plan, NOW, &text(10, 6), 2);
        let job = segments(plan.due(NOW)).remove(0);
        assert!(!plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404))), "another attempt follows");
        let next = segments(plan.due(NOW)).remove(0);
        assert_eq!((job.sequence, next.sequence), (14, 15));
        assert!(plan.segment_ended(NOW, ID, &next, Ok(())));
        assert_eq!(segments(plan.due(NOW + Duration::from_millis(999))), []);
        let again = segments(plan.due(NOW + Duration::from_secs(1))).remove(0);
        assert_eq!((again.sequence, again.attempt, again.earlier), (14, 2, Some(Failure::Http(404))));
        assert!(plan.segment_ended(NOW, ID, &again, Err(Failure::Http(404))), "there is no third attempt");
    }

    #[test]
    fn a_due_retry_runs_beside_a_segment_that_hangs_and_so_does_the_next_beside_it() {
        let mut plan = single();
        load(&mut plan, NOW, &text(10, 6), 3);
        let job = segments(plan.due(NOW)).remove(0);
        plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404)));
        let hanging = segments(plan.due(NOW)).remove(0);
        let at = NOW + Duration::from_secs(1);
        assert_eq!(plan.wake_at(), Some(at));
        let retry = segments(plan.due(at)).remove(0);
        assert_eq!((hanging.sequence, retry.sequence, retry.attempt), (14, 13, 2));
        assert_eq!(segments(plan.due(at)), [], "no more than one of each");
        plan.segment_ended(at, ID, &hanging, Err(Failure::Timeout));
        let later = at + Duration::from_secs(60);
        let next = segments(plan.due(later)).iter().map(|job| job.sequence).collect::<Vec<_>>();
        assert_eq!(next, [15], "one retry waits for the other");
        assert!(plan.segment_ended(later, ID, &retry, Ok(())));
        assert_eq!(segments(plan.due(later))[0].sequence, 14);
    }

    #[test]
    fn what_left_the_list_is_given_up() {
        let mut plan = single();
        load(&mut plan, NOW, &text(10, 6), 6);
        let later = NOW + Duration::from_secs(2);
        let dropped = load(&mut plan, later, &text(14, 6), 4);
        let gone: Vec<_> = dropped.iter().map(|d| (d.job.sequence, d.failure)).collect();
        assert_eq!(gone, [10, 11, 12, 13].map(|n| (n, Failure::Expired)));
    }

    #[test]
    fn a_retry_that_never_had_its_turn_is_no_second_failure() {
        let mut plan = single();
        load(&mut plan, NOW, &text(10, 3), 1);
        let job = segments(plan.due(NOW)).remove(0);
        plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404)));
        let dropped = load(&mut plan, NOW, &text(13, 3), 0).remove(0);
        assert_eq!((dropped.failure, dropped.job.attempt), (Failure::Http(404), 1));
        assert_eq!(dropped.job.earlier, None);
    }

    #[test]
    fn a_new_numbering_forgets_the_old_one() {
        let mut plan = single();
        load(&mut plan, NOW, &text(1_000, 6), 6);
        assert_eq!(load(&mut plan, NOW + Duration::from_secs(2), &text(0, 6), 3), []);
        assert_eq!(segments(plan.due(NOW + Duration::from_secs(2)))[0].sequence, 3);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut plan = single();
        let dropped = load(&mut plan, NOW, &text(0, 500), 500);
        assert_eq!(dropped.len(), 500 - Plan::MAX_JOBS);
    }

    #[test]
    fn a_rendition_that_is_gone_is_followed_no_more() {
        let mut plan = single();
        load(&mut plan, NOW, &text(10, 6), 3);
        let job = segments(plan.due(NOW)).remove(0);
        plan.master_loaded(NOW, &[]);
        assert!(plan.segment_ended(NOW, ID, &job, Err(Failure::Timeout)), "nobody will try again");
        assert_eq!(segments(plan.due(NOW + Duration::from_secs(60))), []);
    }
}
