//! Exact decimals.
//!
//! An amount is an integer in units of its last decimal place, never floating point, and no decimal
//! crate is used: `docs/dependencies.md` gives the reason. Every decimal has a fixed number of
//! places and at most 15 digits, which even a client that reads JSON numbers as doubles preserves.
//! Products are computed in 128 bits, where no product of two decimals overflows, and rounded once.

use std::fmt;
use std::str::FromStr;

/// A decimal with `PLACES` places, between plus and minus [`Self::MAX_UNITS`] units of its last
/// place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const PLACES: u32>(i64);

/// The price of one unit of something, in millionths of the currency unit.
pub type Price = Decimal<6>;

/// What is wrong with a decimal, in words that follow its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDecimal {
    /// The text is not a decimal number.
    #[error("must be a decimal number such as 12.5")]
    Syntax,
    /// The number has more decimal places than this.
    #[error("must have at most {0} places; round it first")]
    Places(u32),
    /// The number is out of range.
    #[error("must lie between {least} and {most}")]
    Range {
        /// The smallest allowed value.
        least: String,
        /// The greatest allowed value.
        most: String,
    },
}

impl<const PLACES: u32> Decimal<PLACES> {
    /// The value zero.
    pub const ZERO: Self = Self(0);
    /// The greatest value, in units of the last place: 15 digits.
    pub const MAX_UNITS: i64 = 999_999_999_999_999;
    /// The number of units of the last place in one.
    pub const UNITS_PER_ONE: i64 = 10_i64.pow(PLACES);

    /// The decimal of this many units of its last place, as a store keeps it: `1234` is the amount
    /// 12.34.
    pub fn from_units(units: i64) -> Result<Self, InvalidDecimal> {
        Self::checked(i128::from(units)).ok_or_else(Self::out_of_range)
    }

    /// The value in units of the last place.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether the value is less than zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the value is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The value with the opposite sign.
    pub const fn negate(self) -> Self {
        Self(-self.0)
    }

    /// The decimal of this many units; `None` if it is out of range.
    pub(super) fn checked(units: i128) -> Option<Self> {
        i64::try_from(units).ok().filter(|units| units.unsigned_abs() <= Self::MAX_UNITS.unsigned_abs()).map(Self)
    }

    /// The decimal of this many units, limited to the range; the caller ensures that it is in
    /// range.
    pub(super) fn saturating(units: i128) -> Self {
        let end = if units < 0 { -Self::MAX_UNITS } else { Self::MAX_UNITS };
        Self::checked(units).unwrap_or(Self(end))
    }

    /// The units of the last place, for products and sums.
    pub(super) fn as_i128(self) -> i128 {
        i128::from(self.0)
    }

    fn out_of_range() -> InvalidDecimal {
        InvalidDecimal::Range { least: Self(-Self::MAX_UNITS).to_string(), most: Self(Self::MAX_UNITS).to_string() }
    }
}

/// The quotient as an integer, rounded half away from zero. `by` is positive.
pub(super) const fn div_round_half_away(number: i128, by: i128) -> i128 {
    let half = if number < 0 { -(by / 2) } else { by / 2 };
    // All divisors here are even: powers of ten, or twice a step.
    (number + half) / by
}

impl<const PLACES: u32> fmt::Display for Decimal<PLACES> {
    /// With all decimal places: `-0.05`, `12.340000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(f, self.0, PLACES)
    }
}

impl<const PLACES: u32> FromStr for Decimal<PLACES> {
    type Err = InvalidDecimal;

    /// Parses the text of a JSON number (RFC 8259, section 6), with an optional exponent. Trailing
    /// zeros are ignored.
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        parse_units(text, PLACES)?.and_then(Self::checked).ok_or_else(Self::out_of_range)
    }
}

/// The number of units of the last of `places` in the text of a JSON number; `None` if it exceeds
/// 128 bits.
pub(super) fn parse_units(text: &str, places: u32) -> Result<Option<i128>, InvalidDecimal> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(InvalidDecimal::Syntax),
        Some(halves) => halves,
        None => (mantissa, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading || !digits(whole) || !digits(part) {
        return Err(InvalidDecimal::Syntax);
    }
    let all = format!("{whole}{part}");
    let significant = all.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Some(0));
    }
    // The power of ten of the last significant digit, relative to the last place.
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let power = exponent + i64::from(places) - length(part) + length(&all) - length(significant);
    if power < 0 {
        return Err(InvalidDecimal::Places(places));
    }
    let units = u32::try_from(power)
        .ok()
        .and_then(|power| 10_i128.checked_pow(power))
        .and_then(|scale| significant.parse::<i128>().ok()?.checked_mul(scale));
    Ok(units.map(|units| if negative { -units } else { units }))
}

/// Writes a number of units of the last of `places`, with all places: `-0.05`, `12.340000`.
pub(super) fn write_units(f: &mut fmt::Formatter<'_>, units: i64, places: u32) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let (units, one) = (units.unsigned_abs(), 10_u64.pow(places));
    if places == 0 {
        return write!(f, "{sign}{units}");
    }
    write!(f, "{sign}{}.{:0places$}", units / one, units % one, places = places as usize)
}

fn parse_exponent(text: &str) -> Result<i64, InvalidDecimal> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if bare.is_empty() || bare.len() > 4 || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidDecimal::Syntax);
    }
    text.parse().map_err(|_| InvalidDecimal::Syntax)
}

#[cfg(test)]
mod tests;
