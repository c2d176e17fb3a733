//! The domain of HLS monitoring: what a playlist says, how a viewer's buffer fares, whether a
//! stream is healthy and when that becomes an incident.
//!
//! Everything here is pure. Nothing reads a clock, a socket, a file or the environment, and nothing
//! serialises: time and observations are arguments, so any recorded stream can be replayed against
//! other [`Limits`]. The entry point is [`step`]: one observation in, events out.
//!
//! ```text
//! bytes -> playlist::read -> Observation -> step(StreamState, at, &Observation, &Limits) -> [Event]
//! ```
//!
//! Section numbers name their edition: RFC 8216 and its successor rfc8216bis number tags differently.

pub mod buffer;
pub mod checks;
pub mod closing;
pub mod event;
pub mod findings;
pub mod freshness;
pub mod health;
pub mod id;
pub mod incident;
pub mod limits;
pub mod look;
pub mod observation;
pub mod pace;
pub mod playlist;
pub mod rendition;
mod rolling;
pub mod stream;
pub mod units;

pub use closing::{Closing, Past, RenditionClosing};
pub use event::{Event, EventKind};
pub use freshness::{Pace, is_stale};
pub use health::{Health, HealthState, Reason};
pub use id::RenditionId;
pub use limits::Limits;
pub use look::Look;
pub use observation::{Failure, Observation};
pub use stream::{StreamState, step};
pub use units::{EpochMs, MediaUs};
