//! Identities that survive restarts: derived from what a thing is, never from when it was seen.

use std::fmt;

/// One rendition of a stream: a hash of its kind, its attributes and its path without the query,
/// so that a new session token or another query leaves its identity alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RenditionId(pub u64);

impl fmt::Display for RenditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ren_{:016x}", self.0)
    }
}

/// A stable 64-bit hash (FNV-1a). Not for hostile keys: it only recognises what we saw before.
#[derive(Clone, Copy, Debug)]
pub struct StableHash(u64);

impl StableHash {
    /// The empty hash.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes and an end mark, so that `("ab", "c")` differs from `("a", "bc")`.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    /// The hash so far.
    #[must_use]
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for StableHash {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let one = StableHash::new().with(b"ab").with(b"c").finish();
        let other = StableHash::new().with(b"a").with(b"bc").finish();
        assert_ne!(one, other);
    }
}
