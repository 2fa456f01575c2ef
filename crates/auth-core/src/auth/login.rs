//! Logging in: look up and admit, check the password outside any transaction, then claim and write.
//!
//! The first unit of work finds out who it is about and opens a charge with the throttle; the second claims the principal and the
//! credential as they were read, so that a password change or a suspension in between is met, never overtaken. What stands against
//! a login besides the password is judged after the right password only.

mod admit;
mod entry;
mod forgotten;
mod new_password;
mod place;
mod stand;

use std::sync::Arc;

use serde_json::json;
use tillgate_domain::{Action, Actor, Device, Event, PrincipalId, SessionId, StoreExt, Subject, Tenant, User};

use super::Auth;
use crate::passwords::{HashError, Verified};
use crate::ports::Credential;
use crate::refusals::Guest;
use crate::requests::{How, NewPassword};
use crate::throttle::{Charge, Outcome, network};
use crate::{Error, Granted, Login, LoginRefusal, Profile, Proof, Refusal, Session, SessionKind};

use admit::Admitted;
pub(super) use admit::Waited;
use entry::Entry;
use new_password::{NewVerifier, PasswordReplaced};

/// How often a login whose claims were lost is begun anew.
const ROUNDS: usize = 4;

/// Who the store says it is.
#[derive(Clone, Debug, Default)]
struct Found {
    tenant: Option<Tenant>,
    user: Option<User>,
    /// The device that the login names, where the tenant has it.
    device: Option<Device>,
    credential: Option<Credential>,
}

impl Found {
    fn principal(&self, login: &Login) -> Option<PrincipalId> {
        match login.who {
            crate::Who::User { .. } => self.user.as_ref().map(|user| PrincipalId::User(user.id)),
            crate::Who::Device { .. } => self.device.as_ref().map(|device| PrincipalId::Device(device.id)),
        }
    }

    /// Under what refusals of the login are counted for the audit.
    fn guest(&self, login: &Login) -> Guest {
        match self.principal(login) {
            Some(principal) => Guest::Principal(principal),
            None => Guest::Network(login.address.map(network)),
        }
    }
}

/// What a login is to yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// A session that somebody works in.
    Work,
    /// The pairing of a device: a permanent session.
    Pairing,
}

/// What the second unit of work came to.
enum Came {
    In(Box<Admission>),
    Refused(LoginRefusal),
    /// A claim was lost: what was judged is no longer so.
    Again,
}

/// What was written for somebody who is let in.
struct Admission {
    session: Session,
    profile: Profile,
    /// The session whose place it took.
    replaced: Option<SessionId>,
    /// What became of the password, if another was set.
    changed: Option<PasswordReplaced>,
}

impl Auth {
    /// Logs a user in on a device or in the office, or a device as itself.
    pub fn login(&self, login: &Login) -> Result<Granted, Error> {
        self.let_in(login, Aim::Work, None)
    }

    /// Logs a user in as [`login`](Self::login) does and sets another password, in one unit of work: also for a user who must change
    /// it, whom every other login refuses. The new one is judged once the old one has proved right. What another password ends is
    /// ended as by [`change_password`](Self::change_password), before the session is made. API keys stay; the audit names them.
    ///
    /// A wrong old password is refused as at any login. A new one that nobody should have, or that is the old one, is
    /// [`Refusal::Weak`], and changes nothing. A device that logs in as itself is refused.
    pub fn login_with_new_password(&self, login: &Login, new: &NewPassword<'_>) -> Result<Granted, Error> {
        self.let_in(login, Aim::Work, Some(new))
    }

    /// Lets somebody in who proves who they are, and grants what they aim at.
    pub(super) fn let_in(&self, login: &Login, aim: Aim, new: Option<&NewPassword<'_>>) -> Result<Granted, Error> {
        for _ in 0..ROUNDS {
            let Admitted { found, charge } = self.admit(login)?;
            let judged = stand::judge(login, &found, new.is_some());
            let verified = match self.verify(login, &found, &charge, judged.is_ok() && new.is_none()) {
                Ok(verified) => verified,
                Err(error) => {
                    self.settle(&charge, Outcome::Withdrawn);
                    return Err(super::unverified(&error));
                }
            };
            if !verified.matches {
                return Err(self.refuse(login, &found, &charge, LoginRefusal::Mismatch.into())?);
            }
            if let Err(refusal) = judged {
                return Err(self.refuse(login, &found, &charge, refusal.into())?);
            }
            let new_password = match self.new_verifier(login, &found, new) {
                Ok(verifier) => verifier,
                Err(Error::Refused(refusal)) => return Err(self.refuse(login, &found, &charge, refusal)?),
                Err(error) => {
                    self.settle(&charge, Outcome::Withdrawn);
                    return Err(error);
                }
            };
            let entered = self.enter(login, aim, &found, &charge, &verified, new_password.as_ref());
            if entered.is_err() {
                self.settle(&charge, Outcome::Withdrawn);
            }
            match entered? {
                Entered::Granted(granted) => return Ok(*granted),
                Entered::Refused(refusal) => return Err(refusal.into()),
                Entered::Again => self.settle(&charge, Outcome::Withdrawn),
            }
        }
        Err(Error::unavailable("a login kept losing to changes of its user or device"))
    }

    /// Compares the proof. `renew` asks for a new verifier where the stored one is stale.
    fn verify(&self, login: &Login, found: &Found, charge: &Charge, renew: bool) -> Result<Verified, HashError> {
        let verifier = found.credential.as_ref().map(|credential| credential.verifier.clone());
        match &login.proof {
            Proof::Password(password) => {
                self.passwords.verify(password.clone(), verifier, charge.lane(), login.address, renew)
            }
            Proof::Verifier(set) => Ok(Verified { matches: verifier.as_ref() == Some(set), rehash: None }),
        }
    }

    /// Settles a charge on its own. Where the store fails the token stays taken, and nobody is told.
    pub(super) fn settle(&self, charge: &Charge, outcome: Outcome) {
        let now = self.time().at;
        if let Err(error) = self.store.write(|tx| self.throttle.settle(tx, charge, outcome, now).map(drop)) {
            tracing::warn!(%error, "a login's token could not be given back");
        }
        self.turns.settled(charge);
    }

    /// Settles the charge of a refused login and tells the audit: each wrong password that counts, and of the rest the first few and
    /// how many there were.
    fn refuse(&self, login: &Login, found: &Found, charge: &Charge, refusal: Refusal) -> Result<Error, Error> {
        let outcome = cost(login, &refusal);
        let event = self.login_event(login, found, tillgate_domain::Outcome::Refused, Some(refusal.code()))?;
        let settled = self.store.write(|tx| {
            let counts = self.throttle.settle(tx, charge, outcome, event.at)?;
            if counts {
                tx.audit().tell(&event)?;
            }
            Ok(counts)
        });
        self.turns.settled(charge);
        if !settled? {
            self.note_guest(found.guest(login), &event);
        }
        Ok(refusal.into())
    }

    fn login_event(
        &self,
        login: &Login,
        found: &Found,
        outcome: tillgate_domain::Outcome,
        why: Option<&str>,
    ) -> Result<Event, Error> {
        let subject = match found.principal(login) {
            Some(PrincipalId::User(user)) => Subject::User(user),
            Some(PrincipalId::Device(device)) => Subject::Device(device),
            None => Subject::Server,
        };
        let tenant = found.tenant.as_ref().map(|tenant| tenant.id);
        let mut event = self.event(Action::Login, outcome, subject, tenant)?;
        event.actor = Actor {
            user: found.user.as_ref().map(|user| user.id),
            device: found.device.as_ref().map(|device| device.id),
            session: None,
            address: login.address,
        };
        event.details.insert("dialect".to_owned(), json!(login.dialect.as_str()));
        if let Some(why) = why {
            event.details.insert("why".to_owned(), json!(why));
        }
        if found.principal(login).is_none() {
            // not the name itself: people type their password in its place
            event.details.insert("unknown".to_owned(), json!(self.throttle.trace(&admit::claimed(login, found))));
        }
        Ok(event)
    }

    /// The second unit of work, and the tokens.
    fn enter(
        &self,
        login: &Login,
        aim: Aim,
        found: &Found,
        charge: &Charge,
        verified: &Verified,
        new_password: Option<&NewVerifier>,
    ) -> Result<Entered, Error> {
        let keys = self.keyring.held();
        let began = self.changes.now();
        let mut event = self.login_event(login, found, tillgate_domain::Outcome::Done, None)?;
        if aim == Aim::Pairing {
            event.details.insert("kind".to_owned(), json!(SessionKind::Permanent.name()));
        }
        let session = self.id(SessionId::new)?;
        let entry = Entry { login, aim, found, verified, new_password, session, key: keys.seals(), now: event.at };
        event.actor.session = Some(entry.session);
        let forgotten = self.forgotten(login, found)?;
        let came = self.store.write(|tx| {
            if let Some(forgotten) = &forgotten
                && forgotten.bring_back(tx)?
            {
                return Ok(Came::Again);
            }
            let came = entry.carry_out(tx)?;
            match &came {
                Came::In(came) => {
                    self.throttle.settle(tx, charge, Outcome::Succeeded, entry.now)?;
                    if let (Some(new), Some(changed)) = (new_password, &came.changed) {
                        new.finish(tx, &event, changed)?;
                    }
                    let mut event = event.clone();
                    if let Some(replaced) = came.replaced {
                        event.details.insert("replaced".to_owned(), json!(replaced));
                    }
                    tx.audit().tell(&event)?;
                }
                Came::Refused(refusal) => {
                    self.throttle.settle(tx, charge, cost(login, &Refusal::Login(*refusal)), entry.now)?;
                    let mut event = event.clone();
                    event.outcome = tillgate_domain::Outcome::Refused;
                    event.actor.session = None;
                    event.details.insert("why".to_owned(), json!(refusal.code()));
                    tx.audit().tell(&event)?;
                }
                Came::Again => {}
            }
            Ok(came)
        })?;
        match came {
            Came::Again => Ok(Entered::Again),
            Came::Refused(refusal) => {
                self.turns.settled(charge);
                Ok(Entered::Refused(refusal))
            }
            Came::In(came) => {
                self.turns.settled(charge);
                let Admission { session, profile, .. } = *came;
                let profile = Arc::new(profile);
                if let Some(principal) = session.principal() {
                    self.profiles.keep(principal, session.device, &profile, began);
                }
                let epochs = session.epochs;
                Ok(Entered::Granted(Box::new(self.mint(&keys, session, &epochs, profile, How::Login, began)?)))
            }
        }
    }
}

/// What a refused login costs. Where it reads as a wrong password it costs as much, or the throttle would tell the two apart; what may
/// be said aloud after the right password (of a device as itself, of a missing role, of a new password, and where the contract says
/// so of a password that must be changed) is no failure.
fn cost(login: &Login, refusal: &Refusal) -> Outcome {
    match (&login.who, refusal) {
        (
            crate::Who::Device { .. },
            Refusal::Login(LoginRefusal::Pending | LoginRefusal::Suspended | LoginRefusal::Retired),
        )
        | (_, Refusal::Login(LoginRefusal::Rank) | Refusal::Weak(_)) => Outcome::Withdrawn,
        (_, Refusal::Login(LoginRefusal::PasswordChangeRequired)) if login.reports_password_change => {
            Outcome::Withdrawn
        }
        _ => Outcome::Failed,
    }
}

/// What the second unit of work and the tokens came to.
enum Entered {
    Granted(Box<Granted>),
    Refused(LoginRefusal),
    Again,
}
