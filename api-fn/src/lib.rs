//! The HTTP API: one router, served by a Lambda behind an HTTP API and by the local program, unchanged.
//!
//! ```no_run
//! # fn example(store: hlsops_store::Store, fetcher: hlsops_fetch::Fetcher) -> Result<(), Box<dyn std::error::Error>> {
//! use hlsops_api::{App, LocalKey, Secret, build_router};
//!
//! let secret = Secret::generate()?;
//! let mut app = App::new(store, fetcher);
//! app.local_key = Some(LocalKey::new(&secret, "default"));
//! let router = build_router(app);
//! # Ok(()) }
//! ```
//!
//! # How a request goes
//! 1. It gets an id, which is on the answer, in every problem and on the log line. Neither keys nor queries
//!    are ever logged.
//! 2. Everything below `/api` but `/health` needs a key; its scope is checked where the routes are listed
//!    ([`build_router`]), so a new route is closed until somebody says to whom it is open.
//! 3. The handler parses, calls once and translates. What an answer says of a stream is decided by the pure
//!    functions in `view`.
//!
//! # Serving files beside it
//! The router answers unknown paths with a problem, or with a small page where a browser asks for one. Put it behind other routes as their fallback:
//! `Router::new().route("/", index).fallback_service(build_router(app))`.

mod app;
mod auth;
mod config;
mod docs;
mod idempotency;
mod input;
#[cfg(feature = "lambda")]
pub mod lambda;
mod limit;
mod look;
mod middleware;
mod problem;
mod random;
mod routes;
mod times;
mod view;
mod wall;

pub use app::{App, LocalKey};
pub use auth::{KeyError, create_key};
pub use random::{RandomError, Secret, new_id};
pub use routes::{build_router, openapi};
