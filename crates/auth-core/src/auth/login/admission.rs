//! The first unit of work of a login: who it is about, and whether the throttle admits it now.

use std::time::Duration;

use tillgate_domain::{Email, FoldedText, Secret, Slug, StoreExt, StoreResult, Tenant};

use super::LoginSubject;
use crate::auth::{Auth, map_hash_error};
use crate::cancellation::Cancellation;
use crate::passwords::HashError;
use crate::ports::{AuthTx, CredentialKind};
use crate::throttle::{Admission, Charge, ClaimedIdentity, LoginAttempt, PriorSession};
use crate::token::refresh::RefreshToken;
use crate::{AuthDenied, Error, LoginIdentity, LoginRequest, Proof, SessionKind, Tenancy};

/// The tenant of those who name none.
const DEFAULT_TENANT: &str = "default";

/// How long a login waits for its turn at most.
const LOGIN_WAIT_TIMEOUT: Duration = Duration::from_secs(4);

/// How many refresh tokens of earlier sessions are looked at: a browser may send several cookies of one name.
const MAX_PREVIOUS_TOKENS: usize = 16;

/// A login that the throttle admits.
pub(super) struct AdmittedLogin {
    pub(super) subject: LoginSubject,
    pub(super) charge: Charge,
}

/// What an attempt has waited for.
pub(in crate::auth) enum WaitResult<T> {
    Admitted(T, Box<Charge>),
    RateLimited(T, Duration),
}

impl Auth {
    /// Finds out who a login is about and waits for its turn. A password that this program has just set is no guess.
    pub(super) fn begin_login(&self, login: &LoginRequest) -> Result<AdmittedLogin, Error> {
        if let Proof::Verifier(_) = login.proof {
            let now = self.time().at;
            return Ok(self.store.read(|tx| {
                let found = find_subject(tx, login)?;
                let charge = self.throttle.classify(tx, &build_attempt(login, &found, None), now)?;
                Ok(AdmittedLogin { subject: found, charge })
            })?);
        }
        let proven = |token: &Secret<String>| self.verify_refresh_token(token.expose()).ok().map(|(_, token)| token);
        let previous: Vec<RefreshToken> =
            login.previous_refresh_tokens.iter().take(MAX_PREVIOUS_TOKENS).filter_map(proven).collect();
        let waited = self.await_turn(|tx| {
            let found = find_subject(tx, login)?;
            let mut prior = None;
            for token in &previous {
                if prior.is_none() {
                    prior = find_prior_session(tx, token, &found)?;
                }
            }
            let attempt = build_attempt(login, &found, prior);
            Ok((found, attempt))
        })?;
        match waited {
            WaitResult::Admitted(found, charge) => Ok(AdmittedLogin { subject: found, charge: *charge }),
            WaitResult::RateLimited(found, retry_after) => {
                let refusal = AuthDenied::TooManyAttempts { retry_after };
                let event =
                    self.new_login_event(login, &found, tillgate_domain::EventOutcome::Refused, Some(refusal.code()))?;
                self.record_guest_denial(found.guest_key(login), &event);
                Err(refusal.into())
            }
        }
    }

    /// Finds out who an attempt is about, and waits until the throttle admits it or holds it back.
    pub(in crate::auth) fn await_turn<T>(
        &self,
        find: impl Fn(&mut dyn AuthTx) -> StoreResult<(T, LoginAttempt)>,
    ) -> Result<WaitResult<T>, Error> {
        let deadline = self.clock.monotonic().saturating_add(LOGIN_WAIT_TIMEOUT);
        let mut spot = self.login_queue.new_slot();
        let cancellation = Cancellation::current();
        loop {
            if cancellation.is_canceled() {
                return Err(map_hash_error(&HashError::Canceled));
            }
            let now = self.time().at;
            let (found, admission) = self.store.write(|tx| {
                let (found, attempt) = find(tx)?;
                let admission = self.throttle.open_charge(tx, &attempt, now)?;
                Ok((found, admission))
            })?;
            let turn = match admission {
                Admission::Admitted(charge) => return Ok(WaitResult::Admitted(found, charge)),
                Admission::RateLimited { retry_after } => return Ok(WaitResult::RateLimited(found, retry_after)),
                Admission::Wait(turn) => turn,
            };
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Err(Error::unavailable("other logins of the same principal are still being looked at"));
            }
            spot.wait(&turn, left).map_err(|error| Error::unavailable(error.to_string()))?;
        }
    }
}

/// Who a login claims to be.
pub(super) fn claimed_identity(login: &LoginRequest, found: &LoginSubject) -> ClaimedIdentity {
    match found.principal(login) {
        Some(principal) => ClaimedIdentity::Principal(principal),
        None => ClaimedIdentity::Unknown {
            tenant: found.tenant.as_ref().map(|tenant| tenant.id),
            name: FoldedText::of(match &login.identity {
                LoginIdentity::User { login, .. } => login,
                LoginIdentity::Device { device } => device,
            }),
        },
    }
}

fn build_attempt(login: &LoginRequest, found: &LoginSubject, prior: Option<PriorSession>) -> LoginAttempt {
    let (Proof::Password(guess) | Proof::Verifier(guess)) = &login.proof;
    let device = found.device.as_ref().map(|device| device.id);
    LoginAttempt {
        identity: claimed_identity(login, found),
        device,
        address: login.address,
        find_prior_session: prior,
        password: guess.clone(),
    }
}

/// What a refresh token proves of this login: that its client has been logged in before as this user or on this device. The session
/// may be over; its newest token counts, and the one before, whose successor may have been lost. A permanent token is carried from
/// one machine to another and proves nothing of the kind.
fn find_prior_session(
    tx: &mut dyn AuthTx,
    token: &RefreshToken,
    found: &LoginSubject,
) -> StoreResult<Option<PriorSession>> {
    let Some(standing) = tx.sessions().find(token.session)? else { return Ok(None) };
    let session = &standing.session;
    let of_tenant = found.tenant.as_ref().is_some_and(|tenant| tenant.id == session.tenant);
    let of_user = session.user.is_some() && session.user == found.user.as_ref().map(|user| user.id);
    let of_device = session.device.is_some() && session.device == found.device.as_ref().map(|device| device.id);
    let newest = token.generation >= session.generation.saturating_sub(1);
    let holds = session.kind != SessionKind::Permanent && newest && of_tenant && (of_user || of_device);
    Ok(holds.then_some(PriorSession { user: session.user, device: session.device }))
}

/// Looks up what the login names. An empty password proves nothing, whatever is stored.
fn find_subject(tx: &mut dyn AuthTx, login: &LoginRequest) -> StoreResult<LoginSubject> {
    let mut found = match &login.identity {
        LoginIdentity::User { login: name, device } => {
            let folded = FoldedText::of(name);
            let mut found = if folded.contains_at_sign() {
                find_by_email(tx, login, name)?
            } else {
                find_by_name(tx, login, &folded)?
            };
            // a name that was given before every `@` counted as one
            if found.user.is_none() && folded.contains_at_sign() && !name.contains('@') {
                let named = find_by_name(tx, login, &folded)?;
                found = if named.user.is_some() { named } else { found };
            }
            if let (Some(tenant), Some(device)) = (&found.tenant, device) {
                found.device = tx.devices().find_by_name(tenant.id, &FoldedText::of(device))?;
            }
            found
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
    let (Proof::Password(password) | Proof::Verifier(password)) = &login.proof;
    if let Some(principal) = found.principal(login)
        && !password.expose().is_empty()
    {
        found.credential = tx.credentials().find(principal, CredentialKind::Password)?;
    }
    Ok(found)
}

fn find_by_name(tx: &mut dyn AuthTx, login: &LoginRequest, name: &FoldedText) -> StoreResult<LoginSubject> {
    let tenant = find_named_tenant(tx, &login.tenancy)?;
    let user = match &tenant {
        Some(tenant) => tx.users().find_by_name(tenant.id, name)?,
        None => None,
    };
    Ok(LoginSubject { tenant, user, ..LoginSubject::default() })
}

/// An e-mail address finds its tenant; where the way in or the request names one, it must be that.
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

/// The tenant that serves here, else the one that is asked for, else the default one. One that is asked for where another serves
/// is none.
fn find_named_tenant(tx: &mut dyn AuthTx, tenancy: &Tenancy) -> StoreResult<Option<Tenant>> {
    let asked = match (&tenancy.fixed, &tenancy.requested) {
        (Some(fixed), None) => Ok(fixed.clone()),
        (Some(fixed), Some(asked)) if asked == fixed.as_str() => Ok(fixed.clone()),
        (Some(_), Some(_)) => return Ok(None),
        (None, Some(asked)) => Slug::parse(asked),
        (None, None) => Slug::parse(DEFAULT_TENANT),
    };
    match asked {
        Ok(slug) => tx.tenants().find_by_slug(&slug),
        Err(_) => Ok(None),
    }
}
