//! Opening an engine and handing out clients.

use crate::{
    config::{Durability, EngineConfig},
    connector::{Direct, client_config},
    dispatch::dispatch,
    error::EngineError,
    faults::{FaultPlan, Faulty},
    lock::FolderLock,
    operation::Operation,
    reply::Reply,
    space::{Space, Usage},
};
use aws_sdk_dynamodb::{Client, config::Builder};
use dynoxide::{Database, storage_backend::ManualClock};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Semaphore;

/// The database's name inside its folder.
pub const DATABASE_FILE: &str = "dynamodb.sqlite";

/// Calls at a time in memory, where nobody configures it.
const MEMORY_CONCURRENT: usize = 4;

/// An open engine. Clones are handles to the same one.
///
/// The folder stays open, and locked, until the last clone *and* the last client are dropped and
/// the calls under way have ended.
#[derive(Clone)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
}

/// What all handles and clients share. Dropped from top to bottom: the lock outlives the files.
pub(crate) struct Core {
    pub(crate) disk: Option<Disk>,
    pub(crate) db: Database,
    permits: Arc<Semaphore>,
    /// Calls are answered where they are made.
    inline: bool,
    _lock: Option<FolderLock>,
}

/// What only an engine with a folder has.
pub(crate) struct Disk {
    space: Space,
    pub(crate) file: PathBuf,
}

impl Engine {
    /// Opens the database of a folder, creating both if missing.
    ///
    /// # Errors
    /// A setting out of range, a folder in use by another engine, or a database that cannot be
    /// read; each says what to do.
    pub fn open(config: EngineConfig) -> Result<Self, EngineError> {
        check(&config)?;
        let folder = create_folder(&config.dir)?;
        let lock = FolderLock::take(&folder)?;
        let file = folder.join(DATABASE_FILE);
        let failed = |source| EngineError::Open { path: file.clone(), source };
        let db = Database::new(text(&file)?).map_err(failed)?;
        match config.durability {
            // SQLite's own default, `synchronous = FULL`.
            Durability::PowerLoss => {}
            // Sets `synchronous = NORMAL` and leaves the other settings at their defaults.
            Durability::Process => db.disable_bulk_loading().map_err(failed)?,
        }
        let disk = Disk { space: Space::guard(&file, config.max_bytes)?, file: file.clone() };
        Ok(Self::of(Core {
            disk: Some(disk),
            db,
            permits: Arc::new(Semaphore::new(config.max_concurrent)),
            inline: false,
            _lock: Some(lock),
        }))
    }

    /// Opens an empty database in memory: no folder, no lock, no bound, gone with the last handle.
    ///
    /// # Errors
    /// If SQLite cannot start.
    pub fn in_memory() -> Result<Self, EngineError> {
        Database::memory().map(Self::memory).map_err(no_memory)
    }

    /// As [`Engine::in_memory`], but items expire by this clock, for tests in virtual time.
    ///
    /// # Errors
    /// If SQLite cannot start.
    pub fn in_memory_at(clock: &ManualClock) -> Result<Self, EngineError> {
        Database::memory_with_clock(clock.arc()).map(Self::memory).map_err(no_memory)
    }

    /// As [`Engine::in_memory`], but each call is answered on the thread that makes it, in the order of the
    /// calls: for simulations that must take the same course every time. It blocks its runtime meanwhile.
    ///
    /// # Errors
    /// If SQLite cannot start.
    pub fn in_memory_inline() -> Result<Self, EngineError> {
        let permits = Arc::new(Semaphore::new(1));
        let core = |db| Core { disk: None, db, permits, inline: true, _lock: None };
        Database::memory().map(|db| Self::of(core(db))).map_err(no_memory)
    }

    /// A client of this engine, ready to use. Its retries are off, see [`Engine::config`].
    pub fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// What [`Engine::client`] is made of, for callers that want to change it.
    ///
    /// Retries are off: the engine never throttles and there is no network to fail, so a retry
    /// could only hide the one error worth seeing. Requests are not signed: nobody checks.
    pub fn config(&self) -> Builder {
        client_config(Direct(Arc::clone(&self.core)))
    }

    /// A client whose calls meet the faults of a plan. For tests.
    ///
    /// Its retries are off too, so that each call of the test is one call of the plan and
    /// throttling is seen. Build from [`Engine::config_with`] to test the SDK's retries.
    pub fn client_with(&self, plan: &FaultPlan) -> Client {
        Client::from_conf(self.config_with(plan).build())
    }

    /// What [`Engine::client_with`] is made of.
    pub fn config_with(&self, plan: &FaultPlan) -> Builder {
        client_config(Faulty::new(Direct(Arc::clone(&self.core)), plan.clone()))
    }

    /// Answers one request of DynamoDB's JSON protocol, for who puts the engine behind a socket: `target` is
    /// its header `x-amz-target`. Gives status and body.
    pub async fn answer(&self, target: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let reply = match Operation::from_target(target) {
            None => Reply::error(400, "UnknownOperationException", target),
            Some(operation) => {
                let called = Arc::clone(&self.core).call(operation, body).await;
                called.unwrap_or_else(|cut| Reply::error(500, "InternalServerError", &cut.to_string()))
            }
        };
        (reply.status, reply.body)
    }

    /// What the data takes and may take, measured now; `None` in memory. Cheap: two pragmas.
    ///
    /// # Errors
    /// If SQLite cannot be asked.
    pub fn usage(&self) -> Result<Option<Usage>, EngineError> {
        self.core.disk.as_ref().map(|disk| disk.space.usage()).transpose()
    }

    fn memory(db: Database) -> Self {
        let permits = Arc::new(Semaphore::new(MEMORY_CONCURRENT));
        Self::of(Core { disk: None, db, permits, inline: false, _lock: None })
    }

    fn of(core: Core) -> Self {
        Self { core: Arc::new(core) }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.core.disk.as_ref().map(|disk| &disk.file);
        out.debug_struct("Engine").field("file", &file).finish_non_exhaustive()
    }
}

impl Core {
    /// Answers one call on a blocking thread. A caller that stops waiting does not undo it, as
    /// with the real one: once started, the call runs to its end.
    pub(crate) async fn call(
        self: Arc<Self>,
        operation: Operation,
        body: Vec<u8>,
    ) -> Result<Reply, Interrupted> {
        if self.inline {
            return Ok(self.answer(operation, &body));
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        let reply = tokio::task::spawn_blocking(move || {
            let _held_until_done = permit;
            self.answer(operation, &body)
        });
        Ok(reply.await?)
    }

    fn answer(&self, operation: Operation, body: &[u8]) -> Reply {
        match self.disk.as_ref().map(|disk| disk.space.admit(operation, body)) {
            Some(Err(refused)) => refused,
            Some(Ok(())) | None => dispatch(&self.db, operation, body),
        }
    }
}

/// A call that got no answer of the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interrupted {
    #[error("the engine is closed")]
    Closed(#[from] tokio::sync::AcquireError),
    #[error("the call was cut short: {0}")]
    Cut(#[from] tokio::task::JoinError),
}

/// SQLite through the engine takes paths as text only.
pub(crate) fn text(path: &Path) -> Result<&str, EngineError> {
    path.to_str().ok_or_else(|| EngineError::PathNotText { path: path.into() })
}

/// Creates the folder if missing; absolute, so that messages say where it is.
pub(crate) fn create_folder(folder: &Path) -> Result<PathBuf, EngineError> {
    let failed = |source| EngineError::File { action: "create the folder", path: folder.into(), source };
    create_private(folder).map_err(failed)?;
    std::path::absolute(folder).map_err(failed)
}

/// What is stored holds what streams are fetched with, such as tokens: a new folder is its owner's alone.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn check(config: &EngineConfig) -> Result<(), EngineError> {
    let ranges = [
        ("max_bytes", config.max_bytes, EngineConfig::LEAST_BYTES),
        ("max_concurrent", config.max_concurrent as u64, 1),
    ];
    match ranges.into_iter().find(|(_, got, least)| got < least) {
        Some((field, got, least)) => Err(EngineError::TooSmall { field, got, least }),
        None => Ok(()),
    }
}

fn no_memory(source: dynoxide::DynoxideError) -> EngineError {
    EngineError::Open { path: ":memory:".into(), source }
}
