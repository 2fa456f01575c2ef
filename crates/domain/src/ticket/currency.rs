//! Currencies of ISO 4217: their decimal places and their smallest coins.

use std::fmt;

use super::amount::{Amount, Money};
use super::decimal::InvalidDecimal;
use super::smallest_coins;

/// The currency of a ticket: its code and its decimal places (ISO 4217, minor unit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    letters: [u8; 3],
    places: u32,
}

/// The text is not a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the code of an ISO 4217 currency in capital letters, such as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// Parses a currency code. Codes without a minor unit in ISO 4217 (metals, `XXX`) are not
    /// accepted.
    pub fn parse(text: &str) -> Result<Self, InvalidCurrency> {
        let letters = parse_letters(text)?;
        let exponent = iso_currency::Currency::from_code(text).and_then(iso_currency::Currency::exponent);
        let places = exponent.map(u32::from).filter(|places| *places <= Amount::PLACES);
        Ok(Self { letters, places: places.ok_or(InvalidCurrency)? })
    }

    /// The currency of a stored ticket with its decimal places at that time, whatever ISO 4217 says
    /// today.
    pub fn from_stored(text: &str, places: u32) -> Result<Self, InvalidCurrency> {
        let letters = parse_letters(text)?;
        if places > Amount::PLACES { Err(InvalidCurrency) } else { Ok(Self { letters, places }) }
    }

    /// The code as a string.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters).unwrap_or_default()
    }

    /// The decimal places of its amounts.
    pub const fn decimal_places(self) -> u32 {
        self.places
    }

    /// The amount of this many smallest units, as a store keeps it: `1234` is 12.34 in a currency
    /// with two places.
    pub fn amount_from_minor_units(self, smallest_units: i64) -> Result<Amount, InvalidDecimal> {
        Amount::checked(i128::from(smallest_units) * self.minor_unit()).ok_or_else(Amount::out_of_range)
    }

    /// The number of smallest units of an amount that it [can represent](Self::can_represent).
    pub fn to_minor_units(self, amount: Amount) -> i64 {
        // An amount has less than 64 bits, and a division makes it no larger.
        i64::try_from(amount.as_i128() / self.minor_unit()).unwrap_or_default()
    }

    /// Whether the amount has no more places than the currency, and at most 15 digits.
    pub fn can_represent(self, amount: Amount) -> bool {
        amount.as_i128() % self.minor_unit() == 0 && amount.as_i128().abs() <= self.max_sum()
    }

    /// The amount with the places of the currency, for display.
    pub const fn money(self, amount: Amount) -> Money {
        Money::new(amount, self.places)
    }

    /// The smallest coin or note: the rounding of cash sums is less than that.
    pub fn cash_step(self) -> Amount {
        let smallest_units =
            smallest_coins::smallest_coin(self.as_str()).unwrap_or(smallest_coins::DEFAULT_SMALLEST_COIN);
        Amount::saturating(i128::from(smallest_units) * self.minor_unit())
    }

    /// The smallest unit of the currency, in ten-thousandths.
    pub(super) const fn minor_unit(self) -> i128 {
        10_i128.pow(Amount::PLACES - self.places)
    }

    /// The greatest sum, in ten-thousandths: 15 digits, which a client that reads JSON numbers as
    /// doubles preserves.
    pub(super) fn max_sum(self) -> i128 {
        const DIGITS: i128 = 999_999_999_999_999;
        DIGITS * 10_i128.pow(Amount::PLACES - self.places.max(2))
    }
}

fn parse_letters(text: &str) -> Result<[u8; 3], InvalidCurrency> {
    match <[u8; 3]>::try_from(text.as_bytes()) {
        Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(letters),
        _ => Err(InvalidCurrency),
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn currency_code_must_be_in_iso_4217() {
        assert_eq!(Currency::parse("EUR").map(|currency| currency.to_string()), Ok("EUR".into()));
        for bad in ["", "eur", "EURO", "E1R", "ÄB", "€", "ABC", "XAU", "XXX"] {
            assert_eq!(Currency::parse(bad), Err(InvalidCurrency), "{bad}");
        }
        assert_eq!(
            Currency::from_stored("ABC", 2).map(|currency| currency.to_string()),
            Ok("ABC".into()),
            "what was kept stays"
        );
        assert_eq!(Currency::from_stored("EUR", 2), Ok(of("EUR")));
        assert_eq!(Currency::from_stored("EUR", 5), Err(InvalidCurrency));
        assert_eq!(Currency::from_stored("eur", 2), Err(InvalidCurrency));
    }

    #[test]
    fn currency_has_decimal_places_of_iso_4217() {
        for (codes, places) in [
            ("JPY KRW CLP ISK VND XAF XOF XPF PYG UGX", 0),
            ("EUR USD CHF CZK HUF IDR SEK", 2),
            ("KWD BHD OMR JOD IQD LYD TND", 3),
            ("CLF UYW", 4),
        ] {
            for code in codes.split(' ') {
                assert_eq!(of(code).decimal_places(), places, "{code}");
            }
        }
    }

    #[test]
    fn amount_is_whole_number_of_minor_units() {
        for (code, units, text) in
            [("EUR", 1234, "12.34"), ("KWD", 1234, "1.234"), ("JPY", 1234, "1234"), ("CLF", -1234, "-0.1234")]
        {
            let found = of(code).amount_from_minor_units(units).unwrap();
            assert_eq!(found, amount(text), "{code}");
            assert_eq!(of(code).to_minor_units(found), units, "{code}");
            assert_eq!(of(code).money(found).to_string(), text, "{code}");
        }
        assert!(of("JPY").amount_from_minor_units(i64::MAX).is_err());
        for (code, good, bad) in [
            ("EUR", "0.01", "0.001"),
            ("KWD", "0.001", "0.0001"),
            ("JPY", "1", "0.5"),
            ("CLF", "0.0001", "100000000000"),
        ] {
            assert!(of(code).can_represent(amount(good)), "{code} {good}");
            assert!(!of(code).can_represent(amount(bad)), "{code} {bad}");
        }
    }

    #[test]
    fn cash_step_is_smallest_coin() {
        for (code, step) in [
            ("EUR", "0.05"),
            ("CHF", "0.05"),
            ("CZK", "1"),
            ("SEK", "1"),
            ("HUF", "5"),
            ("CLP", "10"),
            ("IDR", "100"),
            ("JPY", "1"),
            ("KRW", "10"),
            ("IQD", "250"),
            ("PLN", "0.01"),
            ("GBP", "0.01"),
            ("RON", "0.01"),
            ("USD", "0.05"),
            ("KWD", "0.005"),
            // Not in the table: the smallest unit.
            ("LYD", "0.001"),
            ("CLF", "0.0001"),
            ("HNL", "0.01"),
            ("RWF", "1"),
        ] {
            assert_eq!(of(code).cash_step(), amount(step), "{code}");
        }
    }

    #[test]
    fn smallest_coin_table_lists_valid_currencies() {
        for (code, units) in smallest_coins::SMALLEST_COINS {
            assert!(Currency::parse(code).is_ok() && *units > 0, "{code}");
        }
        assert!(smallest_coins::SMALLEST_COINS.is_sorted_by(|one, next| one.0 < next.0), "in order, and each once");
    }
}
