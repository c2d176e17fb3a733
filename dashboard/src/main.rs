//! The dashboard: a page over the public API, in WebAssembly.
//!
//! - [`wall`]: is everything healthy now? [`stream`] and [`incidents`]: what exactly went wrong? [`edit`]: what is
//!   watched, and how. [`channels`] and [`inbox`]: who is told, and of what.
//! - What is decided (order, filter, staleness, what a form sends) is in functions without a browser, tested on the
//!   host: `wall::{board, query, hold}`, `pace`, `time`, `edit::draft`, `form::errors`. The rest shows it.
//! - It knows of the server what `hlsops-wire` says, and nothing else; `cargo xtask site` builds it.

#![expect(unreachable_pub, reason = "the component macro writes a `pub` of its own")]

mod acknowledge;
mod app;
mod channels;
mod client;
mod demo;
mod edit;
mod form;
mod inbox;
mod incidents;
mod live;
mod pace;
mod rights;
mod session;
mod stream;
mod time;
mod ui;
mod wall;

fn main() {
    leptos::mount::mount_to_body(app::App);
}
