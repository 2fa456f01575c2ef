//! The second unit of work of a login: claims, reads again, judges again, and writes.

use tillgate_domain::{Instant, KeyId, PrincipalId, SessionId, Stored, access};

use super::new_password::NewVerifier;
use super::place::{self, Place};
use super::{Admission, Aim, Came, Found, stand};
use crate::passwords::Verified;
use crate::ports::{AuthTx, CredentialKind};
use crate::profile;
use crate::session::FIRST_GENERATION;
use crate::{Epochs, Login, LoginRefusal, Profile, Proved, Session, SessionKind};

/// How a password is named in tokens (RFC 8176, 2).
const PASSWORD: &str = "pwd";

/// What a login brings into its second unit of work, which may run again.
pub(super) struct Entry<'a> {
    pub(super) login: &'a Login,
    pub(super) aim: Aim,
    pub(super) found: &'a Found,
    pub(super) verified: &'a Verified,
    /// The password that takes the place of the one that was proved.
    pub(super) new_password: Option<&'a NewVerifier>,
    pub(super) session: SessionId,
    pub(super) key: KeyId,
    pub(super) now: Instant,
}

impl Entry<'_> {
    /// Claims what the login stands on, reads it as it is then, judges once more, and writes the session.
    pub(super) fn carry_out(&self, tx: &mut dyn AuthTx) -> Stored<Came> {
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
        if let Err(refusal) = stand::judge(self.login, &found, self.new_password.is_some()) {
            return Ok(Came::Refused(refusal));
        }
        let Some(tenant) = found.tenant else { return Ok(Came::Again) };
        let mut profile = profile::assemble(tx, tenant, found.user, found.device)?;
        if self.login.least.is_some_and(|least| !access::stands(profile.rank, least)) {
            return Ok(Came::Refused(LoginRefusal::Rank));
        }
        let changed = match self.new_password {
            Some(new) => Some(new.set(tx, credential, &mut profile, self.now)?),
            None => None,
        };
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
        Ok(Came::In(Box::new(Admission { session, profile, replaced, changed })))
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
