//! The bounds of free text: descriptions, labels, names that people read. What programs compare has types of its own.

use super::refused::{Field, Refused};
use crate::InvalidName;

fn bounded(text: &str, most: usize) -> Result<(), InvalidName> {
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.chars().count() > most {
        Err(InvalidName::TooLong(most))
    } else if text.chars().any(control) {
        Err(InvalidName::Control)
    } else {
        Ok(())
    }
}

fn filled(text: &str, most: usize) -> Result<(), InvalidName> {
    if text.trim().is_empty() { Err(InvalidName::Empty) } else { bounded(text, most) }
}

fn name(text: &str, most: usize) -> Result<(), InvalidName> {
    filled(text, most)?;
    crate::name::check_display_name(text.trim())
}

/// Whether a name that people read may be given to something new: it has 1 to 200 characters, none of which shows nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check_new_name(text: &str) -> Result<(), InvalidName> {
    name(text, LABEL)
}

/// The same of a label, which may be empty.
///
/// # Errors
/// What is wrong with it.
pub fn check_new_label(text: &str) -> Result<(), InvalidName> {
    if text.trim().is_empty() { bounded(text, LABEL) } else { check_new_name(text) }
}

/// Whether a text may be a description: it has 2,000 characters at most, and of control characters only line breaks and tabs.
///
/// # Errors
/// What is wrong with it.
pub fn check_description(text: &str) -> Result<(), InvalidName> {
    bounded(text, DESCRIPTION)
}

/// Whether a setting may have this name and this value: 1 to 200 characters, and 2,000 at most.
///
/// # Errors
/// What is wrong with the one or the other.
pub fn check_setting(key: &str, value: &str) -> Result<(), InvalidName> {
    filled(key, LABEL)?;
    bounded(value, DESCRIPTION)
}

/// Refuses more than `most` characters and control characters other than line breaks and tabs.
pub(super) fn check(field: Field, text: &str, most: usize) -> Result<(), Refused> {
    bounded(text, most).map_err(|why| Refused::Invalid { field, why })
}

/// Refuses what no name that people read may be: an empty text, one of more than `most` characters, and what shows nothing.
pub(super) fn check_name(field: Field, text: &str, most: usize) -> Result<(), Refused> {
    name(text, most).map_err(|why| Refused::Invalid { field, why })
}

/// The same of a name that takes the place of another: one that stays is never judged again.
pub(super) fn check_renamed(field: Field, text: &str, before: &str, most: usize) -> Result<(), Refused> {
    if text == before && !before.is_empty() { Ok(()) } else { check_name(field, text, most) }
}

/// The text that a list is searched by: `None` where nothing can hold it, `Some(None)` where it narrows nothing.
#[expect(clippy::option_option, reason = "two kinds of nothing")]
pub(super) fn sought(text: Option<&str>) -> Option<Option<String>> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        // no text that is searched has one: not every database takes it, and what is searched is kept with one between its parts
        Some(text) if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => None,
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
        assert!(check_name(Field::Label, "  ", LABEL).is_err());
        assert_eq!((check_new_label("  "), check_new_name("  ")), (Ok(()), Err(InvalidName::Empty)));
        assert_eq!(check_setting(" ", "x"), Err(InvalidName::Empty));
        assert_eq!(check_setting("x", &"x".repeat(DESCRIPTION + 1)), Err(InvalidName::TooLong(DESCRIPTION)));
        assert!(check_name(Field::Label, "Kasa\u{200b}", LABEL).is_err());
        assert_eq!(check_renamed(Field::Label, "Kasa\u{200b}", "Kasa\u{200b}", LABEL), Ok(()));
    }
}
