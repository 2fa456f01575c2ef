//! Which passwords are taken when one is set: their length, and that they are not what everybody tries first (NIST SP 800-63B-4,
//! section 3.1.1.2). What a password is made of is nobody's business: rules of composition make people choose worse ones.

use std::collections::HashSet;
use std::sync::LazyLock;

/// How many characters a password has at least.
pub const SHORTEST: usize = 8;

/// How many characters a password has at most.
pub const LONGEST: usize = 128;

/// Why a password is not taken, in a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`SHORTEST`] characters.
    #[error("must have at least {SHORTEST} characters")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("must have at most {LONGEST} characters")]
    TooLong,
    /// One of the commonest.
    #[error("must not be one of the commonest passwords")]
    Common,
}

/// The commonest passwords in lower case, one a line. Lines that begin with `#` say where it is from.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Whether a password may be set.
pub fn acceptable(password: &str) -> Result<(), WeakPassword> {
    match password.chars().count() {
        ..SHORTEST => Err(WeakPassword::TooShort),
        SHORTEST..=LONGEST if COMMON.contains(password.to_lowercase().as_str()) => Err(WeakPassword::Common),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(WeakPassword::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        let of = |count| "ž".repeat(count);
        assert_eq!(acceptable(&of(7)), Err(WeakPassword::TooShort));
        assert_eq!(acceptable(&of(8)), Ok(()));
        assert_eq!(acceptable(&of(128)), Ok(()));
        assert_eq!(acceptable(&of(129)), Err(WeakPassword::TooLong));
        assert_eq!(acceptable(""), Err(WeakPassword::TooShort));
    }

    #[test]
    fn the_commonest_are_refused_however_they_are_written() {
        for common in ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou", "PASSWORD1", "1234567890"] {
            assert_eq!(acceptable(common), Err(WeakPassword::Common), "{common}");
        }
        for fine in ["correct horse battery", "tillgate-42-north", "Pokladňa č. 5"] {
            assert_eq!(acceptable(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn the_list_bears_only_what_could_be_asked_for() {
        assert!(COMMON.len() > 1000, "{}", COMMON.len());
        for line in COMMON.iter() {
            let fits = (SHORTEST..=LONGEST).contains(&line.chars().count());
            assert!(fits && *line == line.to_lowercase() && *line == line.trim(), "{line:?}");
        }
    }
}
