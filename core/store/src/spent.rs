//! What calls cost, as the table itself says, so that cost is measured and not guessed.

use std::ops::{Add, AddAssign};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Capacity units of one or more calls, index writes included.
///
/// Left out is what DynamoDB charges without saying: writes that a condition refused, and calls whose reply
/// was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Spent {
    /// Read request units: 4 KB consistently, 8 KB eventually.
    pub read_units: f64,
    /// Write request units: 1 KB, two of them in a transaction.
    pub write_units: f64,
}

impl Spent {
    pub(crate) fn written(capacity: Option<&ConsumedCapacity>) -> Self {
        Self { write_units: units(capacity), ..Self::default() }
    }

    pub(crate) fn written_all(capacity: &[ConsumedCapacity]) -> Self {
        Self { write_units: capacity.iter().map(|part| units(Some(part))).sum(), ..Self::default() }
    }

    pub(crate) fn read(capacity: Option<&ConsumedCapacity>) -> Self {
        Self { read_units: units(capacity), ..Self::default() }
    }
}

fn units(capacity: Option<&ConsumedCapacity>) -> f64 {
    capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default()
}

impl Add for Spent {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            read_units: self.read_units + other.read_units,
            write_units: self.write_units + other.write_units,
        }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// An answer and what it cost.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Paid<T> {
    /// The answer.
    pub value: T,
    /// Its cost.
    pub spent: Spent,
}

impl<T> Paid<T> {
    /// Nothing was asked of the table.
    pub(crate) fn free(value: T) -> Self {
        Self { value, spent: Spent::default() }
    }

    /// Adds the cost to a sum and gives the answer.
    pub fn add_to(self, sum: &mut Spent) -> T {
        *sum += self.spent;
        self.value
    }

    /// The answer changed, the cost not.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Paid<U> {
        Paid { value: change(self.value), spent: self.spent }
    }

    /// The same for a change that may fail.
    pub(crate) fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Paid<U>, E> {
        Ok(Paid { value: change(self.value)?, spent: self.spent })
    }
}
