//! Names that people type: of users, devices, roles and tenants, and e-mail addresses.
//!
//! A name keeps the spelling that it was given and is compared by its [`Folded`] form, so that `Ján` and ` JÁN ` are one person
//! on every database. No user name contains an `@`: a login with one is an e-mail address.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// What is wrong with a name, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing but blanks.
    #[error("must not be empty")]
    Empty,
    /// More characters than the bound.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A value that nests deeper than the bound.
    #[error("must not nest deeper than {0} levels")]
    TooDeep(usize),
    /// A control character.
    #[error("must not contain control characters")]
    Control,
    /// A user name with an `@`.
    #[error("must not contain \"@\", which marks an e-mail address")]
    At,
    /// Not an e-mail address.
    #[error("must be an e-mail address such as anna@example.com")]
    Email,
    /// Not a slug.
    #[error("must consist of lower-case letters a to z, digits and inner hyphens")]
    Slug,
}

/// The form that names are compared by: NFKC, lower case, without outer blanks. Two names with one folded form are one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folded(String);

impl Folded {
    /// Folds what somebody typed. Never fails: what is no name folds to a form that no name has.
    pub fn of(text: &str) -> Self {
        let lower: String = text.nfkc().collect::<String>().to_lowercase();
        Self(lower.nfkc().collect::<String>().trim().to_owned())
    }

    /// The text to store and to look up by.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($check:expr)),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the name without its outer blanks, or says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let text = text.trim();
                let check: fn(&str) -> Result<(), InvalidName> = $check;
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// As it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// As it is compared.
            pub fn folded(&self) -> Folded {
                Folded::of(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )*};
}

names! {
    /// The name that a user logs in under: 1 to 100 characters, no `@`. Unique in its tenant.
    UserName(|text| if text.contains('@') { Err(InvalidName::At) } else { plain(text, 100) }),
    /// The name of a device: 1 to 100 characters. Unique in its tenant.
    DeviceName(|text| plain(text, 100)),
    /// The name of a role: 1 to 100 characters. Unique in its tenant.
    RoleName(|text| plain(text, 100)),
    /// An e-mail address: something before and after one `@`, no blanks, at most 254 characters (RFC 5321, 4.5.3.1.3). Unique
    /// over the whole server.
    Email(email),
    /// The short name of a tenant in configuration and requests: `a-z0-9-`, 1 to 63 characters. Unique over the server.
    Slug(slug),
}

fn plain(text: &str, most: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        Err(InvalidName::Empty)
    } else if text.chars().count() > most {
        Err(InvalidName::TooLong(most))
    } else if text.chars().any(char::is_control) {
        Err(InvalidName::Control)
    } else {
        Ok(())
    }
}

fn email(text: &str) -> Result<(), InvalidName> {
    plain(text, 254)?;
    match text.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !text.chars().any(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err(InvalidName::Email),
    }
}

fn slug(text: &str) -> Result<(), InvalidName> {
    plain(text, 63)?;
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-') {
        Ok(())
    } else {
        Err(InvalidName::Slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_the_same_fold_alike() {
        for (one, other) in [("Ján", " JÁN "), ("ﬁsh", "FISH"), ("Å", "A\u{30a}"), ("０１", "01")] {
            assert_eq!(Folded::of(one), Folded::of(other), "{one} {other}");
        }
        assert_ne!(Folded::of("Jan"), Folded::of("Ján"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["İstanbul", "ẞ", "ﬀ", "Ω", "  x ", "Ǆ", "\u{1E9B}\u{323}"] {
            let once = Folded::of(text);
            assert_eq!(Folded::of(once.as_str()), once, "{text}");
        }
    }

    #[test]
    fn a_user_name_is_never_an_email() {
        assert_eq!(UserName::parse("anna@example.com"), Err(InvalidName::At));
        assert_eq!(UserName::parse(" "), Err(InvalidName::Empty));
        assert_eq!(UserName::parse(&"x".repeat(101)), Err(InvalidName::TooLong(100)));
        assert_eq!(UserName::parse("a\nb"), Err(InvalidName::Control));
        assert_eq!(UserName::parse(" anna ").map(|name| name.to_string()), Ok("anna".into()));
    }

    #[test]
    fn what_cannot_be_an_email_is_refused() {
        for bad in ["anna", "@example.com", "anna@", "a@b@c", "an na@example.com"] {
            assert_eq!(Email::parse(bad), Err(InvalidName::Email), "{bad}");
        }
        assert!(Email::parse("anna@example.com").is_ok());
    }

    #[test]
    fn a_slug_fits_into_a_url_and_a_file_name() {
        for bad in ["-a", "a-", "A", "a_b", "ä"] {
            assert_eq!(Slug::parse(bad), Err(InvalidName::Slug), "{bad}");
        }
        assert!(Slug::parse("corner-shop-2").is_ok());
    }
}
