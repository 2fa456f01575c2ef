//! The one-time token with which the first administrator is set up: random, shown once, and stored
//! as a digest only.

use std::net::IpAddr;

use ring::digest::{SHA256, digest};
use tillgate_domain::{FoldedText, Secret, StoreExt};

use super::Auth;
use crate::throttle::{Admission, AttemptOutcome, ClaimedIdentity, LoginAttempt};
use crate::{AuthDenied, Error};

/// The number of characters of a token, of 5 random bits each: 130 bits.
pub const SETUP_TOKEN_CHARS: usize = 26;

/// Digits and letters that are not easily confused.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The token of these random bytes.
pub fn format_setup_token(bytes: &[u8; SETUP_TOKEN_CHARS]) -> Secret<String> {
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('2', char::from);
    Secret::new(bytes.iter().map(letter).collect())
}

/// The digest under which a token is stored. Blanks, hyphens and the case of letters do not count.
pub fn digest_setup_token(token: &str) -> [u8; 32] {
    let plain = token.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase());
    let plain = Secret::new(plain.collect::<String>());
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, plain.expose().as_bytes()).as_ref());
    out
}

impl Auth {
    /// Checks a guess of the set-up token with `is_correct`, and returns whether it is correct. Wrong
    /// guesses count in the network of `address` like wrong passwords.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TooManyAttempts`], the store failed, or `is_correct` failed.
    pub fn check_setup_guess(
        &self,
        guess: &Secret<String>,
        address: Option<IpAddr>,
        is_correct: impl FnOnce() -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let attempt = LoginAttempt {
            identity: ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("set-up token") },
            device: None,
            address,
            prior_session: None,
            password: guess.clone(),
        };
        let now = self.time().at;
        let admission = self.store.write("begin_setup", |tx| self.throttle.open_network_charge(tx, &attempt, now))?;
        let charge = match admission {
            Admission::Admitted(charge) => charge,
            Admission::RateLimited { retry_after } => return Err(AuthDenied::TooManyAttempts { retry_after }.into()),
            Admission::Wait(_) => {
                return Err(Error::unavailable("other attempts of the same network are still being checked: retry"));
            }
        };
        let decided = is_correct();
        self.settle_charge(
            &charge,
            match &decided {
                Ok(true) => AttemptOutcome::Succeeded,
                Ok(false) => AttemptOutcome::Failed,
                Err(_) => AttemptOutcome::Withdrawn,
            },
        );
        decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_token_consists_of_unambiguous_characters() {
        let bytes = std::array::from_fn(|index| u8::try_from(index * 9).unwrap());
        let token = format_setup_token(&bytes);
        assert_eq!(token.expose().len(), SETUP_TOKEN_CHARS);
        assert!(token.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(!ALPHABET.iter().any(|byte| b"01IO".contains(byte)));
    }

    #[test]
    fn setup_token_is_recognized_as_people_type_it() {
        let digest = digest_setup_token("K7QXA");
        assert_eq!(digest_setup_token(" k7q-xa\n"), digest);
        assert_ne!(digest_setup_token("K7QXB"), digest);
    }
}
