//! The quantity of an item.

use std::fmt;
use std::str::FromStr;

use super::decimal::{Decimal, InvalidDecimal};

/// A quantity: less than a million in either direction, at most 6 places. A negative quantity comes
/// back at the price of a sale; some tills use it, others a negative price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal<6>);

impl Quantity {
    /// The quantity zero.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Checks that a quantity is in range.
    pub fn new(amount: Decimal<6>) -> Result<Self, InvalidDecimal> {
        if amount.units().abs() < 1_000_000 * Decimal::<6>::UNITS_PER_ONE {
            Ok(Self(amount))
        } else {
            Err(InvalidDecimal::Range { least: "-999999.999999".to_owned(), most: "999999.999999".to_owned() })
        }
    }

    /// The quantity as a number.
    pub const fn value(self) -> Decimal<6> {
        self.0
    }

    /// The absolute quantity in millionths.
    pub(super) fn abs_millionths(self) -> i128 {
        self.0.as_i128().abs()
    }

    /// The quantity with the sign of `other`, or with the opposite sign.
    pub(super) const fn with_sign_of(self, other: Self) -> Self {
        if self.0.is_negative() == other.0.is_negative() { self } else { Self(self.0.negate()) }
    }

    /// What is left of the absolute quantity after this many millionths were taken.
    pub(super) fn remaining_after(self, taken: i128) -> Self {
        Self(Decimal::saturating((self.abs_millionths() - taken).max(0)))
    }
}

impl FromStr for Quantity {
    type Err = InvalidDecimal;
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        Self::new(text.parse()?)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantity_is_below_one_million_in_size() {
        for good in ["0.000001", "1", "999999.999999", "0", "-1", "-999999.999999"] {
            assert!(good.parse::<Quantity>().is_ok(), "{good}");
        }
        for bad in ["1000000", "-1000000", "999999.9999999"] {
            assert!(bad.parse::<Quantity>().is_err(), "{bad}");
        }
    }
}
