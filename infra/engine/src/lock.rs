//! One engine per folder.
//!
//! SQLite would let two processes share the file, but the idempotency tokens, the disk bound and
//! the sweep live in memory, so a second process would break them silently. The operating system
//! releases the lock with the process, however it ends.

use crate::error::{EngineError, Holder};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, Write},
    path::Path,
};

const NAME: &str = "engine.lock";
/// More than any process id has digits.
const MAX_READ: u64 = 32;

/// Holds the folder until dropped. The file stays; only the lock on it counts.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, or says who has it. Never waits.
    pub(crate) fn take(folder: &Path) -> Result<Self, EngineError> {
        let path = folder.join(NAME);
        let failed = |action, source| EngineError::File { action, path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| failed("open the lock file", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(EngineError::FolderInUse { folder: folder.into(), holder: holder(&file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
        }
        sign(&mut file).map_err(|source| failed("write the lock file", source))?;
        Ok(Self { _file: file })
    }
}

/// Whether an engine has a folder open, in this process or another. Changes nothing in it.
///
/// One that is just opening the folder may not have it yet.
///
/// # Errors
/// When the lock file is none, or cannot be opened.
pub fn is_in_use(folder: &Path) -> io::Result<bool> {
    let path = folder.join(NAME);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(ErrorKind::InvalidInput.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    match File::open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Leaves the process id for the message of whoever comes second.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Reads who signed. Where locks also forbid reading, or the holder is just signing, nobody is known.
fn holder(file: &File) -> Holder {
    let mut text = String::new();
    match file.take(MAX_READ).read_to_string(&mut text) {
        Ok(_) => Holder(text.trim().parse().ok()),
        Err(_) => Holder(None),
    }
}
