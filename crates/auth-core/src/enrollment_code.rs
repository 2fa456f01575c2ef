//! Codes of enrollments: typed by a person who reads them from a screen or from paper, and stored
//! as an HMAC only.
//!
//! A code has 8 letters of an alphabet of 20 (34 bits), or 12 (51 bits) if it is valid for longer.
//! So few need a key: somebody who has only the database cannot try all of them.

use std::fmt;
use std::time::Duration;

use ring::hmac::{HMAC_SHA256, Key, sign};
use tillgate_domain::{EnrollmentDigest, Secret};

use crate::entropy::{Entropy, EntropyError};
use crate::keys::MasterKey;

/// Consonants: they spell no words, and no two of them look alike.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// The number of letters of a short code.
pub const SHORT_CODE_LETTERS: usize = 8;

/// The number of letters of a long code.
pub const LONG_CODE_LETTERS: usize = 12;

/// How long a short code is valid at most; a code that is valid for longer is a long one.
pub const MAX_SHORT_CODE_LIFETIME: Duration = Duration::from_hours(1);

/// The number of letters between two hyphens of a code that is shown.
const GROUP_LETTERS: usize = 4;

/// The number of random bytes that are read at once.
const RANDOM_BYTES: usize = 32;

/// A new code of an enrollment.
#[derive(Debug)]
pub struct EnrollmentCode {
    /// The code in groups of four letters, which is not stored.
    pub code: Secret<String>,
    /// The digest under which it is stored.
    pub digest: EnrollmentDigest,
}

impl EnrollmentCode {
    /// The letters without hyphens, as in a QR code.
    pub fn letters(&self) -> Secret<String> {
        Secret::new(fold_code(self.code.expose()))
    }
}

/// The key of the digests of codes, derived from the master key.
pub(crate) struct EnrollmentCodeKey(Key);

impl EnrollmentCodeKey {
    pub(crate) fn of(master: &MasterKey) -> Option<Self> {
        Some(Self(Key::new(HMAC_SHA256, &master.derive(b"enrollment codes")?)))
    }

    /// Draws a code that is valid for this long.
    pub(crate) fn draw(&self, lifetime: Duration, entropy: &dyn Entropy) -> Result<EnrollmentCode, EntropyError> {
        let length = if lifetime > MAX_SHORT_CODE_LIFETIME { LONG_CODE_LETTERS } else { SHORT_CODE_LETTERS };
        let mut letters = Secret::new(String::new());
        while letters.expose().len() < length {
            let drawn = entropy.random_bytes::<RANDOM_BYTES>()?;
            let left = length.saturating_sub(letters.expose().len());
            let more: String = drawn.iter().filter_map(|byte| map_byte(*byte)).take(left).collect();
            letters = Secret::new(format!("{}{more}", letters.expose()));
        }
        let digest = self.digest(letters.expose());
        Ok(EnrollmentCode { code: Secret::new(group_letters(letters.expose())), digest })
    }

    /// The digest of a code as it was typed.
    pub(crate) fn digest(&self, typed: &str) -> EnrollmentDigest {
        let folded = Secret::new(fold_code(typed));
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(sign(&self.0, folded.expose().as_bytes()).as_ref()) {
            *to = *from;
        }
        digest
    }
}

impl fmt::Debug for EnrollmentCodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollmentCodeKey")
    }
}

/// The letter that a random byte stands for. `None` for the few greatest bytes, because the number
/// of letters does not divide that of bytes, and all letters are equally likely.
fn map_byte(byte: u8) -> Option<char> {
    let letters = ALPHABET.len();
    let limit = 256 / letters * letters;
    let byte = usize::from(byte);
    ALPHABET.get(byte % letters).filter(|_| byte < limit).copied().map(char::from)
}

/// The letters in groups with hyphens between them.
fn group_letters(letters: &str) -> String {
    let mut grouped = String::with_capacity(letters.len() + letters.len() / GROUP_LETTERS);
    for (index, letter) in letters.chars().enumerate() {
        if index > 0 && index % GROUP_LETTERS == 0 {
            grouped.push('-');
        }
        grouped.push(letter);
    }
    grouped
}

/// A code without blanks and hyphens, in capital letters, with the letter of the alphabet instead
/// of a character that looks like it.
fn fold_code(typed: &str) -> String {
    let plain = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'));
    plain
        .map(|c| match c.to_ascii_uppercase() {
            '0' | 'O' => 'Q',
            '1' | 'I' => 'L',
            '2' => 'Z',
            '5' => 'S',
            '6' => 'G',
            '8' => 'B',
            'U' | 'Y' => 'V',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    fn key() -> EnrollmentCodeKey {
        EnrollmentCodeKey::of(&MasterKey::generate(&SystemEntropy::default()).unwrap()).unwrap()
    }

    #[test]
    fn long_lived_code_is_longer() {
        let (key, entropy) = (key(), SystemEntropy::default());
        for (lifetime, letters, shown) in [
            (Duration::from_mins(10), SHORT_CODE_LETTERS, 9),
            (MAX_SHORT_CODE_LIFETIME, SHORT_CODE_LETTERS, 9),
            (Duration::from_hours(7 * 24), LONG_CODE_LETTERS, 14),
        ] {
            let drawn = key.draw(lifetime, &entropy).unwrap();
            assert_eq!((drawn.letters().expose().len(), drawn.code.expose().len()), (letters, shown), "{lifetime:?}");
            assert!(drawn.letters().expose().bytes().all(|letter| ALPHABET.contains(&letter)));
            assert_eq!(key.digest(drawn.code.expose()), drawn.digest);
        }
    }

    #[test]
    fn letters_are_equally_likely() {
        let mut counts = [0; ALPHABET.len()];
        for letter in (0..=u8::MAX).filter_map(map_byte) {
            counts[ALPHABET.iter().position(|each| char::from(*each) == letter).unwrap()] += 1;
        }
        assert_eq!(counts, [12; ALPHABET.len()]);
    }

    #[test]
    fn code_is_recognized_as_people_type_it() {
        let key = key();
        let digest = key.digest("KQLZ-SGBV");
        for typed in ["kqlzsgbv", " KQLZ SGBV\n", "KQLZ\u{2013}SGBV", "K0IZ-56BU", "kq12-5g8y", "K-Q-L-Z-S-G-B-V"] {
            assert_eq!(key.digest(typed), digest, "{typed}");
        }
        for other in ["KQLZ-SGBW", "KQLZSGB", "KQLZSGBVV", "", "KQLZ.SGBV"] {
            assert_ne!(key.digest(other), digest, "{other}");
        }
        assert_ne!(self::key().digest("KQLZ-SGBV"), digest, "of another installation");
    }

    #[test]
    fn folding_keeps_codes_apart() {
        let alphabet = String::from_utf8(ALPHABET.to_vec()).unwrap();
        assert_eq!(fold_code(&alphabet), alphabet);
    }
}
