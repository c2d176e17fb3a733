//! One stream of a shard: take it over, watch it, store what happens.

use std::future::Future;
use std::time::Duration;

use hlsops_domain::id::StableHash;
use hlsops_domain::{EpochMs, Event, Limits, Pace, StreamState};
use hlsops_fetch::SessionError;
use hlsops_store::{
    Holder, Segments, Spent, StoreError, StreamConfig, StreamId, TakeOver, Taken, WatchMode, Writer,
    limits_from, pack,
};
use hlsops_watch::{Cadence, Clock, Sink, Target, watch_from};
use tokio::sync::mpsc;
use url::Url;

use crate::board::Place;
use crate::interval::{Rhythm, look_again};
use crate::network::Network;
use crate::recorder::Recorder;
use crate::shard::Shared;
use crate::writer::{PageWriter, WriterEnd};

/// How watching a stream ended.
#[derive(Debug)]
pub struct StreamEnd {
    /// Which.
    pub stream: StreamId,
    /// Why.
    pub outcome: Result<WriterEnd, StreamError>,
    /// What the table charged.
    pub spent: Spent,
}

/// Why a stream could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Its URL is none.
    #[error("the stream's URL cannot be read: {0}")]
    Url(#[from] url::ParseError),
    /// A header cannot be sent.
    #[error("request header `{0}` cannot be sent: use printable ASCII")]
    Header(String),
    /// Its headers are too many or too large.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// There is no such threshold or profile.
    #[error("there is no threshold or profile `{0}`")]
    Limit(String),
    /// A newer watcher has it.
    #[error("watched by {}", .0.name)]
    Taken(Holder),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StreamError {
    /// Trying again helps only after the configuration was changed.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Url(_) | Self::Header(_) | Self::Session(_) | Self::Limit(_))
    }
}

/// The windows of health, and a reserve.
pub(crate) const PAST: Duration = Duration::from_secs(180);

/// Watches a stream until `until` ends or another watcher has it. `until` says who goes on, if that is known.
pub(crate) async fn watch_stream<C: Clock, N: Network>(
    shared: Shared<C, N>,
    config: StreamConfig,
    writer: Writer,
    place: Place,
    until: impl Future<Output = Option<Writer>> + Send,
) -> StreamEnd {
    let stream = config.id.clone();
    let mut spent = Spent::default();
    let outcome = watch_inner(shared, config, writer, place, until, &mut spent).await;
    StreamEnd { stream, outcome, spent }
}

async fn watch_inner<C: Clock, N: Network>(
    shared: Shared<C, N>,
    config: StreamConfig,
    writer: Writer,
    place: Place,
    until: impl Future<Output = Option<Writer>> + Send,
    spent: &mut Spent,
) -> Result<WriterEnd, StreamError> {
    let Shared { store, network, clock, notice, cadences, .. } = shared;
    let target = target(&config, cadences.next())?;
    let transport = network.transport(&config, &target.url)?;
    let seed = StableHash::new().with(config.id.name().as_bytes()).finish();
    let second = Recorder::second_of(&config.id);
    let minute = Recorder::minute_of(clock.now(), second);
    let taken = match store.take_over(&config.id, &writer, minute).await?.add_to(spent) {
        TakeOver::Taken(taken) => *taken,
        TakeOver::Lost(holder) => return Err(StreamError::Taken(holder)),
    };
    let pointer = store.incident_pointer(&config.id).await?.add_to(spent);
    let mut state = resume(&taken, &config, &clock);
    let minute = taken.chain.minute_at(minute);
    let (pages, incoming) = mpsc::channel(Recorder::QUEUE);
    let mut recorder = Recorder::new(pages, second, minute, taken.log(minute)).shown_at(place);
    if let Some(forgotten) = forget_pause(&mut state, &config, clock.now()) {
        recorder.stepped(&state, forgotten.at, std::slice::from_ref(&forgotten));
    }
    let writing = PageWriter::new(store, config.clone(), taken.chain, pointer, notice).run(incoming);
    tokio::pin!(writing);
    let mut heir = None;
    let until = async { heir = until.await };
    // The watch ends when it is told to, and when the writer has ended before it: the stream is lost then.
    let watching = async {
        match config.watch {
            WatchMode::Continuous => {
                watch_from(state, target, transport, clock.clone(), &mut recorder, until).await
            }
            WatchMode::Interval { every_s } => {
                let rhythm = Rhythm::new(Duration::from_secs(every_s), seed);
                look_again(state, target, transport, clock.clone(), &mut recorder, rhythm, until).await
            }
        }
    };
    let state = tokio::select! {
        biased;
        state = watching => state,
        (end, cost) = &mut writing => {
            *spent += cost;
            return Ok(end);
        }
    };
    let (end, ()) = tokio::join!(writing, recorder.finish(&state, clock.now(), heir));
    *spent += end.1;
    Ok(end.0)
}

/// As another watcher left it, but for what is older than the last pause.
fn resume<C: Clock>(taken: &Taken, config: &StreamConfig, clock: &C) -> StreamState {
    match taken.closing() {
        Some(closing) => {
            let now = clock.now();
            let window = config.resumed_at().map_or(PAST, |resumed| PAST.min(now.since(resumed)));
            let past = pack::past(taken.logs(), closing, now, window);
            StreamState::resume(closing.clone().not_after(now), &past)
        }
        None => StreamState::new(clock.now()),
    }
}

/// Health begins anew where the stream was paused since the last look; the change of health, if it is one.
fn forget_pause(state: &mut StreamState, config: &StreamConfig, at: EpochMs) -> Option<Event> {
    let resumed = config.resumed_at()?;
    if state.last_look.is_none_or(|look| look >= resumed) {
        return None;
    }
    state.begin_anew(at)
}

fn pace(mode: WatchMode) -> Pace {
    match mode {
        WatchMode::Continuous => Pace::Continuous,
        WatchMode::Interval { every_s } => Pace::Interval(Duration::from_secs(every_s)),
    }
}

fn target(config: &StreamConfig, cadence: Cadence) -> Result<Target, StreamError> {
    let limits = limits_from(&config.profile, &config.overrides)
        .map_err(|unknown| StreamError::Limit(unknown.to_owned()))?;
    let limits = Limits { watch: pace(config.watch), ..limits };
    let fetch_segments = config.segments == Segments::Full;
    Ok(Target { url: Url::parse(&config.url)?, limits, fetch_segments, cadence })
}
