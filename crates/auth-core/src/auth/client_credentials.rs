//! Programs that prove themselves by client id and secret, as OAuth's clients do.
//!
//! A secret is drawn here, 256 bits of it, so nobody finds one by guessing; whoever guesses all the same is counted with those who
//! guess passwords and held back. Whoever knows the secret is let in always: what others guess at their key holds no program back.

use std::net::IpAddr;

use subtle::ConstantTimeEq as _;
use tillgate_domain::{FoldedText, StoreExt, TenantId};

use super::authenticate::Reach;
use super::signed_request::{ApiKeyWithProfile, require_usable};
use super::{ApiKeyIdentity, Auth, subscriber_prefix};
use crate::throttle::{Admission, AttemptOutcome, ClaimedIdentity, LoginAttempt};
use crate::{AuthDenied, Client, Error, TokenDenied};

/// How long who guesses is asked to wait while other attempts of the same address are still being looked at.
const GUESS_RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

impl Auth {
    /// Tells whose key it is, as [`signed_request`](Self::signed) does.
    pub(super) fn authenticate_client(
        &self,
        client: &Client,
        tenant: Option<TenantId>,
        address: Option<IpAddr>,
        reach: Reach,
    ) -> Result<Option<ApiKeyIdentity>, Error> {
        if reach == Reach::Memory && !self.is_feed_current() {
            return Ok(None);
        }
        self.catch_up()?;
        let opened = match self.open_api_key(&client.id, reach) {
            Err(Error::Denied(AuthDenied::Token(TokenDenied::Invalid))) => None,
            Ok(None) => return Ok(None),
            opened => opened?,
        };
        match opened.filter(|opened| secret_matches(opened, client)) {
            Some((opened, profile)) => {
                let key = &opened.key;
                if tenant.is_some_and(|tenant| tenant != key.tenant) {
                    return Err(TokenDenied::WrongAudience.into());
                }
                Ok(Some(ApiKeyIdentity::new(key, require_usable(key, profile)?)))
            }
            // it is counted in the store
            None if reach == Reach::Memory => Ok(None),
            None => Err(self.count_guess(client, address)?),
        }
    }

    /// Counts a guess, and says what becomes of it.
    fn count_guess(&self, client: &Client, address: Option<IpAddr>) -> Result<Error, Error> {
        let now = self.time().at;
        let attempt = build_attempt(client, address);
        let admission = self.store.write(|tx| {
            let admission = self.throttle.open_charge(tx, &attempt, now)?;
            if let Admission::Admitted(charge) = &admission {
                self.throttle.settle_charge(tx, charge, AttemptOutcome::Failed, now)?;
            }
            Ok(admission)
        })?;
        Ok(match admission {
            Admission::Admitted(charge) => {
                self.login_queue.notify_settled(&charge);
                TokenDenied::Invalid.into()
            }
            Admission::RateLimited { retry_after } => AuthDenied::TooManyAttempts { retry_after }.into(),
            Admission::Wait(_) => AuthDenied::TooManyAttempts { retry_after: GUESS_RETRY_DELAY }.into(),
        })
    }
}

fn secret_matches((opened, _): &ApiKeyWithProfile, client: &Client) -> bool {
    opened.secret.expose().as_bytes().ct_eq(client.secret.expose().as_bytes()).into()
}

/// What a guess is counted under: the key that it is at, for each address apart.
fn build_attempt(client: &Client, address: Option<IpAddr>) -> LoginAttempt {
    let from = address.map(subscriber_prefix).map(|network| network.to_string()).unwrap_or_default();
    let name = FoldedText::of(&format!("api key {} {from}", client.id));
    let guess = client.secret.clone();
    LoginAttempt {
        identity: ClaimedIdentity::Unknown { tenant: None, name },
        device: None,
        address,
        find_prior_session: None,
        password: guess,
    }
}
