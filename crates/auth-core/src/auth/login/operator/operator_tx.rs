//! The second unit of work of a sign-in: claims the rows, checks them again, and switches the
//! operator.

use tillgate_domain::{Device, Instant, KeyId, SessionId, StoreResult, StoredPin};

use super::{OperatorDenial, OperatorRequest, OperatorSubject, Till, check_operator, find_subject, is_live};
use crate::auth::login::device_slot::{self, DeviceSlot};
use crate::ports::{AuthTx, SessionRecord};
use crate::principal_profile;
use crate::revocations::RevocationCache;
use crate::session::FIRST_GENERATION;
use crate::{AuthenticationInfo, Epochs, Profile, Session, SessionKind};

/// The authentication method of a PIN, for the claim `amr` (RFC 8176, section 2).
const PIN_METHOD: &str = "pin";

/// What a sign-in fixes before its second unit of work, which may run more than once.
pub(super) struct OperatorTx<'a> {
    pub(super) request: &'a OperatorRequest<'a>,
    pub(super) till: &'a Till,
    pub(super) subject: &'a OperatorSubject,
    /// The same PIN with another verifier, if its key or the parameters of its hash are old.
    pub(super) rehashed: Option<&'a StoredPin>,
    /// The id of the new session.
    pub(super) session: SessionId,
    /// The key of its refresh token.
    pub(super) key: KeyId,
    pub(super) now: Instant,
    pub(super) revocations: &'a RevocationCache,
}

/// What the second unit of work decided.
pub(super) enum OperatorTxOutcome {
    SignedIn(Box<NewOperatorSession>),
    Denied(OperatorDenial),
    /// The session of the till has ended.
    TillOver,
    TillModeOff,
    /// A row has changed since it was read.
    Retry,
}

/// What the second unit of work wrote.
pub(super) struct NewOperatorSession {
    pub(super) session: Session,
    pub(super) profile: Profile,
    /// The session of the operator before.
    pub(super) replaced: Option<SessionId>,
}

impl OperatorTx<'_> {
    /// Claims the user, the PIN, the till and the session of the till, in this order, then checks
    /// the user again and switches the operator.
    pub(super) fn run(&self, tx: &mut dyn AuthTx) -> StoreResult<OperatorTxOutcome> {
        let (Some(user), Some(pin)) = (&self.subject.login.user, &self.subject.pin) else {
            return Ok(OperatorTxOutcome::Denied(OperatorDenial::NoPin));
        };
        let Some(device) = &self.subject.login.device else { return Ok(OperatorTxOutcome::TillOver) };
        if !tx.users().claim(user.id, user.epoch, self.now)? || !self.claim_pin(tx, pin)? {
            return Ok(OperatorTxOutcome::Retry);
        }
        if !tx.devices().claim(device.id, device.epoch, self.now)? {
            // The next attempt finds out whether the session of the till has ended.
            return Ok(OperatorTxOutcome::Retry);
        }
        let Some(parent) = tx.sessions().find(self.till.session)?.filter(|record| self.is_live(record)) else {
            return Ok(OperatorTxOutcome::TillOver);
        };
        // This locks the session without a change: whatever ends it waits for this unit of work,
        // and then ends its operator, too.
        let Session { id, generation, expires_at, rotated_from, .. } = parent.session;
        if !tx.sessions().extend(id, generation, expires_at, rotated_from)? {
            return Ok(OperatorTxOutcome::Retry);
        }
        let subject = find_subject(tx, user.id, self.till)?;
        if let Err(why) = check_operator(&subject) {
            return Ok(OperatorTxOutcome::Denied(why));
        }
        let login = subject.login;
        let (Some(tenant), Some(device)) = (login.tenant, login.device) else { return Ok(OperatorTxOutcome::Retry) };
        if !device.till_mode {
            return Ok(OperatorTxOutcome::TillModeOff);
        }
        let profile = principal_profile::assemble(tx, tenant, login.user, Some(device.clone()))?;
        let session = self.build_session(&parent.session, &device, &profile);
        tx.sessions().insert(&session)?;
        let replaced = device_slot::claim(tx, DeviceSlot::Seat, &device, session.id, self.now)?;
        Ok(OperatorTxOutcome::SignedIn(Box::new(NewOperatorSession { session, profile, replaced })))
    }

    /// Claims the PIN as it was read, and stores its new verifier. If the key of that one is not
    /// current any more, the old verifier stays until the next sign-in.
    fn claim_pin(&self, tx: &mut dyn AuthTx, pin: &StoredPin) -> StoreResult<bool> {
        let rehashed = match self.rehashed {
            Some(rehashed) if tx.pins().claim_key(rehashed.key)? => Some(rehashed),
            _ => None,
        };
        tx.pins().claim(self.request.user, &pin.verifier, rehashed, self.now)
    }

    /// Whether the till's session is live, also if the store has lost its end.
    fn is_live(&self, record: &SessionRecord) -> bool {
        is_live(record, self.now) && !self.revocations.is_over(&record.session)
    }

    fn build_session(&self, parent: &Session, device: &Device, profile: &Profile) -> Session {
        let (kind, tenant) = (SessionKind::Person, &profile.tenant);
        let terms = self.request.terms.limited_by(&tenant.limits, kind);
        let expires_at = terms.for_rights(&profile.rights).session_expiry(self.now, self.now, &tenant.zone);
        Session {
            id: self.session,
            tenant: tenant.id,
            kind,
            user: Some(self.request.user),
            device: Some(device.id),
            parent: Some(parent.id),
            dialect: parent.dialect.clone(),
            expires_at: [expires_at, parent.expires_at].into_iter().flatten().min(),
            terms,
            generation: FIRST_GENERATION,
            key: self.key,
            previous_key: self.key,
            used_generation: 0,
            epochs: Epochs {
                user: profile.user.as_ref().map(|user| user.epoch).unwrap_or_default(),
                device: device.epoch,
                tenant: tenant.epoch,
            },
            authentication: AuthenticationInfo { methods: PIN_METHOD.to_owned(), at: self.now },
            address: self.till.address,
            rotated_from: self.till.address,
            thumbprint: parent.thumbprint.clone(),
            created_at: self.now,
            rotated_at: None,
            last_used_at: None,
            ended: None,
        }
    }
}
