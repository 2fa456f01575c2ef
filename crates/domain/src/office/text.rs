//! The bounds of free text: descriptions, labels, names that people read. What programs compare has types of its own.

use super::refused::{Field, Refused};
use crate::InvalidName;

/// Refuses more than `most` characters and control characters other than line breaks and tabs.
pub(super) fn check(field: Field, text: &str, most: usize) -> Result<(), Refused> {
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.chars().count() > most {
        Err(Refused::Invalid { field, why: InvalidName::TooLong(most) })
    } else if text.chars().any(control) {
        Err(Refused::Invalid { field, why: InvalidName::Control })
    } else {
        Ok(())
    }
}

/// Refuses what [`check`] refuses, and an empty text.
pub(super) fn check_filled(field: Field, text: &str, most: usize) -> Result<(), Refused> {
    if text.trim().is_empty() {
        Err(Refused::Invalid { field, why: InvalidName::Empty })
    } else {
        check(field, text, most)
    }
}

/// The text that a list is searched by: `None` where nothing can hold it, `Some(None)` where it narrows nothing.
#[expect(clippy::option_option, reason = "two kinds of nothing")]
pub(super) fn sought(text: Option<&str>) -> Option<Option<String>> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        // no text that is stored has one, and not every database takes it
        Some(text) if text.contains('\0') => None,
        text => Some(text.map(str::to_owned)),
    }
}

/// The longest name that people read, in characters.
pub(super) const LABEL: usize = 200;
/// The longest description or setting, in characters.
pub(super) const DESCRIPTION: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_and_has_no_control_characters() {
        assert_eq!(check(Field::Label, &"ž".repeat(LABEL), LABEL), Ok(()));
        assert!(check(Field::Label, &"ž".repeat(LABEL + 1), LABEL).is_err());
        assert!(check(Field::Label, "a\u{7}b", LABEL).is_err());
        assert_eq!(check(Field::Description, "two\nlines", LABEL), Ok(()));
        assert!(check_filled(Field::Label, "  ", LABEL).is_err());
    }
}
