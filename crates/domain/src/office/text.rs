//! The limits of free text: descriptions, labels and names for people. Names that programs compare
//! have their own types.

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

/// Checks a new name for people: 1 to 200 visible characters.
///
/// # Errors
///
/// The rule that it violates.
pub fn check_new_name(text: &str) -> Result<(), InvalidText> {
    check_display(text, MAX_LABEL_CHARS)
}

/// Checks a new label, which is a name for people that may be empty.
///
/// # Errors
///
/// The rule that it violates.
pub fn check_new_label(text: &str) -> Result<(), InvalidText> {
    if text.trim().is_empty() { check_bounded(text, MAX_LABEL_CHARS) } else { check_new_name(text) }
}

/// Checks a description: at most 2,000 characters, and no control characters except line breaks and
/// tabs.
///
/// # Errors
///
/// The rule that it violates.
pub fn check_description(text: &str) -> Result<(), InvalidText> {
    check_bounded(text, MAX_DESCRIPTION_CHARS)
}

/// Checks the name of a setting (1 to 200 characters) and its value (at most 2,000 characters).
///
/// # Errors
///
/// The rule that one of them violates.
pub fn check_setting(key: &str, value: &str) -> Result<(), InvalidText> {
    check_filled(key, MAX_LABEL_CHARS)?;
    check_bounded(value, MAX_DESCRIPTION_CHARS)
}

/// Rejects more than `most` characters, and control characters except line breaks and tabs.
pub(super) fn check_text(field: FieldName, text: &str, most: usize) -> Result<(), OfficeError> {
    check_bounded(text, most).map_err(|why| OfficeError::InvalidValue { field, why })
}

/// Rejects an empty name, one of more than `most` characters, and invisible characters.
pub(super) fn check_name(field: FieldName, text: &str, most: usize) -> Result<(), OfficeError> {
    check_display(text, most).map_err(|why| OfficeError::InvalidValue { field, why })
}

/// Checks a name that replaces `before`; a name that stays is not checked again.
pub(super) fn check_renamed(field: FieldName, text: &str, before: &str, most: usize) -> Result<(), OfficeError> {
    if text == before && !before.is_empty() { Ok(()) } else { check_name(field, text, most) }
}

/// The text by which a list is searched: `None` if nothing can match it, `Some(None)` if everything
/// does.
pub fn normalize_search_text(text: Option<&str>) -> Option<Option<String>> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        // No searched text contains one: not every database accepts it, and one separates the parts
        // of the searched text.
        Some(text) if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => None,
        text => Some(text.map(str::to_owned)),
    }
}

/// The greatest length of a name for people, in characters.
pub(super) const MAX_LABEL_CHARS: usize = 200;
/// The greatest length of a description or a setting, in characters.
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
