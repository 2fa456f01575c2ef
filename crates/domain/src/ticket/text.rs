//! Texts on tickets: of limited length, and without control characters that a printer or a terminal
//! would interpret.

use std::fmt;

use crate::InvalidText;

/// A text of at most `MAX_CHARS` characters, without control characters except line breaks and
/// tabs. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundedText<const MAX_CHARS: usize>(String);

/// A name, a code or a label.
pub type Label = BoundedText<200>;
/// A description, a comment or a reason.
pub type Note = BoundedText<2_000>;

impl<const MAX_CHARS: usize> BoundedText<MAX_CHARS> {
    /// Checks a text.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        if text.chars().count() > MAX_CHARS {
            Err(InvalidText::TooLong(MAX_CHARS))
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            Err(InvalidText::ControlCharacter)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX_CHARS: usize> fmt::Display for BoundedText<MAX_CHARS> {
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
        assert_eq!(Label::parse(&"ž".repeat(201)), Err(InvalidText::TooLong(200)));
        assert_eq!(Label::parse("a\u{1b}[2J"), Err(InvalidText::ControlCharacter));
        assert_eq!(
            Note::parse("two\nlines\tand a tab").map(|note| note.to_string()),
            Ok("two\nlines\tand a tab".into())
        );
        assert!(Label::parse("").is_ok());
    }
}
