//! Calls about one-time tokens.

use std::net::IpAddr;

use tillgate_domain::{FoldedText, Secret, StoreExt};

use super::Auth;
use crate::one_time_token::OneTimeToken;
use crate::throttle::{Admission, AttemptOutcome, ClaimedIdentity, LoginAttempt};
use crate::{AuthDenied, Error};

impl Auth {
    /// A new link token, for an invitation or the reset of a password.
    pub fn generate_link_token(&self) -> Result<OneTimeToken, Error> {
        let bytes = self.entropy.random_bytes().map_err(|error| Error::Fault(error.to_string()))?;
        Ok(OneTimeToken::new_link_token(bytes))
    }

    /// Checks a guess of the set-up token with `is_correct`, and returns whether it is correct.
    /// Wrong guesses count in the network of `address` like wrong passwords.
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
