//! The scheduled probe as library functions: the same code runs in a Lambda and in `hlsops serve`.
//!
//! - [`shards::assign`] says which stream is watched where.
//! - [`watch_shard`] takes a shard's lease and watches its streams until it is superseded or told to stop.
//!
//! Per stream three things run side by side: the watch (`hlsops_watch`), which knows no table; the
//! [`Recorder`], its sink, which cuts what happened into minutes; and the [`PageWriter`], which stores them.
//! A watcher that has lost a stream learns it from its next write, drops what it has and stops.

mod network;
mod recorder;
mod shard;
pub mod shards;
mod stream;
mod writer;

pub use network::Network;
pub use recorder::{Page, Recorder};
pub use shard::{Ended, Shard, Shared, watch_shard};
pub use stream::{StreamEnd, StreamError};
pub use writer::{PageWriter, WriterEnd};
