//! Numbers in bits.

use super::PackError;

/// Writes bits, lowest first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0 when it is full.
    used: u32,
}

impl BitWriter {
    /// Behind a version byte.
    pub(super) fn new(version: u8) -> Self {
        Self { bytes: vec![version], used: 0 }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn bit(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    /// The lowest `count` bits of `value`.
    pub(super) fn bits(&mut self, value: u64, count: u32) {
        for index in 0..count {
            self.bit(value >> index & 1 == 1);
        }
    }

    /// A number that is usually small: three bits at a time, each with a bit that says whether more follow.
    pub(super) fn number(&mut self, mut value: u64) {
        loop {
            self.bits(value & 7, 3);
            value >>= 3;
            self.bit(value != 0);
            if value == 0 {
                return;
            }
        }
    }

    /// A difference that is usually small.
    pub(super) fn difference(&mut self, from: u64, to: u64) {
        self.number(zigzag(to.wrapping_sub(from)));
    }

    /// One bit where there is no value.
    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bit(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        text.bytes().for_each(|byte| self.bits(byte.into(), 8));
    }
}

/// Reads what [`BitWriter`] wrote.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bit(&mut self) -> Result<bool, PackError> {
        let byte = self.bytes.get(self.at / 8).ok_or(PackError::Short)?;
        let bit = byte >> (self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(bit)
    }

    pub(super) fn bits(&mut self, count: u32) -> Result<u64, PackError> {
        let mut value = 0;
        for index in 0..count.min(64) {
            value |= u64::from(self.bit()?) << index;
        }
        Ok(value)
    }

    pub(super) fn number(&mut self) -> Result<u64, PackError> {
        let mut value = 0;
        for group in 0..22 {
            let bits = self.bits(3)?;
            value |= bits << (group * 3);
            if !self.bit()? {
                return Ok(value);
            }
        }
        Err(PackError::Damaged("number"))
    }

    pub(super) fn difference(&mut self, from: u64) -> Result<u64, PackError> {
        Ok(from.wrapping_add(unzigzag(self.number()?)))
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, PackError>,
    ) -> Result<Option<T>, PackError> {
        if self.bit()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A count of things of which each takes at least a bit, so that no count can ask for more memory than
    /// its bytes justify.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, PackError> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let left = self.bytes.len() * 8 - self.at.min(self.bytes.len() * 8);
        if count > most {
            return Err(PackError::Damaged("count"));
        }
        if count > left { Err(PackError::Short) } else { Ok(count) }
    }

    pub(super) fn text(&mut self, most: usize) -> Result<String, PackError> {
        let length = self.count(most)?;
        let bytes: Vec<u8> = (0..length)
            .map(|_| self.bits(8).map(|byte| u8::try_from(byte).unwrap_or_default()))
            .collect::<Result<_, _>>()?;
        String::from_utf8(bytes).map_err(|_| PackError::Damaged("text"))
    }
}

/// Numbers of one kind, one after the other. How many bits the next one gets follows from those before it
/// (adaptive Golomb-Rice): there is no table, and an outlier costs itself only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adaptive {
    sum: u64,
    count: u64,
}

impl Adaptive {
    /// Above this quotient a number is written out.
    const ESCAPE: u64 = 12;
    /// Memory: how many numbers the estimate reaches back, about.
    const REACH: u64 = 12;

    /// `typical`: what the first number is expected to be like.
    pub(super) const fn new(typical: u64) -> Self {
        Self { sum: typical, count: 1 }
    }

    fn width(&self) -> u32 {
        let mean = self.sum / self.count.max(1);
        mean.checked_ilog2().unwrap_or(0).min(56)
    }

    /// An outlier counts as a few times the mean only.
    fn learn(&mut self, value: u64) {
        let mean = self.sum / self.count.max(1);
        self.sum = self.sum.saturating_add(value.min(mean.saturating_mul(4).saturating_add(4)));
        self.count += 1;
        if self.count >= Self::REACH {
            self.sum /= 2;
            self.count /= 2;
        }
    }

    pub(super) fn write(&mut self, out: &mut BitWriter, value: u64) {
        let width = self.width();
        let quotient = value >> width;
        for _ in 0..quotient.min(Self::ESCAPE) {
            out.bit(true);
        }
        if quotient >= Self::ESCAPE {
            out.number(value);
        } else {
            out.bit(false);
            out.bits(value, width);
        }
        self.learn(value);
    }

    pub(super) fn read(&mut self, from: &mut BitReader<'_>) -> Result<u64, PackError> {
        let width = self.width();
        let mut quotient = 0;
        while quotient < Self::ESCAPE && from.bit()? {
            quotient += 1;
        }
        let value =
            if quotient == Self::ESCAPE { from.number()? } else { quotient << width | from.bits(width)? };
        self.learn(value);
        Ok(value)
    }
}

/// Small differences of either sign as small numbers.
pub(super) const fn zigzag(difference: u64) -> u64 {
    let signed = difference.cast_signed();
    ((signed << 1) ^ (signed >> 63)).cast_unsigned()
}

/// Undoes [`zigzag`].
pub(super) const fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_come_back(values in proptest::collection::vec(
            prop_oneof![any::<u64>(), 0..10_u64, Just(u64::MAX), 1_000_000..1_100_000_u64], 0..60,
        ), typical in any::<u64>()) {
            let (mut out, mut kind) = (BitWriter::new(1), Adaptive::new(typical));
            for value in &values {
                out.number(*value);
                out.difference(77, *value);
                kind.write(&mut out, *value);
            }
            let bytes = out.finish();
            let (mut from, mut kind) = (BitReader::new(&bytes[1..]), Adaptive::new(typical));
            for value in &values {
                prop_assert_eq!(from.number(), Ok(*value));
                prop_assert_eq!(from.difference(77), Ok(*value));
                prop_assert_eq!(kind.read(&mut from), Ok(*value));
            }
        }
    }
}
