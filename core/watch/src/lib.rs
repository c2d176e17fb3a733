//! Follows a stream: loads its playlists at the pace of RFC 8216 section 6.3.4, downloads every new
//! segment, and hands what it saw to the domain and what happened to a sink.
//!
//! [`watch`] is one task per stream. It knows two traits only, a [`Transport`] and a [`Clock`], so tests
//! run it in virtual time against a scripted origin, and a replay needs no network. What to do next is
//! decided by the pure [`plan::Plan`]; what it means by `hlsops_domain::step`.
//!
//! ```text
//!            due requests                answers                    observations
//! Plan ------------------> Transport -----------> read, inspect -----------------> step -> Sink
//!   ^                                                                                |
//!   +-------------------------------- when to reload, what to fetch -----------------+
//! ```

mod cadence;
mod clock;
mod follow;
mod http;
pub mod plan;
mod sink;
mod transport;

pub use cadence::{Cadence, Cadences};
pub use clock::{Clock, SystemClock};
pub use follow::{Target, watch, watch_from};
pub use http::{HttpTransport, failure_of};
pub use sink::{Poll, Sink};
pub use transport::{PlaylistAnswer, PlaylistRequest, SegmentAnswer, SegmentRequest, Transport};
