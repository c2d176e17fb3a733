//! What a playlist says: our own model over the lines of `quick-m3u8`.
//!
//! Reading never fails: text that is not a playlist is a [`Parsed::NotAPlaylist`], and a tag that
//! cannot be understood is a [`Problem`] beside whatever could be read. The model borrows from the
//! text, so reading allocates only the list of segments. Variables are put in before, by [`expand`].

mod attributes;
mod date;
mod define;
mod media;
mod model;
mod multivariant;
mod read;
mod reader;
#[cfg(test)]
mod tests;

pub use define::{Expanded, Sources, Variables, expand};
pub use model::{
    ByteRange, DurationDefect, Key, Map, MediaKind, MediaPlaylist, MediaTag, Multivariant, NotAPlaylist,
    Parsed, PlaylistType, Problem, ProblemKind, Segment, ServerControl, Variant,
};
pub use read::{decode, read};
pub use reader::Reader;
