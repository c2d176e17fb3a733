//! Identifiers that stand in keys. Checked once, here, so that a key never needs escaping.

use std::fmt;

use hlsops_domain::EpochMs;

use crate::error::StoreError;

/// A stream of an account. Shown as `account#stream`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    account: String,
    name: String,
}

impl StreamId {
    /// Longest account or stream identifier, in bytes.
    pub const MAX: usize = 64;

    /// Letters, digits, `-`, `_` and `.`, from 1 to [`StreamId::MAX`] of them, in each part.
    ///
    /// # Errors
    /// [`StoreError::BadId`] otherwise.
    pub fn new(account: &str, name: &str) -> Result<Self, StoreError> {
        check("account", account)?;
        check("stream", name)?;
        Ok(Self { account: account.into(), name: name.into() })
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The stream within its account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`StoreError::BadId`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let (account, name) = text.split_once('#').unwrap_or((text, ""));
        Self::new(account, name)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.account, self.name)
    }
}

/// Whether `id` may stand in a key.
pub(crate) fn check(field: &'static str, id: &str) -> Result<(), StoreError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=StreamId::MAX).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(());
    }
    Err(StoreError::BadId { field, got: id.chars().take(StreamId::MAX).collect() })
}

/// An incident: its stream, and the version of the stream's incident pointer that opened it. Whoever opens
/// the same incident gives it the same identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(String);

impl IncidentId {
    /// The incident that version `version` of the pointer opened.
    #[must_use]
    pub fn new(stream: &StreamId, version: u64) -> Self {
        Self(format!("inc:{}:{}:{version}", stream.account, stream.name))
    }

    /// Reads what [`IncidentId::as_str`] gave.
    ///
    /// # Errors
    /// [`StoreError::BadId`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let id = Self(text.into());
        match id.parts() {
            Some(_) => Ok(id),
            None => {
                Err(StoreError::BadId { field: "incident", got: text.chars().take(StreamId::MAX).collect() })
            }
        }
    }

    /// Its stream, and the version of the pointer that opened it.
    #[must_use]
    pub fn parts(&self) -> Option<(StreamId, u64)> {
        let mut parts = self.0.strip_prefix("inc:")?.split(':');
        let (account, name, version) = (parts.next()?, parts.next()?, parts.next()?);
        let stream = StreamId::new(account, name).ok()?;
        let version = version.parse().ok()?;
        // One spelling only.
        (Self::new(&stream, version) == *self).then_some((stream, version))
    }

    /// From its text.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A ULID in lower case: 48 bits of time and 80 of `random`, so that the order of text is the order of time.
#[must_use]
pub fn ulid(at: EpochMs, random: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = (u128::from(at.0) << 80) | (random & ((1 << 80) - 1));
    let digit = |nth: u32| char::from(DIGITS[usize::try_from((bits >> (5 * nth)) & 31).unwrap_or_default()]);
    (0..26).rev().map(digit).collect()
}

/// Bits for a [`ulid`] that are the same for the same text.
pub(crate) fn spread(text: &str) -> u128 {
    let hash = hlsops_domain::id::StableHash::new().with(text.as_bytes());
    (u128::from(hash.finish()) << 64) | u128::from(hash.with(b"again").finish())
}

/// Streams that one watcher watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Minutes since 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub u64);

impl Minute {
    /// The minute `at` lies in.
    #[must_use]
    pub const fn of(at: EpochMs) -> Self {
        Self(at.0 / 60_000)
    }

    /// When it begins.
    #[must_use]
    pub const fn start(self) -> EpochMs {
        EpochMs(self.0.saturating_mul(60_000))
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Who writes: one run of a watcher or a sender.
///
/// A name belongs to one run for ever and never writes two things about one stream at the same time; by it a
/// lost reply is told from somebody else's write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Unique to the run, such as a Lambda request id. Short: it is in every item.
    pub name: String,
    /// Epoch of its shard's lease. The newest epoch wins.
    pub epoch: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ulid_is_sorted_by_time() {
        assert_eq!(ulid(EpochMs(1_469_918_176_385), 0), "01aryz6s410000000000000000");
        assert_eq!(ulid(EpochMs(0), u128::MAX), "0000000000zzzzzzzzzzzzzzzz");
        assert!(ulid(EpochMs(1), 0) > ulid(EpochMs(0), u128::MAX));
    }

    #[test]
    fn identifiers_never_need_escaping() {
        assert!(StreamId::new("acme", "news-1_x.y").is_ok());
        for bad in ["", "a#b", "a b", "ä", &"x".repeat(65)] {
            assert!(StreamId::new("acme", bad).is_err(), "{bad}");
        }
        let id = StreamId::new("acme", "news").expect("valid");
        assert_eq!(StreamId::parse(&id.to_string()).expect("valid"), id);
        assert_eq!(IncidentId::new(&id, 7).as_str(), "inc:acme:news:7");
        let incident = IncidentId::parse("inc:acme:news:7").expect("valid");
        assert_eq!(incident.parts(), Some((id, 7)));
        for bad in
            ["", "inc:acme:news", "inc:acme:news:07", "inc:acme:news:7:8", "inc:a#b:news:7", "x:acme:news:7"]
        {
            assert!(IncidentId::parse(bad).is_err(), "{bad}");
        }
    }
}
