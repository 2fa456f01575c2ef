//! Percentages, and the factors that the arithmetic derives from them.

use std::fmt;
use std::str::FromStr;

use super::decimal::{Decimal, InvalidDecimal, div_round_half_away};

/// A percentage between 0 and 100 with at most 6 places: a discount or a VAT rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Decimal<6>);

impl Rate {
    /// A rate of 0 percent.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Checks that the rate is between 0 and 100.
    pub fn new(percent: Decimal<6>) -> Result<Self, InvalidDecimal> {
        if (0..=100 * Decimal::<6>::UNITS_PER_ONE).contains(&percent.units()) {
            Ok(Self(percent))
        } else {
            Err(InvalidDecimal::Range { least: "0".to_owned(), most: "100".to_owned() })
        }
    }

    /// The rate in percent.
    pub const fn percent(self) -> Decimal<6> {
        self.0
    }
}

impl FromStr for Rate {
    type Err = InvalidDecimal;
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        Self::new(text.parse()?)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The factor that remains of a price after discounts: in ten-thousandths, between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DiscountFactor(i128);

impl DiscountFactor {
    /// One, in ten-thousandths.
    pub(super) const DENOMINATOR: i128 = 10_000;
    /// The factor without a discount.
    pub(super) const NO_DISCOUNT: Self = Self(Self::DENOMINATOR);

    /// The factor after the discounts of a ticket and an item. Each is rounded to 4 places, then
    /// multiplied, and the effective rate is rounded to 4 places again.
    pub(super) fn from_discounts(ticket: Rate, item: Rate) -> Self {
        // From percent in millionths to ten-thousandths of one: 10^6 * 100 / 10^4.
        let left = |rate: Rate| Self::DENOMINATOR - div_round_half_away(rate.percent().as_i128(), 10_000);
        let effective =
            div_round_half_away(Self::DENOMINATOR * Self::DENOMINATOR - left(ticket) * left(item), Self::DENOMINATOR);
        Self(Self::DENOMINATOR - effective)
    }

    /// The factor in ten-thousandths.
    pub(super) const fn ten_thousandths(self) -> i128 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_lies_between_0_and_100() {
        for good in ["0", "100", "19.5", "0.000001", "99.999999"] {
            assert!(good.parse::<Rate>().is_ok(), "{good}");
        }
        for bad in ["-0.000001", "100.000001", "101", "-20"] {
            assert_eq!(bad.parse::<Rate>().unwrap_err().to_string(), "must lie between 0 and 100", "{bad}");
        }
    }

    #[test]
    fn discounts_compound_with_four_decimal_places() {
        for (ticket, item, left) in [
            ("0", "0", 10_000),
            ("20", "0", 8_000),
            ("0", "20", 8_000),
            ("10", "20", 7_200),
            ("50", "50", 2_500),
            ("100", "0", 0),
            ("100", "100", 0),
            // 0.33335 is rounded to 0.3334, and 33.334999 % to 0.3333.
            ("33.335", "0", 6_666),
            ("33.334999", "0", 6_667),
            ("0.004999", "0", 10_000),
            ("0.005", "0", 9_999),
            // 1 - 0.9999 * 0.5 = 0.50005, half away from zero
            ("0.01", "50", 4_999),
        ] {
            assert_eq!(
                DiscountFactor::from_discounts(ticket.parse().unwrap(), item.parse().unwrap()).ten_thousandths(),
                left,
                "{ticket} {item}"
            );
        }
    }
}
