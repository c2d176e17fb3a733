//! The yardstick: a loop that makes a watcher's requests with the same HTTP library and throws the bytes away.
//!
//! It reads no more than it must to know which segment comes next, keeps nothing, times nothing, checks nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Client, Response};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::BenchError;

/// The renditions of the origin's masters.
const RENDITIONS: [&str; 4] = ["360p", "270p", "180p", "audio"];

/// Target duration of the origin's default streams.
const TARGET: Duration = Duration::from_secs(4);

/// How often the master is loaded again: as often as the watcher does.
const MASTER_EVERY: Duration = Duration::from_secs(30);

/// Segments fetched at the start: as many as the watcher fetches, three target durations.
const START_SEGMENTS: u64 = 3;

/// Bare loops and what went wrong in them.
#[derive(Clone, Debug)]
pub struct Bare {
    client: Client,
    fetch_segments: bool,
    failed: Arc<AtomicU64>,
}

impl Bare {
    /// With connections kept as the watcher's client keeps them.
    ///
    /// # Errors
    /// If the client is not built.
    pub fn new(fetch_segments: bool) -> Result<Self, BenchError> {
        // An error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            // The head of a request is the watcher's as well.
            .user_agent(concat!("hlsops/", env!("CARGO_PKG_VERSION")))
            .default_headers(
                [(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"))].into_iter().collect(),
            )
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(64)
            .build()?;
        Ok(Self { client, fetch_segments, failed: Arc::default() })
    }

    /// Requests that failed so far: the comparison is worth nothing unless there are none.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Follows one stream until the set is dropped.
    pub fn spawn(&self, loops: &mut JoinSet<()>, master: &Url) {
        let (bare, url) = (self.clone(), master.clone());
        loops.spawn(async move { bare.reload_master(url).await });
        for rendition in RENDITIONS {
            if let Ok(url) = master.join(&format!("{rendition}/index.m3u8")) {
                let bare = self.clone();
                loops.spawn(async move { bare.follow(url).await });
            }
        }
    }

    async fn reload_master(self, url: Url) {
        let mut next = Instant::now();
        loop {
            self.text(&url).await;
            next += MASTER_EVERY;
            sleep_until(next).await;
        }
    }

    async fn follow(self, url: Url) {
        let mut newest = None;
        loop {
            let began = Instant::now();
            let text = self.text(&url).await;
            let found = newest_number(&text);
            if self.fetch_segments
                && let Some(found) = found
            {
                let first = newest.map_or((found + 1).saturating_sub(START_SEGMENTS), |newest| newest + 1);
                for number in first..=found {
                    self.segment(&url, number).await;
                }
            }
            let wait = if found > newest { TARGET } else { TARGET / 2 };
            newest = found.max(newest);
            sleep_until(began + wait).await;
        }
    }

    async fn segment(&self, playlist: &Url, number: u64) {
        let Ok(url) = playlist.join(&format!("seg-{number}.ts")) else { return };
        if let Some(mut response) = self.get(&url).await {
            loop {
                match response.chunk().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(_) => break,
                }
            }
            self.failed.fetch_add(1, Relaxed);
        }
    }

    async fn text(&self, url: &Url) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(mut response) = self.get(url).await {
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
            }
        }
        body
    }

    async fn get(&self, url: &Url) -> Option<Response> {
        let response = self.client.get(url.clone()).send().await.and_then(Response::error_for_status);
        response.map_err(|_| self.failed.fetch_add(1, Relaxed)).ok()
    }
}

/// The number in the last segment's name, `seg-{number}.ts`.
fn newest_number(playlist: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(playlist).ok()?;
    let name = text.lines().rev().find(|line| !line.starts_with('#') && !line.is_empty())?;
    name.strip_prefix("seg-")?.strip_suffix(".ts")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::newest_number;

    #[test]
    fn the_last_name_counts() {
        assert_eq!(newest_number(b"#EXTM3U\n#EXTINF:4,\nseg-8.ts\n#EXTINF:4,\nseg-9.ts\n"), Some(9));
        assert_eq!(newest_number(b"#EXTM3U\n"), None);
    }
}
