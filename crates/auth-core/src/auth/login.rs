//! Logging in: look up and admit, check the password outside any transaction, then claim and write.
//!
//! The first unit of work finds out who it is about and opens a charge with the throttle; the second claims the principal and the
//! credential as they were read, so that a password change or a suspension in between is met, never overtaken. What stands against
//! a login besides the password is judged after the right password only.

mod admit;
mod forgotten;
mod place;
mod stand;

use std::sync::Arc;

use serde_json::json;
use tillgate_domain::{
    Action, Actor, Device, Event, Instant, PrincipalId, SessionId, StoreExt, Stored, Subject, Tenant, User, access,
};

use super::Auth;
use crate::passwords::{HashError, Lane, Verified};
use crate::ports::{AuthTx, Credential, CredentialKind};
use crate::profile;
use crate::refusals::Guest;
use crate::requests::How;
use crate::session::FIRST_GENERATION;
use crate::throttle::{Charge, Outcome, network};
use crate::{Epochs, Error, Granted, Login, LoginRefusal, Profile, Proof, Proved, Session, SessionKind};

use admit::Admitted;
pub(super) use admit::Waited;
use place::Place;

/// How often a login whose claims were lost is begun anew.
const ROUNDS: usize = 4;

/// How a password is named in tokens (RFC 8176, 2).
const PASSWORD: &str = "pwd";

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
    /// The session, and the one whose place it took.
    In(Box<(Session, Profile, Option<SessionId>)>),
    Refused(LoginRefusal),
    /// A claim was lost: what was judged is no longer so.
    Again,
}

impl Auth {
    /// Logs a user in on a device or in the office, or a device as itself.
    pub fn login(&self, login: &Login) -> Result<Granted, Error> {
        self.let_in(login, Aim::Work)
    }

    /// Lets somebody in who proves who they are, and grants what they aim at.
    pub(super) fn let_in(&self, login: &Login, aim: Aim) -> Result<Granted, Error> {
        for _ in 0..ROUNDS {
            let Admitted { found, charge } = self.admit(login)?;
            let judged = stand::judge(login, &found);
            let verified = match self.verify(login, &found, &charge, judged.is_ok()) {
                Ok(verified) => verified,
                Err(error) => {
                    self.settle(&charge, Outcome::Withdrawn);
                    return Err(super::unverified(&error));
                }
            };
            if !verified.matches {
                return Err(self.refuse(login, &found, &charge, LoginRefusal::Mismatch)?);
            }
            if let Err(refusal) = judged {
                return Err(self.refuse(login, &found, &charge, refusal)?);
            }
            let entered = self.enter(login, aim, &found, &charge, &verified);
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
                let lane = if charge.known() { Lane::Known } else { Lane::Stranger };
                self.passwords.verify(password.clone(), verifier, lane, login.address, renew)
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
    fn refuse(&self, login: &Login, found: &Found, charge: &Charge, refusal: LoginRefusal) -> Result<Error, Error> {
        let outcome = cost(login, refusal);
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
    ) -> Result<Entered, Error> {
        let keys = self.keyring.held();
        let began = self.changes.now();
        let mut event = self.login_event(login, found, tillgate_domain::Outcome::Done, None)?;
        if aim == Aim::Pairing {
            event.details.insert("kind".to_owned(), json!(SessionKind::Permanent.name()));
        }
        let session = self.id(SessionId::new)?;
        let entry = Entry { login, aim, found, verified, session, key: keys.seals(), now: event.at };
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
                    let mut event = event.clone();
                    if let Some(replaced) = came.2 {
                        event.details.insert("replaced".to_owned(), json!(replaced));
                    }
                    tx.audit().tell(&event)?;
                }
                Came::Refused(refusal) => {
                    self.throttle.settle(tx, charge, cost(login, *refusal), entry.now)?;
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
                let (session, profile, _) = *came;
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
/// be said aloud after the right password (of a device as itself, of a missing role) is no failure.
fn cost(login: &Login, refusal: LoginRefusal) -> Outcome {
    match (&login.who, refusal) {
        (crate::Who::Device { .. }, LoginRefusal::Pending | LoginRefusal::Suspended | LoginRefusal::Retired)
        | (_, LoginRefusal::Rank) => Outcome::Withdrawn,
        _ => Outcome::Failed,
    }
}

/// What the second unit of work and the tokens came to.
enum Entered {
    Granted(Box<Granted>),
    Refused(LoginRefusal),
    Again,
}

/// What a login brings into its second unit of work, which may run again.
struct Entry<'a> {
    login: &'a Login,
    aim: Aim,
    found: &'a Found,
    verified: &'a Verified,
    session: SessionId,
    key: tillgate_domain::KeyId,
    now: Instant,
}

impl Entry<'_> {
    /// Claims what the login stands on, reads it as it is then, judges once more, and writes the session.
    fn carry_out(&self, tx: &mut dyn AuthTx) -> Stored<Came> {
        let (Some(credential), Some(principal)) = (&self.found.credential, self.found.principal(self.login)) else {
            return Ok(Came::Refused(LoginRefusal::Mismatch));
        };
        let claimed = match principal {
            PrincipalId::User(id) => {
                let epoch = self.found.user.as_ref().map(|user| user.epoch).unwrap_or_default();
                tx.users().claim(id, epoch, self.now)?
            }
            PrincipalId::Device(id) => {
                let epoch = self.found.device.as_ref().map(|device| device.epoch).unwrap_or_default();
                tx.devices().claim(id, epoch, self.now)?
            }
        };
        // whatever ends a pairing with its device raises the device's epoch first, and meets this
        let claimed = claimed
            && match (self.aim, &self.found.device) {
                (Aim::Pairing, Some(device)) => tx.devices().claim(device.id, device.epoch, self.now)?,
                (Aim::Pairing, None) => false,
                (Aim::Work, _) => true,
            };
        let rehash = self.verified.rehash.as_ref();
        let kind = CredentialKind::Password;
        if !claimed || !tx.credentials().claim(principal, kind, credential.version, rehash, self.now)? {
            return Ok(Came::Again);
        }
        let found = self.reread(tx)?;
        if let Err(refusal) = stand::judge(self.login, &found) {
            return Ok(Came::Refused(refusal));
        }
        let Some(tenant) = found.tenant else { return Ok(Came::Again) };
        let profile = profile::assemble(tx, tenant, found.user, found.device)?;
        if self.login.least.is_some_and(|least| !access::stands(profile.rank, least)) {
            return Ok(Came::Refused(LoginRefusal::Rank));
        }
        let session = self.session(principal, &profile);
        tx.sessions().insert(&session)?;
        let replaced = match &profile.device {
            Some(device) if session.kind == SessionKind::Person && device.environment.sells() => {
                place::take(tx, Place::Seat, device, session.id, self.now)?
            }
            Some(device) if session.kind == SessionKind::Permanent => {
                place::take(tx, Place::Pairing, device, session.id, self.now)?
            }
            _ => None,
        };
        Ok(Came::In(Box::new((session, profile, replaced))))
    }

    /// What was found, as it is now that the principal is claimed.
    fn reread(&self, tx: &mut dyn AuthTx) -> Stored<Found> {
        let tenant = match &self.found.tenant {
            Some(tenant) => tx.tenants().find(tenant.id)?,
            None => None,
        };
        let user = match &self.found.user {
            Some(user) => tx.users().find(user.id)?,
            None => None,
        };
        let device = match &self.found.device {
            Some(device) => tx.devices().find(device.id)?,
            None => None,
        };
        Ok(Found { tenant, user, device, credential: self.found.credential.clone() })
    }

    fn session(&self, principal: PrincipalId, profile: &Profile) -> Session {
        let Profile { tenant, user, device, .. } = profile;
        let (user, device) = (user.as_ref(), device.as_ref());
        let kind = match (self.aim, principal) {
            (Aim::Pairing, _) => SessionKind::Permanent,
            (Aim::Work, PrincipalId::User(_)) => SessionKind::Person,
            (Aim::Work, PrincipalId::Device(_)) => SessionKind::Device,
        };
        let terms = self.login.terms.within(&tenant.limits, kind);
        Session {
            id: self.session,
            tenant: tenant.id,
            kind,
            user: user.map(|user| user.id),
            device: device.map(|device| device.id),
            parent: None,
            dialect: self.login.dialect.clone(),
            expires_at: terms.session_expiry(self.now, self.now, &tenant.zone),
            terms,
            generation: FIRST_GENERATION,
            key: self.key,
            previous_key: self.key,
            used: 0,
            epochs: Epochs {
                user: user.map(|user| user.epoch).unwrap_or_default(),
                device: device.map(|device| device.epoch).unwrap_or_default(),
                tenant: tenant.epoch,
            },
            proved: Proved { methods: PASSWORD.to_owned(), at: self.now },
            address: self.login.address,
            rotated_from: self.login.address,
            thumbprint: None,
            created_at: self.now,
            rotated_at: None,
            last_used_at: None,
            ended: None,
        }
    }
}
