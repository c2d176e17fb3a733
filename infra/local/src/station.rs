//! One data folder, opened: the table, the way to the streams, and the API on top of both.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use hlsops_api::{App, LocalKey, Secret, build_router, new_id};
use hlsops_domain::EpochMs;
use hlsops_engine::{Durability, Engine, EngineConfig, EngineError};
use hlsops_fetch::{AllowList, FetchConfig, Fetcher};
use hlsops_probe::Nudge;
use hlsops_store::{Store, StoreError};
use hlsops_watch::Cadences;
use tokio::sync::Notify;

use crate::exit::Exit;

/// Name of the table inside a folder.
const TABLE: &str = "hlsops";
/// The account everything belongs to on one machine.
pub(crate) const ACCOUNT: &str = "default";
/// Where the last 8 digits of a ULID begin, behind an underscore: 40 random bits.
const RUN_BEGINS: usize = 19;

/// How a folder is opened.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The most its data may take, in bytes; none: the engine's own default.
    pub(crate) max_bytes: Option<u64>,
    /// What an answered write survives.
    pub(crate) durability: Durability,
    /// Private targets that may be fetched.
    pub(crate) allow: AllowList,
}

impl Settings {
    /// The defaults for a folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            max_bytes: None,
            durability: Durability::default(),
            allow: AllowList::default(),
        }
    }
}

/// Why a folder could not be opened. Each says itself what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fetcher(#[from] hlsops_fetch::BuildError),
    #[error(transparent)]
    Random(#[from] hlsops_api::RandomError),
}

impl OpenError {
    /// The exit code that goes with it.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Engine(EngineError::FolderInUse { .. }) => Exit::Unreachable,
            Self::Engine(EngineError::Exists { .. }) => Exit::Findings,
            Self::Engine(EngineError::TooSmall { .. } | EngineError::PathNotText { .. }) => Exit::Usage,
            Self::Engine(EngineError::NotABackup { .. }) => Exit::NoInput,
            Self::Engine(EngineError::File { .. }) => Exit::CannotCreate,
            _ => Exit::Internal,
        }
    }
}

/// An open folder. The lock on it is held as long as this or a router made from it lives.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) fetcher: Fetcher,
    /// Rung when the configuration has changed.
    pub(crate) nudge: Nudge,
    /// Told when there is something to be sent.
    pub(crate) notice: Arc<Notify>,
    /// When requests begin.
    pub(crate) cadences: Cadences,
    /// Of this run: in names of writers, which never come twice.
    pub(crate) run: String,
    key: Secret,
}

impl Station {
    /// Opens the folder, creating it and the table if missing.
    pub(crate) async fn open(settings: Settings) -> Result<Self, OpenError> {
        let fetcher = Fetcher::new(FetchConfig { allow: settings.allow, ..FetchConfig::default() })?;
        let mut config = EngineConfig::new(settings.folder);
        config.durability = settings.durability;
        config.max_bytes = settings.max_bytes.unwrap_or(config.max_bytes);
        let engine = Engine::open(config)?;
        let store = Store::new(engine.client(), TABLE);
        store.ensure_table().await?;
        let key = Secret::generate()?;
        // The end of it is random; the beginning is the time.
        let run = new_id("", EpochMs(0))?.split_off(RUN_BEGINS);
        let (nudge, notice, cadences) = (Nudge::default(), Arc::default(), Cadences::default());
        Ok(Self { engine, store, fetcher, nudge, notice, cadences, run, key })
    }

    /// The API on this folder.
    pub(crate) fn api(&self) -> Router {
        let mut app = App::new(self.store.clone(), self.fetcher.clone());
        app.local_key = Some(LocalKey::new(&self.key, ACCOUNT));
        let nudge = self.nudge.clone();
        app.on_change = Arc::new(move || nudge.ring());
        let notice = Arc::clone(&self.notice);
        app.on_notice = Arc::new(move || notice.notify_one());
        build_router(app)
    }

    /// The key of this run: it may do everything, and ends with it.
    pub(crate) fn key(&self) -> &str {
        self.key.as_str()
    }
}
