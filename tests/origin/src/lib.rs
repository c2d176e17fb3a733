//! A live HLS origin with faults on demand, serving real media: for tests, benchmarks and the demo.
//!
//! - Any number of streams by name ([`StreamSpec`]): a master with three video renditions and an audio group, or a
//!   single media playlist; TS or fMP4; 2, 4, 6 or 10 s segments. Names that begin with `auto-` exist when asked for.
//! - Faults per stream ([`Fault`]), from Rust ([`Origin::set_fault`]) or by `PUT /control/{stream}/fault`.
//! - A ledger of what was served and when ([`Origin::ledger`]), and when a fault first showed
//!   ([`Origin::first_faulty`]): what a monitor's latency is measured against.
//!
//! What a playlist lists is a pure function of the stream and a time ([`live::Live`]); [`answer::answer`] decides
//! what a request gets; the HTTP side only sends it. RFC 8216 is meant where no other edition is named.

pub mod answer;
mod clock;
pub mod demo;
pub mod expect;
pub mod fault;
mod fields;
mod http;
pub mod ledger;
pub mod live;
pub mod master;
pub mod media;
mod net;
pub mod numbering;
mod origin;
mod range;
mod registry;
pub mod requests;
pub mod spec;
pub mod stream;
pub mod text;

pub use demo::{DEMO, DemoStream};
pub use expect::{Expectation, Health, PlaylistState};
pub use fault::{Applied, Fault, FaultKind, TarpitMode, What};
pub use fields::FieldError;
pub use ledger::{Entry, Outcome};
pub use media::{Container, Rendition};
pub use origin::{ControlError, Origin, OriginConfig, StartError};
pub use registry::{AUTO_PREFIX, Registry, StreamRefused};
pub use spec::{Layout, SegmentLength, StreamSpec};
pub use stream::{FaultRefused, Snapshot};
