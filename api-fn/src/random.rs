//! Secrets and identifiers.

use std::fmt;

use hlsops_domain::EpochMs;
use hlsops_store::ulid;
use ring::rand::{SecureRandom, SystemRandom};

/// The operating system has no random numbers to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct RandomError;

/// The secret of an API key: `hlsops_` and 256 random bits. Never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    const MARK: &str = "hlsops_";
    /// 256 bits in base 32.
    const DIGITS: usize = 52;
    /// What may be shown of a secret: the mark and 30 bits.
    const SHOWN: usize = 13;

    /// A new one.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate() -> Result<Self, RandomError> {
        let bytes: [u8; 32] = random()?;
        Ok(Self(format!("{}{}", Self::MARK, base32(&bytes, Self::DIGITS))))
    }

    /// Reads what [`Secret::as_str`] gave; none if it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::MARK)?;
        let valid = digits.len() == Self::DIGITS && digits.bytes().all(|digit| ALPHABET.contains(&digit));
        valid.then(|| Self(text.into()))
    }

    /// The secret itself: to be shown once, to whom it belongs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it begins with: enough to tell keys apart.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..Self::SHOWN]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}...)", self.prefix())
    }
}

/// A new identifier: `prefix`, `_` and a ULID in lower case, so that identifiers sort by when they were made.
///
/// # Errors
/// [`RandomError`].
pub fn new_id(prefix: &str, now: EpochMs) -> Result<String, RandomError> {
    Ok(format!("{prefix}_{}", ulid(now, u128::from_be_bytes(random()?))))
}

/// 12 hexadecimal digits: the link id of a stream that was given none.
pub(crate) fn link_id() -> Result<String, RandomError> {
    let bytes: [u8; 6] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Crockford's, in lower case: without i, l, o and u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

/// The first `digits` digits of the bytes, highest bits first; the last one is filled up with zeros.
fn base32(bytes: &[u8], digits: usize) -> String {
    let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| byte >> (7 - n % 8) & 1);
    let digit = |n: usize| (0..5).fold(0_u8, |value, k| value << 1 | bit(n * 5 + k));
    (0..digits).map(|n| char::from(ALPHABET[usize::from(digit(n))])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_read_back() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), 59);
        assert_eq!(Secret::parse(one.as_str()).as_ref(), Some(&one));
        assert!(!format!("{one:?}").contains(&one.as_str()[13..]));
        let long = format!("{}0", one.as_str());
        for bad in ["", "hlsops_", &one.as_str()[1..], &long, &one.as_str().to_uppercase()] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn digits_are_those_of_the_bits() {
        assert_eq!(base32(&[0b0000_1000, 0b1111_1000], 4), "13w0");
        assert_eq!(base32(&[0xff; 32], 52), format!("{}g", "z".repeat(51)));
    }

    #[test]
    fn identifiers_sort_by_time() {
        let early = new_id("str", EpochMs(1_700_000_000_000)).unwrap();
        let late = new_id("str", EpochMs(1_700_000_000_001)).unwrap();
        assert!(early < late && early.len() == 30 && early.starts_with("str_01hf7yat00"), "{early} {late}");
        assert_eq!(link_id().unwrap().len(), 12);
    }
}
