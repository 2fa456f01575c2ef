//! Which passwords are taken when one is set: their length, and that they are neither what everybody tries first nor what this
//! account suggests (NIST SP 800-63B-4, section 3.1.1.2). Rules of composition make people choose worse passwords, so there are none.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use tillgate_domain::Folded;

use super::list::PasswordList;
use super::opaque::opaque_string;

/// How many characters a password has at least.
pub const SHORTEST: usize = 8;

/// How many characters a password has at most.
pub const LONGEST: usize = 128;

/// Context words of every account: the name of the service, and those of its built-in roles.
const COMMON_WORDS: [&str; 5] = ["tillgate", "administrator", "admin", "manager", "cashier"];

/// A context word shorter than this many characters says too little: it is in many passwords by chance.
const SHORTEST_WORD: usize = 3;

/// How many letters a password has besides its context words at least.
const LETTERS_BESIDES_WORDS: usize = 4;

/// Why a password is not taken, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`SHORTEST`] characters.
    #[error("must have at least {SHORTEST} characters")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("must have at most {LONGEST} characters")]
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
static COMMON: LazyLock<HashSet<String>> =
    LazyLock::new(|| include_str!("common.txt").lines().filter(|line| !line.starts_with('#')).map(compared).collect());

/// The form in which passwords and context words are compared with lists: NFKC and folded, so that neither full-width letters nor
/// capitals hide one.
pub(super) fn compared(text: &str) -> String {
    Folded::of(text).as_str().to_owned()
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
            ..SHORTEST => return Err(WeakPassword::TooShort),
            SHORTEST..=LONGEST => {}
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
        let compared = compared(form);
        if COMMON.contains(&compared) || self.list.as_ref().is_some_and(|list| list.has(&compared)) {
            return Err(WeakPassword::Common);
        }
        match context_word(&compared, words) {
            Some(word) => Err(WeakPassword::ContextWord(word)),
            None => Ok(()),
        }
    }
}

/// Whether a password may be set by the built-in rules, for an account that no words are known of.
///
/// # Errors
/// What is wrong with the password.
pub fn acceptable(password: &str) -> Result<(), WeakPassword> {
    PasswordPolicy::default().check(password, &[])
}

/// The context word that a password, as it is compared, is made of: once every word is taken out of it, few letters are left.
fn context_word(compared: &str, words: &[String]) -> Option<String> {
    let mut words: Vec<String> =
        COMMON_WORDS.into_iter().map(str::to_owned).chain(words.iter().flat_map(|name| parts(name))).collect();
    // the longest first: a name is found before the parts of it
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let (mut rest, mut found) = (compared.to_owned(), None);
    for word in words {
        let says_something = word.chars().count() >= SHORTEST_WORD && word.chars().any(char::is_alphabetic);
        if says_something && rest.contains(&word) {
            rest = rest.replace(&word, " ");
            found.get_or_insert(word);
        }
    }
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    found.filter(|_| letters < LETTERS_BESIDES_WORDS)
}

/// A name as it is compared, and the words in it.
fn parts(name: &str) -> Vec<String> {
    let whole = compared(name);
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
    fn length_is_counted_in_characters_of_the_hashed_form() {
        let of = |count: usize| "žaba".chars().cycle().take(count).collect::<String>();
        assert_eq!(acceptable(&of(7)), Err(WeakPassword::TooShort));
        assert_eq!(acceptable(&of(8)), Ok(()));
        assert_eq!(acceptable(&of(128)), Ok(()));
        assert_eq!(acceptable(&of(129)), Err(WeakPassword::TooLong));
        assert_eq!(acceptable(""), Err(WeakPassword::TooShort));
        assert_eq!(acceptable(&"z\u{30c}aba".repeat(2)), Ok(()), "eight once they are composed");
        assert_eq!(acceptable("z\u{30c}abaaba"), Err(WeakPassword::TooShort), "seven once they are composed");
    }

    #[test]
    fn the_commonest_are_refused_however_they_are_written() {
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
            assert_eq!(acceptable(common), Err(WeakPassword::Common), "{common}");
        }
        for fine in ["correct horse battery", "tillgate-42-north", "Pokladňa č. 5", "open-the-shop", "8374 2024 55"] {
            assert_eq!(acceptable(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn one_character_repeated_and_control_characters_are_refused() {
        for repeated in ["        ", "zzzzzzzzz", "\u{a0} \u{3000} \u{a0} \u{2003} "] {
            assert_eq!(acceptable(repeated), Err(WeakPassword::Repeated), "{repeated:?}");
        }
        for control in ["correct\0horse", "correct\thorse", "correct horse\u{7f}", "correct\u{85}horse"] {
            assert_eq!(acceptable(control), Err(WeakPassword::Control), "{control:?}");
        }
    }

    #[test]
    fn names_of_the_account_make_no_password() {
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
    fn a_list_refuses_more_in_every_form() {
        let policy = PasswordPolicy::with_list(PasswordList::read(&b"Sea-Salt-99\n"[..]).unwrap());
        assert_eq!(policy.check("sea-salt-99", &[]), Err(WeakPassword::Common));
        assert_eq!(policy.check("ＳＥＡ-salt-99", &[]), Err(WeakPassword::Common));
        assert_eq!(policy.check("sea-salt-98", &[]), Ok(()));
        assert_eq!(policy.check("password", &[]), Err(WeakPassword::Common), "the built-in list holds too");
    }

    #[test]
    fn the_list_bears_only_what_could_be_asked_for() {
        assert!(COMMON.len() > 1000, "{}", COMMON.len());
        for line in COMMON.iter() {
            assert!((SHORTEST..=LONGEST).contains(&line.chars().count()) && *line == compared(line), "{line:?}");
        }
    }
}
