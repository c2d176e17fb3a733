//! What an engine is opened with.

use std::path::PathBuf;

/// How an engine is opened. [`EngineConfig::new`] gives the defaults; fields may be changed.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The folder of the database; created if missing. One process at a time may have it open.
    pub dir: PathBuf,
    /// The most the data may take. Unit: bytes. Default: 4 GiB. At least [`EngineConfig::LEAST_BYTES`].
    ///
    /// Bounded are the pages in use; space freed by deletes counts as free at once. Past the
    /// bound, writes are refused while reads and deletes go on. The database file may overshoot
    /// by a few percent, and the write-ahead log beside it takes about 4 MB more (while a backup
    /// runs: what is written meanwhile).
    pub max_bytes: u64,
    /// What an acknowledged write survives. Default: [`Durability::PowerLoss`].
    pub durability: Durability,
    /// Calls worked on at the same time; the rest wait in order. Default: 4. At least 1.
    ///
    /// The engine has one connection, so more gains nothing but parsing; it bounds the
    /// runtime's blocking threads that calls can take.
    pub max_concurrent: usize,
}

impl EngineConfig {
    /// The least [`max_bytes`](Self::max_bytes): below it not even an empty table fits.
    pub const LEAST_BYTES: u64 = 256 * 1024;

    /// The defaults for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_bytes: 4 << 30, durability: Durability::default(), max_concurrent: 4 }
    }
}

/// What an acknowledged write survives. Both settings survive a killed process, and neither
/// leaves a damaged file behind.
///
/// Measured on a busy virtual machine with 2 cores, items of 400 bytes, 8 writers, the engine
/// optimised and the SDK not: 860 puts a second with one `fsync` for each (`PowerLoss`), 1,260
/// with one for several hundred (`Process`). For another disk: `cargo run --release -p hlsops-engine
/// --example puts -- FOLDER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut or a crash of the operating system too: every write waits for the disk.
    ///
    /// The default, because it is affordable: a stream writes about once a minute and at each
    /// transition, so 200 streams need some 10 writes a second, and even a disk that takes 10 ms
    /// to sync gives 100. Without it, a power cut forgets incidents that people were told about.
    #[default]
    PowerLoss,
    /// A killed process only: the operating system writes in its own time. A power cut may
    /// take the newest writes (those since the last checkpoint of the log, about 4 MB), from
    /// the newest backwards and never from the middle.
    ///
    /// For tests, demonstrations, and machines where `PowerLoss` is too slow.
    Process,
}
