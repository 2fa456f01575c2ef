//! Which passwords are taken when one is set: their length, and that they are neither what everybody tries first nor what this
//! account suggests (NIST SP 800-63B-4, section 3.1.1.2). Rules of composition make people choose worse passwords, so there are none.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use tillgate_domain::FoldedText;

use super::list::PasswordList;
use super::opaque::opaque_string;

/// How many characters a password has at least.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// How many characters a password has at most.
pub const MAX_PASSWORD_CHARS: usize = 128;

/// Context words of every account: the name of the service, and those of its built-in roles.
const COMMON_CONTEXT_WORDS: [&str; 5] = ["tillgate", "administrator", "admin", "manager", "cashier"];

/// A context word shorter than this many characters says too little: it is in many passwords by chance.
const MIN_CONTEXT_WORD_CHARS: usize = 3;

/// How many letters a password has besides its context words at least.
const MIN_OTHER_LETTERS: usize = 4;

/// Why a password is not taken, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`SHORTEST`] characters.
    #[error("must have at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("must have at most {MAX_PASSWORD_CHARS} characters")]
    TooLong,
    /// A control character, which PRECIS does not allow and most keyboards do not have.
    #[error("must not contain control characters")]
    Control,
    /// One character, again and again.
    #[error("must not be one character repeated")]
    Repeated,
    /// One of the commonest, or on the list that the configuration names.
    #[error("must not be one of the commonest passwords")]
    Common,
    /// The password that it is to take the place of.
    #[error("must differ from the current one")]
    Unchanged,
    /// Little besides a name that belongs to the account, which the variant holds.
    #[error("must not be made of the name \"{0}\"; add other words")]
    ContextWord(String),
}

/// The commonest passwords as they are compared, one a line. Lines that begin with `#` say where it is from.
static COMMON_PASSWORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    include_str!("common.txt").lines().filter(|line| !line.starts_with('#')).map(to_comparable).collect()
});

/// The form in which passwords and context words are compared with lists: NFKC and folded, so that neither full-width letters nor
/// capitals hide one.
pub(super) fn to_comparable(text: &str) -> String {
    FoldedText::of(text).as_str().to_owned()
}

/// Which passwords may be set: the built-in rules, and a list of more passwords that nobody may choose.
#[derive(Clone, Debug, Default)]
pub struct PasswordPolicy {
    list: Option<Arc<PasswordList>>,
}

impl PasswordPolicy {
    /// The built-in rules, and refuses what is on this list too.
    pub fn with_list(list: PasswordList) -> Self {
        Self { list: Some(Arc::new(list)) }
    }

    /// Whether a password may be set for an account that these words belong to: the names of its user, its devices, its tenant.
    ///
    /// # Errors
    /// What is wrong with the password.
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

/// Whether a password may be set by the built-in rules, for an account that no words are known of.
///
/// # Errors
/// What is wrong with the password.
pub fn check_default_policy(password: &str) -> Result<(), WeakPassword> {
    PasswordPolicy::default().check(password, &[])
}

/// The context word that a password, as it is compared, is made of: once every word is taken out of it, few letters are left.
fn find_context_word(compared: &str, words: &[String]) -> Option<String> {
    let mut words: Vec<String> = COMMON_CONTEXT_WORDS
        .into_iter()
        .map(str::to_owned)
        .chain(words.iter().flat_map(|name| split_words(name)))
        .collect();
    // the longest first: a name is found before the parts of it
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

/// A name as it is compared, and the words in it.
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
