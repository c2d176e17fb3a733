//! The scheduled probe as library functions: the same code runs in a Lambda and in `hlsops serve`.
//!
//! - [`dispatch`] finds the shards that need a watcher, once a minute and at once on a change.
//! - [`shards::assign`] says which stream is watched where.
//! - [`watch_shard`] takes a shard's lease and watches its streams until it is superseded or told to stop.
//!
//! Per stream three things run side by side: the watch (`hlsops_watch`), which knows no table; the
//! [`Recorder`], its sink, which cuts what happened into minutes; and the [`PageWriter`], which stores them.
//! A watcher that has lost a stream learns it from its next write, drops what it has and stops.

mod board;
mod crew;
mod dispatch;
mod interval;
#[cfg(feature = "lambda")]
pub mod lambda;
mod member;
mod network;
mod nudge;
mod rebalance;
mod recorder;
mod shard;
pub mod shards;
mod stream;
mod weight;
mod writer;

pub use dispatch::{Dispatched, Scope, WorkMessage, dispatch};
pub use network::Network;
pub use nudge::{Nudge, Nudged};
pub use recorder::{Page, Recorder, Step};
pub use shard::{Ended, MISSING, Shard, Shared, watch_shard};
pub use stream::{StreamEnd, StreamError};
pub use writer::{PageWriter, WriterEnd};
