//! What a new name may be: the classes of PRECIS (RFC 8264), and a user name of RFC 8265.
//!
//! The crate's tables are those of Unicode 6.3, as IANA publishes them. A character that they do not know yet is judged by the same
//! algorithm (RFC 8264, 8) with its general category of today.

use precis_core::profile::Rules;
use precis_core::{DerivedPropertyValue, Error, FreeformClass, IdentifierClass, StringClass};
use precis_profiles::UsernameCasePreserved;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

use super::{Folded, InvalidName};

/// How many times as long as it was given a name may be once it is folded: a database's index takes no key of any length.
const LONGER: usize = 4;

/// A user name (RFC 8265, 3.1): words of the `IdentifierClass`, in which full- and half-width letters count as plain ones, with
/// blanks between them. What folds to an `@` is one.
pub(super) fn check_user_name(text: &str) -> Result<(), InvalidName> {
    if Folded::of(text).has_at() {
        return Err(InvalidName::At);
    }
    check_length(text)?;
    let profile = UsernameCasePreserved::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mapped = profile.width_mapping_rule(word).map_err(|error| refused(word, &error))?;
        check_class(&IdentifierClass::default(), &mapped, |c| is_letter_or_digit(c) && !has_compat(c))?;
        let composed: String = mapped.nfc().collect();
        profile.directionality_rule(composed).map_err(|_| InvalidName::Direction)?;
    }
    Ok(())
}

/// A name in which blanks, symbols and punctuation are allowed: of the `FreeformClass`. What shows nothing is not allowed.
pub(super) fn check_name(text: &str) -> Result<(), InvalidName> {
    check_length(text)?;
    // a symbol that is blank, the pattern of no dots
    if let Some(blank) = text.chars().find(|c| *c == '\u{2800}') {
        return Err(InvalidName::Character(blank));
    }
    check_class(&FreeformClass::default(), text, |c| is_letter_or_digit(c) || is_free(c))
}

fn check_length(text: &str) -> Result<(), InvalidName> {
    let (given, folded) = (text.chars().count(), Folded::of(text).as_str().chars().count());
    // short ones may grow as they like
    if folded > 100 && folded > given.saturating_mul(LONGER) { Err(InvalidName::TooLong(given)) } else { Ok(()) }
}

/// Whether the class has all of the text; `newer` says so of a character that is newer than its tables.
fn check_class<C: StringClass>(class: &C, text: &str, newer: impl Fn(char) -> bool) -> Result<(), InvalidName> {
    // a letter stands in for each, so that what asks for its neighbors finds one
    let known: String = text
        .chars()
        .map(|c| {
            let unknown = class.get_value_from_char(c) == DerivedPropertyValue::Unassigned;
            if unknown && newer(c) && !is_ignorable(c) { 'a' } else { c }
        })
        .collect();
    class.allows(&known).map_err(|error| refused(&known, &error))
}

/// The character that an error is about.
fn refused(text: &str, error: &Error) -> InvalidName {
    let bad = match error {
        Error::BadCodepoint(found) => char::from_u32(found.cp),
        Error::Invalid | Error::Unexpected(_) => text.chars().find(|c| !c.is_ascii()),
    };
    InvalidName::Character(bad.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// RFC 8264, 9.1.
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

/// RFC 8264, 9.14 to 9.16 and 9.18.
fn is_free(c: char) -> bool {
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

/// RFC 8264, 9.17.
fn has_compat(c: char) -> bool {
    !std::iter::once(c).eq(std::iter::once(c).nfkc())
}

/// Marks and letters newer than the tables that show nothing (RFC 8264, 9.13): a selector of Mongolian, a filler of Khitan.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{180f}' | '\u{16fe4}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_words_with_blanks_between() {
        for good in
            ["anna", "Žofia 12", "Ján Ňuňák", "quo\"te\\9", "Ａｎｎａ", "李 小龙", "דוד 12", "ვახტანგ", "ᲐᲜᲐ", "l·l"]
        {
            assert_eq!(check_user_name(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("cashier\u{ff20}example.com", InvalidName::At),
            ("cashier\u{200b}", InvalidName::Character('\u{200b}')),
            ("\u{3164}\u{3164}", InvalidName::Character('\u{3164}')),
            ("\u{2800}", InvalidName::Character('\u{2800}')),
            ("\u{200d}", InvalidName::Character('\u{200d}')),
            ("\u{202e}nimda", InvalidName::Character('\u{202e}')),
            ("anna\u{a0}b", InvalidName::Character('\u{a0}')),
            ("anna\u{e000}", InvalidName::Character('\u{e000}')),
            ("anna\u{fe0f}", InvalidName::Character('\u{fe0f}')),
            ("anna\u{fdd0}", InvalidName::Character('\u{fdd0}')),
            ("anna\u{378}", InvalidName::Character('\u{378}')),
            ("fish & chips ☕", InvalidName::Character('☕')),
            ("אa", InvalidName::Direction),
        ] {
            assert_eq!(check_user_name(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn a_name_may_have_symbols_but_nothing_that_is_not_seen() {
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
            assert_eq!(check_name(&name), Err(InvalidName::Character(bad.chars().next().unwrap())), "{bad:?}");
        }
    }

    #[test]
    fn a_name_that_grows_too_long_where_it_is_folded_is_refused() {
        assert!(check_name(&"ﷺ".repeat(5)).is_ok());
        assert!(matches!(check_name(&"ﷺ".repeat(60)), Err(InvalidName::TooLong(_))));
    }
}
