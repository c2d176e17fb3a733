//! The client: configuration, and one request from its first hop to its last byte.

mod post;

pub use post::{Post, PostError, Posted};

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Request, Response, redirect, retry};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::body::{self, Plan};
use crate::bounds::later;
use crate::connector::{GuardedLookup, Lookup, SystemLookup, Timed};
use crate::hop::{self, Checked, Head};
use crate::queue::{Place, Queues};
use crate::redirects::Redirects;
use crate::{
    AllowList, Bounds, BuildError, FetchError, Fetched, KeptHeaders, Phase, Session, Timings, decode,
};

/// How a [`Fetcher`] is set up.
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// The private targets that may be fetched. Default: none.
    pub allow: AllowList,
    /// The most requests at once to one host and port, from 1 to [`FetchConfig::MAX_PER_HOST`].
    /// Default: 64.
    pub per_host: usize,
    /// The `User-Agent` of every request; a stream's custom headers may override it for its own
    /// hosts. Default: `hlsops/` and the version.
    pub user_agent: String,
}

impl FetchConfig {
    /// The largest `per_host`.
    pub const MAX_PER_HOST: usize = 10_000;
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            allow: AllowList::default(),
            per_host: 64,
            user_agent: concat!("hlsops/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    /// What to fetch.
    pub url: &'a Url,
    /// The headers and cookies of the stream it belongs to.
    pub session: &'a Session,
    /// A byte range: offset and length, in bytes. At most `length` bytes are given to the caller.
    pub range: Option<(u64, u64)>,
    /// Its limits.
    pub bounds: Bounds,
    /// Open a new connection instead of reusing one, and do not keep it. For the second attempt
    /// after a failure.
    pub fresh_connection: bool,
}

/// The guarded client. A clone is the same client: same pool, same queues.
#[derive(Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

struct Shared {
    pooled: Client,
    fresh: Client,
    allow: AllowList,
    queues: Arc<Queues>,
    attempts: Arc<AtomicU64>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("allow", &self.shared.allow).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A client that resolves names with the operating system.
    pub fn new(config: FetchConfig) -> Result<Self, BuildError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// A client that resolves names with `lookup`; the guard judges its answers all the same.
    pub fn with_lookup(config: FetchConfig, lookup: Arc<dyn Lookup>) -> Result<Self, BuildError> {
        if !(1..=FetchConfig::MAX_PER_HOST).contains(&config.per_host) {
            return Err(BuildError::PerHost { got: config.per_host, max: FetchConfig::MAX_PER_HOST });
        }
        // An error means that the program has chosen its provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let user_agent = HeaderValue::from_str(&config.user_agent).map_err(|_| BuildError::UserAgent)?;
        let attempts = Arc::new(AtomicU64::new(0));
        let resolver = Arc::new(GuardedLookup { lookup, attempts: Arc::clone(&attempts) });
        let client = |idle_per_host| {
            builder(user_agent.clone())
                .dns_resolver(Arc::clone(&resolver))
                .connector_layer(Timed { attempts: Arc::clone(&attempts) })
                .pool_max_idle_per_host(idle_per_host)
                .build()
                .map_err(BuildError::Client)
        };
        let (pooled, fresh) = (client(config.per_host)?, client(0)?);
        let queues = Queues::new(config.per_host);
        Ok(Self { shared: Arc::new(Shared { pooled, fresh, allow: config.allow, queues, attempts }) })
    }

    /// Fetches one URL, giving the decoded body to `on_chunk` as it arrives.
    ///
    /// Never panics and never fails as a whole: what was learned before a failure is in the
    /// answer. Dropping the future gives its connection slot back at once.
    pub async fn get(&self, request: &Get<'_>, on_chunk: &mut (dyn FnMut(&[u8]) + Send)) -> Fetched {
        let mut trip = Trip::new(&self.shared, request);
        let result = trip.run(on_chunk).await;
        trip.into_answer(result)
    }

    /// Whether the guard would let a request to `url` begin, as far as that can be told without resolving
    /// its host name.
    ///
    /// # Errors
    /// What [`Fetcher::get`] would fail with.
    pub fn permits(&self, url: &Url) -> Result<(), FetchError> {
        Checked::new(url, &self.shared.allow).map(|_| ())
    }

    /// How often the connector was given a checked address to connect to, since the start. A
    /// refused target does not count; a reused connection neither.
    #[must_use]
    pub fn connect_attempts(&self) -> u64 {
        self.shared.attempts.load(Relaxed)
    }

    /// How many hosts have requests waiting or running now.
    #[must_use]
    pub fn busy_hosts(&self) -> usize {
        self.shared.queues.len()
    }
}

/// How long an unused connection is kept: longer than most playlists' target duration, so that
/// polling reuses it.
const KEEP_IDLE: Duration = Duration::from_secs(60);

fn builder(user_agent: HeaderValue) -> ClientBuilder {
    Client::builder()
        .user_agent(user_agent)
        // Each hop is checked by us; nothing is retried behind our back; no proxy variable of
        // the environment may lead a request around the guard.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .pool_idle_timeout(KEEP_IDLE)
}

/// One request under way.
struct Trip<'a> {
    shared: &'a Shared,
    request: &'a Get<'a>,
    began: Instant,
    timings: Timings,
    /// Of the hop under way.
    url: Cow<'a, Url>,
    redirects: Redirects,
    /// Set at the first hop to a host that may not see the custom headers.
    headers_dropped: bool,
    status: Option<u16>,
    headers: KeptHeaders,
    remote: Option<std::net::SocketAddr>,
    read: body::Read,
}

impl<'a> Trip<'a> {
    fn new(shared: &'a Shared, request: &'a Get<'a>) -> Self {
        Self {
            shared,
            request,
            began: Instant::now(),
            timings: Timings::default(),
            url: Cow::Borrowed(request.url),
            redirects: Redirects::from(request.session),
            headers_dropped: false,
            status: None,
            headers: KeptHeaders::default(),
            remote: None,
            read: body::Read::default(),
        }
    }

    async fn run(&mut self, on_chunk: &mut (dyn FnMut(&[u8]) + Send)) -> Result<(), FetchError> {
        loop {
            let url = self.url.clone();
            let checked = Checked::new(&url, &self.shared.allow)?;
            let place = self.wait_in_queue(&checked).await?;
            let mut response = self.send(&checked).await?;
            match self.redirects.next(&url, &response, self.request) {
                Ok(None) => {}
                Ok(Some(next)) => {
                    drain(response).await;
                    self.url = Cow::Owned(next);
                    continue;
                }
                Err(refused) => {
                    self.headers = KeptHeaders(std::mem::take(response.headers_mut()));
                    return Err(refused);
                }
            }
            let result = self.finish(&mut response, on_chunk).await;
            self.timings.total = self.busy();
            self.headers = KeptHeaders(std::mem::take(response.headers_mut()));
            if matches!(result, Err(FetchError::Refused { .. })) {
                drain(response).await;
            }
            drop(place);
            return result;
        }
    }

    async fn wait_in_queue(&mut self, checked: &Checked<'_>) -> Result<Place, FetchError> {
        let mut place = self.shared.queues.join(checked.host, checked.port);
        if place.try_enter() {
            return Ok(place);
        }
        let limit = self.request.bounds.total;
        let since = Instant::now();
        let left = limit.saturating_sub(self.timings.queue);
        let entered = timeout(left, place.enter()).await;
        self.timings.queue += since.elapsed();
        entered.map_err(|_| FetchError::TimedOut { phase: Phase::Queue, limit })?;
        Ok(place)
    }

    /// Sends the request to one hop and notes all that its response head says.
    async fn send(&mut self, checked: &Checked<'_>) -> Result<Response, FetchError> {
        let client = if self.request.fresh_connection { &self.shared.fresh } else { &self.shared.pooled };
        let request = self.compose(client, checked.url)?;
        let sent = hop::send(client, request, checked, &self.request.bounds, self.deadline()).await;
        add(&mut self.timings.dns, sent.dns);
        add(&mut self.timings.connect, sent.connect);
        let Head { response, ttfb } = sent.outcome?;
        self.timings.ttfb = Some(ttfb);
        self.status = Some(response.status().as_u16());
        self.remote = response.remote_addr();
        // The resolver's answer was judged before connecting. This holds even if some way
        // around it should ever exist.
        self.remote.map_or(Ok(()), |remote| checked.judge(remote.ip()))?;
        self.request.session.keep_cookies(checked.url, response.headers());
        Ok(response)
    }

    fn compose(&mut self, client: &Client, url: &Url) -> Result<Request, FetchError> {
        // The library's builder turns a user name in the URL into a header.
        let mut request = client.request(Method::GET, url.clone());
        // Once secrets were out of place, they stay out: whoever redirects us back here must not
        // choose what we ask for with them.
        let downgraded = self.request.url.scheme() == "https" && url.scheme() == "http";
        match self.request.session.headers_for(url) {
            Some(custom) if !self.headers_dropped && !downgraded => request = request.headers(custom.clone()),
            _ => self.headers_dropped = true,
        }
        let mut request = request.build().map_err(|_| FetchError::BadUrl)?;
        let headers = request.headers_mut();
        if let Some(cookies) = self.request.session.cookies_for(url) {
            headers.append(header::COOKIE, cookies);
        }
        match self.request.range {
            Some((offset, length)) => headers.insert(header::RANGE, range(offset, length)?),
            None => headers.insert(header::ACCEPT_ENCODING, decode::ACCEPT_ENCODING),
        };
        Ok(request)
    }

    /// Reads the body of the last hop, if it is one to read.
    async fn finish(
        &mut self,
        response: &mut Response,
        on_chunk: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), FetchError> {
        let status = response.status();
        if !status.is_success() {
            return Err(FetchError::Refused { status: status.as_u16() });
        }
        if let Some((offset, _)) = self.request.range {
            check_range(status.as_u16(), offset, response.headers())?;
        }
        let bounds = &self.request.bounds;
        let stop_after = self.request.range.map(|(_, length)| length);
        let plan = Plan { bounds, stop_after, deadline: self.deadline() };
        body::read(response, &plan, on_chunk, &mut self.read).await
    }

    /// Time since the call, without our own queue.
    fn busy(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.timings.queue)
    }

    fn deadline(&self) -> Instant {
        later(self.began + self.timings.queue, self.request.bounds.total)
    }

    fn into_answer(mut self, result: Result<(), FetchError>) -> Fetched {
        if self.timings.total.is_zero() {
            self.timings.total = self.busy();
        }
        Fetched {
            timings: self.timings,
            final_url: self.url.into_owned(),
            redirects: self.redirects.followed(),
            status: self.status,
            headers: self.headers,
            remote: self.remote,
            body_bytes: self.read.body_bytes,
            wire_bytes: self.read.wire_bytes,
            result,
        }
    }
}

fn add(sum: &mut Option<Duration>, more: Option<Duration>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default() + more);
    }
}

fn range(offset: u64, length: u64) -> Result<HeaderValue, FetchError> {
    let last =
        length.checked_sub(1).and_then(|more| offset.checked_add(more)).ok_or(FetchError::WrongRange)?;
    HeaderValue::from_str(&format!("bytes={offset}-{last}")).map_err(|_| FetchError::WrongRange)
}

/// 206 must begin where we asked. A whole file (200) serves only if we asked from its beginning.
fn check_range(status: u16, offset: u64, headers: &HeaderMap) -> Result<(), FetchError> {
    let starts_at = match status {
        206 => headers.get(header::CONTENT_RANGE).and_then(|value| {
            let (first, _) = value.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('-')?;
            first.trim().parse::<u64>().ok()
        }),
        _ => Some(0),
    };
    (starts_at == Some(offset)).then_some(()).ok_or(FetchError::WrongRange)
}

/// The most that is read of a body nobody wants, so that its connection can be used again.
const DRAIN_BYTES: u64 = 16 << 10;

/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_millis(100);

async fn drain(mut response: Response) {
    if response.content_length().is_some_and(|length| length > DRAIN_BYTES) {
        return;
    }
    let rest = async {
        let mut drained = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            drained += chunk.len() as u64;
            if drained > DRAIN_BYTES {
                return;
            }
        }
    };
    // Out of time is no failure: the connection is closed instead of kept.
    let _ = timeout(DRAIN_TIME, rest).await;
}
