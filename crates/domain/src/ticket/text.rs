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
}
