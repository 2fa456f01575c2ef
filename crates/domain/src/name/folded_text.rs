//! The form in which names are compared and searched.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

/// What U+0000 folds to. PostgreSQL cannot store U+0000, and no name contains control characters,
/// so a lookup with either finds nothing on any database.
const NUL_SUBSTITUTE: char = '\u{1}';

/// The separator between the texts by which an entity is searched. Searched texts contain no
/// control characters except tabs and line breaks.
pub(crate) const FIELD_SEPARATOR: char = '\u{1f}';

/// The form in which names are compared: NFKC, full case folding independent of language (Unicode
/// 3.13, `toCasefold`), NFKC, without outer blanks. Two names with the same folded form are the
/// same name.
///
/// `ß` folds to `ss`, `ς` to `σ`, `ﬁ` to `fi`; `I` folds to `i` and `İ` to `i` with a dot above, in
/// every language.
#[derive(Clone, Debug)]
pub struct FoldedText {
    key: String,
    legacy_key: Option<String>,
}

impl FoldedText {
    /// Folds a text. It never fails: a text that is not a name folds to a form that no name has.
    pub fn of(text: &str) -> Self {
        if text.is_ascii() {
            let key = text.trim().to_ascii_lowercase();
            let key = if key.contains('\0') { key.replace('\0', "\u{1}") } else { key };
            return Self { key, legacy_key: None };
        }
        let composed: String = text.chars().map(|c| if c == '\0' { NUL_SUBSTITUTE } else { c }).nfkc().collect();
        let trimmed = |text: String| text.nfkc().collect::<String>().trim().to_owned();
        let key = trimmed(UniCase::unicode(&composed).to_folded_case());
        let former = trimmed(composed.to_lowercase());
        Self { legacy_key: (former != key).then_some(former), key }
    }

    /// The text to store and to look up by.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// The form of names before full case folding, if it differs. A name that would now equal
    /// another one has kept this form, so it is looked up before the new form.
    pub fn legacy_key(&self) -> Option<&str> {
        self.legacy_key.as_deref()
    }

    /// Whether both forms are equal: then the two texts were the same name before full case
    /// folding, too.
    pub fn is_identical(&self, other: &Self) -> bool {
        self.key == other.key && self.legacy_key == other.legacy_key
    }

    /// The entity with this name: one whose legacy form is equal is preferred to one that only
    /// equals by full folding.
    pub fn find_best_match<'t, T>(&self, all: &'t [T], name: impl Fn(&T) -> Self) -> Option<&'t T> {
        let always = all.iter().find(|each| name(each).is_identical(self));
        always.or_else(|| all.iter().find(|each| name(each) == *self))
    }

    /// Whether the text contains an `@` in any width: then it is an e-mail address and not a user
    /// name.
    pub fn contains_at_sign(&self) -> bool {
        self.key.contains('@')
    }

    /// The text by which an entity with these names is searched: a query finds it if the folded
    /// query is part of this text.
    pub fn join_search_text<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
        let mut all = String::new();
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            if !all.is_empty() {
                all.push(FIELD_SEPARATOR);
            }
            all.push_str(&Self::of(text).key);
        }
        all
    }
}

impl PartialEq for FoldedText {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for FoldedText {}

impl PartialOrd for FoldedText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FoldedText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Hash for FoldedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equivalent_names_fold_alike() {
        for (one, other) in [
            ("Ján", " JÁN "),
            ("ﬁsh", "FISH"),
            ("Å", "A\u{30a}"),
            ("０１", "01"),
            ("STRAUSS", "strauß"),
            ("STRAUẞ", "strauß"),
            ("ΟΔΟΣ", "οδος"),
            ("ᏣᎳᎩ", "ꮳꮃꭹ"),
            ("İ", "i\u{307}"),
        ] {
            assert_eq!(FoldedText::of(one), FoldedText::of(other), "{one} {other}");
        }
        for (one, other) in [("Jan", "Ján"), ("I", "ı"), ("İ", "i")] {
            assert_ne!(FoldedText::of(one), FoldedText::of(other), "{one} {other}");
        }
    }

    #[test]
    fn legacy_key_finds_name_stored_under_it() {
        assert_eq!(FoldedText::of("Strauß").legacy_key(), Some("strauß"));
        assert_eq!(FoldedText::of("Strauß").as_str(), "strauss");
        for text in ["Strauss", "Ján", "Žofia 12", "plain"] {
            assert_eq!(FoldedText::of(text).legacy_key(), None, "{text}");
        }
    }

    #[test]
    fn names_merged_by_folding_are_both_found() {
        let all = ["strauss", "strauß"];
        let found = |text: &str| FoldedText::of(text).find_best_match(&all, |name| FoldedText::of(name)).copied();
        assert_eq!(found("Strauß"), Some("strauß"));
        assert_eq!(found("STRAUSS"), Some("strauss"));
        assert_eq!(FoldedText::of("ΟΔΟΣ").find_best_match(&["οδοσ"], |name| FoldedText::of(name)), Some(&"οδοσ"));
        assert_eq!(found("straus"), None);
    }

    #[test]
    fn at_sign_is_found_in_every_width() {
        for text in ["a@b", "a\u{ff20}b", "a\u{fe6b}b"] {
            assert!(FoldedText::of(text).contains_at_sign(), "{text}");
        }
        assert!(!FoldedText::of("a at b").contains_at_sign());
    }

    #[test]
    fn nul_folds_to_character_no_name_has() {
        for text in ["a\0b", "ž\0", "\0"] {
            assert!(
                FoldedText::of(text).as_str().contains(NUL_SUBSTITUTE) && !FoldedText::of(text).as_str().contains('\0')
            );
        }
    }

    #[test]
    fn search_text_separates_its_fields() {
        let text = FoldedText::join_search_text(["Anna", "", "Ňuňák"]);
        assert!(text.contains(FoldedText::of("ŇUŇ").as_str()) && text.contains("anna"));
        assert!(!text.contains("annaň"));
    }

    #[test]
    fn folding_is_idempotent_for_every_character() {
        // Ideographs and syllables have no case.
        let cased = [0..=0x33ff, 0xa000..=0xabff, 0xf900..=0xffff, 0x1_0000..=0x1_ffff];
        for c in cased.into_iter().flatten().filter_map(char::from_u32) {
            let once = FoldedText::of(&format!("a{c}b"));
            assert_eq!(FoldedText::of(once.as_str()), once, "U+{:04X}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in "\\PC{0,12}") {
            let once = FoldedText::of(&text);
            let twice = FoldedText::of(once.as_str());
            prop_assert_eq!(twice.as_str(), once.as_str());
        }

        #[test]
        fn legacy_key_folds_to_current_key(text in "\\PC{0,12}") {
            let folded = FoldedText::of(&text);
            if let Some(former) = folded.legacy_key() {
                prop_assert_eq!(&FoldedText::of(former), &folded);
            }
        }

        #[test]
        fn folding_ignores_case(text in "[a-zA-Zß-ÿžščřňΑ-Ωα-ωА-я ]{0,12}") {
            prop_assert_eq!(FoldedText::of(&text.to_uppercase()), FoldedText::of(&text));
        }
    }
}
