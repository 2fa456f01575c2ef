//! The bounds of free text: descriptions, labels, names that people read. What programs compare has types of its own.

use super::error::{FieldName, OfficeError};
use crate::InvalidText;

fn check_bounded(text: &str, most: usize) -> Result<(), InvalidText> {
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.chars().count() > most {
        Err(InvalidText::TooLong(most))
    } else if text.chars().any(control) {
        Err(InvalidText::ControlCharacter)
    } else {
        Ok(())
    }
}

fn check_filled(text: &str, most: usize) -> Result<(), InvalidText> {
    if text.trim().is_empty() { Err(InvalidText::Empty) } else { check_bounded(text, most) }
}

fn check_display(text: &str, most: usize) -> Result<(), InvalidText> {
    check_filled(text, most)?;
    crate::name::check_display_name(text.trim())
}

/// Whether a name that people read may be given to something new: it has 1 to 200 characters, none of which shows nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check_new_name(text: &str) -> Result<(), InvalidText> {
    check_display(text, MAX_LABEL_CHARS)
}

/// The same of a label, which may be empty.
///
/// # Errors
/// What is wrong with it.
pub fn check_new_label(text: &str) -> Result<(), InvalidText> {
    if text.trim().is_empty() { check_bounded(text, MAX_LABEL_CHARS) } else { check_new_name(text) }
}

/// Whether a text may be a description: it has 2,000 characters at most, and of control characters only line breaks and tabs.
///
/// # Errors
/// What is wrong with it.
pub fn check_description(text: &str) -> Result<(), InvalidText> {
    check_bounded(text, MAX_DESCRIPTION_CHARS)
}

/// Whether a setting may have this name and this value: 1 to 200 characters, and 2,000 at most.
///
/// # Errors
/// What is wrong with the one or the other.
pub fn check_setting(key: &str, value: &str) -> Result<(), InvalidText> {
    check_filled(key, MAX_LABEL_CHARS)?;
    check_bounded(value, MAX_DESCRIPTION_CHARS)
}

/// Refuses more than `most` characters and control characters other than line breaks and tabs.
pub(super) fn check_text(field: FieldName, text: &str, most: usize) -> Result<(), OfficeError> {
    check_bounded(text, most).map_err(|why| OfficeError::InvalidValue { field, why })
}

/// Refuses what no name that people read may be: an empty text, one of more than `most` characters, and what shows nothing.
pub(super) fn check_name(field: FieldName, text: &str, most: usize) -> Result<(), OfficeError> {
    check_display(text, most).map_err(|why| OfficeError::InvalidValue { field, why })
}

/// The same of a name that takes the place of another: one that stays is never judged again.
pub(super) fn check_renamed(field: FieldName, text: &str, before: &str, most: usize) -> Result<(), OfficeError> {
    if text == before && !before.is_empty() { Ok(()) } else { check_name(field, text, most) }
}

/// The text that a list is searched by: `None` where nothing can hold it, `Some(None)` where it narrows nothing.
#[expect(clippy::option_option, reason = "two kinds of nothing")]
pub(super) fn normalize_search_text(text: Option<&str>) -> Option<Option<String>> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        // no text that is searched has one: not every database takes it, and what is searched is kept with one between its parts
        Some(text) if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => None,
        text => Some(text.map(str::to_owned)),
    }
}

/// The longest name that people read, in characters.
pub(super) const MAX_LABEL_CHARS: usize = 200;
/// The longest description or setting, in characters.
pub(super) const MAX_DESCRIPTION_CHARS: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_and_has_no_control_characters() {
        assert_eq!(check_text(FieldName::Label, &"ž".repeat(MAX_LABEL_CHARS), MAX_LABEL_CHARS), Ok(()));
        assert!(check_text(FieldName::Label, &"ž".repeat(MAX_LABEL_CHARS + 1), MAX_LABEL_CHARS).is_err());
        assert!(check_text(FieldName::Label, "a\u{7}b", MAX_LABEL_CHARS).is_err());
        assert_eq!(check_text(FieldName::Description, "two\nlines", MAX_LABEL_CHARS), Ok(()));
        assert!(check_name(FieldName::Label, "  ", MAX_LABEL_CHARS).is_err());
        assert_eq!((check_new_label("  "), check_new_name("  ")), (Ok(()), Err(InvalidText::Empty)));
        assert_eq!(check_setting(" ", "x"), Err(InvalidText::Empty));
        assert_eq!(
            check_setting("x", &"x".repeat(MAX_DESCRIPTION_CHARS + 1)),
            Err(InvalidText::TooLong(MAX_DESCRIPTION_CHARS))
        );
        assert!(check_name(FieldName::Label, "Kasa\u{200b}", MAX_LABEL_CHARS).is_err());
        assert_eq!(check_renamed(FieldName::Label, "Kasa\u{200b}", "Kasa\u{200b}", MAX_LABEL_CHARS), Ok(()));
    }
}
