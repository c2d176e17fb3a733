//! The origin in this process: start it, break it, read its ledger.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::demo::DEMO;
use crate::fault::{Applied, Fault};
use crate::http::router;
use crate::ledger::Entry;
use crate::media::{Media, MediaError};
use crate::net::{OriginListener, Pace};
use crate::registry::{Registry, StreamRefused};
use crate::spec::StreamSpec;
use crate::stream::{FaultRefused, Snapshot, Stream};

/// How to start an origin.
#[derive(Clone, Debug)]
pub struct OriginConfig {
    /// Addresses to serve on, all the same streams. Port 0 takes a free one. Default: 127.0.0.1, a free port.
    pub listen: Vec<SocketAddr>,
    /// Make the streams of [`DEMO`], with their faults. Default: no.
    pub demo: bool,
}

impl Default for OriginConfig {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], demo: false }
    }
}

/// Why an origin did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It could not listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// There was nowhere to listen.
    #[error("no address to listen on")]
    NoAddress,
    /// The crate was built with a broken `media` folder.
    #[error(transparent)]
    Media(&'static MediaError),
    /// A demo stream was refused; its table is wrong.
    #[error(transparent)]
    Demo(#[from] ControlError),
}

/// Why a stream or fault was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no stream of this name.
    #[error("no such stream")]
    NoSuchStream,
    /// The stream cannot be made.
    #[error(transparent)]
    Stream(#[from] StreamRefused),
    /// The fault cannot be set.
    #[error(transparent)]
    Fault(#[from] FaultRefused),
}

/// A running origin. Dropping it closes its sockets and connections.
#[derive(Debug)]
pub struct Origin {
    registry: Arc<Registry>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Origin {
    /// Binds all addresses and serves; returns once connections are accepted.
    ///
    /// # Errors
    /// If an address cannot be bound.
    pub async fn start(config: OriginConfig) -> Result<Self, StartError> {
        let media = Media::load().map_err(StartError::Media)?;
        let registry = Arc::new(Registry::new(media));
        let (stop, stopped) = watch::channel(false);
        let mut origin = Self { registry, addresses: Vec::new(), stop, tasks: Vec::new() };
        if config.listen.is_empty() {
            return Err(StartError::NoAddress);
        }
        for address in config.listen {
            origin.listen(address, stopped.clone()).await?;
        }
        if config.demo {
            origin.add_demo()?;
        }
        Ok(origin)
    }

    async fn listen(&mut self, address: SocketAddr, stop: watch::Receiver<bool>) -> Result<(), StartError> {
        let failed = |source| StartError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        self.addresses.push(socket.local_addr().map_err(failed)?);
        let service = router(Arc::clone(&self.registry)).into_make_service_with_connect_info::<Pace>();
        self.tasks.push(tokio::spawn(async move {
            // It never returns: failures to accept are retried by the listener.
            let _ = axum::serve(OriginListener { socket, stop }, service).await;
        }));
        Ok(())
    }

    /// The bound addresses, in the order asked for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// `http://` and the first address.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url_at(0)
    }

    /// `http://` and the n-th address, counted round.
    #[must_use]
    pub fn base_url_at(&self, address: usize) -> String {
        let chosen = self.addresses.iter().cycle().nth(address % self.addresses.len().max(1));
        chosen.map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// What a player is given: the stream's master, or its only playlist, on the first address. For a stream that
    /// does not exist yet, the URL it has as an automatic one.
    #[must_use]
    pub fn url(&self, stream: &str) -> String {
        self.url_at(0, stream)
    }

    /// The same on the n-th address, counted round.
    #[must_use]
    pub fn url_at(&self, address: usize, stream: &str) -> String {
        let spec = self.registry.find(stream).map_or(StreamSpec::DEFAULT, |found| *found.spec());
        format!("{}{}", self.base_url_at(address), spec.entry_path(stream))
    }

    /// The origin's clock, which ledgers and faults are timed by. Unit: milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.registry.clock.now_ms()
    }

    /// Makes a stream, or makes it anew.
    ///
    /// # Errors
    /// If the name is not allowed, or there are too many.
    pub fn add_stream(&self, name: &str, spec: StreamSpec) -> Result<(), ControlError> {
        self.registry.add(name, spec)?;
        Ok(())
    }

    /// Removes a stream; its URLs answer 404 then. False if there was none.
    pub fn remove_stream(&self, name: &str) -> bool {
        self.registry.remove(name)
    }

    /// The names of all streams, ascending.
    #[must_use]
    pub fn streams(&self) -> Vec<String> {
        self.registry.all().iter().map(|stream| stream.name().to_owned()).collect()
    }

    /// Adds a fault to a stream and gives its id.
    ///
    /// # Errors
    /// If there is no such stream, or the fault is refused.
    pub fn set_fault(&self, stream: &str, fault: Fault) -> Result<u64, ControlError> {
        Ok(self.find(stream)?.set_fault(fault, self.now_ms())?)
    }

    /// Removes all faults of a stream.
    ///
    /// # Errors
    /// If there is no such stream.
    pub fn clear_faults(&self, stream: &str) -> Result<(), ControlError> {
        self.find(stream)?.clear_faults(self.now_ms());
        Ok(())
    }

    /// The faults set on a stream, expired ones included; none if there is no such stream.
    #[must_use]
    pub fn faults(&self, stream: &str) -> Vec<Applied> {
        self.snapshot(stream).map(|snapshot| snapshot.faults).unwrap_or_default()
    }

    /// When the first answer changed by a fault that is still set was given. Unit: milliseconds since 1970.
    #[must_use]
    pub fn first_faulty(&self, stream: &str) -> Option<u64> {
        self.registry.find(stream)?.first_faulty()
    }

    /// Everything known about a stream, the expected state included.
    #[must_use]
    pub fn snapshot(&self, stream: &str) -> Option<Snapshot> {
        Some(self.registry.find(stream)?.snapshot(self.now_ms()))
    }

    /// What a stream served, oldest first; the newest 20,000 requests.
    #[must_use]
    pub fn ledger(&self, stream: &str) -> Vec<Entry> {
        self.ledger_since(stream, 0)
    }

    /// What a stream served at this time or later. Unit: milliseconds since 1970.
    #[must_use]
    pub fn ledger_since(&self, stream: &str, since_ms: u64) -> Vec<Entry> {
        self.registry.find(stream).map(|found| found.served(since_ms)).unwrap_or_default()
    }

    /// Makes the streams of [`DEMO`], or makes them anew, and sets their faults from now on.
    ///
    /// # Errors
    /// If there are too many streams.
    pub fn add_demo(&self) -> Result<(), ControlError> {
        for row in &DEMO {
            self.add_stream(row.id, row.spec)?;
            for fault in row.faults {
                self.set_fault(row.id, *fault)?;
            }
        }
        Ok(())
    }

    /// Closes all sockets and connections, and waits until the sockets are free again.
    pub async fn stop(mut self) {
        // Nobody listening means that all connections have ended already.
        let _ = self.stop.send(true);
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // The task was told to end; that it did is all we wanted to know.
            let _ = task.await;
        }
    }

    fn find(&self, stream: &str) -> Result<Arc<Stream>, ControlError> {
        self.registry.find(stream).ok_or(ControlError::NoSuchStream)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
