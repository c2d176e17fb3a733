//! The sender on the embedded engine: over HTTP, and in a simulation with everything that goes wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documented;
mod http;
mod running;
mod simulation;
mod support;
