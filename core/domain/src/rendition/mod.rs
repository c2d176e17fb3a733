//! One rendition: its playlist state, what it listed before, its buffer and its recent past.

mod closing;
mod memory;
mod recognise;
mod samples;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod update;

pub use memory::{Change, Memory, fingerprint};
pub(crate) use recognise::recognise;
pub use samples::{Loss, Sample};
pub use spec::{Location, RenditionKind, RenditionSpec, list_renditions};
pub use state::{PlaylistState, Rendition};
pub use update::{Follow, Progress};
