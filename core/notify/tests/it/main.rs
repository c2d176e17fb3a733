//! The sender on the embedded engine: over HTTP, and in a simulation with everything that goes wrong.

mod http;
mod running;
mod simulation;
mod support;
