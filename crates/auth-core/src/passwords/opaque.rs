//! The form that passwords are hashed in: PRECIS `OpaqueString` (RFC 8265, section 4.2), so that a password set on one keyboard can
//! be typed on another.
//!
//! Verifiers made of this form carry a mark in front of the hasher's own text. A verifier without the mark was made of the text as
//! it was typed, and is compared with that; the next successful login replaces it. The hasher knows neither the form nor the mark.

use tillgate_domain::Secret;
use unicode_normalization::UnicodeNormalization;

use super::{HashError, PasswordHasher, SALT_BYTES};
use crate::ports::Verifier;

/// What stands in front of the hasher's text in a verifier of the `OpaqueString` form. No PHC string begins so.
const OPAQUE_PREFIX: &str = "opaque:";

/// NFC makes a text at most three times as long in UTF-8 (UAX #15), so a buffer of this size never moves and leaves no copy behind.
const MAX_GROWTH: usize = 3;

/// The `OpaqueString` form of a password: each space that is not ASCII becomes U+0020, then NFC. Runs of spaces, letter case and
/// everything else stay as they are. It never fails: a text that may not be set as a password has a form too, and proves nothing.
pub fn opaque_string(password: &str) -> Secret<String> {
    if password.is_ascii() {
        return Secret::new(password.to_owned());
    }
    let mut form = String::with_capacity(password.len().saturating_mul(MAX_GROWTH));
    form.extend(password.chars().map(|c| if is_other_space(c) { ' ' } else { c }).nfc());
    Secret::new(form)
}

/// Whether a character is of the general category Zs, U+0020 apart.
fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Makes the verifier of a password that is to be set: the hash of its [`opaque_string`], with the mark of that form.
///
/// # Errors
/// The hasher's own.
pub fn opaque_verifier(
    hasher: &dyn PasswordHasher,
    password: &str,
    salt: &[u8; SALT_BYTES],
) -> Result<Verifier, HashError> {
    let verifier = hasher.hash(opaque_string(password).expose(), salt)?;
    Ok(Secret::new(format!("{OPAQUE_PREFIX}{}", verifier.expose())))
}

/// Whether a password is the one that a stored verifier was made of, in the form that it was made of.
///
/// # Errors
/// The hasher's own.
pub fn verify_password(hasher: &dyn PasswordHasher, password: &str, stored: &Verifier) -> Result<bool, HashError> {
    let StoredVerifier { verifier, opaque } = StoredVerifier::read(stored);
    if opaque { hasher.verify(opaque_string(password).expose(), &verifier) } else { hasher.verify(password, &verifier) }
}

/// Whether two texts are one password: their [`opaque_string`] is the same. Both are the caller's own, so the time it takes tells
/// nobody anything.
pub fn is_same_password(one: &str, other: &str) -> bool {
    opaque_string(one).expose() == opaque_string(other).expose()
}

/// A stored verifier, apart from its mark.
pub(super) struct StoredVerifier {
    /// The hasher's own text.
    pub(super) verifier: Verifier,
    /// Whether it was made of the `OpaqueString` form, and not of the text as typed.
    pub(super) opaque: bool,
}

impl StoredVerifier {
    pub(super) fn read(stored: &Verifier) -> Self {
        match stored.expose().strip_prefix(OPAQUE_PREFIX) {
            Some(verifier) => Self { verifier: Secret::new(verifier.to_owned()), opaque: true },
            None => Self { verifier: stored.clone(), opaque: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_passwords_have_one_form() {
        for (typed, form) in [
            ("z\u{30c}lty\u{301} ko\u{302}n\u{30c}", "žltý kôň"),
            ("žltý kôň", "žltý kôň"),
            ("\u{212b}ngström", "Ångström"),
            ("sea\u{a0}salt", "sea salt"),
            ("a\u{3000}\u{2003}\u{1680}b", "a   b"),
            ("  two  runs  ", "  two  runs  "),
            ("ＡＢＣ ﬁ", "ＡＢＣ ﬁ"),
            ("Case STAYS", "Case STAYS"),
            ("\0\u{7f}\t", "\0\u{7f}\t"),
            ("", ""),
        ] {
            assert_eq!(opaque_string(typed).expose(), form, "{typed:?}");
        }
    }

    #[test]
    fn opaque_string_is_idempotent() {
        for typed in
            ["e\u{301}\u{327}", "\u{1e9b}\u{323}", "\u{2000}\u{301}", "각", "\u{1100}\u{1161}\u{11a8}", "\u{958}"]
        {
            let once = opaque_string(typed);
            assert_eq!(opaque_string(once.expose()), once, "{typed:?}");
        }
    }

    #[test]
    fn opaque_string_fits_preallocated_buffer() {
        for code in 0x80..=0x10_ffff {
            let Some(c) = char::from_u32(code) else { continue };
            let typed = c.to_string();
            assert!(opaque_string(&typed).expose().len() <= typed.len() * MAX_GROWTH, "{code:x}");
        }
    }
}
