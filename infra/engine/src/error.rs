//! Why the engine itself failed. What a *call* got is the SDK's error, as from DynamoDB.

use std::{fmt, io, path::PathBuf};

/// Why an engine could not be opened, swept, backed up or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A setting is out of its range.
    #[error("{field} is {got}, and must be at least {least}")]
    TooSmall {
        /// The field of [`EngineConfig`](crate::EngineConfig).
        field: &'static str,
        /// What was given.
        got: u64,
        /// The least that works.
        least: u64,
    },
    /// The folder holds no text path, which SQLite needs.
    #[error("the path `{}` is not valid UTF-8: choose another one", path.display())]
    PathNotText {
        /// The path as given.
        path: PathBuf,
    },
    /// Another engine has the folder open.
    #[error("the folder `{}` is in use by {holder}: stop that process, or choose another folder", folder.display())]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
        /// Who has it, as far as the lock file tells.
        holder: Holder,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// What was tried: "create the folder", "lock"...
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The database could not be opened.
    #[error(
        "cannot open the database `{}`: {source}; if it is damaged, move it away and restore a backup",
        path.display()
    )]
    Open {
        /// The database file.
        path: PathBuf,
        /// The engine's answer.
        source: dynoxide::DynoxideError,
    },
    /// Expired items could not be deleted.
    #[error("cannot delete expired items: {0}; the next sweep tries again")]
    Sweep(#[source] dynoxide::DynoxideError),
    /// The database could not be measured or copied.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database file or the copy.
        path: PathBuf,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// A backup or a restore would overwrite something.
    #[error("`{}` exists and is never overwritten: move it away, or choose another place", path.display())]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },
    /// The file to restore from is no sound backup.
    #[error("`{}` is not a sound backup ({found}): choose another backup", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
        /// What the check said.
        found: String,
    },
    /// The blocking part was stopped half way, because the runtime shuts down or the code panicked.
    #[error("the engine's work was cut short: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Who holds a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) if pid == std::process::id() => write!(out, "this process ({pid})"),
            Some(pid) => write!(out, "process {pid}"),
            None => out.write_str("another process"),
        }
    }
}
