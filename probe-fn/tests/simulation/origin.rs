//! An origin in virtual time: what it publishes and how it fails is written down before it begins.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hlsops_domain::Failure;
use hlsops_probe::{Network, StreamError};
use hlsops_store::StreamConfig;
use hlsops_watch::{PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, Transport};
use tokio::time::Instant;
use url::Url;

use crate::random::Random;

/// Streams have been on air for this long when the simulation begins.
const BEFORE_MS: u64 = 200_000;

/// What goes wrong, from when to when, in milliseconds since the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// Which rendition; all of them, and the stream's own playlist, without.
    pub(crate) track: Option<usize>,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Playlists answer with this status.
    Status(u16),
    /// Playlists do not answer.
    Hang,
    /// Segments answer 404.
    Missing,
    /// Nothing is published.
    Pause,
    /// Every other playlist is as it was two target durations ago.
    OlderCopy,
    /// At the beginning the numbers leap ahead by so many.
    Jump(u64),
    /// At the beginning the encoder starts a new, lower numbering.
    Restart,
}

struct Published {
    at: u64,
    sequence: u64,
    /// Segments of one part follow each other without a hole.
    part: u32,
}

struct Track {
    segments: Vec<Published>,
}

/// One stream.
pub(crate) struct VirtualStream {
    pub(crate) name: String,
    pub(crate) target_s: u64,
    pub(crate) faults: Vec<Fault>,
    window: usize,
    audio: bool,
    tracks: Vec<Track>,
    /// Segments that were asked for.
    pub(crate) asked: AtomicU64,
}

impl VirtualStream {
    /// Numbers of a rendition begin here; no number is ever given twice.
    const BASE: u64 = 1_000_000_000;
    const PER_TRACK: u64 = 10_000_000_000;
    const PER_RESTART: u64 = 1_000_000;

    /// `tracks` renditions, the last of them audio apart if `audio`, for `length_ms`.
    pub(crate) fn new(
        name: &str,
        (target_s, window): (u64, usize),
        (tracks, audio): (usize, bool),
        faults: Vec<Fault>,
        length_ms: u64,
    ) -> Self {
        let publish = |track| Track { segments: publish(track, target_s * 1_000, &faults, length_ms) };
        let tracks = (0..tracks).map(publish).collect();
        Self { name: name.into(), target_s, window, audio, tracks, faults, asked: AtomicU64::new(0) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://origin/{}/master.m3u8", self.name)
    }

    pub(crate) fn track_of(sequence: u64) -> usize {
        usize::try_from(sequence / Self::PER_TRACK).unwrap()
    }

    pub(crate) fn tracks(&self) -> usize {
        self.tracks.len()
    }

    pub(crate) fn window(&self) -> u64 {
        self.window as u64
    }

    /// The newest number published at `ms`.
    pub(crate) fn newest(&self, track: usize, ms: u64) -> u64 {
        let segments = &self.tracks[track].segments;
        segments[self.tracks[track].count(ms) - 1].sequence
    }

    /// Whether this number was published, and not long ago.
    fn has(&self, track: usize, sequence: u64, ms: u64) -> bool {
        let segments = &self.tracks[track].segments;
        let recent = segments[..self.tracks[track].count(ms)].iter().rev().take(1_000);
        recent.map(|s| s.sequence).any(|known| known == sequence)
    }

    fn fault(&self, track: Option<usize>, ms: u64, is: impl Fn(Kind) -> bool) -> Option<Kind> {
        let hits = |f: &&Fault| f.track.is_none() || (track.is_some() && f.track == track);
        let active = self.faults.iter().filter(|f| (f.from..f.to).contains(&ms)).filter(hits);
        active.map(|f| f.kind).find(|kind| is(*kind))
    }

    fn master(&self) -> String {
        let mut text = String::from("#EXTM3U\n");
        let videos = self.tracks.len() - usize::from(self.audio);
        let group = if self.audio {
            let _ = writeln!(
                text,
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",URI=\"{videos}/index.m3u8\""
            );
            ",AUDIO=\"a\""
        } else {
            ""
        };
        for track in 0..videos {
            let bandwidth = 800_000 * (track + 1);
            let _ = write!(
                text,
                "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION=1280x720{group}\n{track}/index.m3u8\n"
            );
        }
        text
    }

    fn list(&self, track: usize, ms: u64) -> String {
        let all = &self.tracks[track].segments;
        let mut count = self.tracks[track].count(ms);
        if self.fault(Some(track), ms, |kind| kind == Kind::OlderCopy).is_some()
            && (ms / 1_000).is_multiple_of(2)
        {
            let older = self.tracks[track].count(ms.saturating_sub(2_000 * self.target_s));
            count = if all[older - 1].part == all[count - 1].part { older } else { count };
        }
        let part = all[count - 1].part;
        let first = all[..count].partition_point(|s| s.part < part).max(count.saturating_sub(self.window));
        let target = self.target_s;
        let sequence = all[first].sequence;
        let looped = sequence / LOOP;
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n\
             #EXT-X-DISCONTINUITY-SEQUENCE:{looped}\n"
        );
        for segment in &all[first..count] {
            if segment.sequence % LOOP == 0 {
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            let _ = write!(text, "#EXTINF:{target}.000,\np{}-{}.ts\n", segment.part, segment.sequence);
        }
        text
    }
}

/// The media is a loop of so many segments.
const LOOP: u64 = 12;

impl Track {
    /// How many segments are published at `ms`.
    fn count(&self, ms: u64) -> usize {
        self.segments.partition_point(|s| s.at <= ms + BEFORE_MS)
    }
}

fn publish(track: usize, every: u64, faults: &[Fault], length_ms: u64) -> Vec<Published> {
    let ours: Vec<Fault> = faults.iter().filter(|f| f.track.is_none_or(|t| t == track)).copied().collect();
    let mut segments = Vec::new();
    let first = VirtualStream::BASE + VirtualStream::PER_TRACK * track as u64;
    let (mut at, mut sequence, mut part, mut restarts) = (0, first, 0, 0);
    let mut events: Vec<Fault> =
        ours.iter().filter(|f| matches!(f.kind, Kind::Jump(_) | Kind::Restart)).copied().collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.from));
    while at <= BEFORE_MS + length_ms {
        let paused = |at: u64| {
            ours.iter()
                .find(|f| f.kind == Kind::Pause && (f.from..f.to).contains(&at.wrapping_sub(BEFORE_MS)))
        };
        while let Some(pause) = paused(at) {
            at = pause.to + BEFORE_MS;
        }
        while let Some(event) = events.pop_if(|event| event.from + BEFORE_MS <= at) {
            part += 1;
            match event.kind {
                Kind::Jump(by) => sequence += by,
                _ => {
                    restarts += 1;
                    sequence = first - restarts * VirtualStream::PER_RESTART;
                }
            }
        }
        segments.push(Published { at, sequence, part });
        sequence += 1;
        at += every;
    }
    segments
}

/// All streams, as a network.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) streams: Arc<Vec<VirtualStream>>,
    pub(crate) began: Instant,
}

impl Origin {
    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }
}

impl Network for Origin {
    type Transport = Connection;

    fn transport(&self, config: &StreamConfig, _url: &Url) -> Result<Connection, StreamError> {
        let stream = self.streams.iter().position(|stream| stream.name == config.id.name()).unwrap();
        Ok(Connection { origin: self.clone(), stream })
    }
}

/// A stream's transport.
#[derive(Clone)]
pub(crate) struct Connection {
    origin: Origin,
    stream: usize,
}

impl Connection {
    fn stream(&self) -> &VirtualStream {
        &self.origin.streams[self.stream]
    }

    /// The same question at the same time takes the same time.
    fn latency(&self, salt: u64, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(Random::new(self.origin.ms(), salt).within(range))
    }

    async fn text(&self, url: &Url) -> (Duration, Result<String, Failure>) {
        let ms = self.origin.ms();
        let stream = self.stream();
        let track = url.path_segments().and_then(|mut parts| parts.nth(1)?.parse::<usize>().ok());
        let took = self.latency(track.map_or(99, |track| track as u64), 5..60);
        match stream.fault(track, ms, |kind| matches!(kind, Kind::Status(_) | Kind::Hang)) {
            Some(Kind::Hang) => {
                let took = Duration::from_secs(10);
                tokio::time::sleep(took).await;
                return (took, Err(Failure::Timeout));
            }
            Some(Kind::Status(status)) => {
                tokio::time::sleep(took).await;
                return (took, Err(Failure::Http(status)));
            }
            _ => {}
        }
        let text = track.map_or_else(|| stream.master(), |track| stream.list(track, ms));
        tokio::time::sleep(took).await;
        (took, Ok(text))
    }
}

impl Transport for Connection {
    async fn playlist(&self, request: PlaylistRequest) -> PlaylistAnswer {
        let (ttfb, outcome) = self.text(&request.url).await;
        let outcome = outcome.map(String::into_bytes);
        PlaylistAnswer { ttfb, final_url: request.url, retry_after: None, outcome }
    }

    async fn segment(&self, request: SegmentRequest) -> SegmentAnswer {
        let stream = self.stream();
        let name = request.url.path().rsplit('-').next().unwrap();
        let sequence: u64 = name.trim_end_matches(".ts").parse().unwrap();
        let track = VirtualStream::track_of(sequence);
        assert!(
            stream.has(track, sequence, self.origin.ms()),
            "{}: asked for {sequence}, which never was",
            stream.name
        );
        stream.asked.fetch_add(1, Ordering::Relaxed);
        let missing = stream.fault(Some(track), self.origin.ms(), |kind| kind == Kind::Missing);
        let (ttfb, download) = (self.latency(sequence, 10..60), self.latency(sequence + 1, 70..500));
        tokio::time::sleep(if missing.is_some() { ttfb } else { download }).await;
        SegmentAnswer {
            queue: Duration::ZERO,
            ttfb,
            download,
            bytes: 250_000 * stream.target_s,
            length_known: true,
            outcome: missing.map_or(Ok(()), |_| Err(Failure::Http(404))),
        }
    }
}
