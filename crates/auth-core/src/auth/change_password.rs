//! A person changes their own password: proves the old one, and everybody else who is logged in by it is logged in no more.
//!
//! It claims the credential and raises no epoch, so that the session that changes it lives on. A login by the old password that is
//! under way either comes first and is ended here, or loses its claim of the credential.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::office::{all, api_key_details};
use tillgate_domain::{
    Action, ApiKey, EndedWhy, Event, Instant, Outcome, Scope, Secret, SessionId, StoreError, StoreExt, Stored, Subject,
    UserId,
};

use super::Auth;
use super::login::Waited;
use crate::passwords::{Lane, PasswordPolicy, WeakPassword, is_same_password};
use crate::ports::{AuthTx, Credential, CredentialKind, Listed, SessionFilter, Verifier};
use crate::refusals::Guest;
use crate::throttle::{Attempt, Charge, Claimed, Outcome as Came, PriorSession};
use crate::{Caller, Error, LoginRefusal, Refusal, TokenRefusal};

/// How often a change that another one overtook is begun anew.
const ROUNDS: usize = 4;

/// What a changed password leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChanged {
    /// The API keys of the user that were active: a key needs no password, so whoever had the old one may hold some of them.
    pub api_keys: Vec<ApiKey>,
    /// Whether these keys were revoked with the change.
    pub keys_ended: bool,
}

/// What the unit of work came to.
enum Changed {
    Done(Vec<ApiKey>),
    /// The caller's own session is over.
    Over,
    /// Somebody else has changed the password meanwhile.
    Again,
}

impl Auth {
    /// The hash of a password that is to be set. Refuses what nobody should have, such as a password made of one of `words`: the
    /// names of the user, the devices and the tenant, as `office::password_words` reads them. `address` is where the caller comes
    /// from who sets it.
    pub fn verifier(
        &self,
        password: &Secret<String>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<Verifier, Error> {
        self.check_password(password, words)?;
        self.hash(password, address)
    }

    /// The hash of a password that is to be set by a caller from `address` who is not logged in, as at a registration. It waits
    /// behind everybody who logs in, and networks have their turns one after the other. Refuses what nobody should have; `words`
    /// as in [`verifier`](Self::verifier).
    pub fn verifier_of_stranger(
        &self,
        password: &Secret<String>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<Verifier, Error> {
        self.check_password(password, words)?;
        self.passwords.hash(password, Lane::Setting, address).map_err(|error| super::unverified(&error))
    }

    /// Which passwords may be set.
    pub const fn password_policy(&self) -> &PasswordPolicy {
        &self.settings.policy
    }

    /// Refuses what nobody should have as a password; `words` as in [`verifier`](Self::verifier).
    pub fn check_password(&self, password: &Secret<String>, words: &[String]) -> Result<(), Error> {
        Ok(self.settings.policy.check(password.expose(), words).map_err(Refusal::Weak)?)
    }

    /// Lets the caller prove by their password that it is they who call: a wrong one is refused as at a login, and counted so.
    pub fn confirm_password(&self, caller: &Caller, password: &Secret<String>) -> Result<(), Error> {
        let (_, charge) = self.prove(caller, password)?;
        self.settle(&charge, Came::Succeeded);
        Ok(())
    }

    /// Sets another password for the caller, who proves the old one: a wrong one is refused as at a login, and counted so. Ends
    /// the caller's other sessions, the permanent ones too; the caller's own goes on. `end_keys` revokes the caller's API keys.
    /// `words` as in [`verifier`](Self::verifier). The same password again is refused: a user who must change it would not have.
    pub fn change_password(
        &self,
        caller: &Caller,
        old: &Secret<String>,
        new: &Secret<String>,
        words: &[String],
        end_keys: bool,
    ) -> Result<PasswordChanged, Error> {
        let user = caller.user().ok_or(LoginRefusal::Mismatch)?;
        self.check_password(new, words)?;
        for _ in 0..ROUNDS {
            let (credential, charge) = self.prove(caller, old)?;
            if is_same_password(old.expose(), new.expose()) {
                self.settle(&charge, Came::Withdrawn);
                return Err(Refusal::Weak(WeakPassword::Unchanged).into());
            }
            let changed = self
                .hash(new, caller.address)
                .and_then(|verifier| self.replace(caller, user, &credential, &verifier, &charge, end_keys));
            if !matches!(changed, Ok(Changed::Done(_))) {
                self.settle(&charge, Came::Withdrawn);
            }
            match changed? {
                Changed::Done(api_keys) => {
                    self.turns.settled(&charge);
                    return Ok(PasswordChanged { api_keys, keys_ended: end_keys });
                }
                Changed::Over => return Err(TokenRefusal::Over.into()),
                Changed::Again => {}
            }
        }
        Err(Error::unavailable("a change of a password kept losing to others"))
    }

    /// Looks at the old password when it is its turn.
    fn prove(&self, caller: &Caller, old: &Secret<String>) -> Result<(Credential, Charge), Error> {
        let attempt = Attempt {
            who: Claimed::Principal(caller.principal),
            device: caller.device,
            address: caller.address,
            // who is in a session holds what proves it
            prior: caller.session().map(|_| PriorSession { user: caller.user(), device: caller.device }),
            guess: old.clone(),
        };
        let empty = old.expose().is_empty();
        let waited = self.await_turn(|tx| {
            let found = tx.credentials().find(caller.principal, CredentialKind::Password)?;
            Ok((found.filter(|_| !empty), attempt.clone()))
        })?;
        let (credential, charge) = match waited {
            Waited::Admitted(credential, charge) => (credential, *charge),
            Waited::Held(_, retry_after) => {
                let refusal = Refusal::Held { retry_after };
                self.note_guest(Guest::Principal(caller.principal), &self.refused_change(caller, refusal.code())?);
                return Err(refusal.into());
            }
        };
        let verifier = credential.as_ref().map(|credential| credential.verifier.clone());
        let verified =
            self.passwords.verify(old.clone(), verifier, charge.lane(), caller.address, false).map_err(|error| {
                self.settle(&charge, Came::Withdrawn);
                super::unverified(&error)
            })?;
        match credential.filter(|_| verified.matches) {
            Some(credential) => Ok((credential, charge)),
            None => Err(self.refuse_change(caller, &charge)?),
        }
    }

    /// Counts a wrong password and tells the audit.
    fn refuse_change(&self, caller: &Caller, charge: &Charge) -> Result<Error, Error> {
        let event = self.refused_change(caller, LoginRefusal::Mismatch.code())?;
        let settled = self.store.write(|tx| {
            let counts = self.throttle.settle(tx, charge, Came::Failed, event.at)?;
            if counts {
                tx.audit().tell(&event)?;
            }
            Ok(counts)
        });
        self.turns.settled(charge);
        if !settled? {
            self.note_guest(Guest::Principal(caller.principal), &event);
        }
        Ok(LoginRefusal::Mismatch.into())
    }

    fn refused_change(&self, caller: &Caller, why: &str) -> Result<Event, Error> {
        let subject = caller.user().map_or(Subject::Server, Subject::User);
        let mut event = self.event(Action::Password, Outcome::Refused, subject, Some(caller.profile.tenant.id))?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(why));
        Ok(event)
    }

    fn replace(
        &self,
        caller: &Caller,
        user: UserId,
        credential: &Credential,
        verifier: &Verifier,
        charge: &Charge,
        end_keys: bool,
    ) -> Result<Changed, Error> {
        let tenant = caller.profile.tenant.id;
        let mut event = self.event(Action::Password, Outcome::Done, Subject::User(user), Some(tenant))?;
        event.actor = caller.actor();
        let changed = self.store.write(|tx| {
            // a signed call stands on no session that could be over
            if let Some(own) = caller.session() {
                let own = tx.sessions().find(own)?;
                if own.is_none_or(|own| own.session.ended.is_some() || own.session.epochs.below(&own.epochs)) {
                    return Ok(Changed::Over);
                }
            }
            let (principal, kind, version) = (credential.principal, credential.kind, credential.version);
            if !tx.credentials().replace(principal, kind, version, verifier, event.at)? {
                return Ok(Changed::Again);
            }
            let was_required = tx.users().clear_password_change_required(user, event.at)?;
            if was_required {
                tx.endings().touch(Scope::User(user), event.at)?;
            }
            let ended = end_others(tx, user, caller.session(), event.at)?;
            let keys = tx.api_keys().active_of(tenant, user)?;
            if end_keys {
                revoke(tx, user, &keys, event.at)?;
            }
            self.throttle.settle(tx, charge, Came::Succeeded, event.at)?;
            // who was held back by guesses at the old one may try the new one
            tx.attempts().forgive(principal.uuid())?;
            let mut event = event.clone();
            event.details.insert("ended".to_owned(), json!(ended));
            if was_required {
                event.details.insert("password_change_required".to_owned(), json!({ "from": true, "to": false }));
            }
            event.details.extend(api_key_details(&keys, end_keys));
            tx.audit().tell(&event)?;
            Ok(Changed::Done(keys))
        })?;
        Ok(changed)
    }
}

/// Ends every live session of the user but this one, the permanent ones too, and says how many there were.
pub(super) fn end_others(tx: &mut dyn AuthTx, user: UserId, own: Option<SessionId>, now: Instant) -> Stored<u32> {
    let filter = SessionFilter { user: Some(user), live: Some((true, now)), ..SessionFilter::default() };
    let live = all(None, |page| tx.sessions().list(&filter, page.after, page.limit), |listed| listed.session.id)?;
    let mut ended = 0_u32;
    for Listed { session, .. } in &live {
        if Some(session.id) != own && tx.endings().end(session.id, EndedWhy::Password, now)? {
            ended = ended.saturating_add(1);
        }
    }
    Ok(ended)
}

/// Revokes the keys. What is remembered of a key is remembered with its user.
fn revoke(tx: &mut dyn AuthTx, user: UserId, keys: &[ApiKey], now: Instant) -> Stored<()> {
    for key in keys {
        if !tx.api_keys().revoke(key)? {
            return Err(StoreError::Conflict("an API key was changed meanwhile".to_owned()));
        }
    }
    if keys.is_empty() { Ok(()) } else { tx.endings().touch(Scope::User(user), now) }
}
