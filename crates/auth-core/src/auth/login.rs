//! Login: the creation of a session with a password.
//!
//! A login is two units of work with the password check between them, because a password hash takes
//! tens of milliseconds and must not run inside a transaction:
//!
//! 1. [`admission`] finds the principal and its credential, and takes a token from a bucket of the
//!    throttle (a charge).
//! 2. The hash queue compares the password; every account, known or not, costs the same work.
//! 3. [`login_tx`] claims the rows of the principal and its credential as they were read, checks
//!    the account again and writes the session. If a password change or a suspension was committed
//!    in between, the claim fails and the login starts again.
//!
//! Whatever else prevents a login is reported only after the right password. Before that, the
//! response does not reveal whether the account exists.

mod account_checks;
mod admission;
mod audit_event;
mod device_slot;
mod enrollment;
mod enrollment_starter;
mod login_tx;
mod new_password;
mod operator;
mod pending_key;
mod stale_epochs;
mod user_code;

use serde_json::json;
use tillgate_domain::network::site_network;
use tillgate_domain::{Device, EventOutcome, PrincipalId, SessionId, StoreExt, Tenant, User};

use super::Auth;
use super::change_password::PasswordReplacement;
use crate::denials::GuestKey;
use crate::passwords::{HashError, PasswordCheck};
use crate::ports::Credential;
use crate::requests::{GrantKind, NewPassword};
use crate::throttle::{AttemptOutcome, Charge};
use crate::{
    AuthDenied, Error, IssuedTokens, LoginDenied, LoginIdentity, LoginRequest, LoginSecret, Profile, ProofFault,
    Session, SessionKind,
};

use admission::AdmittedLogin;
pub(super) use admission::WaitResult;
use login_tx::LoginTx;
use new_password::NewPasswordHash;
pub use operator::{OperatorRequest, SignedInOperator};

/// How often a login starts again because its principal or credential changed between the two units
/// of work.
const MAX_RESTARTS: usize = 4;

/// What the store has of the principal that a login names.
#[derive(Clone, Debug, Default)]
struct LoginSubject {
    tenant: Option<Tenant>,
    user: Option<User>,
    /// The device that the login names, if the tenant has it.
    device: Option<Device>,
    credential: Option<Credential>,
}

impl LoginSubject {
    fn principal(&self, login: &LoginRequest) -> Option<PrincipalId> {
        match login.identity {
            LoginIdentity::User { .. } => self.user.as_ref().map(|user| PrincipalId::User(user.id)),
            LoginIdentity::Device { .. } => self.device.as_ref().map(|device| PrincipalId::Device(device.id)),
        }
    }

    /// The key under which audit events of denied logins are limited.
    fn guest_key(&self, login: &LoginRequest) -> GuestKey {
        match self.principal(login) {
            Some(principal) => GuestKey::Principal(principal),
            None => GuestKey::Network(login.address.map(site_network)),
        }
    }
}

/// Which session a login creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginKind {
    /// A session in which a user or a device works.
    Work,
    /// The pairing of a device: a permanent session.
    Pairing,
}

/// How one attempt of a login ended.
enum LoginOutcome {
    Granted(Box<IssuedTokens>),
    /// Denied before the second unit of work. The charge is open and nothing is recorded.
    Denied(AuthDenied),
    /// Denied in the second unit of work, which has settled the charge and recorded the denial.
    DeniedInTx(LoginDenied),
    /// The principal or the credential has changed since it was read.
    Retry,
}

/// What the second unit of work decided.
enum LoginTxOutcome {
    Admitted(Box<NewSession>),
    Denied(LoginDenied),
    /// The proof of the client's key was accepted before. No session is created.
    ProofReplayed,
    /// The principal or the credential has changed since it was read.
    Retry,
}

/// What the second unit of work wrote for a login that it admits.
struct NewSession {
    session: Session,
    profile: Profile,
    /// The session that this one replaces on its device.
    replaced_session: Option<SessionId>,
    password_replacement: Option<PasswordReplacement>,
}

impl Auth {
    /// Logs a user in, on a device or without one, or a device as itself.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] with [`LoginDenied`], or with [`AuthDenied::TooManyAttempts`] if the
    /// throttle does not admit the login now. [`Error::Unavailable`] if the store or the hash queue
    /// has no capacity; the password was not judged, and the attempt does not count.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn login(&self, login: &LoginRequest) -> Result<IssuedTokens, Error> {
        self.login_as(login, LoginKind::Work, None)
    }

    /// Logs a user in as [`login`](Self::login) does and changes the password in the same unit of
    /// work. It also admits a user who must change the password, whom every other login denies.
    ///
    /// The new password is checked after the old one has proved right. The change ends the same
    /// sessions as [`change_password`](Self::change_password), before the new session is created.
    /// API keys stay active; the audit event lists them.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login), and [`AuthDenied::WeakPassword`] if the new password violates the
    /// policy or equals the old one; nothing is changed then. A device that logs in as itself is
    /// denied.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn login_with_new_password(&self, login: &LoginRequest, new: &NewPassword<'_>) -> Result<IssuedTokens, Error> {
        self.login_as(login, LoginKind::Work, Some(new))
    }

    /// Logs in and creates a session of this kind. Tries again if the principal changed during the
    /// login.
    pub(super) fn login_as(
        &self,
        login: &LoginRequest,
        kind: LoginKind,
        new: Option<&NewPassword<'_>>,
    ) -> Result<IssuedTokens, Error> {
        for _ in 0..MAX_RESTARTS {
            let AdmittedLogin { subject, charge } = self.begin_login(login)?;
            let outcome = self.try_login(login, kind, &subject, &charge, new);
            match outcome {
                Ok(LoginOutcome::Granted(tokens)) => return Ok(*tokens),
                Ok(LoginOutcome::Denied(denial)) => return Err(self.deny_login(login, &subject, &charge, denial)?),
                Ok(LoginOutcome::DeniedInTx(denial)) => return Err(denial.into()),
                Ok(LoginOutcome::Retry) => self.settle_charge(&charge, AttemptOutcome::Withdrawn),
                Err(error) => {
                    // The password was not judged: the attempt does not count.
                    self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                    return Err(error);
                }
            }
        }
        Err(Error::unavailable("the user or the device changed again and again during the login: retry"))
    }

    /// One attempt of an admitted login, from the password check to the tokens.
    fn try_login(
        &self,
        login: &LoginRequest,
        kind: LoginKind,
        subject: &LoginSubject,
        charge: &Charge,
        new: Option<&NewPassword<'_>>,
    ) -> Result<LoginOutcome, Error> {
        // The account is checked first, since a login that will be denied needs no new hash of its
        // password. The denial is returned after the password check: only the owner of the password
        // may learn the reason.
        let account = account_checks::check_account(login, subject, new.is_some());
        let rehash = account.is_ok() && new.is_none();
        let password =
            self.verify_proof(login, subject, charge, rehash).map_err(|error| super::map_hash_error(&error))?;
        if !password.matches {
            return Ok(LoginOutcome::Denied(LoginDenied::Mismatch.into()));
        }
        if let Err(denial) = account {
            return Ok(LoginOutcome::Denied(denial.into()));
        }
        let new_password = match self.hash_requested_password(login, subject, new) {
            Ok(new_password) => new_password,
            Err(Error::Denied(denial)) => return Ok(LoginOutcome::Denied(denial)),
            Err(error) => return Err(error),
        };
        self.commit_login(login, kind, subject, charge, &password, new_password.as_ref())
    }

    /// Compares the password with the stored verifier. With `rehash`, also returns a new verifier
    /// if the stored one was made with other parameters than today's.
    fn verify_proof(
        &self,
        login: &LoginRequest,
        subject: &LoginSubject,
        charge: &Charge,
        rehash: bool,
    ) -> Result<PasswordCheck, HashError> {
        let stored = subject.credential.as_ref().map(|credential| credential.verifier.clone());
        match &login.secret {
            LoginSecret::Password(password) => {
                self.hash_queue.verify(password.clone(), stored, charge.lane(), login.address, rehash)
            }
            LoginSecret::Verifier(set) => Ok(PasswordCheck { matches: stored.as_ref() == Some(set), rehash: None }),
        }
    }

    /// Settles a charge in a unit of work of its own. If the store fails, the token stays taken
    /// until it refills.
    pub(super) fn settle_charge(&self, charge: &Charge, outcome: AttemptOutcome) {
        let now = self.time().at;
        if let Err(error) =
            self.store.write("settle_charge", |tx| self.throttle.settle_charge(tx, charge, outcome, now).map(drop))
        {
            tracing::warn!(%error, "could not return the rate limit token of a login");
        }
        self.login_queue.notify_settled(charge);
    }

    /// Settles the charge of a denied login and records the denial: every wrong password that
    /// counts, and of the other denials the first few and the number of the rest. Returns the
    /// denial as the error of the login.
    fn deny_login(
        &self,
        login: &LoginRequest,
        subject: &LoginSubject,
        charge: &Charge,
        denial: AuthDenied,
    ) -> Result<Error, Error> {
        let outcome = charge_outcome(login, &denial);
        let event = self.new_login_event(login, subject, EventOutcome::Refused, Some(denial.code()))?;
        let settled = self.store.write("deny_login", |tx| {
            let counts = self.throttle.settle_charge(tx, charge, outcome, event.at)?;
            if counts {
                tx.audit().record(&event)?;
            }
            Ok(counts)
        });
        self.login_queue.notify_settled(charge);
        if !settled? {
            self.record_guest_denial(subject.guest_key(login), &event);
        }
        Ok(denial.into())
    }

    /// Runs the second unit of work and issues the tokens.
    fn commit_login(
        &self,
        login: &LoginRequest,
        kind: LoginKind,
        subject: &LoginSubject,
        charge: &Charge,
        password: &PasswordCheck,
        new_password: Option<&NewPasswordHash>,
    ) -> Result<LoginOutcome, Error> {
        let keys = self.keyring.current();
        let read_version = self.revocations.current_version();
        let mut event = self.new_login_event(login, subject, EventOutcome::Done, None)?;
        if kind == LoginKind::Pairing {
            event.details.insert("kind".to_owned(), json!(SessionKind::Permanent.name()));
        }
        let login_tx = LoginTx {
            login,
            kind,
            subject,
            password_check: password,
            new_password,
            session: self.new_id(SessionId::new)?,
            key: keys.current_refresh_key(),
            now: event.at,
        };
        event.actor.session = Some(login_tx.session);
        let stale_epochs = self.find_stale_epochs(login.address, subject)?;
        let outcome = self.store.write("login", |tx| {
            if let Some(stale_epochs) = &stale_epochs
                && stale_epochs.restore(tx)?
            {
                return Ok(LoginTxOutcome::Retry);
            }
            let outcome = login_tx.run(tx)?;
            let mut event = event.clone();
            match &outcome {
                LoginTxOutcome::Admitted(new_session) => {
                    self.throttle.settle_charge(tx, charge, AttemptOutcome::Succeeded, event.at)?;
                    if let (Some(new), Some(replacement)) = (new_password, &new_session.password_replacement) {
                        new.record_change(tx, &event, replacement)?;
                    }
                    if let Some(replaced) = new_session.replaced_session {
                        event.details.insert("replaced".to_owned(), json!(replaced));
                    }
                    tx.audit().record(&event)?;
                }
                LoginTxOutcome::Denied(denial) => {
                    let settled_as = charge_outcome(login, &AuthDenied::Login(*denial));
                    self.throttle.settle_charge(tx, charge, settled_as, event.at)?;
                    event.outcome = EventOutcome::Refused;
                    event.actor.session = None;
                    event.details.insert("why".to_owned(), json!(denial.code()));
                    tx.audit().record(&event)?;
                }
                LoginTxOutcome::ProofReplayed | LoginTxOutcome::Retry => {}
            }
            Ok(outcome)
        })?;
        let NewSession { session, profile, .. } = match outcome {
            LoginTxOutcome::Retry => return Ok(LoginOutcome::Retry),
            LoginTxOutcome::ProofReplayed => {
                return Ok(LoginOutcome::Denied(AuthDenied::Proof(ProofFault::Replayed.into())));
            }
            LoginTxOutcome::Denied(denial) => {
                self.login_queue.notify_settled(charge);
                return Ok(LoginOutcome::DeniedInTx(denial));
            }
            LoginTxOutcome::Admitted(new_session) => *new_session,
        };
        self.login_queue.notify_settled(charge);
        let profile = self.profile_cache.share(profile);
        if let Some(principal) = session.principal() {
            self.profile_cache.insert(principal, session.device, &profile, read_version);
        }
        let epochs = session.epochs;
        let tokens = self.mint_tokens(&keys, session, &epochs, profile, GrantKind::Login, read_version)?;
        Ok(LoginOutcome::Granted(Box::new(tokens)))
    }
}

/// How the charge of a denied login is settled.
///
/// A denial that a client sees as a wrong password must cost as much as one, or the throttle would
/// reveal the difference. A denial that is reported as itself after the right password is not a
/// failed attempt: for a device that logs in as itself, for a missing rank or role in the office,
/// for a weak new password, for a repeated proof, and for a required password change if the dialect
/// reports that.
fn charge_outcome(login: &LoginRequest, denial: &AuthDenied) -> AttemptOutcome {
    match (&login.identity, denial) {
        (
            LoginIdentity::Device { .. },
            AuthDenied::Login(LoginDenied::Pending | LoginDenied::Suspended | LoginDenied::Retired),
        )
        | (
            _,
            AuthDenied::Login(LoginDenied::RankTooLow | LoginDenied::OfficeRoleMissing)
            | AuthDenied::WeakPassword(_)
            | AuthDenied::Proof(_),
        ) => AttemptOutcome::Withdrawn,
        (_, AuthDenied::Login(LoginDenied::PasswordChangeRequired)) if login.reports_password_change => {
            AttemptOutcome::Withdrawn
        }
        _ => AttemptOutcome::Failed,
    }
}
