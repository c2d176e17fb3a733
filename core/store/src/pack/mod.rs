//! Packed attributes: the log of a minute and the closing state of a stream.
//!
//! Both are columns of numbers, each told by its difference from what came before, written in bits
//! (`bits`). A general compressor gains nothing on top (`examples/pack_size.rs` prints the sizes), so there
//! is none. The first byte is the schema version; reading any bytes whatever never panics and is bounded.

mod bits;
mod closing;
mod codes;
mod columns;
mod entries;
mod log;
mod past;
mod tiles;

pub use closing::{pack_closing, unpack_closing};
pub use log::{Change, Loads, LogLimits, MinuteLog, RenditionLog, SegmentRow, What};
#[cfg(test)]
mod tests;

pub(crate) use codes::{health, health_code};
pub use past::past;
pub(crate) use tiles::{pack_tiles, unpack_tiles};

/// Why packed bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// They were packed by a newer version of this program.
    #[error("packed by schema version {found}, this program knows {known}: install the newer version")]
    Newer {
        /// Their version.
        found: u8,
        /// The newest known one.
        known: u8,
    },
    /// They end too early.
    #[error("the bytes end in the middle")]
    Short,
    /// They say what no version writes.
    #[error("the bytes are damaged: no valid {0}")]
    Damaged(&'static str),
}

/// The version byte, checked; what follows it.
fn versioned(bytes: &[u8], known: u8) -> Result<&[u8], PackError> {
    match bytes.split_first() {
        None => Err(PackError::Short),
        Some((&found, _)) if found > known => Err(PackError::Newer { found, known }),
        Some((0, _)) => Err(PackError::Damaged("version")),
        Some((_, rest)) => Ok(rest),
    }
}
