//! Calls about one-time tokens.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::network::site_network;
use tillgate_domain::{Action, EventOutcome, FoldedText, Secret, StoreExt, Subject, TenantId};

use super::Auth;
use crate::denials::GuestKey;
use crate::one_time_token::{OneTimeToken, OneTimeTokenKind};
use crate::throttle::{Admission, AttemptOutcome, ClaimedIdentity, LoginAttempt};
use crate::{AuthDenied, Error, TokenDenied};

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
            Admission::RateLimited { retry_after } => {
                let denial = AuthDenied::TooManyAttempts { retry_after };
                self.record_denied_token(OneTimeTokenKind::SetUp, denial.code(), None, address)?;
                return Err(denial.into());
            }
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

    /// Records that a one-time token is wrong, used or expired. `tenant` is the one that the
    /// request is limited to, if any.
    ///
    /// Of each network, the first ten denials per minute are recorded individually, then the number
    /// of further ones ([`run_due_maintenance`](Self::run_due_maintenance)). If the event cannot be
    /// written, it is counted with those.
    ///
    /// # Errors
    ///
    /// No id can be generated.
    pub fn record_token_denial(
        &self,
        kind: OneTimeTokenKind,
        tenant: Option<TenantId>,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        self.record_denied_token(kind, TokenDenied::Invalid.code(), tenant, address)
    }

    fn record_denied_token(
        &self,
        kind: OneTimeTokenKind,
        why: &str,
        tenant: Option<TenantId>,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        let mut event = self.new_event(Action::OneTimeTokenUse, EventOutcome::Refused, Subject::Server, tenant)?;
        event.actor.address = address;
        event.details.insert("token".to_owned(), json!(kind.name()));
        event.details.insert("why".to_owned(), json!(why));
        self.record_guest_denial(GuestKey::OneTimeTokens(address.map(site_network)), &event);
        Ok(())
    }
}
