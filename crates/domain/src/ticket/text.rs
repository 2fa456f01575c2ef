//! Texts on tickets: bounded, and without control characters that a printer or a terminal would obey.

use std::fmt;

use crate::InvalidName;

/// A text of at most `MOST` characters; line breaks and tabs are its only control characters. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MOST: usize>(String);

/// A name, a code, a label.
pub type Label = Text<200>;
/// A description, a comment, a reason.
pub type Note = Text<2_000>;

impl<const MOST: usize> Text<MOST> {
    /// Takes the text as it is, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.chars().count() > MOST {
            Err(InvalidName::TooLong(MOST))
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            Err(InvalidName::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The currency of a ticket, by its three letters (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is no currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency's three capital letters, such as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// Parses the three letters. Whether such a currency is in use is not asked.
    pub fn parse(text: &str) -> Result<Self, InvalidCurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(InvalidCurrency),
        }
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
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

    #[test]
    fn text_is_bounded_and_has_no_control_characters() {
        assert!(Label::parse(&"ž".repeat(200)).is_ok());
        assert_eq!(Label::parse(&"ž".repeat(201)), Err(InvalidName::TooLong(200)));
        assert_eq!(Label::parse("a\u{1b}[2J"), Err(InvalidName::Control));
        assert_eq!(
            Note::parse("two\nlines\tand a tab").map(|note| note.to_string()),
            Ok("two\nlines\tand a tab".into())
        );
        assert!(Label::parse("").is_ok());
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(Currency::parse("EUR").map(|currency| currency.to_string()), Ok("EUR".into()));
        for bad in ["", "eur", "EURO", "E1R", "ÄB", "€"] {
            assert_eq!(Currency::parse(bad), Err(InvalidCurrency), "{bad}");
        }
    }
}
