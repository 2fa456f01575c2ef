//! A person changes their own password: proves the old one, and everybody else who is logged in by it is logged in no more.
//!
//! It claims the credential and raises no epoch, so that the session that changes it lives on. A login by the old password that is
//! under way either comes first and is ended here, or loses its claim of the credential.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::office::all;
use tillgate_domain::{
    Action, EndedWhy, Event, Instant, Outcome, Secret, SessionId, StoreExt, Stored, Subject, UserId,
};

use super::Auth;
use super::login::Waited;
use crate::passwords::{Lane, acceptable};
use crate::ports::{AuthTx, Credential, CredentialKind, Listed, SessionFilter, Verifier};
use crate::refusals::Guest;
use crate::throttle::{Attempt, Charge, Claimed, Outcome as Came, PriorSession};
use crate::{Caller, Error, LoginRefusal, Refusal, SessionKind, TokenRefusal};

/// How often a change that another one overtook is begun anew.
const ROUNDS: usize = 4;

/// What the unit of work came to.
enum Changed {
    Done,
    /// The caller's own session is over.
    Over,
    /// Somebody else has changed the password meanwhile.
    Again,
}

impl Auth {
    /// The hash of a password that is to be set. Refuses what nobody should have.
    pub fn verifier(&self, password: &Secret<String>) -> Result<Verifier, Error> {
        acceptable(password.expose()).map_err(Refusal::Weak)?;
        self.hash(password)
    }

    /// The hash of a password that is to be set by a caller from `address` who is not logged in, as at a registration. It waits
    /// behind everybody who logs in, and networks have their turns one after the other. Refuses what nobody should have.
    pub fn verifier_of_stranger(&self, password: &Secret<String>, address: Option<IpAddr>) -> Result<Verifier, Error> {
        acceptable(password.expose()).map_err(Refusal::Weak)?;
        self.passwords.hash(password, Lane::Setting, address).map_err(|error| super::unverified(&error))
    }

    /// Sets another password for the caller, who proves the old one: a wrong one is refused as at a login, and counted so. Ends
    /// the caller's other sessions, one by one, but the permanent ones; the caller's own goes on.
    pub fn change_password(&self, caller: &Caller, old: &Secret<String>, new: &Secret<String>) -> Result<(), Error> {
        let user = caller.user().ok_or(LoginRefusal::Mismatch)?;
        acceptable(new.expose()).map_err(Refusal::Weak)?;
        for _ in 0..ROUNDS {
            let (credential, charge) = self.prove(caller, old)?;
            let changed =
                self.verifier(new).and_then(|verifier| self.replace(caller, user, &credential, &verifier, &charge));
            if !matches!(changed, Ok(Changed::Done)) {
                self.settle(&charge, Came::Withdrawn);
            }
            match changed? {
                Changed::Done => {
                    self.turns.settled(&charge);
                    return Ok(());
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
        let lane = if charge.known() { Lane::Known } else { Lane::Stranger };
        let verified = self.passwords.verify(old.clone(), verifier, lane, caller.address).map_err(|error| {
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
    ) -> Result<Changed, Error> {
        let mut event =
            self.event(Action::Password, Outcome::Done, Subject::User(user), Some(caller.profile.tenant.id))?;
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
            let ended = end_others(tx, user, caller.session(), event.at)?;
            self.throttle.settle(tx, charge, Came::Succeeded, event.at)?;
            // who was held back by guesses at the old one may try the new one
            tx.attempts().forgive(principal.uuid())?;
            let mut event = event.clone();
            event.details.insert("ended".to_owned(), json!(ended));
            tx.audit().tell(&event)?;
            Ok(Changed::Done)
        })?;
        Ok(changed)
    }
}

/// Ends every live session of the user but this one and the permanent ones, and says how many there were.
fn end_others(tx: &mut dyn AuthTx, user: UserId, own: Option<SessionId>, now: Instant) -> Stored<u32> {
    let filter = SessionFilter { user: Some(user), live: Some((true, now)), ..SessionFilter::default() };
    let live = all(None, |page| tx.sessions().list(&filter, page.after, page.limit), |listed| listed.session.id)?;
    let mut ended = 0_u32;
    for Listed { session, .. } in &live {
        let other = Some(session.id) != own && session.kind != SessionKind::Permanent;
        if other && tx.endings().end(session.id, EndedWhy::Password, now)? {
            ended = ended.saturating_add(1);
        }
    }
    Ok(ended)
}
