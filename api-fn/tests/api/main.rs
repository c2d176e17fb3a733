//! The router on the embedded engine.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod again;
mod channels;
mod document;
mod incidents;
mod keys;
mod seen;
mod status;
mod streams;
mod support;
mod wall;
