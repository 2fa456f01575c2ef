//! The rules for new names: the classes of PRECIS (RFC 8264), and user names (RFC 8265).
//!
//! The tables of the crate are those of Unicode 6.3, as IANA publishes them. A character that they
//! do not contain is classified by the same algorithm (RFC 8264, section 8) with its current
//! general category.

use precis_core::profile::Rules;
use precis_core::{DerivedPropertyValue, Error, FreeformClass, IdentifierClass, StringClass};
use precis_profiles::UsernameCasePreserved;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

use super::{FoldedText, InvalidText};

/// How many times as long a name may become by folding, because database indexes limit the length
/// of a key.
const MAX_FOLDING_GROWTH: usize = 4;

/// A user name (RFC 8265, section 3.1): words of the `IdentifierClass`, in which full- and
/// half-width letters count as plain ones, separated by blanks. A character that folds to `@`
/// counts as one.
pub(super) fn check_user_name(text: &str) -> Result<(), InvalidText> {
    if FoldedText::of(text).contains_at_sign() {
        return Err(InvalidText::AtSign);
    }
    check_length(text)?;
    let profile = UsernameCasePreserved::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mapped = profile.width_mapping_rule(word).map_err(|error| disallowed_character(word, &error))?;
        check_class(&IdentifierClass::default(), &mapped, |c| is_letter_or_digit(c) && !has_compatibility_form(c))?;
        let composed: String = mapped.nfc().collect();
        profile.directionality_rule(composed).map_err(|_| InvalidText::MixedDirection)?;
    }
    Ok(())
}

/// A name of the `FreeformClass`, which allows blanks, symbols and punctuation. Invisible
/// characters are not allowed.
pub(super) fn check_name(text: &str) -> Result<(), InvalidText> {
    check_length(text)?;
    // The braille pattern without dots is a blank symbol.
    if let Some(blank) = text.chars().find(|c| *c == '\u{2800}') {
        return Err(InvalidText::DisallowedCharacter(blank));
    }
    check_freeform(text)
}

/// The first character of the text that the `FreeformClass` does not contain.
pub(super) fn find_outside_freeform(text: &str) -> Option<char> {
    match check_freeform(text) {
        Err(InvalidText::DisallowedCharacter(found)) => Some(found),
        _ => None,
    }
}

fn check_freeform(text: &str) -> Result<(), InvalidText> {
    check_class(&FreeformClass::default(), text, |c| is_letter_or_digit(c) || is_freeform_symbol(c))
}

fn check_length(text: &str) -> Result<(), InvalidText> {
    let (given, folded) = (text.chars().count(), FoldedText::of(text).as_str().chars().count());
    // Short names may grow without limit.
    if folded > 100 && folded > given.saturating_mul(MAX_FOLDING_GROWTH) {
        // so many of these characters fold to 100, which is always accepted
        Err(InvalidText::TooLong(given.saturating_mul(100) / folded))
    } else {
        Ok(())
    }
}

/// Whether the class contains all characters of the text; `newer` decides for those that are newer
/// than its tables.
fn check_class<C: StringClass>(class: &C, text: &str, newer: impl Fn(char) -> bool) -> Result<(), InvalidText> {
    // A letter replaces each of them, so that contextual rules find a neighbor.
    let known: String = text
        .chars()
        .map(|c| {
            let unknown = class.get_value_from_char(c) == DerivedPropertyValue::Unassigned;
            if unknown && newer(c) && !is_ignorable(c) { 'a' } else { c }
        })
        .collect();
    class.allows(&known).map_err(|error| disallowed_character(&known, &error))
}

/// The character that an error concerns.
fn disallowed_character(text: &str, error: &Error) -> InvalidText {
    let bad = match error {
        Error::BadCodepoint(found) => char::from_u32(found.cp),
        Error::Invalid | Error::Unexpected(_) => text.chars().find(|c| !c.is_ascii()),
    };
    InvalidText::DisallowedCharacter(bad.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// RFC 8264, section 9.1.
fn is_letter_or_digit(c: char) -> bool {
    matches!(
        c.general_category(),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::OtherLetter
            | Category::ModifierLetter
            | Category::NonspacingMark
            | Category::SpacingMark
            | Category::DecimalNumber
    )
}

/// RFC 8264, sections 9.14 to 9.16 and 9.18.
fn is_freeform_symbol(c: char) -> bool {
    matches!(
        c.general_category(),
        Category::TitlecaseLetter
            | Category::LetterNumber
            | Category::OtherNumber
            | Category::EnclosingMark
            | Category::SpaceSeparator
            | Category::MathSymbol
            | Category::CurrencySymbol
            | Category::ModifierSymbol
            | Category::OtherSymbol
            | Category::ConnectorPunctuation
            | Category::DashPunctuation
            | Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
            | Category::OtherPunctuation
    )
}

/// RFC 8264, section 9.17.
fn has_compatibility_form(c: char) -> bool {
    !std::iter::once(c).eq(std::iter::once(c).nfkc())
}

/// Invisible marks and letters that are newer than the tables (RFC 8264, section 9.13): a selector
/// of Mongolian, a filler of Khitan.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{180f}' | '\u{16fe4}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_name_is_identifier_words_separated_by_spaces() {
        for good in
            ["anna", "Žofia 12", "Ján Ňuňák", "quo\"te\\9", "Ａｎｎａ", "李 小龙", "דוד 12", "ვახტანგ", "ᲐᲜᲐ", "l·l"]
        {
            assert_eq!(check_user_name(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("cashier\u{ff20}example.com", InvalidText::AtSign),
            ("cashier\u{200b}", InvalidText::DisallowedCharacter('\u{200b}')),
            ("\u{3164}\u{3164}", InvalidText::DisallowedCharacter('\u{3164}')),
            ("\u{2800}", InvalidText::DisallowedCharacter('\u{2800}')),
            ("\u{200d}", InvalidText::DisallowedCharacter('\u{200d}')),
            ("\u{202e}nimda", InvalidText::DisallowedCharacter('\u{202e}')),
            ("anna\u{a0}b", InvalidText::DisallowedCharacter('\u{a0}')),
            ("anna\u{e000}", InvalidText::DisallowedCharacter('\u{e000}')),
            ("anna\u{fe0f}", InvalidText::DisallowedCharacter('\u{fe0f}')),
            ("anna\u{fdd0}", InvalidText::DisallowedCharacter('\u{fdd0}')),
            ("anna\u{378}", InvalidText::DisallowedCharacter('\u{378}')),
            ("fish & chips ☕", InvalidText::DisallowedCharacter('☕')),
            ("אa", InvalidText::MixedDirection),
        ] {
            assert_eq!(check_user_name(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn name_allows_symbols_but_no_invisible_characters() {
        for good in
            ["Kasa 1 – terasa", "O’Brien & syn ☕", "🥐 Pekáreň", "P01", "½ ㎏", "店舗", "₽ ₿", "മലയാള\u{d4d}\u{200d}"]
        {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "\u{200e}",
            "\u{feff}",
            "\u{ad}",
            "\u{2060}",
            "\u{200b}",
            "\u{2066}",
            "\u{61c}",
            "\u{2800}",
            "\u{180f}",
            "\u{e0041}",
        ] {
            let name = format!("P01{bad}");
            assert_eq!(
                check_name(&name),
                Err(InvalidText::DisallowedCharacter(bad.chars().next().unwrap())),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn name_that_folds_too_long_is_rejected() {
        assert!(check_name(&"ﷺ".repeat(5)).is_ok());
        for given in [6, 11, 60] {
            assert_eq!(check_name(&"ﷺ".repeat(given)), Err(InvalidText::TooLong(5)), "{given}");
        }
    }
}
