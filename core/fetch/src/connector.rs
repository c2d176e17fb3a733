//! The guard inside the connector: a resolver that refuses private addresses, and a layer that
//! times connecting. Both know the request they work for through a task-local [`Hop`].

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::task::Id as TaskId;
use tokio::time::{Instant, timeout};
use tower::{Layer, Service};

use crate::{Block, Phase, special_block};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Finds the addresses of a host name. The default is [`SystemLookup`].
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `host`, which is never an IP literal. The guard judges every one of
    /// them, and only those are connected to.
    fn addresses_of(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The operating system's resolver, on Tokio's blocking threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses_of(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

tokio::task_local! {
    /// The hop that the current task is sending.
    pub(crate) static HOP: Arc<Hop>;
}

/// One hop of one request, as the connector sees it.
#[derive(Debug)]
pub(crate) struct Hop {
    /// This hop's exact host and port are on the allow-list.
    pub(crate) allowed: bool,
    /// The host is an address: it was judged before, and no name is resolved.
    pub(crate) is_literal: bool,
    /// For name resolution and connecting together.
    pub(crate) connect_limit: Duration,
    /// The task that sends the request.
    task: Option<TaskId>,
    progress: Mutex<Progress>,
}

/// What the connector has done for a hop so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) connecting_since: Option<Instant>,
    resolving_since: Option<Instant>,
    pub(crate) dns: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    /// When the connector was done with this hop: connected, failed, or left behind because
    /// another connection became free first.
    pub(crate) done_at: Option<Instant>,
    /// Another connection became free first, so the connecting was for somebody else.
    pub(crate) left_behind: bool,
    pub(crate) refusal: Option<Refusal>,
}

/// Why the connector did not connect, where the client's own error would not say it.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Private { address: IpAddr, block: Block },
    Dns { kind: io::ErrorKind },
    TimedOut { phase: Phase },
}

impl Hop {
    pub(crate) fn new(allowed: bool, is_literal: bool, connect_limit: Duration) -> Arc<Self> {
        let task = tokio::task::try_id();
        Arc::new(Self { allowed, is_literal, connect_limit, task, progress: Mutex::default() })
    }

    pub(crate) fn progress(&self) -> Progress {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// If a connection of the pool becomes free while we connect, the client takes that one and
    /// moves the connecting to a task of its own. From then on it is not this hop's time.
    fn is_left_behind(&self) -> bool {
        tokio::task::try_id() != self.task
    }

    fn refuse(&self, refusal: Refusal) -> BoxError {
        let mut progress = self.lock();
        progress.refusal.get_or_insert(refusal);
        Box::new(Stopped)
    }
}

/// Stands in the client's error chain; the reason is in the hop.
#[derive(Debug, thiserror::Error)]
#[error("refused by the address guard or out of time")]
struct Stopped;

/// The resolver that lets no private address through.
pub(crate) struct GuardedLookup {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) attempts: Arc<AtomicU64>,
}

impl Resolve for GuardedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        // No hop means that we do not know who asks, and then nothing is allowed.
        let Ok(hop) = HOP.try_with(Arc::clone) else {
            return Box::pin(std::future::ready(Err(BoxError::from(Stopped))));
        };
        hop.lock().resolving_since = Some(Instant::now());
        let found = self.lookup.addresses_of(name.as_str());
        let attempts = Arc::clone(&self.attempts);
        Box::pin(async move {
            let found = found.await;
            hop.lock().resolved();
            let addresses = judge(&hop, found)?;
            attempts.fetch_add(1, Relaxed);
            Ok(Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// All addresses must be acceptable: with one private among them, a retry would reach it.
fn judge(hop: &Hop, found: io::Result<Vec<IpAddr>>) -> Result<Vec<IpAddr>, BoxError> {
    let addresses = found.map_err(|fault| hop.refuse(Refusal::Dns { kind: fault.kind() }))?;
    if addresses.is_empty() {
        return Err(hop.refuse(Refusal::Dns { kind: io::ErrorKind::NotFound }));
    }
    let private = addresses.iter().find_map(|address| special_block(*address).map(|block| (*address, block)));
    match private {
        Some((address, block)) if !hop.allowed => Err(hop.refuse(Refusal::Private { address, block })),
        _ => Ok(addresses),
    }
}

/// Wraps the client's connector: refuses to connect for nobody, limits and times the rest.
#[derive(Clone)]
pub(crate) struct Timed {
    pub(crate) attempts: Arc<AtomicU64>,
}

impl<S> Layer<S> for Timed {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimedConnector { inner: Arc::new(inner), attempts: Arc::clone(&self.attempts) }
    }
}

/// The client clones its connector several times for every request, and what lies under the layers is dear to
/// clone: that is done for a connection alone.
pub(crate) struct TimedConnector<S> {
    inner: Arc<S>,
    attempts: Arc<AtomicU64>,
}

impl<S> Clone for TimedConnector<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), attempts: Arc::clone(&self.attempts) }
    }
}

impl<S, Destination> Service<Destination> for TimedConnector<S>
where
    S: Service<Destination, Error = BoxError> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
    Destination: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The clone that will connect is asked.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Destination) -> Self::Future {
        let Ok(hop) = HOP.try_with(Arc::clone) else {
            return Box::pin(std::future::ready(Err(BoxError::from(Stopped))));
        };
        if hop.is_literal {
            self.attempts.fetch_add(1, Relaxed);
        }
        hop.lock().connecting_since = Some(Instant::now());
        // The scope goes along, so that the resolver finds the hop wherever this is polled.
        let mut inner = S::clone(&self.inner);
        let connecting = HOP.scope(Arc::clone(&hop), async move {
            poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(destination).await
        });
        Box::pin(connect(hop, connecting))
    }
}

async fn connect<C>(
    hop: Arc<Hop>,
    connecting: impl Future<Output = Result<C, BoxError>>,
) -> Result<C, BoxError> {
    let mut connecting = pin!(timeout(hop.connect_limit, connecting));
    let mut left_behind = false;
    let outcome = poll_fn(|cx| {
        if !left_behind && hop.is_left_behind() {
            left_behind = true;
            let mut progress = hop.lock();
            progress.left_behind = true;
            progress.done_at = Some(Instant::now());
        }
        connecting.as_mut().poll(cx)
    })
    .await;
    let phase = if left_behind { Phase::Connect } else { hop.lock().finish() };
    outcome.unwrap_or_else(|_| Err(hop.refuse(Refusal::TimedOut { phase })))
}

impl Progress {
    fn resolved(&mut self) {
        self.dns = self.resolving_since.take().map(|since| since.elapsed());
    }

    /// Notes the times of a connecting that is over, well or not, and says how far it came.
    fn finish(&mut self) -> Phase {
        let now = Instant::now();
        self.done_at = Some(now);
        if let Some(since) = self.resolving_since.take() {
            self.dns = Some(now - since);
            return Phase::Dns;
        }
        if self.refusal.is_none() {
            let spent = self.connecting_since.map(|since| now - since);
            self.connect = spent.map(|spent| spent.saturating_sub(self.dns.unwrap_or_default()));
        }
        Phase::Connect
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use reqwest::dns::Resolve;
    use tower::{Layer, Service, service_fn};

    use super::{BoxError, GuardedLookup, HOP, Hop, SystemLookup, Timed};

    fn hop(allowed: bool) -> Arc<Hop> {
        Hop::new(allowed, false, std::time::Duration::from_secs(1))
    }

    #[tokio::test]
    async fn the_resolver_answers_nobody_without_a_hop() {
        let guard = GuardedLookup { lookup: Arc::new(SystemLookup), attempts: Arc::default() };
        let resolve = || guard.resolve("localhost".parse().unwrap());
        assert!(resolve().await.is_err(), "no hop");
        assert!(HOP.scope(hop(false), async { resolve().await }).await.is_err(), "private");
        assert!(HOP.scope(hop(true), async { resolve().await }).await.is_ok(), "allowed: the control");
    }

    #[tokio::test]
    async fn the_connector_connects_for_nobody_without_a_hop() {
        let attempts: Arc<AtomicU64> = Arc::default();
        let connect = service_fn(|(): ()| async { Ok::<_, BoxError>("connected") });
        let mut connector = Timed { attempts }.layer(connect);
        assert!(connector.call(()).await.is_err());
        let connected = HOP.scope(hop(false), async { connector.call(()).await }).await;
        assert_eq!(connected.ok(), Some("connected"), "the control");
    }
}
