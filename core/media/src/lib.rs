//! What is inside a media segment, fed in chunks of any size.
//!
//! A player that gets an HTML page, half a file or a stream of broken packets
//! instead of a segment stops playing, while every status code says 200. This
//! crate looks at the bytes themselves: which container they are, whether it is
//! whole, and whether its packets follow each other.
//!
//! ```
//! use hlsops_media::{Container, Defect, Inspector};
//!
//! let mut inspector = Inspector::new();
//! for chunk in [&b"<!doctype html>"[..], b"<html><body>Not found"] {
//!     inspector.feed(chunk);
//! }
//! let report = inspector.finish();
//! assert_eq!(report.container, Container::Html);
//! assert_eq!(report.defect, Some(Defect::NotMedia { container: Container::Html }));
//! ```
//!
//! Pure: no I/O, no clock, no serialisation; it builds for wasm32. Of a transport
//! stream only the packet headers are read and of fragmented MP4 only the top-level
//! box headers; every byte is hashed where that is asked for. Memory is bounded (at
//! most 36 kB a segment, whatever its size) and nothing is allocated per chunk. Any
//! bytes are a valid input: a bad segment is a [`Defect`], never an error, and
//! the report does not depend on where the chunks were cut.
//!
//! Sources: RFC 8216 section 3 (the four segment formats), ISO/IEC 13818-1
//! (transport streams), ISO/IEC 14496-12 (boxes).

mod boxes;
mod inspector;
mod report;
mod sniff;
mod ts;

pub use inspector::Inspector;
pub use report::{Boxes, Container, Defect, Fmp4Report, PidErrors, PtsSpan, Report, TsReport};
