//! The second unit of work of a login: claims the rows, reads them again, checks them again, and
//! writes the session.

use tillgate_domain::{Instant, KeyId, PrincipalId, SessionId, StoreResult, principal_access};

use super::device_slot::{self, DeviceSlot};
use super::new_password::NewPasswordHash;
use super::{LoginKind, LoginSubject, LoginTxOutcome, NewSession, account_checks};
use crate::passwords::PasswordCheck;
use crate::ports::{AuthTx, CredentialKind};
use crate::principal_profile;
use crate::session::FIRST_GENERATION;
use crate::{AuthenticationInfo, Epochs, LoginDenied, LoginRequest, Profile, Session, SessionKind};

/// The authentication method of a login, for the claim `amr` (RFC 8176, section 2).
const PASSWORD_METHOD: &str = "pwd";

/// What a login fixes before its second unit of work, which may run more than once.
pub(super) struct LoginTx<'a> {
    pub(super) login: &'a LoginRequest,
    pub(super) kind: LoginKind,
    pub(super) subject: &'a LoginSubject,
    pub(super) password_check: &'a PasswordCheck,
    /// The password to set, if the login changes it.
    pub(super) new_password: Option<&'a NewPasswordHash>,
    /// The id of the new session.
    pub(super) session: SessionId,
    /// The key of its refresh token.
    pub(super) key: KeyId,
    pub(super) now: Instant,
}

impl LoginTx<'_> {
    /// Claims the principal and its credential at the versions that were read, then checks the
    /// account as it is now and writes the session.
    ///
    /// The claims lock the rows. A password change or a suspension either was committed before, so
    /// that a claim fails, or waits for this unit of work and then ends the new session.
    pub(super) fn run(&self, tx: &mut dyn AuthTx) -> StoreResult<LoginTxOutcome> {
        let (Some(credential), Some(principal)) = (&self.subject.credential, self.subject.principal(self.login)) else {
            return Ok(LoginTxOutcome::Denied(LoginDenied::Mismatch));
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
        // A pairing also claims its device: what ends the pairings of a device raises the device's
        // epoch first.
        let claimed = claimed
            && match (self.kind, &self.subject.device) {
                (LoginKind::Pairing, Some(device)) => tx.devices().claim(device.id, device.epoch, self.now)?,
                (LoginKind::Pairing, None) => false,
                (LoginKind::Work, _) => true,
            };
        let rehash = self.password_check.rehash.as_ref();
        let kind = CredentialKind::Password;
        if !claimed || !tx.credentials().claim(principal, kind, credential.version, rehash, self.now)? {
            return Ok(LoginTxOutcome::Retry);
        }
        let subject = self.reread(tx)?;
        if let Err(denial) = account_checks::check_account(self.login, &subject, self.new_password.is_some()) {
            return Ok(LoginTxOutcome::Denied(denial));
        }
        let Some(tenant) = subject.tenant else { return Ok(LoginTxOutcome::Retry) };
        let mut profile = principal_profile::assemble(tx, tenant, subject.user, subject.device)?;
        if self.login.min_rank.is_some_and(|rank| !principal_access::has_rank(profile.rank, rank)) {
            return Ok(LoginTxOutcome::Denied(LoginDenied::RankTooLow));
        }
        if self.login.requires_office_right && !profile.rights.opens_office() {
            return Ok(LoginTxOutcome::Denied(LoginDenied::OfficeRoleMissing));
        }
        // Nothing after this makes the login start again.
        if let Some(proven) = &self.login.proven_key
            && !proven.consume(tx, self.now)?
        {
            return Ok(LoginTxOutcome::ProofReplayed);
        }
        let password_replacement = match self.new_password {
            Some(new) => Some(new.replace_password(tx, credential, &mut profile, self.now)?),
            None => None,
        };
        let session = self.build_session(principal, &profile);
        tx.sessions().insert(&session)?;
        let replaced_session = match &profile.device {
            Some(device) if session.kind == SessionKind::Person && device.environment.sells() => {
                device_slot::claim(tx, DeviceSlot::Seat, device, session.id, self.now)?
            }
            Some(device) if session.kind == SessionKind::Permanent => {
                device_slot::claim(tx, DeviceSlot::Pairing, device, session.id, self.now)?
            }
            _ => None,
        };
        Ok(LoginTxOutcome::Admitted(Box::new(NewSession { session, profile, replaced_session, password_replacement })))
    }

    /// Reads the subject again, now that its principal is claimed.
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
            expires_at: terms.for_rights(&profile.rights).session_expiry(self.now, self.now, &tenant.zone),
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
            authentication: AuthenticationInfo { methods: PASSWORD_METHOD.to_owned(), at: self.now },
            address: self.login.address,
            rotated_from: self.login.address,
            thumbprint: self.login.proven_key.as_ref().map(|proven| proven.thumbprint().to_vec()),
            created_at: self.now,
            rotated_at: None,
            last_used_at: None,
            ended: None,
        }
    }
}
