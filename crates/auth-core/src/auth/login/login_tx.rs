//! The second unit of work of a login: claims, reads again, judges again, and writes.

use tillgate_domain::{Instant, KeyId, PrincipalId, SessionId, StoreResult, access};

use super::new_password::NewPasswordHash;
use super::slot::{self, DeviceSlot};
use super::{LoginKind, LoginOutcome, LoginSubject, NewSession, account_checks};
use crate::passwords::PasswordCheck;
use crate::ports::{AuthTx, CredentialKind};
use crate::profile;
use crate::session::FIRST_GENERATION;
use crate::{AuthenticationInfo, Epochs, LoginDenied, LoginRequest, Profile, Session, SessionKind};

/// How a password is named in tokens (RFC 8176, 2).
const PASSWORD: &str = "pwd";

/// What a login brings into its second unit of work, which may run again.
pub(super) struct LoginTx<'a> {
    pub(super) login: &'a LoginRequest,
    pub(super) kind: LoginKind,
    pub(super) subject: &'a LoginSubject,
    pub(super) password_check: &'a PasswordCheck,
    /// The password that takes the place of the one that was proved.
    pub(super) new_password: Option<&'a NewPasswordHash>,
    pub(super) session: SessionId,
    pub(super) key: KeyId,
    pub(super) now: Instant,
}

impl LoginTx<'_> {
    /// Claims what the login stands on, reads it as it is then, judges once more, and writes the session.
    pub(super) fn run(&self, tx: &mut dyn AuthTx) -> StoreResult<LoginOutcome> {
        let (Some(credential), Some(principal)) = (&self.subject.credential, self.subject.principal(self.login)) else {
            return Ok(LoginOutcome::Denied(LoginDenied::Mismatch));
        };
        let claimed = match principal {
            PrincipalId::User(id) => {
                let epoch = self.subject.user.as_ref().map(|user| user.epoch).unwrap_or_default();
                tx.users().claim(id, epoch, self.now)?
            }
            PrincipalId::Device(id) => {
                let epoch = self.subject.device.as_ref().map(|device| device.epoch).unwrap_or_default();
                tx.devices().claim(id, epoch, self.now)?
            }
        };
        // whatever ends a pairing with its device raises the device's epoch first, and meets this
        let claimed = claimed
            && match (self.kind, &self.subject.device) {
                (LoginKind::Pairing, Some(device)) => tx.devices().claim(device.id, device.epoch, self.now)?,
                (LoginKind::Pairing, None) => false,
                (LoginKind::Work, _) => true,
            };
        let rehash = self.password_check.rehash.as_ref();
        let kind = CredentialKind::Password;
        if !claimed || !tx.credentials().claim(principal, kind, credential.version, rehash, self.now)? {
            return Ok(LoginOutcome::Retry);
        }
        let found = self.reread(tx)?;
        if let Err(refusal) = account_checks::check_account(self.login, &found, self.new_password.is_some()) {
            return Ok(LoginOutcome::Denied(refusal));
        }
        let Some(tenant) = found.tenant else { return Ok(LoginOutcome::Retry) };
        let mut profile = profile::assemble(tx, tenant, found.user, found.device)?;
        if self.login.min_rank.is_some_and(|least| !access::has_rank(profile.rank, least)) {
            return Ok(LoginOutcome::Denied(LoginDenied::RankTooLow));
        }
        let changed = match self.new_password {
            Some(new) => Some(new.replace_password(tx, credential, &mut profile, self.now)?),
            None => None,
        };
        let session = self.build_session(principal, &profile);
        tx.sessions().insert(&session)?;
        let replaced = match &profile.device {
            Some(device) if session.kind == SessionKind::Person && device.environment.sells() => {
                slot::claim(tx, DeviceSlot::Seat, device, session.id, self.now)?
            }
            Some(device) if session.kind == SessionKind::Permanent => {
                slot::claim(tx, DeviceSlot::Pairing, device, session.id, self.now)?
            }
            _ => None,
        };
        Ok(LoginOutcome::Admitted(Box::new(NewSession {
            session,
            profile,
            replaced_session: replaced,
            password_replacement: changed,
        })))
    }

    /// What was found, as it is now that the principal is claimed.
    fn reread(&self, tx: &mut dyn AuthTx) -> StoreResult<LoginSubject> {
        let tenant = match &self.subject.tenant {
            Some(tenant) => tx.tenants().find(tenant.id)?,
            None => None,
        };
        let user = match &self.subject.user {
            Some(user) => tx.users().find(user.id)?,
            None => None,
        };
        let device = match &self.subject.device {
            Some(device) => tx.devices().find(device.id)?,
            None => None,
        };
        Ok(LoginSubject { tenant, user, device, credential: self.subject.credential.clone() })
    }

    fn build_session(&self, principal: PrincipalId, profile: &Profile) -> Session {
        let Profile { tenant, user, device, .. } = profile;
        let (user, device) = (user.as_ref(), device.as_ref());
        let kind = match (self.kind, principal) {
            (LoginKind::Pairing, _) => SessionKind::Permanent,
            (LoginKind::Work, PrincipalId::User(_)) => SessionKind::Person,
            (LoginKind::Work, PrincipalId::Device(_)) => SessionKind::Device,
        };
        let terms = self.login.terms.limited_by(&tenant.limits, kind);
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
            used_generation: 0,
            epochs: Epochs {
                user: user.map(|user| user.epoch).unwrap_or_default(),
                device: device.map(|device| device.epoch).unwrap_or_default(),
                tenant: tenant.epoch,
            },
            authentication: AuthenticationInfo { methods: PASSWORD.to_owned(), at: self.now },
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
