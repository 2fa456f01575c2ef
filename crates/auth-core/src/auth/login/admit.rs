//! The first unit of work of a login: who it is about, and whether the throttle admits it now.

use std::time::Duration;

use tillgate_domain::{Folded, Slug, StoreExt, Stored, Tenant};

use super::{Found, LoginRefusal};
use crate::auth::Auth;
use crate::ports::{AuthTx, CredentialKind};
use crate::throttle::{Admission, Attempt, Charge, Claimed};
use crate::{Error, Login, Proof, Refusal, Tenancy, Who};

/// The tenant of those who name none.
const DEFAULT: &str = "default";

/// How long a login waits for its turn at most.
const TURN: Duration = Duration::from_secs(4);

/// A login that the throttle admits.
pub(super) struct Admitted {
    pub(super) found: Found,
    pub(super) charge: Charge,
}

impl Auth {
    /// Finds out who a login is about and waits for its turn.
    pub(super) fn admit(&self, login: &Login) -> Result<Admitted, Error> {
        let (found, charge) = self.await_turn(|tx| {
            let found = find(tx, login)?;
            let attempt = attempt(login, &found);
            Ok((found, attempt))
        })?;
        Ok(Admitted { found, charge })
    }

    /// Finds out who an attempt is about, and waits until the throttle admits it.
    pub(in crate::auth) fn await_turn<T>(
        &self,
        find: impl Fn(&mut dyn AuthTx) -> Stored<(T, Attempt)>,
    ) -> Result<(T, Charge), Error> {
        let deadline = self.clock.monotonic().saturating_add(TURN);
        let [jitter] = self.entropy.draw::<1>().map_err(|error| Error::Fault(error.to_string()))?;
        let mut spot = self.turns.spot();
        loop {
            let now = self.time().at;
            let (found, admission) = self.store.write(|tx| {
                let (found, attempt) = find(tx)?;
                let admission = self.throttle.admit(tx, &attempt, now, jitter)?;
                Ok((found, admission))
            })?;
            let turn = match admission {
                Admission::Admitted(charge) => return Ok((found, charge)),
                Admission::Held { retry_after } => return Err(Refusal::Held { retry_after }.into()),
                Admission::Stopped => return Err(LoginRefusal::Stopped.into()),
                Admission::Turn(turn) => turn,
            };
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Err(Error::unavailable("other logins of the same principal are still being looked at"));
            }
            spot.wait(turn, left).map_err(|error| Error::unavailable(error.to_string()))?;
        }
    }
}

fn attempt(login: &Login, found: &Found) -> Attempt {
    let who = match found.principal(login) {
        Some(principal) => Claimed::Principal(principal),
        None => Claimed::Unknown {
            tenant: found.tenant.as_ref().map(|tenant| tenant.id),
            name: Folded::of(match &login.who {
                Who::User { login, .. } => login,
                Who::Device { device } => device,
            }),
        },
    };
    Attempt { who, device: found.device.as_ref().map(|device| device.id), address: login.address }
}

/// Looks up what the login names. An empty password proves nothing, whatever is stored.
fn find(tx: &mut dyn AuthTx, login: &Login) -> Stored<Found> {
    let mut found = match &login.who {
        Who::User { login: name, device } => {
            let folded = Folded::of(name);
            let mut found = if folded.has_at() { by_email(tx, login, &folded)? } else { by_name(tx, login, &folded)? };
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
    let Proof::Password(password) = &login.proof;
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
fn by_email(tx: &mut dyn AuthTx, login: &Login, email: &Folded) -> Stored<Found> {
    let named = match (&login.tenancy.fixed, &login.tenancy.asked) {
        (None, None) => None,
        _ => Some(named_tenant(tx, &login.tenancy)?),
    };
    let user = tx.users().mailed(email)?;
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
