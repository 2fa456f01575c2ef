//! Money as it is paid, exact in every currency.

use std::fmt;
use std::str::FromStr;

use super::decimal::{InvalidDecimal, parse_units, write_units};

/// An amount of money: a whole number of ten-thousandths of the currency's unit, so that sums of any currency are whole numbers.
/// Four is the most decimal places that ISO 4217 gives a currency. How many an amount may use, and is shown with, its
/// [`Currency`](super::Currency) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The decimal places of an amount of whichever currency.
    pub const PLACES: u32 = 4;
    /// The most that an amount holds, in ten-thousandths: 13 digits before the point.
    pub const MAX_TEN_THOUSANDTHS: i64 = 99_999_999_999_999_999;

    /// How many ten-thousandths of the currency's unit it is.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same on the other side of zero.
    pub const fn negate(self) -> Self {
        Self(-self.0)
    }

    /// This many ten-thousandths; `None` where these are too many digits.
    pub(super) fn checked(ten_thousandths: i128) -> Option<Self> {
        i64::try_from(ten_thousandths)
            .ok()
            .filter(|units| units.unsigned_abs() <= Self::MAX_TEN_THOUSANDTHS.unsigned_abs())
            .map(Self)
    }

    /// This many ten-thousandths, where the caller's own bounds say that they are few enough.
    pub(super) fn saturating(ten_thousandths: i128) -> Self {
        let end = if ten_thousandths < 0 { -Self::MAX_TEN_THOUSANDTHS } else { Self::MAX_TEN_THOUSANDTHS };
        Self::checked(ten_thousandths).unwrap_or(Self(end))
    }

    /// In ten-thousandths, for products and sums.
    pub(super) fn as_i128(self) -> i128 {
        i128::from(self.0)
    }

    /// What is said of a number that is no amount.
    pub(super) fn out_of_range() -> InvalidDecimal {
        let text = |units| Money::new(Self(units), Self::PLACES).to_string();
        InvalidDecimal::Range { least: text(-Self::MAX_TEN_THOUSANDTHS), most: text(Self::MAX_TEN_THOUSANDTHS) }
    }
}

impl FromStr for Amount {
    type Err = InvalidDecimal;

    /// Reads the text of a JSON number, as [`Decimal`](super::Decimal) does. Whether a currency has so many places is asked where
    /// the currency is known.
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        parse_units(text, Self::PLACES)?.and_then(Self::checked).ok_or_else(Self::out_of_range)
    }
}

/// An amount with the decimal places of its currency: how it is shown.
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
    /// With the places of the currency, and with more where the amount has more than the currency: `12.34`, `1.500`, `100`.
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
