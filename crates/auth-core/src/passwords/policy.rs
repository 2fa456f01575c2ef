//! The rules for new passwords: their length, and that they are neither common nor derived from the
//! account (NIST SP 800-63B-4, section 3.1.1.2). There are no composition rules, because they make
//! people choose worse passwords.

mod list;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use tillgate_domain::{FoldedText, find_disallowed_character};

use super::opaque::opaque_string;

pub use list::{MAX_LIST_BYTES, PasswordList, PasswordListError};

/// The smallest number of characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// The greatest number of characters of a password.
pub const MAX_PASSWORD_CHARS: usize = 128;

/// The context words of every account: the name of the service and of the built-in roles.
const COMMON_CONTEXT_WORDS: [&str; 5] = ["tillgate", "administrator", "admin", "manager", "cashier"];

/// Shorter context words are ignored, because many passwords contain them by chance.
const MIN_CONTEXT_WORD_CHARS: usize = 3;

/// The smallest number of letters of a password besides its context words.
const MIN_OTHER_LETTERS: usize = 4;

/// Why a password may not be set, in words that continue "the password".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// The password has fewer than [`MIN_PASSWORD_CHARS`] characters.
    #[error("must have at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// The password has more than [`MAX_PASSWORD_CHARS`] characters.
    #[error("must have at most {MAX_PASSWORD_CHARS} characters")]
    TooLong,
    /// The password contains a control character, which PRECIS does not allow.
    #[error("must not contain control characters")]
    Control,
    /// The password contains a character that no keyboard shows, which PRECIS does not allow.
    #[error("must not contain U+{:04X}, which is invisible, undefined or not allowed here", u32::from(*.0))]
    Disallowed(char),
    /// The password is one repeated character.
    #[error("must not be one character repeated")]
    Repeated,
    /// The password is a common one, or on the configured list.
    #[error("must not be one of the commonest passwords")]
    Common,
    /// The new password equals the current one.
    #[error("must differ from the current one")]
    Unchanged,
    /// The password is little more than this name of the account.
    #[error("must not be made of the name \"{0}\"; add other words")]
    ContextWord(String),
}

/// The common passwords in the form of comparison, one per line. Lines that begin with `#` name
/// their source.
static COMMON_PASSWORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    include_str!("common.txt").lines().filter(|line| !line.starts_with('#')).map(to_comparable).collect()
});

/// The form in which passwords are compared with lists and context words: NFKC and case-folded, so
/// that neither full-width nor capital letters hide a word.
fn to_comparable(text: &str) -> String {
    FoldedText::of(text).as_str().to_owned()
}

/// The rules for new passwords: the built-in ones, and a configured list.
#[derive(Clone, Debug, Default)]
pub struct PasswordPolicy {
    list: Option<Arc<PasswordList>>,
}

impl PasswordPolicy {
    /// The built-in rules and this list.
    pub fn with_list(list: PasswordList) -> Self {
        Self { list: Some(Arc::new(list)) }
    }

    /// Checks a password for an account with these context words: the names of its user, devices
    /// and tenant.
    ///
    /// # Errors
    ///
    /// The rule that the password violates.
    pub fn check(&self, password: &str, words: &[String]) -> Result<(), WeakPassword> {
        let form = opaque_string(password);
        let form = form.expose().as_str();
        match form.chars().count() {
            ..MIN_PASSWORD_CHARS => return Err(WeakPassword::TooShort),
            MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS => {}
            _ => return Err(WeakPassword::TooLong),
        }
        if form.chars().any(char::is_control) {
            return Err(WeakPassword::Control);
        }
        if let Some(found) = find_disallowed_character(form) {
            return Err(WeakPassword::Disallowed(found));
        }
        let mut characters = form.chars();
        let first = characters.next();
        if characters.all(|c| Some(c) == first) {
            return Err(WeakPassword::Repeated);
        }
        let compared = to_comparable(form);
        if COMMON_PASSWORDS.contains(&compared) || self.list.as_ref().is_some_and(|list| list.contains(&compared)) {
            return Err(WeakPassword::Common);
        }
        match find_context_word(&compared, words) {
            Some(word) => Err(WeakPassword::ContextWord(word)),
            None => Ok(()),
        }
    }
}

/// Checks a password by the built-in rules, for an account without context words.
///
/// # Errors
///
/// The rule that the password violates.
pub fn check_default_policy(password: &str) -> Result<(), WeakPassword> {
    PasswordPolicy::default().check(password, &[])
}

/// The context word from which a password is made: without all context words, few of its letters
/// remain.
fn find_context_word(compared: &str, words: &[String]) -> Option<String> {
    let mut words: Vec<String> = COMMON_CONTEXT_WORDS
        .into_iter()
        .map(str::to_owned)
        .chain(words.iter().flat_map(|name| split_words(name)))
        .collect();
    // The longest first, so that a name is found before its parts.
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let (mut rest, mut found) = (compared.to_owned(), None);
    for word in words {
        let says_something = word.chars().count() >= MIN_CONTEXT_WORD_CHARS && word.chars().any(char::is_alphabetic);
        if says_something && rest.contains(&word) {
            rest = rest.replace(&word, " ");
            found.get_or_insert(word);
        }
    }
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    found.filter(|_| letters < MIN_OTHER_LETTERS)
}

/// A name in the form of comparison, and its words.
fn split_words(name: &str) -> Vec<String> {
    let whole = to_comparable(name);
    let inner = whole.split(|c: char| !c.is_alphanumeric()).filter(|part| **part != whole).map(str::to_owned);
    let mut parts: Vec<String> = inner.collect();
    parts.push(whole);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str, words: &[&str]) -> Result<(), WeakPassword> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        PasswordPolicy::default().check(password, &words)
    }

    #[test]
    fn password_length_counts_characters_of_hashed_form() {
        let of = |count: usize| "žaba".chars().cycle().take(count).collect::<String>();
        assert_eq!(check_default_policy(&of(7)), Err(WeakPassword::TooShort));
        assert_eq!(check_default_policy(&of(8)), Ok(()));
        assert_eq!(check_default_policy(&of(128)), Ok(()));
        assert_eq!(check_default_policy(&of(129)), Err(WeakPassword::TooLong));
        assert_eq!(check_default_policy(""), Err(WeakPassword::TooShort));
        assert_eq!(check_default_policy(&"z\u{30c}aba".repeat(2)), Ok(()), "eight once they are composed");
        assert_eq!(check_default_policy("z\u{30c}abaaba"), Err(WeakPassword::TooShort), "seven once they are composed");
    }

    #[test]
    fn common_passwords_are_rejected_in_every_spelling() {
        for common in [
            "password",
            "PassWord",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "PASSWORD1",
            "1234567890",
            "ｐａｓｓｗｏｒｄ１",
            " Password ",
        ] {
            assert_eq!(check_default_policy(common), Err(WeakPassword::Common), "{common}");
        }
        for fine in ["correct horse battery", "tillgate-42-north", "Pokladňa č. 5", "open-the-shop", "8374 2024 55"] {
            assert_eq!(check_default_policy(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn repeated_and_control_characters_are_rejected() {
        for repeated in ["        ", "zzzzzzzzz", "\u{a0} \u{3000} \u{a0} \u{2003} "] {
            assert_eq!(check_default_policy(repeated), Err(WeakPassword::Repeated), "{repeated:?}");
        }
        for control in ["correct\0horse", "correct\thorse", "correct horse\u{7f}", "correct\u{85}horse"] {
            assert_eq!(check_default_policy(control), Err(WeakPassword::Control), "{control:?}");
        }
    }

    #[test]
    fn characters_outside_the_freeform_class_are_rejected() {
        for hidden in [
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{ad}',
            '\u{200d}',
            '\u{fe0f}',
            '\u{e000}',
            '\u{e0041}',
            '\u{fdd0}',
            '\u{378}',
            '\u{180f}',
            '\u{115f}',
            '\u{3164}',
        ] {
            for password in
                [format!("correct{hidden} horse"), format!("{hidden}correct horse"), format!("correct horse{hidden}")]
            {
                assert_eq!(check_default_policy(&password), Err(WeakPassword::Disallowed(hidden)), "{password:?}");
            }
        }
        let text = WeakPassword::Disallowed('\u{200b}').to_string();
        assert_eq!(text, "must not contain U+200B, which is invisible, undefined or not allowed here");
        for fine in [
            "Pokladňa – 5 €",
            "🥐🥐🥐☕ croissant",
            "パスワードは長い方がいい",
            "密码应该更长一点吧",
            "סיסמה ארוכה 12",
            "½ ㎏ ﬁsh & chips",
            "מלה correct",
        ] {
            assert_eq!(check_default_policy(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn account_names_are_rejected_as_password() {
        let words = ["Jana Nová", "jana.nova@example.com", "P01", "Corner Shop", "x1"];
        for (password, word) in [
            ("tillgate", "tillgate"),
            ("TillGate-2026", "tillgate"),
            ("cashier1", "cashier"),
            ("administrator", "administrator"),
            ("ＪＡＮＡ 1984", "jana"),
            ("jana nova\u{301}", "jana nová"),
            ("jana.nova@example.com", "jana.nova@example.com"),
            ("jana-P01-P01", "jana"),
            ("corner_shop_1", "corner"),
            ("p01P01p01!", "p01"),
        ] {
            assert_eq!(check(password, &words), Err(WeakPassword::ContextWord(word.to_owned())), "{password}");
        }
        for fine in ["jana likes rain", "x1x1x1x1!", "the corner by the river", "20262027!"] {
            assert_eq!(check(fine, &words), Ok(()), "{fine}");
        }
        assert_eq!(check("83742024", &["Till 2024"]), Ok(()), "a number is no name");
    }

    #[test]
    fn configured_list_rejects_more_in_every_spelling() {
        let policy = PasswordPolicy::with_list(PasswordList::parse(&b"Sea-Salt-99\n"[..]).unwrap());
        assert_eq!(policy.check("sea-salt-99", &[]), Err(WeakPassword::Common));
        assert_eq!(policy.check("ＳＥＡ-salt-99", &[]), Err(WeakPassword::Common));
        assert_eq!(policy.check("sea-salt-98", &[]), Ok(()));
        assert_eq!(policy.check("password", &[]), Err(WeakPassword::Common), "the built-in list holds too");
    }

    #[test]
    fn built_in_list_has_only_settable_passwords() {
        assert!(COMMON_PASSWORDS.len() > 1000, "{}", COMMON_PASSWORDS.len());
        for line in COMMON_PASSWORDS.iter() {
            assert!(
                (MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&line.chars().count())
                    && *line == to_comparable(line),
                "{line:?}"
            );
        }
    }
}
