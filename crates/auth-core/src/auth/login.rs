//! Logging in: look up and admit, check the password outside any transaction, then claim and write.
//!
//! The first unit of work finds out who it is about and opens a charge with the throttle; the second claims the principal and the
//! credential as they were read, so that a password change or a suspension in between is met, never overtaken. What stands against
//! a login besides the password is judged after the right password only.

mod account_checks;
mod admission;
mod login_tx;
mod new_password;
mod slot;
mod stale_epochs;

use std::sync::Arc;

use serde_json::json;
use tillgate_domain::{Action, Actor, Device, Event, PrincipalId, SessionId, StoreExt, Subject, Tenant, User};

use super::Auth;
use crate::denials::GuestKey;
use crate::passwords::{HashError, PasswordCheck};
use crate::ports::Credential;
use crate::requests::{GrantKind, NewPassword};
use crate::throttle::{AttemptOutcome, Charge, network_prefix};
use crate::{AuthDenied, Error, IssuedTokens, LoginDenied, LoginRequest, Profile, Proof, Session, SessionKind};

use admission::AdmittedLogin;
pub(super) use admission::WaitResult;
use login_tx::LoginTx;
use new_password::{NewPasswordHash, PasswordReplacement};

/// How often a login whose claims were lost is begun anew.
const MAX_RESTARTS: usize = 4;

/// Who the store says it is.
#[derive(Clone, Debug, Default)]
struct LoginSubject {
    tenant: Option<Tenant>,
    user: Option<User>,
    /// The device that the login names, where the tenant has it.
    device: Option<Device>,
    credential: Option<Credential>,
}

impl LoginSubject {
    fn principal(&self, login: &LoginRequest) -> Option<PrincipalId> {
        match login.identity {
            crate::LoginIdentity::User { .. } => self.user.as_ref().map(|user| PrincipalId::User(user.id)),
            crate::LoginIdentity::Device { .. } => self.device.as_ref().map(|device| PrincipalId::Device(device.id)),
        }
    }

    /// Under what refusals of the login are counted for the audit.
    fn guest_key(&self, login: &LoginRequest) -> GuestKey {
        match self.principal(login) {
            Some(principal) => GuestKey::Principal(principal),
            None => GuestKey::Network(login.address.map(network_prefix)),
        }
    }
}

/// What a login is to yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginKind {
    /// A session that somebody works in.
    Work,
    /// The pairing of a device: a permanent session.
    Pairing,
}

/// What the second unit of work came to.
enum LoginOutcome {
    Admitted(Box<NewSession>),
    Denied(LoginDenied),
    /// A claim was lost: what was judged is no longer so.
    Retry,
}

/// What was written for somebody who is let in.
struct NewSession {
    session: Session,
    profile: Profile,
    /// The session whose place it took.
    replaced_session: Option<SessionId>,
    /// What became of the password, if another was set.
    password_replacement: Option<PasswordReplacement>,
}

impl Auth {
    /// Logs a user in on a device or in the office, or a device as itself.
    pub fn login(&self, login: &LoginRequest) -> Result<IssuedTokens, Error> {
        self.login_as(login, LoginKind::Work, None)
    }

    /// Logs a user in as [`login`](Self::login) does and sets another password, in one unit of work: also for a user who must change
    /// it, whom every other login refuses. The new one is judged once the old one has proved right. What another password ends is
    /// ended as by [`change_password`](Self::change_password), before the session is made. API keys stay; the audit names them.
    ///
    /// A wrong old password is refused as at any login. A new one that nobody should have, or that is the old one, is
    /// [`AuthDenied::WeakPassword`], and changes nothing. A device that logs in as itself is refused.
    pub fn login_with_new_password(&self, login: &LoginRequest, new: &NewPassword<'_>) -> Result<IssuedTokens, Error> {
        self.login_as(login, LoginKind::Work, Some(new))
    }

    /// Lets somebody in who proves who they are, and grants what they aim at.
    pub(super) fn login_as(
        &self,
        login: &LoginRequest,
        aim: LoginKind,
        new: Option<&NewPassword<'_>>,
    ) -> Result<IssuedTokens, Error> {
        for _ in 0..MAX_RESTARTS {
            let AdmittedLogin { subject: found, charge } = self.begin_login(login)?;
            let judged = account_checks::check_account(login, &found, new.is_some());
            let verified = match self.verify_proof(login, &found, &charge, judged.is_ok() && new.is_none()) {
                Ok(verified) => verified,
                Err(error) => {
                    self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                    return Err(super::map_hash_error(&error));
                }
            };
            if !verified.matches {
                return Err(self.deny_login(login, &found, &charge, LoginDenied::Mismatch.into())?);
            }
            if let Err(refusal) = judged {
                return Err(self.deny_login(login, &found, &charge, refusal.into())?);
            }
            let new_password = match self.hash_requested_password(login, &found, new) {
                Ok(verifier) => verifier,
                Err(Error::Denied(refusal)) => return Err(self.deny_login(login, &found, &charge, refusal)?),
                Err(error) => {
                    self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                    return Err(error);
                }
            };
            let entered = self.run_login_tx(login, aim, &found, &charge, &verified, new_password.as_ref());
            if entered.is_err() {
                self.settle_charge(&charge, AttemptOutcome::Withdrawn);
            }
            match entered? {
                LoginTokens::Granted(granted) => return Ok(*granted),
                LoginTokens::Denied(refusal) => return Err(refusal.into()),
                LoginTokens::Retry => self.settle_charge(&charge, AttemptOutcome::Withdrawn),
            }
        }
        Err(Error::unavailable("a login kept losing to changes of its user or device"))
    }

    /// Compares the proof. `renew` asks for a new verifier where the stored one is stale.
    fn verify_proof(
        &self,
        login: &LoginRequest,
        found: &LoginSubject,
        charge: &Charge,
        renew: bool,
    ) -> Result<PasswordCheck, HashError> {
        let verifier = found.credential.as_ref().map(|credential| credential.verifier.clone());
        match &login.proof {
            Proof::Password(password) => {
                self.hash_queue.verify(password.clone(), verifier, charge.lane(), login.address, renew)
            }
            Proof::Verifier(set) => Ok(PasswordCheck { matches: verifier.as_ref() == Some(set), rehash: None }),
        }
    }

    /// Settles a charge on its own. Where the store fails the token stays taken, and nobody is told.
    pub(super) fn settle_charge(&self, charge: &Charge, outcome: AttemptOutcome) {
        let now = self.time().at;
        if let Err(error) = self.store.write(|tx| self.throttle.settle_charge(tx, charge, outcome, now).map(drop)) {
            tracing::warn!(%error, "a login's token could not be given back");
        }
        self.login_queue.notify_settled(charge);
    }

    /// Settles the charge of a refused login and tells the audit: each wrong password that counts, and of the rest the first few and
    /// how many there were.
    fn deny_login(
        &self,
        login: &LoginRequest,
        found: &LoginSubject,
        charge: &Charge,
        refusal: AuthDenied,
    ) -> Result<Error, Error> {
        let outcome = charge_outcome(login, &refusal);
        let event = self.new_login_event(login, found, tillgate_domain::EventOutcome::Refused, Some(refusal.code()))?;
        let settled = self.store.write(|tx| {
            let counts = self.throttle.settle_charge(tx, charge, outcome, event.at)?;
            if counts {
                tx.audit().record(&event)?;
            }
            Ok(counts)
        });
        self.login_queue.notify_settled(charge);
        if !settled? {
            self.record_guest_denial(found.guest_key(login), &event);
        }
        Ok(refusal.into())
    }

    fn new_login_event(
        &self,
        login: &LoginRequest,
        found: &LoginSubject,
        outcome: tillgate_domain::EventOutcome,
        why: Option<&str>,
    ) -> Result<Event, Error> {
        let subject = match found.principal(login) {
            Some(PrincipalId::User(user)) => Subject::User(user),
            Some(PrincipalId::Device(device)) => Subject::Device(device),
            None => Subject::Server,
        };
        let tenant = found.tenant.as_ref().map(|tenant| tenant.id);
        let mut event = self.new_event(Action::Login, outcome, subject, tenant)?;
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
            event.details.insert(
                "unknown".to_owned(),
                json!(self.throttle.trace_id(&admission::claimed_identity(login, found))),
            );
        }
        Ok(event)
    }

    /// The second unit of work, and the tokens.
    fn run_login_tx(
        &self,
        login: &LoginRequest,
        aim: LoginKind,
        found: &LoginSubject,
        charge: &Charge,
        verified: &PasswordCheck,
        new_password: Option<&NewPasswordHash>,
    ) -> Result<LoginTokens, Error> {
        let keys = self.keyring.current();
        let began = self.revocations.current_version();
        let mut event = self.new_login_event(login, found, tillgate_domain::EventOutcome::Done, None)?;
        if aim == LoginKind::Pairing {
            event.details.insert("kind".to_owned(), json!(SessionKind::Permanent.name()));
        }
        let session = self.new_id(SessionId::new)?;
        let entry = LoginTx {
            login,
            kind: aim,
            subject: found,
            password_check: verified,
            new_password,
            session,
            key: keys.current_refresh_key(),
            now: event.at,
        };
        event.actor.session = Some(entry.session);
        let forgotten = self.find_stale_epochs(login, found)?;
        let came = self.store.write(|tx| {
            if let Some(forgotten) = &forgotten
                && forgotten.restore(tx)?
            {
                return Ok(LoginOutcome::Retry);
            }
            let came = entry.run(tx)?;
            match &came {
                LoginOutcome::Admitted(came) => {
                    self.throttle.settle_charge(tx, charge, AttemptOutcome::Succeeded, entry.now)?;
                    if let (Some(new), Some(changed)) = (new_password, &came.password_replacement) {
                        new.record_change(tx, &event, changed)?;
                    }
                    let mut event = event.clone();
                    if let Some(replaced) = came.replaced_session {
                        event.details.insert("replaced".to_owned(), json!(replaced));
                    }
                    tx.audit().record(&event)?;
                }
                LoginOutcome::Denied(refusal) => {
                    self.throttle.settle_charge(
                        tx,
                        charge,
                        charge_outcome(login, &AuthDenied::Login(*refusal)),
                        entry.now,
                    )?;
                    let mut event = event.clone();
                    event.outcome = tillgate_domain::EventOutcome::Refused;
                    event.actor.session = None;
                    event.details.insert("why".to_owned(), json!(refusal.code()));
                    tx.audit().record(&event)?;
                }
                LoginOutcome::Retry => {}
            }
            Ok(came)
        })?;
        match came {
            LoginOutcome::Retry => Ok(LoginTokens::Retry),
            LoginOutcome::Denied(refusal) => {
                self.login_queue.notify_settled(charge);
                Ok(LoginTokens::Denied(refusal))
            }
            LoginOutcome::Admitted(came) => {
                self.login_queue.notify_settled(charge);
                let NewSession { session, profile, .. } = *came;
                let profile = Arc::new(profile);
                if let Some(principal) = session.principal() {
                    self.profile_cache.insert(principal, session.device, &profile, began);
                }
                let epochs = session.epochs;
                Ok(LoginTokens::Granted(Box::new(self.mint_tokens(
                    &keys,
                    session,
                    &epochs,
                    profile,
                    GrantKind::Login,
                    began,
                )?)))
            }
        }
    }
}

/// What a refused login costs. Where it reads as a wrong password it costs as much, or the throttle would tell the two apart; what may
/// be said aloud after the right password (of a device as itself, of a missing role, of a new password, and where the contract says
/// so of a password that must be changed) is no failure.
fn charge_outcome(login: &LoginRequest, refusal: &AuthDenied) -> AttemptOutcome {
    match (&login.identity, refusal) {
        (
            crate::LoginIdentity::Device { .. },
            AuthDenied::Login(LoginDenied::Pending | LoginDenied::Suspended | LoginDenied::Retired),
        )
        | (_, AuthDenied::Login(LoginDenied::RankTooLow) | AuthDenied::WeakPassword(_)) => AttemptOutcome::Withdrawn,
        (_, AuthDenied::Login(LoginDenied::PasswordChangeRequired)) if login.reports_password_change => {
            AttemptOutcome::Withdrawn
        }
        _ => AttemptOutcome::Failed,
    }
}

/// What the second unit of work and the tokens came to.
enum LoginTokens {
    Granted(Box<IssuedTokens>),
    Denied(LoginDenied),
    Retry,
}
