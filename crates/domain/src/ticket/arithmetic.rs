//! The arithmetic of tickets: the price of an item without and with VAT, before and after
//! discounts.
//!
//! The steps and their decimal places are those of the published PORTOS contract. Each result is
//! rounded once, half away from zero, and the next step uses the rounded result.

use std::ops::AddAssign;

use super::amount::Amount;
use super::currency::Currency;
use super::decimal::{Price, div_round_half_away};
use super::quantity::Quantity;
use super::rate::{DiscountFactor, Rate};

/// The price of one unit, in the four forms of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPrices {
    /// The price without VAT.
    pub amount: Price,
    /// The price with VAT.
    pub including_vat: Price,
    /// The price without VAT, after discounts.
    pub after_discount: Price,
    /// The price with VAT, after discounts.
    pub after_discount_including_vat: Price,
}

impl UnitPrices {
    /// Steps 1 and 3. `None` if the price with VAT is out of range. A rate of `None` means no VAT.
    pub(super) fn compute(unit: Price, vat: Option<Rate>, left: DiscountFactor) -> Option<Self> {
        // To 6 places: a percentage has 6, and the division by 100 adds 2.
        let vat = div_round_half_away(unit.as_i128() * vat.unwrap_or_default().percent().as_i128(), 100_000_000);
        let including_vat = Price::checked(unit.as_i128() + vat)?;
        // A discount makes no price larger, so it stays in range.
        let after = |price: Price| {
            Price::saturating(div_round_half_away(
                price.as_i128() * left.ten_thousandths(),
                DiscountFactor::DENOMINATOR,
            ))
        };
        Some(Self {
            amount: unit,
            including_vat,
            after_discount: after(unit),
            after_discount_including_vat: after(including_vat),
        })
    }
}

/// The totals of an item or a ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The total without VAT, before discounts.
    pub total: Amount,
    /// The total with VAT, before discounts.
    pub including_vat: Amount,
    /// The total without VAT, after discounts.
    pub after_discount: Amount,
    /// The total with VAT, after discounts.
    pub after_discount_including_vat: Amount,
    /// The discount without VAT.
    pub discount: Amount,
    /// The discount with VAT.
    pub discount_including_vat: Amount,
}

impl Totals {
    /// Step 4: each total, rounded to the places of the currency.
    pub(super) fn compute(unit: &UnitPrices, quantity: Quantity, currency: Currency) -> Self {
        let total = |price: Price| Amount::saturating(multiply_rounded(price, quantity, currency.decimal_places()));
        let (before, before_vat) = (total(unit.amount), total(unit.including_vat));
        let (after, after_vat) = (total(unit.after_discount), total(unit.after_discount_including_vat));
        let less = |all: Amount, left: Amount| Amount::saturating(all.as_i128() - left.as_i128());
        Self {
            total: before,
            including_vat: before_vat,
            after_discount: after,
            after_discount_including_vat: after_vat,
            discount: less(before, after),
            discount_including_vat: less(before_vat, after_vat),
        }
    }

    /// Whether the totals of this quantity are in range, before discounts, which make nothing
    /// larger.
    pub(super) fn are_representable(unit: &UnitPrices, quantity: Quantity) -> bool {
        let fits = |price: Price| Amount::checked(multiply_rounded(price, quantity, Amount::PLACES)).is_some();
        fits(unit.amount) && fits(unit.including_vat)
    }
}

/// A price times a quantity, rounded once to these places, in ten-thousandths.
fn multiply_rounded(price: Price, quantity: Quantity, places: u32) -> i128 {
    // A price and a quantity have 6 places each.
    div_round_half_away(price.as_i128() * quantity.value().as_i128(), 10_i128.pow(12 - places))
        * 10_i128.pow(Amount::PLACES - places)
}

impl AddAssign for Totals {
    /// The totals of a ticket are the sums of those of its items, which its limits keep in range.
    fn add_assign(&mut self, item: Self) {
        for (sum, each) in [
            (&mut self.total, item.total),
            (&mut self.including_vat, item.including_vat),
            (&mut self.after_discount, item.after_discount),
            (&mut self.after_discount_including_vat, item.after_discount_including_vat),
            (&mut self.discount, item.discount),
            (&mut self.discount_including_vat, item.discount_including_vat),
        ] {
            *sum = Amount::saturating(sum.as_i128() + each.as_i128());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    fn unit(price: &str, vat: Option<&str>, ticket: &str, item: &str) -> UnitPrices {
        let left = DiscountFactor::from_discounts(ticket.parse().unwrap(), item.parse().unwrap());
        UnitPrices::compute(price.parse().unwrap(), vat.map(|rate| rate.parse().unwrap()), left).unwrap()
    }

    fn texts(unit: &UnitPrices, quantity: &str) -> (Vec<String>, Vec<String>) {
        let totals = Totals::compute(unit, quantity.parse().unwrap(), euro());
        let units = [unit.amount, unit.including_vat, unit.after_discount, unit.after_discount_including_vat];
        let sums = [
            totals.total,
            totals.including_vat,
            totals.after_discount,
            totals.after_discount_including_vat,
            totals.discount,
            totals.discount_including_vat,
        ];
        let sums = sums.map(|sum| euro().money(sum).to_string());
        (units.iter().map(ToString::to_string).collect(), sums.to_vec())
    }

    #[test]
    fn totals_match_published_example() {
        for (ticket, item) in [("20", "0"), ("0", "20")] {
            let (units, totals) = texts(&unit("5.363636", Some("10"), ticket, item), "1.234");
            assert_eq!(units, ["5.363636", "5.900000", "4.290909", "4.720000"]);
            assert_eq!(totals[1], "7.28");
            assert_eq!(totals[3], "5.82");
            assert_eq!(totals[5], "1.46");
        }
    }

    #[test]
    fn each_step_uses_rounded_result_of_previous_step() {
        for (price, vat, ticket, item, quantity, units, totals) in [
            // No VAT.
            ("1", None, "0", "0", "1", ["1.000000"; 4], ["1.00", "1.00", "1.00", "1.00", "0.00", "0.00"]),
            // Halves: 0.5 of a millionth of VAT, half a cent of total.
            (
                "0.000005",
                Some("10"),
                "0",
                "0",
                "1000",
                ["0.000005", "0.000006", "0.000005", "0.000006"],
                ["0.01", "0.01", "0.01", "0.01", "0.00", "0.00"],
            ),
            // The same with a negative quantity.
            (
                "-0.000005",
                Some("10"),
                "0",
                "0",
                "1000",
                ["-0.000005", "-0.000006", "-0.000005", "-0.000006"],
                ["-0.01", "-0.01", "-0.01", "-0.01", "0.00", "0.00"],
            ),
            // Two discounts multiply: 0.9 * 0.8 = 0.72.
            (
                "10",
                Some("20"),
                "10",
                "20",
                "3",
                ["10.000000", "12.000000", "7.200000", "8.640000"],
                ["30.00", "36.00", "21.60", "25.92", "8.40", "10.08"],
            ),
            // A discount of 100 %.
            (
                "10",
                Some("20"),
                "100",
                "0",
                "1",
                ["10.000000", "12.000000", "0.000000", "0.000000"],
                ["10.00", "12.00", "0.00", "0.00", "10.00", "12.00"],
            ),
            // A discount of 100 % twice, with the highest VAT and a negative quantity.
            (
                "10",
                Some("100"),
                "100",
                "100",
                "-1",
                ["10.000000", "20.000000", "0.000000", "0.000000"],
                ["-10.00", "-20.00", "0.00", "0.00", "-10.00", "-20.00"],
            ),
            // VAT of 0 %; half a cent, with a negative quantity, and both.
            ("0.005", Some("0"), "0", "0", "-1", ["0.005000"; 4], ["-0.01", "-0.01", "-0.01", "-0.01", "0.00", "0.00"]),
            ("-0.005", Some("0"), "0", "0", "-1", ["-0.005000"; 4], ["0.01", "0.01", "0.01", "0.01", "0.00", "0.00"]),
            ("0.004999", None, "0", "0", "1", ["0.004999"; 4], ["0.00"; 6]),
            // A price of zero, and a quantity of zero.
            ("0", Some("100"), "50", "50", "999999.999999", ["0.000000"; 4], ["0.00"; 6]),
            ("999999999.999999", None, "0", "0", "0", ["999999999.999999"; 4], ["0.00"; 6]),
            // Half a millionth of VAT and half a millionth of a discount, separately.
            (
                "0.000001",
                Some("50"),
                "50",
                "0",
                "999999.999999",
                ["0.000001", "0.000002", "0.000001", "0.000001"],
                ["1.00", "2.00", "1.00", "1.00", "0.00", "1.00"],
            ),
            // The largest amounts in range.
            (
                "9999999.999999",
                None,
                "0.01",
                "0",
                "-999999.999999",
                ["9999999.999999", "9999999.999999", "9998999.999999", "9998999.999999"],
                [
                    "-9999999999989.00",
                    "-9999999999989.00",
                    "-9998999999989.00",
                    "-9998999999989.00",
                    "-1000000000.00",
                    "-1000000000.00",
                ],
            ),
        ] {
            let found = texts(&unit(price, vat, ticket, item), quantity);
            assert_eq!(found, (units.map(str::to_owned).to_vec(), totals.map(str::to_owned).to_vec()), "{price}");
        }
    }

    #[test]
    fn price_or_total_with_too_many_digits_is_rejected() {
        let most: Price = "999999999.999999".parse().unwrap();
        assert!(UnitPrices::compute(most, None, DiscountFactor::NO_DISCOUNT).is_some());
        assert!(UnitPrices::compute(most, Some("1".parse().unwrap()), DiscountFactor::NO_DISCOUNT).is_none());
        let unit = UnitPrices::compute(most, None, DiscountFactor::NO_DISCOUNT).unwrap();
        assert!(Totals::are_representable(&unit, "9999.9".parse().unwrap()));
        assert!(!Totals::are_representable(&unit, "10000.1".parse().unwrap()));
    }

    #[test]
    fn totals_are_rounded_once_to_currency_places() {
        let unit = unit("1.2345", None, "0", "0");
        for (code, quantity, total) in [
            ("EUR", "1", "1.23"),
            ("KWD", "1", "1.235"),
            ("CLF", "1", "1.2345"),
            ("JPY", "1", "1"),
            ("JPY", "-10", "-12"),
            ("KWD", "-1", "-1.235"),
            // Half away from zero, rounded once: 12.345, and not 12.35 by way of 12.35.
            ("EUR", "10", "12.35"),
            ("JPY", "2", "2"),
        ] {
            let currency = Currency::parse(code).unwrap();
            let totals = Totals::compute(&unit, quantity.parse().unwrap(), currency);
            assert_eq!(currency.money(totals.total).to_string(), total, "{code} {quantity}");
        }
    }
}
