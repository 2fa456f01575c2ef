//! Amounts of money, exact in every currency.

use std::fmt;
use std::str::FromStr;

use super::decimal::{InvalidDecimal, parse_units, write_units};

/// An amount of money in ten-thousandths of the currency unit, so that sums of any currency are
/// integers. ISO 4217 gives no currency more than four decimal places; the
/// [`Currency`](super::Currency) determines how many an amount may use and shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// The amount zero.
    pub const ZERO: Self = Self(0);
    /// The decimal places of an amount in any currency.
    pub const PLACES: u32 = 4;
    /// The greatest amount, in ten-thousandths: 13 digits before the decimal point.
    pub const MAX_TEN_THOUSANDTHS: i64 = 99_999_999_999_999_999;

    /// The amount in ten-thousandths of the currency unit.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// Whether the amount is less than zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount with the opposite sign.
    pub const fn negate(self) -> Self {
        Self(-self.0)
    }

    /// The amount of this many ten-thousandths; `None` if it is out of range.
    pub(super) fn checked(ten_thousandths: i128) -> Option<Self> {
        i64::try_from(ten_thousandths)
            .ok()
            .filter(|units| units.unsigned_abs() <= Self::MAX_TEN_THOUSANDTHS.unsigned_abs())
            .map(Self)
    }

    /// The amount of this many ten-thousandths, limited to the range; the caller ensures that it is
    /// in range.
    pub(super) fn saturating(ten_thousandths: i128) -> Self {
        let end = if ten_thousandths < 0 { -Self::MAX_TEN_THOUSANDTHS } else { Self::MAX_TEN_THOUSANDTHS };
        Self::checked(ten_thousandths).unwrap_or(Self(end))
    }

    /// The ten-thousandths, for products and sums.
    pub(super) fn as_i128(self) -> i128 {
        i128::from(self.0)
    }

    /// The error for a number that is out of range.
    pub(super) fn out_of_range() -> InvalidDecimal {
        let text = |units| Money::new(Self(units), Self::PLACES).to_string();
        InvalidDecimal::Range { least: text(-Self::MAX_TEN_THOUSANDTHS), most: text(Self::MAX_TEN_THOUSANDTHS) }
    }
}

impl FromStr for Amount {
    type Err = InvalidDecimal;

    /// Parses the text of a JSON number, as [`Decimal`](super::Decimal) does. Whether the currency
    /// has enough places is checked elsewhere.
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        parse_units(text, Self::PLACES)?.and_then(Self::checked).ok_or_else(Self::out_of_range)
    }
}

/// An amount with the decimal places of its currency, for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    amount: Amount,
    places: u32,
}

impl Money {
    pub(super) const fn new(amount: Amount, places: u32) -> Self {
        Self { amount, places }
    }
}

impl fmt::Display for Money {
    /// With the places of the currency, or more if the amount has more: `12.34`, `1.500`, `100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut units, mut places) = (self.amount.0, Amount::PLACES);
        while places > self.places && units % 10 == 0 {
            (units, places) = (units / 10, places - 1);
        }
        write_units(f, units, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_is_displayed_with_currency_places_and_never_truncated() {
        for (text, places, shown) in [
            ("12.3", 2, "12.30"),
            ("-0.05", 2, "-0.05"),
            ("1.5", 3, "1.500"),
            ("1.2345", 4, "1.2345"),
            ("100", 0, "100"),
            ("100.0", 0, "100"),
            ("-100.4", 0, "-100.4"),
            ("1.234", 2, "1.234"),
            ("0", 0, "0"),
            ("0", 2, "0.00"),
        ] {
            assert_eq!(Money::new(text.parse().unwrap(), places).to_string(), shown, "{text} to {places}");
        }
    }

    #[test]
    fn amount_has_at_most_four_places_and_thirteen_digits() {
        for good in ["9999999999999.9999", "-9999999999999.9999", "0.0001", "1e3", "12.34000"] {
            assert!(good.parse::<Amount>().is_ok(), "{good}");
        }
        assert_eq!("0.00001".parse::<Amount>(), Err(InvalidDecimal::Places(4)));
        for bad in ["10000000000000", "-10000000000000", "1e40", "1e400"] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
        let range = "10000000000000".parse::<Amount>().unwrap_err().to_string();
        assert_eq!(range, "must lie between -9999999999999.9999 and 9999999999999.9999");
    }
}
