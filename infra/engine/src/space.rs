//! The bound on what the data may take on disk.
//!
//! Measured is what SQLite says is in use: its pages without its free ones. Free pages are used
//! again before the file grows, so bounding the pages in use bounds the file, and deletes make
//! room at once. Measuring takes two pragmas on a second, read-only connection; it happens once
//! per [`step`] of request bytes, and on each write only while the bound is reached.

use crate::{
    error::EngineError,
    operation::Operation,
    reply::{Actions, Reply},
};
use rusqlite::{Connection, OpenFlags};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Guards one database file.
pub(crate) struct Space {
    file: PathBuf,
    limit: u64,
    meter: Mutex<Meter>,
}

struct Meter {
    connection: Connection,
    /// As last measured, in bytes.
    used: u64,
    /// Bytes of growing requests let through since then.
    since: u64,
}

/// What the data takes and may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The pages in use. Unit: bytes.
    pub used_bytes: u64,
    /// The bound. Unit: bytes.
    pub max_bytes: u64,
}

/// Why a write was refused: the text the SDK's caller reads.
#[derive(Debug, thiserror::Error)]
#[error(
    "the folder `{}` is full: its data takes {used} of at most {limit} bytes; \
     raise max_bytes, or delete data (reads and deletes still work, and deletes make room)",
    folder.display()
)]
struct Full<'a> {
    folder: &'a Path,
    used: u64,
    limit: u64,
}

impl Space {
    /// Starts guarding an existing database file.
    pub(crate) fn guard(file: &Path, limit: u64) -> Result<Self, EngineError> {
        let connection = Connection::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|source| unmeasured(file, source))?;
        let mut meter = Meter { connection, used: 0, since: 0 };
        meter.measure().map_err(|source| unmeasured(file, source))?;
        Ok(Self { file: file.into(), limit, meter: Mutex::new(meter) })
    }

    /// Lets a call through, or says how DynamoDB would refuse it.
    pub(crate) fn admit(&self, operation: Operation, body: &[u8]) -> Result<(), Reply> {
        if !may_grow(operation) {
            return Ok(());
        }
        let used = match self.used_after(body.len() as u64) {
            Ok(used) if used < self.limit => return Ok(()),
            Ok(used) => used,
            // SQLite itself is in trouble; the call will meet and report the same.
            Err(_) => return Ok(()),
        };
        let actions = Actions::of(operation, body);
        if !actions.grows {
            return Ok(());
        }
        let folder = self.file.parent().unwrap_or(&self.file);
        Err(refusal(operation, &actions, &Full { folder, used, limit: self.limit }))
    }

    /// Measures now.
    pub(crate) fn usage(&self) -> Result<Usage, EngineError> {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.measure().map_err(|source| unmeasured(&self.file, source))?;
        Ok(Usage { used_bytes: meter.used, max_bytes: self.limit })
    }

    fn used_after(&self, bytes: u64) -> rusqlite::Result<u64> {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if meter.used >= self.limit || meter.since >= step(self.limit) {
            meter.measure()?;
        }
        if meter.used < self.limit {
            meter.since += bytes;
        }
        Ok(meter.used)
    }
}

impl Meter {
    fn measure(&mut self) -> rusqlite::Result<()> {
        let number = |sql| self.connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map(u64::from);
        let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
        self.used = pages * number("PRAGMA page_size")?;
        self.since = 0;
        Ok(())
    }
}

/// After how many bytes of requests to measure again. A stored item takes up to three times its
/// request (row, index row, page overhead), so the overshoot stays below some 5 % of the bound.
fn step(limit: u64) -> u64 {
    (limit / 64).clamp(4 << 10, 8 << 20)
}

fn may_grow(operation: Operation) -> bool {
    use Operation::{BatchWriteItem, PutItem, TransactWriteItems, UpdateItem, UpdateTable};
    matches!(operation, PutItem | UpdateItem | BatchWriteItem | TransactWriteItems | UpdateTable)
}

/// DynamoDB's error for "no room in this partition" is the closest that is modelled, is typed in
/// the SDK, and is never retried.
fn refusal(operation: Operation, actions: &Actions, full: &Full<'_>) -> Reply {
    let message = full.to_string();
    match operation {
        Operation::TransactWriteItems => {
            Reply::cancelled("ItemCollectionSizeLimitExceeded", &message, actions.count)
        }
        Operation::UpdateTable => Reply::error(400, "LimitExceededException", &message),
        _ => Reply::error(400, "ItemCollectionSizeLimitExceededException", &message),
    }
}

fn unmeasured(file: &Path, source: rusqlite::Error) -> EngineError {
    EngineError::Database { action: "measure", path: file.into(), source }
}
