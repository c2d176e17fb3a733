//! The loop of one stream.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hlsops_domain::observation::{Load, SegmentAttempt};
use hlsops_domain::playlist::{self, Multivariant, Parsed, Reader, Segment, Sources, Variables};
use hlsops_domain::rendition::{Location, RenditionSpec, list_renditions};
use hlsops_domain::{EpochMs, Event, Failure, Limits, MediaUs, Observation, RenditionId, StreamState, step};
use url::Url;

use crate::cadence::Cadence;
use crate::clock::Clock;
use crate::plan::{Action, Job, Plan};
use crate::sink::{Poll, Sink};
use crate::transport::{PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, Transport};

/// What to watch and by which thresholds.
#[derive(Clone, Debug)]
pub struct Target {
    /// A multivariant or media playlist.
    pub url: Url,
    /// Thresholds.
    pub limits: Limits,
    /// Download segments. Without, a segment counts as obtained when it is listed.
    pub fetch_segments: bool,
    /// When requests begin.
    pub cadence: Cadence,
}

/// When the watch ends, requests under way have this long to end.
const DRAIN: Duration = Duration::from_secs(2);

/// Watches one stream until `until` ends, and returns what is known of it then.
///
/// Cancel-safe: dropping the future closes all connections.
pub async fn watch<T: Transport, C: Clock, S: Sink>(
    target: Target,
    transport: T,
    clock: C,
    sink: &mut S,
    until: impl Future<Output = ()> + Send,
) -> StreamState {
    let state = StreamState::new(clock.now());
    watch_from(state, target, transport, clock, sink, until).await
}

/// The same, carrying on from what another watcher knew.
pub async fn watch_from<T: Transport, C: Clock, S: Sink>(
    state: StreamState,
    target: Target,
    transport: T,
    clock: C,
    sink: &mut S,
    until: impl Future<Output = ()> + Send,
) -> StreamState {
    let mut follower = Follower {
        plan: Plan::new(clock.now(), target.cadence),
        state,
        under_way: FuturesUnordered::new(),
        events: Vec::new(),
        judged_at: clock.now(),
        alarm: None,
        variables: Variables::default(),
        readers: BTreeMap::new(),
        target,
        transport,
        clock,
        sink,
    };
    let mut until = pin!(until);
    loop {
        follower.start_due();
        tokio::select! {
            biased;
            () = &mut until => break,
            ended = follower.next_end() => match ended {
                Some(ended) => follower.take(ended),
                None => follower.tick(),
            },
        }
    }
    follower.drain().await;
    follower.state
}

struct Follower<'s, T, C, S> {
    target: Target,
    transport: T,
    clock: C,
    sink: &'s mut S,
    plan: Plan,
    state: StreamState,
    under_way: FuturesUnordered<Later<Ended>>,
    events: Vec<Event>,
    /// When health was judged last.
    judged_at: EpochMs,
    /// When it rings, and its ringing.
    alarm: Option<(EpochMs, Later<()>)>,
    /// What the multivariant playlist defined when it was last read: media playlists import from it.
    variables: Variables,
    /// What each media playlist said before.
    readers: BTreeMap<RenditionId, Reader>,
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request that ended.
enum Ended {
    Master { requested_at: EpochMs, answer: PlaylistAnswer },
    Playlist { id: RenditionId, requested_at: EpochMs, answer: PlaylistAnswer },
    Segment { id: RenditionId, requested_at: EpochMs, job: Job, answer: SegmentAnswer },
}

impl<T: Transport, C: Clock, S: Sink> Follower<'_, T, C, S> {
    /// The next request that ends; none when it may be time for a tick or for another request.
    async fn next_end(&mut self) -> Option<Ended> {
        let tick_at = self.target.cadence.tick_after(self.judged_at);
        let wake_at = self.plan.wake_at().map_or(tick_at, |at| at.min(tick_at));
        // One that rings too early costs a look at the clock, and moving it with every request costs more.
        if self.alarm.as_ref().is_none_or(|(rings_at, _)| *rings_at > wake_at) {
            let clock = self.clock.clone();
            self.alarm = Some((wake_at, Box::pin(async move { clock.sleep_until(wake_at).await })));
        }
        let (_, ringing) = self.alarm.as_mut()?;
        tokio::select! {
            biased;
            Some(ended) = self.under_way.next() => Some(ended),
            () = ringing => {
                self.alarm = None;
                None
            }
        }
    }

    /// Judges health again if nothing else has made it be judged for a while.
    fn tick(&mut self) {
        if self.clock.now() >= self.target.cadence.tick_after(self.judged_at) {
            self.observe(&Observation::Tick);
        }
    }

    /// Lets requests under way end, for a moment, so that the next watcher need not make them again.
    async fn drain(&mut self) {
        let clock = self.clock.clone();
        let mut give_up = pin!(clock.sleep_until(clock.now() + DRAIN));
        while !self.under_way.is_empty() {
            tokio::select! {
                biased;
                Some(ended) = self.under_way.next() => self.take(ended),
                () = &mut give_up => return,
            }
        }
    }

    fn start_due(&mut self) {
        let now = self.clock.now();
        for action in self.plan.due(now) {
            let transport = self.transport.clone();
            match action {
                Action::Master { planned, fresh_connection } => {
                    self.sink.polled(Poll { planned, started: now });
                    let url = self.target.url.clone();
                    let request = PlaylistRequest { url, target_duration: None, fresh_connection };
                    self.under_way.push(Box::pin(async move {
                        Ended::Master { requested_at: now, answer: transport.playlist(request).await }
                    }));
                }
                Action::Playlist { id, url, planned, fresh_connection, target } => {
                    self.sink.polled(Poll { planned, started: now });
                    self.observe(&Observation::Asked(id));
                    let target_duration = target.map(MediaUs::as_duration);
                    let request = PlaylistRequest { url, target_duration, fresh_connection };
                    self.under_way.push(Box::pin(async move {
                        Ended::Playlist { id, requested_at: now, answer: transport.playlist(request).await }
                    }));
                }
                Action::Segment { id, job, target } => {
                    let request = SegmentRequest {
                        url: job.url.clone(),
                        byte_range: job.byte_range,
                        target_duration: target.as_duration(),
                        opaque: job.opaque,
                        fresh_connection: job.attempt > 1,
                    };
                    self.under_way.push(Box::pin(async move {
                        let answer = transport.segment(request).await;
                        Ended::Segment { id, requested_at: now, job, answer }
                    }));
                }
            }
        }
    }

    fn take(&mut self, ended: Ended) {
        match ended {
            Ended::Master { requested_at, answer } => self.take_master(requested_at, &answer),
            Ended::Playlist { id, requested_at, answer } => self.take_playlist(id, requested_at, &answer),
            Ended::Segment { id, requested_at, job, answer } => {
                self.take_segment(id, requested_at, &job, &answer);
            }
        }
    }

    fn take_master(&mut self, requested_at: EpochMs, answer: &PlaylistAnswer) {
        let body = match &answer.outcome {
            Ok(body) => body,
            Err(failure) => return self.master_failed(requested_at, answer, *failure),
        };
        let text = playlist::decode(body);
        let sources = Sources { query: answer.final_url.query(), imports: None };
        let expanded = playlist::expand(&text, sources);
        match playlist::read(&expanded.text) {
            Parsed::Multivariant(list) => {
                self.variables = expanded.variables;
                let specs = self.state.recognise(renditions(&list, &answer.final_url));
                let load = load(requested_at, answer, Ok(specs.as_slice()));
                self.observe(&Observation::Master(load));
                self.plan.master_loaded(self.clock.now(), &specs);
                self.readers.retain(|id, _| self.state.rendition(*id).is_some());
            }
            Parsed::Media(_) if self.state.renditions().next().is_none() => {
                // Known by the URL that was asked for: a redirect may lead to another place each time.
                let spec = RenditionSpec::single(locate(&self.target.url));
                self.observe(&Observation::Single(&spec));
                self.plan.single_loaded(self.clock.now(), spec.id, self.target.url.clone());
                self.take_playlist(spec.id, requested_at, answer);
            }
            Parsed::Media(_) => self.master_failed(requested_at, answer, Failure::WrongContent),
            Parsed::NotAPlaylist(why) => self.master_failed(requested_at, answer, Failure::NotAPlaylist(why)),
        }
    }

    fn master_failed(&mut self, requested_at: EpochMs, answer: &PlaylistAnswer, failure: Failure) {
        self.observe(&Observation::Master(load(requested_at, answer, Err(failure))));
        let failures = self.state.master_failures();
        self.plan.master_failed(self.clock.now(), failures, failure, answer.retry_after);
    }

    fn take_playlist(&mut self, id: RenditionId, requested_at: EpochMs, answer: &PlaylistAnswer) {
        let text = answer.outcome.as_ref().map(|body| playlist::decode(body));
        let sources = Sources { query: answer.final_url.query(), imports: Some(&self.variables) };
        let expanded = text.as_ref().map(|text| playlist::expand(text, sources));
        let reader = self.readers.entry(id).or_default();
        let parsed = expanded.as_ref().map(|it| reader.read(&it.text)).map_err(|failure| ***failure);
        let outcome = match &parsed {
            Ok(Parsed::Media(list)) => Ok(list),
            Ok(Parsed::Multivariant(_)) => Err(Failure::WrongContent),
            Ok(Parsed::NotAPlaylist(why)) => Err(Failure::NotAPlaylist(*why)),
            Err(failure) => Err(*failure),
        };
        let load = load(requested_at, answer, outcome);
        self.sink.loaded(id, outcome.is_ok().then_some(answer.ttfb));
        let Some(mut follow) = self.observe_playlist(&Observation::Playlist(id, load)) else { return };
        let now = self.clock.now();
        if let (Ok(list), false) = (outcome, self.target.fetch_segments) {
            for segment in list.segments[follow.fetch.clone()].iter().filter(|s| !s.gap) {
                self.listed(id, segment);
            }
            follow.fetch = 0..0;
        }
        let list = outcome.ok().map(|list| (list, &answer.final_url));
        for dropped in self.plan.playlist_loaded(now, id, &follow, list) {
            self.give_up(id, &dropped.job, dropped.failure);
        }
    }

    fn take_segment(&mut self, id: RenditionId, requested_at: EpochMs, job: &Job, answer: &SegmentAnswer) {
        let last = self.plan.segment_ended(self.clock.now(), id, job, answer.outcome);
        let attempt = SegmentAttempt {
            requested_at,
            queue: answer.queue,
            ttfb: answer.ttfb,
            download: answer.download,
            bytes: answer.bytes,
            length_known: answer.length_known,
            last,
            attempt: job.attempt,
            earlier: job.earlier,
            ..unfetched(job.sequence, job.duration, requested_at, answer.outcome)
        };
        self.observe(&Observation::Segment(id, attempt));
    }

    fn give_up(&mut self, id: RenditionId, job: &Job, failure: Failure) {
        let attempt = SegmentAttempt {
            attempt: job.attempt,
            earlier: job.earlier,
            ..unfetched(job.sequence, job.duration, self.clock.now(), Err(failure))
        };
        self.observe(&Observation::Segment(id, attempt));
    }

    /// Where segments are not fetched, a listed one counts as obtained.
    fn listed(&mut self, id: RenditionId, segment: &Segment<'_>) {
        let attempt = unfetched(segment.sequence, segment.duration, self.clock.now(), Ok(()));
        self.observe(&Observation::Segment(id, attempt));
    }

    fn observe(&mut self, seen: &Observation<'_>) {
        self.observe_playlist(seen);
    }

    fn observe_playlist(&mut self, seen: &Observation<'_>) -> Option<hlsops_domain::rendition::Follow> {
        let now = self.clock.now();
        self.events.clear();
        if !matches!(seen, Observation::Asked(_)) {
            self.judged_at = now;
        }
        let follow = step(&mut self.state, now, seen, &self.target.limits, &mut self.events);
        self.sink.stepped(&self.state, now, &self.events);
        follow
    }
}

/// An attempt without a request.
const fn unfetched(
    sequence: u64,
    duration: MediaUs,
    at: EpochMs,
    outcome: Result<(), Failure>,
) -> SegmentAttempt {
    SegmentAttempt {
        sequence,
        duration,
        requested_at: at,
        queue: Duration::ZERO,
        ttfb: Duration::ZERO,
        download: Duration::ZERO,
        bytes: 0,
        length_known: false,
        attempt: 1,
        earlier: None,
        last: true,
        outcome,
    }
}

fn load<L>(requested_at: EpochMs, answer: &PlaylistAnswer, outcome: Result<L, Failure>) -> Load<L> {
    Load { requested_at, ttfb: answer.ttfb, retry_after: answer.retry_after, outcome }
}

fn renditions(list: &Multivariant<'_>, base: &Url) -> Vec<RenditionSpec> {
    list_renditions(list, |uri| base.join(uri).ok().map(|url| locate(&url)))
}

fn locate(url: &Url) -> Location {
    Location { identity: url.path().to_owned(), url: url.as_str().to_owned() }
}
