//! A stand: addresses of an origin, and watchers of its streams.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hlsops_domain::Limits;
use hlsops_fetch::{AllowList, FetchConfig, Fetcher, Session};
use hlsops_watch::{Cadence, HttpTransport, Sink, SystemClock, Target, watch};
use tokio::task::JoinSet;
use url::Url;

use crate::BenchError;

/// Distinct loopback addresses, each with a free port: streams on one host would share its connections and its
/// queue, and a tar pit is worst where it can hold up others.
#[must_use]
pub fn hosts(count: u8) -> Vec<SocketAddr> {
    (1..=count).map(|last| SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0))).collect()
}

/// A client as in production that may fetch from exactly these URLs' hosts.
///
/// # Errors
/// If a URL has no host, or the client is not built.
pub fn fetcher<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Result<Fetcher, BenchError> {
    let mut allow = AllowList::default();
    for url in urls {
        allow.insert(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())?;
    }
    Ok(Fetcher::new(FetchConfig { allow, ..FetchConfig::default() })?)
}

/// Watches a stream with the default limits, in a task of its own, until the set is dropped.
pub fn spawn_watcher<S: Sink + 'static>(
    watchers: &mut JoinSet<()>,
    fetcher: &Fetcher,
    clock: SystemClock,
    url: Url,
    fetch_segments: bool,
    mut sink: S,
) {
    let cadence = Cadence::of_nth(watchers.len());
    let target = Target { url, limits: Limits::default(), fetch_segments, cadence };
    let transport = HttpTransport::new(fetcher.clone(), Arc::new(Session::new()));
    watchers.spawn(async move {
        watch(target, transport, clock, &mut sink, std::future::pending()).await;
    });
}
