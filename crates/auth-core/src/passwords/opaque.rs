//! The form in which passwords are hashed: PRECIS `OpaqueString` (RFC 8265, section 4.2), so that a
//! password set on one keyboard can be typed on another.
//!
//! Verifiers of this form have a prefix before the hasher's text. A verifier without the prefix was
//! computed from the text as it was typed and is compared with that; the next login replaces it.
//! The hasher knows neither the form nor the prefix.

use tillgate_domain::Secret;
use unicode_normalization::UnicodeNormalization;

use super::{HashError, PasswordHasher, SALT_BYTES};
use crate::ports::Verifier;

/// The prefix of a verifier of the `OpaqueString` form. No PHC string begins like this.
const OPAQUE_PREFIX: &str = "opaque:";

/// NFC makes a text at most three times as long in UTF-8 (UAX #15), so a buffer of this size is
/// never reallocated and leaves no copy in memory.
const MAX_GROWTH: usize = 3;

/// The `OpaqueString` form of a password: each non-ASCII space becomes U+0020, then NFC. Everything
/// else stays, including runs of spaces and letter case. It never fails: a text that may not be set
/// as a password has a form, too.
pub fn opaque_string(password: &str) -> Secret<String> {
    if password.is_ascii() {
        return Secret::new(password.to_owned());
    }
    let mut form = String::with_capacity(password.len().saturating_mul(MAX_GROWTH));
    form.extend(password.chars().map(|c| if is_other_space(c) { ' ' } else { c }).nfc());
    Secret::new(form)
}

/// Whether a character has the general category Zs and is not U+0020.
fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Computes the verifier of a new password: the hash of its [`opaque_string`], with the prefix of
/// that form.
///
/// # Errors
///
/// The errors of the hasher.
pub fn opaque_verifier(
    hasher: &dyn PasswordHasher,
    password: &str,
    salt: &[u8; SALT_BYTES],
) -> Result<Verifier, HashError> {
    hasher.hash(opaque_string(password).expose(), salt).map(|verifier| with_prefix(&verifier))
}

/// Creates the decoy of this password, with the prefix that new verifiers have.
///
/// # Errors
///
/// The errors of the hasher.
pub(super) fn opaque_decoy(
    hasher: &dyn PasswordHasher,
    password: &str,
    salt: &[u8; SALT_BYTES],
) -> Result<Verifier, HashError> {
    hasher.create_decoy(password, salt).map(|verifier| with_prefix(&verifier))
}

fn with_prefix(verifier: &Verifier) -> Verifier {
    Secret::new(format!("{OPAQUE_PREFIX}{}", verifier.expose()))
}

/// Whether the stored verifier was computed from this password, in the form of the verifier.
///
/// # Errors
///
/// The errors of the hasher.
pub fn verify_password(hasher: &dyn PasswordHasher, password: &str, stored: &Verifier) -> Result<bool, HashError> {
    let StoredVerifier { verifier, opaque } = StoredVerifier::read(stored);
    if opaque { hasher.verify(opaque_string(password).expose(), &verifier) } else { hasher.verify(password, &verifier) }
}

/// Whether two texts are the same password, which means that their [`opaque_string`] is the same.
/// Both are from the caller, so the time of the comparison reveals nothing.
pub fn is_same_password(one: &str, other: &str) -> bool {
    opaque_string(one).expose() == opaque_string(other).expose()
}

/// A stored verifier without its prefix.
pub(super) struct StoredVerifier {
    /// The text of the hasher.
    pub(super) verifier: Verifier,
    /// Whether it was computed from the `OpaqueString` form and not from the text as typed.
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
