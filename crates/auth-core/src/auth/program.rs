//! Programs that prove themselves by client id and secret, as OAuth's clients do.
//!
//! A secret is drawn here, 256 bits of it, so nobody finds one by guessing; whoever guesses all the same is counted with those who
//! guess passwords and held back. Whoever knows the secret is let in always: what others guess at their key holds no program back.

use std::net::IpAddr;

use subtle::ConstantTimeEq as _;
use tillgate_domain::{Folded, StoreExt, TenantId};

use super::authenticate::Reach;
use super::signed::{Opened, counts};
use super::{Auth, Signed, network};
use crate::throttle::{Admission, Attempt, Claimed, Outcome};
use crate::{Client, Error, Refusal, TokenRefusal};

/// How long who guesses is asked to wait while other attempts of the same address are still being looked at.
const SOON: std::time::Duration = std::time::Duration::from_secs(1);

impl Auth {
    /// Tells whose key it is, as [`signed`](Self::signed) does.
    pub(super) fn who_holds(
        &self,
        client: &Client,
        tenant: Option<TenantId>,
        address: Option<IpAddr>,
        reach: Reach,
    ) -> Result<Option<Signed>, Error> {
        if reach == Reach::Memory && !self.looks_go_on() {
            return Ok(None);
        }
        self.catch_up()?;
        let opened = match self.opened(&client.id, reach) {
            Err(Error::Refused(Refusal::Token(TokenRefusal::Invalid))) => None,
            Ok(None) => return Ok(None),
            opened => opened?,
        };
        match opened.filter(|opened| holds(opened, client)) {
            Some((opened, profile)) => {
                let key = &opened.key;
                if tenant.is_some_and(|tenant| tenant != key.tenant) {
                    return Err(TokenRefusal::Foreign.into());
                }
                Ok(Some(Signed::of(key, counts(key, profile)?)))
            }
            // it is counted in the store
            None if reach == Reach::Memory => Ok(None),
            None => Err(self.guessed(client, address)?),
        }
    }

    /// Counts a guess, and says what becomes of it.
    fn guessed(&self, client: &Client, address: Option<IpAddr>) -> Result<Error, Error> {
        let now = self.time().at;
        let attempt = attempt(client, address);
        let admission = self.store.write(|tx| {
            let admission = self.throttle.admit(tx, &attempt, now)?;
            if let Admission::Admitted(charge) = &admission {
                self.throttle.settle(tx, charge, Outcome::Failed, now)?;
            }
            Ok(admission)
        })?;
        Ok(match admission {
            Admission::Admitted(charge) => {
                self.turns.settled(&charge);
                TokenRefusal::Invalid.into()
            }
            Admission::Held { retry_after } => Refusal::Held { retry_after }.into(),
            Admission::Turn(_) => Refusal::Held { retry_after: SOON }.into(),
        })
    }
}

fn holds((opened, _): &Opened, client: &Client) -> bool {
    opened.secret.expose().as_bytes().ct_eq(client.secret.expose().as_bytes()).into()
}

/// What a guess is counted under: the key that it is at, for each address apart.
fn attempt(client: &Client, address: Option<IpAddr>) -> Attempt {
    let from = address.map(network).map(|network| network.to_string()).unwrap_or_default();
    let name = Folded::of(&format!("api key {} {from}", client.id));
    let guess = client.secret.clone();
    Attempt { who: Claimed::Unknown { tenant: None, name }, device: None, address, prior: None, guess }
}
