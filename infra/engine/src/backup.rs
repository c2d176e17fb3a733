//! Copies of a live database, and folders made from such copies.
//!
//! The copy is made by a second connection inside one read transaction, so it is consistent,
//! compact, and writers go on meanwhile. Never copy the live file by other means: half of the
//! data may still be in the log beside it, and closing a foreign handle on the file drops
//! SQLite's own locks in this process.

use crate::{
    engine::{Core, DATABASE_FILE, Engine, create_folder, text},
    error::EngineError,
    lock::FolderLock,
};
use rusqlite::{Connection, OpenFlags, params};
use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

impl Engine {
    /// Copies the live database to a new file, complete up to some moment during the call.
    ///
    /// The file appears under its name only when it is whole and on the disk. Meanwhile it takes
    /// its size beside it, and the log in the engine's folder grows by what is written.
    ///
    /// # Errors
    /// If the file exists, or cannot be written.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<(), EngineError> {
        let (core, to) = (Arc::clone(&self.core), to.into());
        tokio::task::spawn_blocking(move || back_up(&core, &to)).await?
    }

    /// Makes a folder from a backup, to be opened with [`Engine::open`]. Blocks.
    ///
    /// The backup is checked first and left as it is.
    ///
    /// # Errors
    /// If the backup is damaged, if the folder is in use, or if it already has a database.
    pub fn restore(backup: &Path, folder: &Path) -> Result<(), EngineError> {
        check(backup)?;
        let folder = create_folder(folder)?;
        let _lock = FolderLock::take(&folder)?;
        let file = free(folder.join(DATABASE_FILE))?;
        let partial = partial(&file);
        let _ = fs::remove_file(&partial);
        create_private(&partial).map_err(file_error("create", &partial))?;
        let copied = File::open(backup)
            .and_then(|mut from| std::io::copy(&mut from, &mut File::options().write(true).open(&partial)?));
        copied.map_err(file_error("copy the backup to", &partial))?;
        publish(&partial, &file)
    }
}

fn back_up(core: &Core, to: &Path) -> Result<(), EngineError> {
    let to = free(std::path::absolute(to).map_err(file_error("resolve", to))?)?;
    let partial = partial(&to);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(file_error("remove the old", &partial)(error));
        }
        _ => {}
    }
    create_private(&partial).map_err(file_error("create", &partial))?;
    match &core.disk {
        Some(disk) => copy_file(&disk.file, &partial)?,
        None => core
            .db
            .vacuum_into(text(&partial)?)
            .map_err(|source| EngineError::Open { path: partial.clone(), source })?,
    }
    publish(&partial, &to)
}

/// An empty file, its owner's alone: a copy holds what streams are fetched with, such as tokens.
fn create_private(file: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(file).map(drop)
}

/// `VACUUM INTO` on a connection of its own. Afterwards the log that grew meanwhile is cut, as
/// far as no other reader is in the way.
fn copy_file(file: &Path, to: &Path) -> Result<(), EngineError> {
    let failed = |source| EngineError::Database { action: "copy the database to", path: to.into(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(failed)?;
    connection.execute("VACUUM INTO ?1", params![text(to)?]).map_err(failed)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)
}

/// Makes a written file safe from a power cut, and gives it its name.
fn publish(partial: &Path, to: &Path) -> Result<(), EngineError> {
    File::options()
        .write(true)
        .open(partial)
        .and_then(|file| file.sync_all())
        .map_err(file_error("sync", partial))?;
    fs::rename(partial, to).map_err(file_error("rename the copy to", to))?;
    match to.parent() {
        Some(folder) => sync_folder(folder).map_err(file_error("sync", folder)),
        None => Ok(()),
    }
}

/// Not every system can sync a folder; those that cannot do it by themselves.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn check(backup: &Path) -> Result<(), EngineError> {
    let bad = |found: String| EngineError::NotABackup { path: backup.into(), found };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(backup, flags).map_err(|error| bad(error.to_string()))?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| bad(error.to_string()))?;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = '_tables'", [], |row| row.get(0))
        .map_err(|error| bad(error.to_string()))?;
    match (verdict.as_str(), tables) {
        ("ok", 1) => Ok(()),
        ("ok", _) => Err(bad("another program's database".into())),
        _ => Err(bad(verdict)),
    }
}

fn free(path: PathBuf) -> Result<PathBuf, EngineError> {
    if path.exists() { Err(EngineError::Exists { path }) } else { Ok(path) }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EngineError {
    let path = path.to_path_buf();
    move |source| EngineError::File { action, path, source }
}
