//! What the API works with.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hlsops_domain::EpochMs;
use hlsops_fetch::Fetcher;
use hlsops_store::Store;

use crate::auth::{Digest, Keyring};
use crate::limit::Limiter;
use crate::problem::Answer;
use crate::random::Secret;
use crate::routes::Status;
use crate::wall::{Snapshot, Walls};

/// Everything the router needs. [`App::new`] gives the defaults; fields may be changed.
#[derive(Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// Looks at a URL for `validate_only`, under the guard.
    pub fetcher: Fetcher,
    /// Tells the time. Default: the system's clock.
    pub now: Arc<dyn Fn() -> EpochMs + Send + Sync>,
    /// A key that works without being in the table: for the program the router runs in. Default: none.
    pub local_key: Option<LocalKey>,
    /// Called after a stream was added, changed or removed: wakes the watcher, which finds the change by
    /// itself a little later. Must not block. Default: nothing.
    pub on_change: Arc<dyn Fn() + Send + Sync>,
    /// Called after something to be told was written to the outbox: wakes the sender, which finds it by itself
    /// a little later. Must not block. Default: nothing.
    pub on_notice: Arc<dyn Fn() + Send + Sync>,
    /// Most streams of an account. Default: 5,000.
    pub max_streams: u32,
    /// Most requests of a stored key in a minute; [`App::local_key`] has no limit. Default: 1,200.
    pub max_requests_per_minute: u32,
}

impl App {
    /// With the defaults.
    #[must_use]
    pub fn new(store: Store, fetcher: Fetcher) -> Self {
        Self {
            store,
            fetcher,
            now: Arc::new(system_time),
            local_key: None,
            on_change: Arc::new(|| {}),
            on_notice: Arc::new(|| {}),
            max_streams: 5_000,
            max_requests_per_minute: 1_200,
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}

fn system_time() -> EpochMs {
    EpochMs(0) + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A key of the program itself: may do everything, in one account.
#[derive(Clone)]
pub struct LocalKey {
    pub(crate) digest: Digest,
    pub(crate) account: String,
}

impl LocalKey {
    /// Whoever has `secret` may do everything in `account`. Only the secret's hash is kept.
    #[must_use]
    pub fn new(secret: &Secret, account: &str) -> Self {
        Self { digest: Digest::of(secret.as_str()), account: account.into() }
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The state of the router: what it was given, and what it remembers for a moment.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) keys: Keyring,
    pub(crate) limiter: Limiter,
    pub(crate) walls: Walls,
    pub(crate) status: Status,
}

impl Api {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            keys: Keyring::default(),
            limiter: Limiter::default(),
            walls: Walls::default(),
            status: Status::default(),
        }
    }

    pub(crate) fn now(&self) -> EpochMs {
        (self.app.now)()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    /// The wall of an account, made a moment ago at most.
    pub(crate) async fn wall(&self, account: &str) -> Answer<Arc<Snapshot>> {
        Ok(self.walls.get(self.store(), account, self.now()).await?)
    }

    /// After a configuration of `account` was written.
    pub(crate) fn changed(&self, account: &str) {
        self.walls.forget(account);
        (self.app.on_change)();
    }
}
