//! PINs: secrets of a few digits by which users prove their identity on a till.
//!
//! A PIN is too short to withstand guessing by itself. Its verifier is therefore the hash of a
//! digest with a key of the server, and the guesses on a till are limited.

use crate::{KeyId, Secret};

/// The smallest number of digits of a PIN.
pub const MIN_PIN_DIGITS: usize = 4;

/// The greatest number of digits of a PIN.
pub const MAX_PIN_DIGITS: usize = 12;

/// The number of digits of a PIN that the server draws.
pub const DRAWN_PIN_DIGITS: usize = 6;

/// A PIN as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPin {
    /// The hash of the digest of the PIN, as a PHC string.
    pub verifier: Secret<String>,
    /// The key of the digest.
    pub key: KeyId,
    /// Whether the user should set another PIN, because somebody else has seen this one.
    pub due: bool,
}

/// Why a PIN may not be set, in words that continue "the PIN".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// The PIN has other characters than digits, or more than [`MAX_PIN_DIGITS`].
    #[error("must consist of digits, at most {MAX_PIN_DIGITS}")]
    Malformed,
    /// The PIN has fewer than [`MIN_PIN_DIGITS`] digits.
    #[error("must have at least {MIN_PIN_DIGITS} digits")]
    TooShort,
    /// The PIN is one of those that people choose most often, or is in the user's name.
    #[error("must not be a date, a pattern or digits of the user name")]
    Common,
    /// The new PIN equals the current one.
    #[error("must differ from the current one")]
    Unchanged,
}

impl WeakPin {
    /// The stable code of the reason in responses, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "pin_malformed",
            Self::TooShort => "pin_short",
            Self::Common => "pin_common",
            Self::Unchanged => "pin_same",
        }
    }
}

/// Checks a new PIN of the user with this name.
///
/// About a tenth of all PINs is denied: those that people choose most often, which are easily
/// guessed. These are dates, years, digits that are repeated or follow one another, and lines on
/// the keypad.
///
/// # Errors
///
/// The rule that the PIN violates.
pub fn check_pin(pin: &str, user_name: &str) -> Result<(), WeakPin> {
    if pin.len() > MAX_PIN_DIGITS || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WeakPin::Malformed);
    }
    if pin.len() < MIN_PIN_DIGITS {
        return Err(WeakPin::TooShort);
    }
    let digits: Vec<u8> = pin.bytes().map(|byte| byte - b'0').collect();
    let is_common = is_repetition(&digits)
        || is_sequence(&digits)
        || is_date(&digits)
        || is_keypad_line(pin)
        || ends_user_name(pin, user_name);
    if is_common { Err(WeakPin::Common) } else { Ok(()) }
}

/// Whether the PIN repeats a part of at most half its length (`7777`, `1212`, `123123`), is the
/// same backwards (`1221`), or consists of equal pairs (`1122`).
fn is_repetition(digits: &[u8]) -> bool {
    let repeats = |length: usize| {
        digits.len().is_multiple_of(length)
            && digits.iter().zip(digits.iter().skip(length)).all(|(one, next)| one == next)
    };
    let is_palindrome = digits.iter().eq(digits.iter().rev());
    let is_pairs = digits.chunks(2).all(|pair| matches!(pair, [one, other] if one == other));
    (1..=digits.len() / 2).any(repeats) || is_palindrome || is_pairs
}

/// Whether each digit follows the previous one at the same distance of one or two, up or down:
/// `1234`, `9876`, `2468`, `7890`.
fn is_sequence(digits: &[u8]) -> bool {
    let steps = |step: u8| digits.iter().zip(digits.iter().skip(1)).all(|(one, next)| (one + step) % 10 == *next);
    [1, 2, 8, 9].into_iter().any(steps)
}

/// Whether the PIN is a year of a living person (`1984`), a day of the year (`2412`, `1224`), a
/// month and a year, or a date with a year in any usual order.
fn is_date(digits: &[u8]) -> bool {
    let number = |part: &[u8]| part.iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let day = |part: &[u8]| (1..=31).contains(&number(part));
    let month = |part: &[u8]| (1..=12).contains(&number(part));
    let year = |part: &[u8]| (1900..=2099).contains(&number(part));
    let day_of_year = |part: &[u8]| {
        let (one, other) = part.split_at(2);
        (day(one) && month(other)) || (month(one) && day(other))
    };
    match digits.len() {
        4 => year(digits) || day_of_year(digits),
        6 => {
            let (first, last) = (digits.split_at(4), digits.split_at(2));
            day_of_year(first.0)
                || day_of_year(last.1)
                || (year(first.0) && month(first.1))
                || (month(last.0) && year(last.1))
        }
        8 => {
            let (one, other) = digits.split_at(4);
            (day_of_year(one) && year(other)) || (year(one) && day_of_year(other))
        }
        _ => false,
    }
}

/// Lines and corners on the keypad of a till or a phone, in one direction.
const KEYPAD_LINES: [&str; 10] =
    ["2580", "1470", "3690", "1590", "3570", "1397", "1379", "147258369", "159753", "123698745"];

fn is_keypad_line(pin: &str) -> bool {
    let backwards: String = pin.chars().rev().collect();
    KEYPAD_LINES.iter().any(|line| line.contains(pin) || line.contains(&backwards))
}

/// Whether the last four digits of the user name are the PIN.
fn ends_user_name(pin: &str, user_name: &str) -> bool {
    let digits: String = user_name.chars().filter(char::is_ascii_digit).collect();
    digits.ends_with(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_pins_are_denied() {
        for pin in [
            "1234", "4321", "0000", "7777", "1212", "1122", "1221", "123123", "2468", "7890", "0987", "1984", "2024",
            "2412", "1224", "311299", "991231", "199912", "121999", "24121999", "19991224", "2580", "0852", "147258",
            "159753", "12345678", "111111", "112233",
        ] {
            assert_eq!(check_pin(pin, "anna"), Err(WeakPin::Common), "{pin}");
        }
        for pin in ["4715", "9072", "384017", "905817", "7184630", "83920571"] {
            assert_eq!(check_pin(pin, "anna"), Ok(()), "{pin}");
        }
    }

    #[test]
    fn pin_has_four_to_twelve_digits() {
        for (pin, expected) in [
            ("", WeakPin::TooShort),
            ("471", WeakPin::TooShort),
            ("4715629304718", WeakPin::Malformed),
            ("47a5", WeakPin::Malformed),
            ("47 15", WeakPin::Malformed),
            ("４７１５", WeakPin::Malformed),
        ] {
            assert_eq!(check_pin(pin, "anna"), Err(expected), "{pin}");
        }
        assert_eq!(check_pin("471562930471", "anna"), Ok(()));
    }

    #[test]
    fn digits_of_the_user_name_are_denied() {
        for (pin, name, expected) in [
            ("4715", "cashier 4715", Err(WeakPin::Common)),
            ("4715", "47-15", Err(WeakPin::Common)),
            ("4715", "4715-8", Ok(())),
            ("4715", "anna", Ok(())),
        ] {
            assert_eq!(check_pin(pin, name), expected, "{name}");
        }
    }

    #[test]
    fn about_a_tenth_of_the_short_pins_is_denied() {
        let denied = (0..10_000).filter(|pin| check_pin(&format!("{pin:04}"), "anna").is_err()).count();
        assert!((900..1500).contains(&denied), "{denied} of 10,000");
        let denied = (0..1_000_000).filter(|pin| check_pin(&format!("{pin:06}"), "anna").is_err()).count();
        assert!((50_000..150_000).contains(&denied), "{denied} of 1,000,000");
    }
}
