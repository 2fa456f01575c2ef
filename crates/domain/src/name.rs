//! Names that people type: of users, devices, roles and tenants, and e-mail addresses.
//!
//! A name keeps its spelling and is compared by its [`FoldedText`] form, so that `Ján` and ` JÁN `
//! are one user on every database. No user name contains an `@`: a login with one is an e-mail
//! address.
//!
//! `parse` accepts everything that may be stored already. `check_new` checks a name when it is
//! given, by the classes of PRECIS (RFC 8264); a name that was given before that check existed
//! stays valid.

mod confusable;
mod email;
mod folded_text;
mod precis;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use confusable::skeleton;
pub(crate) use folded_text::FIELD_SEPARATOR;
pub use folded_text::FoldedText;

/// What is wrong with a text, in words that follow its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// The text has only blanks.
    #[error("must not be empty")]
    Empty,
    /// The text has more characters than this limit.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The value is nested deeper than this limit.
    #[error("must not nest deeper than {0} levels")]
    TooDeep(usize),
    /// The text contains a control character.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// The user name contains an `@`.
    #[error("must not contain \"@\", which marks an e-mail address")]
    AtSign,
    /// The text contains a character that new names must not have.
    #[error("must not contain U+{:04X}, which is invisible, undefined or not allowed here", u32::from(*.0))]
    DisallowedCharacter(char),
    /// The user name mixes text of both directions in an ambiguous order (RFC 5893, section 2).
    #[error("must not mix right-to-left and left-to-right text in one word")]
    MixedDirection,
    /// The text is not an e-mail address.
    #[error("must be an e-mail address such as anna@example.com")]
    Email,
    /// The text is not a slug.
    #[error("must consist of lower-case letters a to z, digits and inner hyphens")]
    Slug,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($clean:expr, $check:expr, $new:expr)),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a name without its outer blanks.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let clean: fn(&str) -> String = $clean;
                let check: fn(&str) -> Result<(), InvalidText> = $check;
                let text = clean(text.trim());
                check(&text)?;
                Ok(Self(text))
            }

            /// A name from the store, which is not checked again.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// Checks that a new name may be given.
            pub fn check_new(&self) -> Result<(), InvalidText> {
                let check: fn(&str) -> Result<(), InvalidText> = $new;
                check(&self.0)
            }

            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which the name is compared.
            pub fn to_folded(&self) -> FoldedText {
                FoldedText::of(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, InvalidText> {
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
    /// The name that a user logs in under: 1 to 100 characters, no `@`. Unique in its tenant. A new
    /// one is a username of RFC 8265, 3.1: words of the `IdentifierClass` with blanks between them.
    UserName(str::to_owned, |text| if text.contains('@') { Err(InvalidText::AtSign) } else { check_text(text, 100) }, precis::check_user_name),
    /// The name of a device: 1 to 100 characters. Unique in its tenant. A new one is of the
    /// `FreeformClass`.
    DeviceName(str::to_owned, |text| check_text(text, 100), precis::check_name),
    /// The name of a role: 1 to 100 characters. Unique in its tenant. A new one is of the
    /// `FreeformClass`.
    RoleName(str::to_owned, |text| check_text(text, 100), precis::check_name),
    /// An e-mail address: something before and after one `@`, no blanks, at most 254 characters
    /// (RFC 5321, 4.5.3.1.3). Unique over the whole server. An `@` of another width counts as one.
    /// A new one has no character that the `FreeformClass` has not, and is one that a mail server
    /// takes.
    Email(normalize_at_sign, check_email, |text| precis::check_name(text).and_then(|()| email::check_deliverable(text))),
    /// The short name of a tenant in configuration and requests: `a-z0-9-`, 1 to 63 characters.
    /// Unique over the server.
    Slug(str::to_owned, check_slug, |_| Ok(())),
}

/// Checks that a display name may be given: it belongs to the `FreeformClass` of PRECIS (RFC 8264,
/// section 4.3), which allows blanks.
pub fn check_display_name(text: &str) -> Result<(), InvalidText> {
    if text.chars().any(char::is_control) {
        return Err(InvalidText::ControlCharacter);
    }
    precis::check_name(text)
}

/// Finds the first character that the `FreeformClass` of PRECIS does not contain (RFC 8264, section
/// 4.3): controls, and invisible, undefined and private ones.
pub fn find_disallowed_character(text: &str) -> Option<char> {
    precis::find_outside_freeform(text)
}

fn check_text(text: &str, most: usize) -> Result<(), InvalidText> {
    if text.is_empty() {
        Err(InvalidText::Empty)
    } else if text.chars().count() > most {
        Err(InvalidText::TooLong(most))
    } else if text.chars().any(char::is_control) {
        Err(InvalidText::ControlCharacter)
    } else {
        Ok(())
    }
}

/// The text with every variant of `@` replaced by the ASCII one.
fn normalize_at_sign(text: &str) -> String {
    text.replace(['\u{ff20}', '\u{fe6b}'], "@")
}

fn check_email(text: &str) -> Result<(), InvalidText> {
    check_text(text, 254)?;
    match text.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !text.chars().any(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err(InvalidText::Email),
    }
}

fn check_slug(text: &str) -> Result<(), InvalidText> {
    check_text(text, 63)?;
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-') {
        Ok(())
    } else {
        Err(InvalidText::Slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_name_never_contains_at_sign() {
        assert_eq!(UserName::parse("anna@example.com"), Err(InvalidText::AtSign));
        assert_eq!(UserName::parse(" "), Err(InvalidText::Empty));
        assert_eq!(UserName::parse(&"x".repeat(101)), Err(InvalidText::TooLong(100)));
        assert_eq!(UserName::parse("a\nb"), Err(InvalidText::ControlCharacter));
        assert_eq!(UserName::parse("a\u{ff20}b").unwrap().check_new(), Err(InvalidText::AtSign));
        assert_eq!(UserName::parse(" anna ").map(|name| name.to_string()), Ok("anna".into()));
    }

    #[test]
    fn malformed_email_is_rejected() {
        for bad in ["anna", "@example.com", "anna@", "a@b@c", "an na@example.com"] {
            assert_eq!(Email::parse(bad), Err(InvalidText::Email), "{bad}");
        }
        assert!(Email::parse("anna@example.com").is_ok());
        assert_eq!(Email::parse("anna\u{ff20}example.com"), Email::parse("anna@example.com"));
        assert_eq!(Email::parse("a\u{ff20}b@example.com"), Err(InvalidText::Email));
    }

    #[test]
    fn slug_fits_url_and_file_name() {
        for bad in ["-a", "a-", "A", "a_b", "ä"] {
            assert_eq!(Slug::parse(bad), Err(InvalidText::Slug), "{bad}");
        }
        assert!(Slug::parse("corner-shop-2").is_ok());
    }
}
