//! Watchers over real streams and the embedded engine: how they follow each other, follow their configuration,
//! and run as a Lambda.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hand_over;
mod interval;
#[cfg(feature = "lambda")]
mod lambda;
mod reconcile;
mod relief;
mod support;
