//! A scripted origin and a recording sink, in virtual time: no socket, no real waiting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hlsops_domain::{EpochMs, Event, EventKind, Failure, Limits, StreamState};
use hlsops_watch::{
    Cadence, Clock, PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, Sink, SystemClock,
    Target, Transport, watch,
};
use url::Url;

/// Virtual time begins here.
pub(crate) const BEGIN: EpochMs = EpochMs(1_800_000_000_000);

/// A request as the script sees it.
pub(crate) struct Ask {
    /// Path without the leading slash, with the query.
    pub(crate) path: String,
    /// Milliseconds since the watch began.
    pub(crate) ms: u64,
}

impl Ask {
    pub(crate) fn is_playlist(&self) -> bool {
        self.path.contains(".m3u8")
    }

    /// The number in `.../seg-17.ts`.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.path.split("seg-").nth(1)?.split('.').next()?.parse().ok()
    }
}

/// What the script answers, after a while.
pub(crate) struct Reply {
    pub(crate) after: Duration,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) outcome: Result<String, Failure>,
}

pub(crate) fn ok(body: impl Into<String>) -> Reply {
    Reply { after: Duration::from_millis(20), retry_after: None, outcome: Ok(body.into()) }
}

pub(crate) fn fail(failure: Failure) -> Reply {
    Reply { after: Duration::from_millis(20), retry_after: None, outcome: Err(failure) }
}

pub(crate) fn slow(after: Duration) -> Reply {
    Reply { after, ..ok("") }
}

type Script = dyn Fn(&Ask) -> Reply + Send + Sync;

/// One answered request.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) path: String,
    pub(crate) ms: u64,
    pub(crate) ok: bool,
    pub(crate) fresh_connection: bool,
}

#[derive(Clone)]
pub(crate) struct Origin {
    script: Arc<Script>,
    clock: SystemClock,
    served: Arc<Mutex<Vec<Served>>>,
}

impl Origin {
    async fn answer(&self, url: &Url, fresh_connection: bool) -> (Reply, Duration) {
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        let ms = self.clock.now().0 - BEGIN.0;
        let ask = Ask { path: format!("{}{query}", &url.path()[1..]), ms };
        let reply = (self.script)(&ask);
        let served = Served { path: ask.path, ms, ok: reply.outcome.is_ok(), fresh_connection };
        self.served.lock().unwrap().push(served);
        tokio::time::sleep(reply.after).await;
        let after = reply.after;
        (reply, after)
    }
}

impl Transport for Origin {
    async fn playlist(&self, request: PlaylistRequest) -> PlaylistAnswer {
        let (reply, took) = self.answer(&request.url, request.fresh_connection).await;
        PlaylistAnswer {
            ttfb: took,
            final_url: request.url,
            retry_after: reply.retry_after,
            outcome: reply.outcome.map(String::into_bytes),
        }
    }

    async fn segment(&self, request: SegmentRequest) -> SegmentAnswer {
        let (reply, took) = self.answer(&request.url, request.fresh_connection).await;
        SegmentAnswer {
            queue: Duration::ZERO,
            ttfb: took.min(Duration::from_millis(20)),
            download: took,
            bytes: 1_000,
            length_known: true,
            outcome: reply.outcome.map(|_| ()),
        }
    }
}

/// Everything that happened.
pub(crate) struct Seen {
    pub(crate) events: Vec<Event>,
    pub(crate) served: Vec<Served>,
    pub(crate) state: StreamState,
    /// `(ms, word)` of every health after the first advance.
    pub(crate) health: Vec<(u64, &'static str)>,
}

impl Seen {
    /// `code@second` of every finding.
    pub(crate) fn findings(&self) -> Vec<String> {
        let found = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Finding(f) => Some(format!("{}@{}", f.rule.code, (event.at.0 - BEGIN.0) / 1_000)),
            _ => None,
        });
        found.collect()
    }

    /// `from->to@second` of every change of a playlist's state.
    pub(crate) fn states(&self) -> Vec<String> {
        let changes = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Playlist { from, to } => {
                Some(format!("{}->{}@{}", from.name(), to.name(), (event.at.0 - BEGIN.0) / 1_000))
            }
            _ => None,
        });
        changes.collect()
    }

    /// The requests whose path contains `part`.
    pub(crate) fn asked(&self, part: &str) -> Vec<&Served> {
        self.served.iter().filter(|served| served.path.contains(part)).collect()
    }
}

#[derive(Default)]
struct Recorder {
    events: Vec<Event>,
    health: Vec<(u64, &'static str)>,
}

impl Sink for Recorder {
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]) {
        self.events.extend_from_slice(events);
        let word = state.health.state.name();
        if self.health.last().map(|(_, last)| *last) != Some(word) {
            self.health.push((at.0 - BEGIN.0, word));
        }
    }
}

/// Watches `http://origin/{path}` for `length` of virtual time.
pub(crate) async fn run(
    path: &str,
    length: Duration,
    script: impl Fn(&Ask) -> Reply + Send + Sync + 'static,
) -> Seen {
    let clock = SystemClock::anchored(BEGIN);
    let origin = Origin { script: Arc::new(script), clock, served: Arc::default() };
    let served = Arc::clone(&origin.served);
    let url = Url::parse(&format!("http://origin/{path}")).unwrap();
    let cadence = Cadence::default();
    let target = Target { url, limits: Limits::default(), fetch_segments: true, cadence };
    let mut sink = Recorder::default();
    let state = watch(target, origin, clock, &mut sink, tokio::time::sleep(length)).await;
    let served = served.lock().unwrap().clone();
    Seen { events: sink.events, served, state, health: sink.health }
}

/// A sliding window of `window` segments of `target_s` seconds, as it stands `ms` after the beginning.
/// 100 segments had been published by then, and one is published every `target_s`.
pub(crate) fn live(ms: u64, target_s: u64, window: u64) -> String {
    list(100 + ms / (target_s * 1_000), target_s, window)
}

/// The list whose newest segment is number `last`.
pub(crate) fn list(last: u64, target_s: u64, window: u64) -> String {
    let first = (last + 1).saturating_sub(window);
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{target_s}\n");
    text.push_str(&format!("#EXT-X-MEDIA-SEQUENCE:{first}\n"));
    for sequence in first..=last {
        text.push_str(&format!("#EXTINF:{target_s}.000,\nseg-{sequence}.ts\n"));
    }
    text
}

/// Two videos and an audio group; `token` is in every URI.
pub(crate) fn master(token: &str) -> String {
    format!(
        "#EXTM3U\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",URI=\"audio/index.m3u8{token}\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,AUDIO=\"a\"\nhigh/index.m3u8{token}\n\
         #EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360,AUDIO=\"a\"\nlow/index.m3u8{token}\n"
    )
}
