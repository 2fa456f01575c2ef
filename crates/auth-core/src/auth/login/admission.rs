//! The first unit of work of a login: finds the principal that the login names, and takes a token
//! from the throttle.
//!
//! A login that finds tokens taken by other open attempts waits for its turn, outside any
//! transaction.

use std::time::Duration;

use tillgate_domain::{Email, FoldedText, Instant, Secret, Slug, StoreExt, StoreResult, Tenant};

use super::LoginSubject;
use crate::auth::{Auth, map_hash_error};
use crate::cancellation::Cancellation;
use crate::dpop::ProvenKey;
use crate::passwords::HashError;
use crate::ports::{AuthTx, CredentialKind};
use crate::throttle::{Admission, Charge, ClaimedIdentity, LoginAttempt, PriorSession};
use crate::token::refresh_token::RefreshToken;
use crate::{AuthDenied, Error, LoginIdentity, LoginRequest, LoginSecret, SessionKind, Tenancy};

/// The tenant of a login that names none.
const DEFAULT_TENANT: &str = "default";

/// How long a login waits for its turn at most; afterwards the response is [`Error::Unavailable`].
const LOGIN_WAIT_TIMEOUT: Duration = Duration::from_secs(4);

/// How many refresh tokens of earlier sessions are examined: a browser may send several cookies of
/// one name.
const MAX_PREVIOUS_TOKENS: usize = 16;

/// A login that the throttle admits, with its subject and the charge to settle.
pub(super) struct AdmittedLogin {
    pub(super) subject: LoginSubject,
    pub(super) charge: Charge,
}

/// The outcome of waiting for a turn, with what the last unit of work found.
pub(in crate::auth) enum WaitResult<T> {
    Admitted(T, Box<Charge>),
    RateLimited(T, Duration),
}

impl Auth {
    /// Finds the subject of a login and waits for its turn. A login with [`LoginSecret::Verifier`]
    /// is no guess: it takes no token and does not wait.
    pub(super) fn begin_login(&self, login: &LoginRequest) -> Result<AdmittedLogin, Error> {
        if let LoginSecret::Verifier(_) = login.secret {
            let now = self.time().at;
            return Ok(self.store.read("begin_login", |tx| {
                let subject = find_subject(tx, login)?;
                let charge = self.throttle.classify(tx, &build_attempt(login, &subject, None), now)?;
                Ok(AdmittedLogin { subject, charge })
            })?);
        }
        let verify = |token: &Secret<String>| self.verify_refresh_token(token.expose()).ok().map(|(_, token)| token);
        let previous: Vec<RefreshToken> =
            login.previous_refresh_tokens.iter().take(MAX_PREVIOUS_TOKENS).filter_map(verify).collect();
        let waited = self.await_admission("begin_login", |tx, now| {
            let subject = find_subject(tx, login)?;
            let mut prior = None;
            for token in &previous {
                if prior.is_none() {
                    prior = find_prior_session(tx, token, &subject, login.proven_key.as_ref())?;
                }
            }
            let admission = self.throttle.open_charge(tx, &build_attempt(login, &subject, prior), now)?;
            Ok((subject, admission))
        })?;
        match waited {
            WaitResult::Admitted(subject, charge) => Ok(AdmittedLogin { subject, charge: *charge }),
            WaitResult::RateLimited(subject, retry_after) => {
                let denial = AuthDenied::TooManyAttempts { retry_after };
                let event =
                    self.new_login_event(login, &subject, tillgate_domain::EventOutcome::Refused, Some(denial.code()))?;
                self.record_guest_denial(subject.guest_key(login), &event);
                Err(denial.into())
            }
        }
    }

    /// Runs `open`, which finds whom the attempt is about and opens a charge, in one unit of work
    /// of this name, until the throttle admits the attempt or limits its rate.
    pub(in crate::auth) fn await_admission<T>(
        &self,
        unit: &'static str,
        open: impl Fn(&mut dyn AuthTx, Instant) -> StoreResult<(T, Admission)>,
    ) -> Result<WaitResult<T>, Error> {
        let deadline = self.clock.monotonic().saturating_add(LOGIN_WAIT_TIMEOUT);
        let mut slot = self.login_queue.new_slot();
        let cancellation = Cancellation::current();
        loop {
            if cancellation.is_canceled() {
                return Err(map_hash_error(&HashError::Canceled));
            }
            let now = self.time().at;
            let (subject, admission) = self.store.write(unit, |tx| open(tx, now))?;
            let turn = match admission {
                Admission::Admitted(charge) => return Ok(WaitResult::Admitted(subject, charge)),
                Admission::RateLimited { retry_after } => return Ok(WaitResult::RateLimited(subject, retry_after)),
                Admission::Wait(turn) => turn,
            };
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Err(Error::unavailable(
                    "other attempts of the same account or network are still being checked: retry",
                ));
            }
            slot.wait(&turn, left).map_err(|error| Error::unavailable(error.to_string()))?;
        }
    }
}

/// The identity that a login claims: a principal of the store, or an unknown name in a tenant.
pub(super) fn claimed_identity(login: &LoginRequest, subject: &LoginSubject) -> ClaimedIdentity {
    match subject.principal(login) {
        Some(principal) => ClaimedIdentity::Principal(principal),
        None => ClaimedIdentity::Unknown {
            tenant: subject.tenant.as_ref().map(|tenant| tenant.id),
            name: FoldedText::of(match &login.identity {
                LoginIdentity::User { login, .. } => login,
                LoginIdentity::Device { device } => device,
            }),
        },
    }
}

fn build_attempt(login: &LoginRequest, subject: &LoginSubject, prior: Option<PriorSession>) -> LoginAttempt {
    let (LoginSecret::Password(guess) | LoginSecret::Verifier(guess)) = &login.secret;
    let device = subject.device.as_ref().map(|device| device.id);
    LoginAttempt {
        identity: claimed_identity(login, subject),
        device,
        address: login.address,
        prior_session: prior,
        password: guess.clone(),
    }
}

/// Whether a refresh token proves that the client was logged in before as the same user or on the
/// same device.
///
/// The session may have ended. Its newest token counts, and the previous one, whose successor may
/// have been lost. A permanent token does not count, because it is copied from one machine to
/// another, and that of a session which is bound to a key counts only if the login proves the key.
fn find_prior_session(
    tx: &mut dyn AuthTx,
    token: &RefreshToken,
    subject: &LoginSubject,
    proven: Option<&ProvenKey>,
) -> StoreResult<Option<PriorSession>> {
    let Some(record) = tx.sessions().find(token.session)? else { return Ok(None) };
    let session = &record.session;
    let same_tenant = subject.tenant.as_ref().is_some_and(|tenant| tenant.id == session.tenant);
    let same_user = session.user.is_some() && session.user == subject.user.as_ref().map(|user| user.id);
    let same_device = session.device.is_some() && session.device == subject.device.as_ref().map(|device| device.id);
    let newest = token.generation >= session.generation.saturating_sub(1);
    let same_key = session
        .thumbprint
        .as_deref()
        .is_none_or(|bound| proven.is_some_and(|proven| bound == proven.key.thumbprint().as_slice()));
    let proves =
        session.kind != SessionKind::Permanent && same_key && newest && same_tenant && (same_user || same_device);
    Ok(proves.then_some(PriorSession { user: session.user, device: session.device }))
}

/// Finds what the login names. For an empty password no credential is read: it never matches.
fn find_subject(tx: &mut dyn AuthTx, login: &LoginRequest) -> StoreResult<LoginSubject> {
    let mut subject = match &login.identity {
        LoginIdentity::User { login: name, device } => {
            let folded = FoldedText::of(name);
            let mut subject = if folded.contains_at_sign() {
                find_by_email(tx, login, name)?
            } else {
                find_by_name(tx, login, &folded)?
            };
            // A user name from before every character that folds to `@` counted as one (U+FF20,
            // U+FE6B).
            if subject.user.is_none() && folded.contains_at_sign() && !name.contains('@') {
                let named = find_by_name(tx, login, &folded)?;
                subject = if named.user.is_some() { named } else { subject };
            }
            if let (Some(tenant), Some(device)) = (&subject.tenant, device) {
                subject.device = tx.devices().find_by_name(tenant.id, &FoldedText::of(device))?;
            }
            subject
        }
        LoginIdentity::Device { device } => {
            let tenant = find_named_tenant(tx, &login.tenancy)?;
            let device = match &tenant {
                Some(tenant) => tx.devices().find_by_name(tenant.id, &FoldedText::of(device))?,
                None => None,
            };
            LoginSubject { tenant, device, ..LoginSubject::default() }
        }
    };
    let (LoginSecret::Password(password) | LoginSecret::Verifier(password)) = &login.secret;
    if let Some(principal) = subject.principal(login)
        && !password.expose().is_empty()
    {
        subject.credential = tx.credentials().find(principal, CredentialKind::Password)?;
    }
    Ok(subject)
}

fn find_by_name(tx: &mut dyn AuthTx, login: &LoginRequest, name: &FoldedText) -> StoreResult<LoginSubject> {
    let tenant = find_named_tenant(tx, &login.tenancy)?;
    let user = match &tenant {
        Some(tenant) => tx.users().find_by_name(tenant.id, name)?,
        None => None,
    };
    Ok(LoginSubject { tenant, user, ..LoginSubject::default() })
}

/// Finds a user by e-mail address, which also determines the tenant. If the mount or the request
/// names a tenant, the user must belong to it.
fn find_by_email(tx: &mut dyn AuthTx, login: &LoginRequest, email: &str) -> StoreResult<LoginSubject> {
    let named = match (&login.tenancy.fixed, &login.tenancy.requested) {
        (None, None) => None,
        _ => Some(find_named_tenant(tx, &login.tenancy)?),
    };
    let mut user = None;
    for key in Email::lookup_keys_of(email) {
        user = tx.users().find_by_email(&key)?;
        if user.is_some() {
            break;
        }
    }
    let tenant = match (&named, &user) {
        (Some(named), _) => named.clone(),
        (None, Some(user)) => tx.tenants().find(user.tenant)?,
        (None, None) => None,
    };
    let user = user.filter(|user| tenant.as_ref().is_some_and(|tenant| tenant.id == user.tenant));
    Ok(LoginSubject { tenant, user, ..LoginSubject::default() })
}

/// The tenant of the mount, otherwise the one that the request names, otherwise the default one.
/// `None` if the request names another tenant than the mount's.
pub(super) fn find_named_tenant(tx: &mut dyn AuthTx, tenancy: &Tenancy) -> StoreResult<Option<Tenant>> {
    let slug = match (&tenancy.fixed, &tenancy.requested) {
        (Some(fixed), None) => Ok(fixed.clone()),
        (Some(fixed), Some(requested)) if requested == fixed.as_str() => Ok(fixed.clone()),
        (Some(_), Some(_)) => return Ok(None),
        (None, Some(requested)) => Slug::parse(requested),
        (None, None) => Slug::parse(DEFAULT_TENANT),
    };
    match slug {
        Ok(slug) => tx.tenants().find_by_slug(&slug),
        Err(_) => Ok(None),
    }
}
