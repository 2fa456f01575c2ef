//! The first unit of work of a login: who it is about, and whether the throttle admits it now.

use std::time::Duration;

use tillgate_domain::{Email, Folded, Secret, Slug, StoreExt, Stored, Tenant};

use super::Found;
use crate::auth::{Auth, unverified};
use crate::cancellation::Cancellation;
use crate::passwords::HashError;
use crate::ports::{AuthTx, CredentialKind};
use crate::throttle::{Admission, Attempt, Charge, Claimed, PriorSession};
use crate::token::refresh::RefreshToken;
use crate::{Error, Login, Proof, Refusal, SessionKind, Tenancy, Who};

/// The tenant of those who name none.
const DEFAULT: &str = "default";

/// How long a login waits for its turn at most.
const TURN: Duration = Duration::from_secs(4);

/// How many refresh tokens of earlier sessions are looked at: a browser may send several cookies of one name.
const MOST_PREVIOUS: usize = 16;

/// A login that the throttle admits.
pub(super) struct Admitted {
    pub(super) found: Found,
    pub(super) charge: Charge,
}

/// What an attempt has waited for.
pub(in crate::auth) enum Waited<T> {
    Admitted(T, Box<Charge>),
    Held(T, Duration),
}

impl Auth {
    /// Finds out who a login is about and waits for its turn. A password that this program has just set is no guess.
    pub(super) fn admit(&self, login: &Login) -> Result<Admitted, Error> {
        if let Proof::Verifier(_) = login.proof {
            let now = self.time().at;
            return Ok(self.store.read(|tx| {
                let found = find(tx, login)?;
                let charge = self.throttle.recognize(tx, &attempt(login, &found, None), now)?;
                Ok(Admitted { found, charge })
            })?);
        }
        let proven = |token: &Secret<String>| self.proven(token.expose()).ok().map(|(_, token)| token);
        let previous: Vec<RefreshToken> = login.previous.iter().take(MOST_PREVIOUS).filter_map(proven).collect();
        let waited = self.await_turn(|tx| {
            let found = find(tx, login)?;
            let mut prior = None;
            for token in &previous {
                if prior.is_none() {
                    prior = prior_session(tx, token, &found)?;
                }
            }
            let attempt = attempt(login, &found, prior);
            Ok((found, attempt))
        })?;
        match waited {
            Waited::Admitted(found, charge) => Ok(Admitted { found, charge: *charge }),
            Waited::Held(found, retry_after) => {
                let refusal = Refusal::Held { retry_after };
                let event = self.login_event(login, &found, tillgate_domain::Outcome::Refused, Some(refusal.code()))?;
                self.note_guest(found.guest(login), &event);
                Err(refusal.into())
            }
        }
    }

    /// Finds out who an attempt is about, and waits until the throttle admits it or holds it back.
    pub(in crate::auth) fn await_turn<T>(
        &self,
        find: impl Fn(&mut dyn AuthTx) -> Stored<(T, Attempt)>,
    ) -> Result<Waited<T>, Error> {
        let deadline = self.clock.monotonic().saturating_add(TURN);
        let mut spot = self.turns.spot();
        let cancellation = Cancellation::current();
        loop {
            if cancellation.is_canceled() {
                return Err(unverified(&HashError::Canceled));
            }
            let now = self.time().at;
            let (found, admission) = self.store.write(|tx| {
                let (found, attempt) = find(tx)?;
                let admission = self.throttle.admit(tx, &attempt, now)?;
                Ok((found, admission))
            })?;
            let turn = match admission {
                Admission::Admitted(charge) => return Ok(Waited::Admitted(found, charge)),
                Admission::Held { retry_after } => return Ok(Waited::Held(found, retry_after)),
                Admission::Turn(turn) => turn,
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
pub(super) fn claimed(login: &Login, found: &Found) -> Claimed {
    match found.principal(login) {
        Some(principal) => Claimed::Principal(principal),
        None => Claimed::Unknown {
            tenant: found.tenant.as_ref().map(|tenant| tenant.id),
            name: Folded::of(match &login.who {
                Who::User { login, .. } => login,
                Who::Device { device } => device,
            }),
        },
    }
}

fn attempt(login: &Login, found: &Found, prior: Option<PriorSession>) -> Attempt {
    let (Proof::Password(guess) | Proof::Verifier(guess)) = &login.proof;
    let device = found.device.as_ref().map(|device| device.id);
    Attempt { who: claimed(login, found), device, address: login.address, prior, guess: guess.clone() }
}

/// What a refresh token proves of this login: that its client has been logged in before as this user or on this device. The session
/// may be over; its newest token counts, and the one before, whose successor may have been lost. A permanent token is carried from
/// one machine to another and proves nothing of the kind.
fn prior_session(tx: &mut dyn AuthTx, token: &RefreshToken, found: &Found) -> Stored<Option<PriorSession>> {
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
fn find(tx: &mut dyn AuthTx, login: &Login) -> Stored<Found> {
    let mut found = match &login.who {
        Who::User { login: name, device } => {
            let folded = Folded::of(name);
            let mut found = if folded.has_at() { by_email(tx, login, name)? } else { by_name(tx, login, &folded)? };
            // a name that was given before every `@` counted as one
            if found.user.is_none() && folded.has_at() && !name.contains('@') {
                let named = by_name(tx, login, &folded)?;
                found = if named.user.is_some() { named } else { found };
            }
            if let (Some(tenant), Some(device)) = (&found.tenant, device) {
                found.device = tx.devices().named(tenant.id, &Folded::of(device))?;
            }
            found
        }
        Who::Device { device } => {
            let tenant = named_tenant(tx, &login.tenancy)?;
            let device = match &tenant {
                Some(tenant) => tx.devices().named(tenant.id, &Folded::of(device))?,
                None => None,
            };
            Found { tenant, device, ..Found::default() }
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

fn by_name(tx: &mut dyn AuthTx, login: &Login, name: &Folded) -> Stored<Found> {
    let tenant = named_tenant(tx, &login.tenancy)?;
    let user = match &tenant {
        Some(tenant) => tx.users().named(tenant.id, name)?,
        None => None,
    };
    Ok(Found { tenant, user, ..Found::default() })
}

/// An e-mail address finds its tenant; where the way in or the request names one, it must be that.
fn by_email(tx: &mut dyn AuthTx, login: &Login, email: &str) -> Stored<Found> {
    let named = match (&login.tenancy.fixed, &login.tenancy.asked) {
        (None, None) => None,
        _ => Some(named_tenant(tx, &login.tenancy)?),
    };
    let mut user = None;
    for key in Email::keys_of(email) {
        user = tx.users().mailed(&key)?;
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
    Ok(Found { tenant, user, ..Found::default() })
}

/// The tenant that serves here, else the one that is asked for, else the default one. One that is asked for where another serves
/// is none.
fn named_tenant(tx: &mut dyn AuthTx, tenancy: &Tenancy) -> Stored<Option<Tenant>> {
    let asked = match (&tenancy.fixed, &tenancy.asked) {
        (Some(fixed), None) => Ok(fixed.clone()),
        (Some(fixed), Some(asked)) if asked == fixed.as_str() => Ok(fixed.clone()),
        (Some(_), Some(_)) => return Ok(None),
        (None, Some(asked)) => Slug::parse(asked),
        (None, None) => Slug::parse(DEFAULT),
    };
    match asked {
        Ok(slug) => tx.tenants().named(&slug),
        Err(_) => Ok(None),
    }
}
