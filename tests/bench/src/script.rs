//! Healthy streams without sockets: three renditions, answers with jitter, in virtual time as well as in real time.

use std::fmt::Write;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_domain::id::StableHash;
use hlsops_probe::{Network, StreamError};
use hlsops_store::{StreamConfig, StreamId};
use hlsops_watch::{
    Clock, PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, SystemClock, Transport,
};
use url::Url;

/// Healthy streams, published by a clock.
#[derive(Clone, Debug)]
pub struct Script {
    /// The clock they are published by.
    pub clock: SystemClock,
    /// Segment length. Unit: seconds.
    pub segment_s: u64,
}

/// The transport of one of them.
#[derive(Clone, Debug)]
pub struct Connection {
    script: Script,
    salt: u64,
}

/// Video renditions of each stream.
pub const RENDITIONS: u64 = 3;

impl Script {
    fn newest(&self) -> u64 {
        self.clock.now().0 / (self.segment_s * 1_000)
    }
}

impl Network for Script {
    type Transport = Connection;

    fn transport(&self, config: &StreamConfig, _: &Url) -> Result<Connection, StreamError> {
        let salt = StableHash::new().with(config.id.name().as_bytes()).finish();
        Ok(Connection { script: self.clone(), salt })
    }
}

impl Connection {
    /// From `least` to twice that, by chance, the same for the same request.
    fn jitter(&self, path: &str, least: u64) -> u64 {
        let now = self.script.clock.now().0.to_be_bytes();
        let hash = StableHash::new().with(&self.salt.to_be_bytes()).with(path.as_bytes()).with(&now);
        least + (hash.finish() >> 32) % least
    }

    fn text(&self, path: &str) -> String {
        let mut text = String::from("#EXTM3U\n");
        // Writing to a String cannot fail.
        if path == "/" {
            for n in 1..=RENDITIONS {
                let _ = writeln!(
                    text,
                    "#EXT-X-STREAM-INF:BANDWIDTH={},CODECS=\"avc1.4d401f,mp4a.40.2\"\nv{n}.m3u8",
                    n * 1_500_000
                );
            }
            return text;
        }
        let (length, newest) = (self.script.segment_s, self.script.newest());
        let rendition = path.trim_matches(['/', 'v']).trim_end_matches(".m3u8");
        let _ = writeln!(text, "#EXT-X-TARGETDURATION:{length}\n#EXT-X-MEDIA-SEQUENCE:{}", newest - 5);
        (newest - 5..=newest).for_each(|n| {
            let _ = writeln!(text, "#EXTINF:{length}.0,\ns{rendition}-{n}.ts");
        });
        text
    }
}

impl Transport for Connection {
    async fn playlist(&self, request: PlaylistRequest) -> PlaylistAnswer {
        let ttfb = Duration::from_millis(self.jitter(request.url.path(), 20));
        tokio::time::sleep(ttfb).await;
        let outcome = Ok(self.text(request.url.path()).into_bytes());
        PlaylistAnswer { ttfb, final_url: request.url, retry_after: None, outcome }
    }

    async fn segment(&self, request: SegmentRequest) -> SegmentAnswer {
        let path = request.url.path();
        let ttfb = Duration::from_millis(self.jitter(path, 20));
        let download = ttfb + Duration::from_millis(self.jitter(path, 200));
        tokio::time::sleep(download).await;
        let bytes = self.jitter(path, 25_000 * self.script.segment_s);
        SegmentAnswer { queue: Duration::ZERO, ttfb, download, bytes, length_known: true, outcome: Ok(()) }
    }
}

/// A stream as people configure it, with every default.
#[must_use]
pub fn config(id: StreamId, name: &str, created_at: EpochMs) -> StreamConfig {
    StreamConfig { name: name.into(), ..StreamConfig::new(id, "https://cdn.example.com/", created_at) }
}
