//! Operators: users who work on a till one after another, each in a session under the till's own.
//!
//! The session of the till stays as it is. Like a login, the sign-in of an operator is two units of
//! work with the check of the PIN between them. The second one ends the session of the operator
//! before and creates the new one, or changes nothing.
//!
//! Every reason for which a user may not sign in has the same response and the same cost. It is no
//! 401: the request is authenticated by the till's token, and a client that refreshes and repeats
//! after a 401 would count each wrong PIN twice.

mod audit_event;
mod operator_tx;

use std::net::IpAddr;

use tillgate_domain::{
    Device, DeviceId, EndReason, Instant, KnownRight, PrincipalId, Secret, SessionId, StoreExt, StoreResult, StoredPin,
    Subject, TenantId, UserId, UserStatus, principal_access,
};

use super::{LoginSubject, MAX_RESTARTS, WaitResult};
use crate::auth::Auth;
use crate::auth::pins::PinCheck;
use crate::denials::GuestKey;
use crate::ports::{AuthTx, SessionRecord, SessionView, TillOperator};
use crate::requests::GrantKind;
use crate::throttle::{AttemptOutcome, Charge, PinAttempt};
use crate::{AuthDenied, Caller, Error, IssuedTokens, SessionKind, Terms, TokenDenied};

use operator_tx::{OperatorTx, OperatorTxOutcome};

/// The greatest number of users that [`Auth::list_till_operators`] returns.
const MAX_LISTED_OPERATORS: u32 = 1000;

/// The sign-in of an operator.
#[derive(Clone, Copy, Debug)]
pub struct OperatorRequest<'r> {
    /// The till, by its own session.
    pub till: &'r Caller,
    /// The user who signs in.
    pub user: UserId,
    /// The user's PIN.
    pub pin: &'r Secret<String>,
    /// The terms of the new session, before the limits of the tenant apply.
    pub terms: &'r Terms,
}

/// An operator who has signed in.
#[derive(Debug)]
pub struct SignedInOperator {
    /// The tokens of the operator's session, which is bound to the key of the till.
    pub tokens: IssuedTokens,
    /// The session of the operator before, which has ended.
    pub replaced: Option<SessionId>,
    /// Whether the user should set another PIN, because somebody else has seen this one.
    pub pin_due: bool,
}

/// Why a user may not sign in on a till. It is recorded and never sent out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperatorDenial {
    /// The tenant of the till has no such user.
    UnknownUser,
    /// The user has no PIN, or its key was revoked.
    NoPin,
    WrongPin,
    Inactive,
    VirtualUser,
    /// The user is not assigned to the till.
    NotAssigned,
}

impl OperatorDenial {
    /// The stable code of the denial in audit events.
    const fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "user_unknown",
            Self::NoPin => "pin_missing",
            Self::WrongPin => "pin_wrong",
            Self::Inactive => "login_suspended",
            Self::VirtualUser => "login_virtual",
            Self::NotAssigned => "login_not_there",
        }
    }
}

/// The till of a caller.
#[derive(Clone, Copy)]
struct Till {
    tenant: TenantId,
    device: DeviceId,
    session: SessionId,
    address: Option<IpAddr>,
}

/// What the store has of the user and the till of a sign-in.
#[derive(Clone)]
struct OperatorSubject {
    login: LoginSubject,
    pin: Option<StoredPin>,
}

/// How one attempt of a sign-in ended.
enum OperatorOutcome {
    SignedIn(Box<SignedInOperator>),
    /// The charge is open, and nothing is recorded.
    Denied(OperatorDenial),
    /// The user, the till or the PIN has changed since it was read.
    Retry,
}

impl Auth {
    /// Signs a user in as the operator of a till, and ends the session of the operator before. The
    /// new session has the rights of the user on the till. It is bound to the key of the till, and
    /// ends with the till's own session.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TillRequired`] if the caller is not a device with a session that is bound to a
    /// key, [`AuthDenied::TillModeOff`] if the device is not in till mode,
    /// [`AuthDenied::OperatorMismatch`] if the user is unknown or may not work on the till, or the
    /// PIN is wrong, and [`AuthDenied::OperatorThrottled`] after too many wrong ones.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn sign_in_operator(&self, request: &OperatorRequest<'_>) -> Result<SignedInOperator, Error> {
        for _ in 0..MAX_RESTARTS {
            let till = self.find_till_in_till_mode(request.till)?;
            let (subject, charge) = self.begin_operator(request, &till)?;
            match self.try_operator(request, &till, &subject, &charge) {
                Ok(OperatorOutcome::SignedIn(signed_in)) => return Ok(*signed_in),
                Ok(OperatorOutcome::Denied(why)) => {
                    return Err(self.deny_operator(request, &till, &subject, &charge, why)?);
                }
                Ok(OperatorOutcome::Retry) => self.settle_charge(&charge, AttemptOutcome::Withdrawn),
                Err(error) => {
                    // The PIN was not judged: the attempt does not count.
                    self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                    return Err(error);
                }
            }
        }
        Err(Error::unavailable("the user or the till changed again and again during the sign-in: retry"))
    }

    /// Ends the session of the operator of a till; the till's own session continues. Returns false
    /// if nobody is signed in.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TillRequired`] and [`AuthDenied::TillModeOff`] as
    /// [`sign_in_operator`](Self::sign_in_operator).
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn sign_out_operator(&self, caller: &Caller) -> Result<bool, Error> {
        let till = self.find_till_in_till_mode(caller)?;
        let event = self.new_sign_out_event(caller)?;
        Ok(self.store.write("sign_out_operator", |tx| {
            let Some(operator) = find_operator(tx, &till, event.at)? else { return Ok(false) };
            let session = operator.session.id;
            let ended = tx.revocations().end_session(session, EndReason::Logout, event.at)?;
            if ended {
                let mut event = event.clone();
                event.subject = Subject::Session(session);
                tx.audit().record(&event)?;
            }
            Ok(ended)
        })?)
    }

    /// The live session of the operator of a till; `None` if nobody is signed in.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TillRequired`] as [`sign_in_operator`](Self::sign_in_operator).
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn find_operator(&self, caller: &Caller) -> Result<Option<SessionView>, Error> {
        let (till, _) = self.find_till(caller)?;
        let now = self.time().at;
        Ok(self.store.read("find_operator", |tx| {
            let Some(operator) = find_operator(tx, &till, now)? else { return Ok(None) };
            Ok(tx.sessions().find_many(&[operator.session.id].into())?.pop())
        })?)
    }

    /// At most 1,000 users who may work on a till, in the order of their ids: active ones that are
    /// assigned to it and are not virtual.
    ///
    /// # Errors
    ///
    /// [`AuthDenied::TillRequired`] and [`AuthDenied::TillModeOff`] as
    /// [`sign_in_operator`](Self::sign_in_operator).
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn list_till_operators(&self, caller: &Caller) -> Result<Vec<TillOperator>, Error> {
        let till = self.find_till_in_till_mode(caller)?;
        Ok(self.store.read("list_operators", |tx| tx.users().list_operators(till.device, MAX_LISTED_OPERATORS))?)
    }

    /// Accepts PINs on a device again after wrong ones: clears the counts of all users there.
    /// Returns false if the caller's tenant has no such device. Requires the right `pinReset`.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn unlock_pins(&self, caller: &Caller, device: DeviceId) -> Result<bool, Error> {
        caller.require_right(KnownRight::PinReset)?;
        let tenant = caller.profile.tenant.id;
        let event = self.new_unlock_event(caller, device)?;
        Ok(self.store.write("unlock_pins", |tx| {
            let is_known = tx.devices().find(device)?.is_some_and(|device| device.tenant == tenant);
            if is_known {
                self.throttle.clear_pin_counts(tx, tenant, device)?;
                tx.audit().record(&event)?;
            }
            Ok(is_known)
        })?)
    }

    /// The till of a caller, which must be in till mode.
    fn find_till_in_till_mode(&self, caller: &Caller) -> Result<Till, Error> {
        let (till, device) = self.find_till(caller)?;
        if device.is_some_and(|device| device.till_mode) { Ok(till) } else { Err(AuthDenied::TillModeOff.into()) }
    }

    /// The till of a caller, which must be a device with a session that is bound to a key.
    fn find_till(&self, caller: &Caller) -> Result<(Till, Option<Device>), Error> {
        let session = caller.session_context().filter(|session| session.kind == SessionKind::Device);
        let (Some(session), Some(device)) = (session, caller.device) else {
            return Err(AuthDenied::TillRequired.into());
        };
        let (tenant, address) = (caller.profile.tenant.id, caller.address);
        let till = Till { tenant, device, session: session.id, address };
        let (record, device) = self
            .store
            .read("find_till", |tx| Ok((tx.sessions().find(till.session)?, tx.devices().find(till.device)?)))?;
        let record = record.filter(|record| self.is_live(record, self.time().at)).ok_or(TokenDenied::SessionOver)?;
        let is_bound = record.session.thumbprint.is_some();
        if is_bound { Ok((till, device)) } else { Err(AuthDenied::TillRequired.into()) }
    }

    /// Whether a session has neither ended nor expired, also if the store has lost its end.
    pub(in crate::auth) fn is_live(&self, record: &SessionRecord, now: Instant) -> bool {
        is_live(record, now) && !self.revocations.is_over(&record.session)
    }

    /// Reads the user and the till, and takes the tokens of a PIN.
    fn begin_operator(&self, request: &OperatorRequest<'_>, till: &Till) -> Result<(OperatorSubject, Charge), Error> {
        let waited = self.await_admission("begin_operator", |tx, now| {
            let subject = find_subject(tx, request.user, till)?;
            let attempt = PinAttempt {
                tenant: till.tenant,
                device: till.device,
                user: request.user,
                is_known: subject.login.user.is_some(),
                verifier: subject.pin.as_ref().map(|pin| pin.verifier.clone()),
                address: till.address,
            };
            Ok((subject, self.throttle.open_pin_charge(tx, &attempt, now)?))
        })?;
        match waited {
            WaitResult::Admitted(subject, charge) => Ok((subject, *charge)),
            WaitResult::RateLimited(subject, retry_after) => {
                let denial = AuthDenied::OperatorThrottled { retry_after };
                let event = self.new_operator_event(request, till, &subject, Some(denial.code()))?;
                self.record_guest_denial(GuestKey::Principal(PrincipalId::Device(till.device)), &event);
                Err(denial.into())
            }
        }
    }

    /// One attempt of an admitted sign-in, from the check of the PIN to the tokens.
    fn try_operator(
        &self,
        request: &OperatorRequest<'_>,
        till: &Till,
        subject: &OperatorSubject,
        charge: &Charge,
    ) -> Result<OperatorOutcome, Error> {
        // The user is checked first and reported last, so that every denial costs a hash; only a
        // sign-in that succeeds may cost another one.
        let account = check_operator(subject);
        let owner = (till.tenant, request.user);
        let rehashes = account.is_ok();
        let check =
            self.verify_pin(owner, request.pin, subject.pin.as_ref(), (charge.lane(), till.address), rehashes)?;
        if let Err(why) = account {
            return Ok(OperatorOutcome::Denied(why));
        }
        if !check.matches {
            let why = if check.is_comparable { OperatorDenial::WrongPin } else { OperatorDenial::NoPin };
            return Ok(OperatorOutcome::Denied(why));
        }
        self.commit_operator(request, till, subject, charge, &check)
    }

    /// Runs the second unit of work and issues the tokens.
    fn commit_operator(
        &self,
        request: &OperatorRequest<'_>,
        till: &Till,
        subject: &OperatorSubject,
        charge: &Charge,
        check: &PinCheck,
    ) -> Result<OperatorOutcome, Error> {
        let keys = self.keyring.current();
        let read_version = self.revocations.current_version();
        let mut event = self.new_operator_event(request, till, subject, None)?;
        let session = self.new_id(SessionId::new)?;
        event.actor.session = Some(session);
        let operator_tx = OperatorTx {
            request,
            till,
            subject,
            rehashed: check.rehashed.as_ref(),
            session,
            key: keys.current_refresh_key(),
            now: event.at,
            revocations: &self.revocations,
        };
        let stale_epochs = self.find_stale_epochs(till.address, &subject.login)?;
        let outcome = self.store.write("sign_in_operator", |tx| {
            if let Some(stale_epochs) = &stale_epochs
                && stale_epochs.restore(tx)?
            {
                return Ok(OperatorTxOutcome::Retry);
            }
            let outcome = operator_tx.run(tx)?;
            if let OperatorTxOutcome::SignedIn(signed_in) = &outcome {
                self.throttle.settle_charge(tx, charge, AttemptOutcome::Succeeded, event.at)?;
                let mut event = event.clone();
                if let Some(replaced) = signed_in.replaced {
                    event.details.insert("replaced".to_owned(), serde_json::json!(replaced));
                }
                tx.audit().record(&event)?;
            }
            Ok(outcome)
        })?;
        let signed_in = match outcome {
            OperatorTxOutcome::SignedIn(signed_in) => *signed_in,
            OperatorTxOutcome::Denied(why) => return Ok(OperatorOutcome::Denied(why)),
            OperatorTxOutcome::TillOver => return Err(TokenDenied::SessionOver.into()),
            OperatorTxOutcome::TillModeOff => return Err(AuthDenied::TillModeOff.into()),
            OperatorTxOutcome::Retry => return Ok(OperatorOutcome::Retry),
        };
        self.login_queue.notify_settled(charge);
        let profile = self.profile_cache.share(signed_in.profile);
        if let Some(principal) = signed_in.session.principal() {
            self.profile_cache.insert(principal, signed_in.session.device, &profile, read_version);
        }
        let epochs = signed_in.session.epochs;
        let tokens = self.mint_tokens(&keys, signed_in.session, &epochs, profile, GrantKind::Login, read_version)?;
        let pin_due = subject.pin.as_ref().is_some_and(|pin| pin.due);
        let signed_in = SignedInOperator { tokens, replaced: signed_in.replaced, pin_due };
        Ok(OperatorOutcome::SignedIn(Box::new(signed_in)))
    }
}

/// Reads the till, and the user if the tenant of the till has it.
fn find_subject(tx: &mut dyn AuthTx, user: UserId, till: &Till) -> StoreResult<OperatorSubject> {
    let user = tx.users().find(user)?.filter(|user| user.tenant == till.tenant && user.status != UserStatus::Deleted);
    let pin = match &user {
        Some(user) => tx.pins().find(user.id)?,
        None => None,
    };
    let (tenant, device) = (tx.tenants().find(till.tenant)?, tx.devices().find(till.device)?);
    Ok(OperatorSubject { login: LoginSubject { tenant, user, device, credential: None }, pin })
}

/// Checks whether the user may work on the till.
fn check_operator(subject: &OperatorSubject) -> Result<(), OperatorDenial> {
    let Some(user) = &subject.login.user else { return Err(OperatorDenial::UnknownUser) };
    if user.status != UserStatus::Active {
        return Err(OperatorDenial::Inactive);
    }
    if user.is_virtual() {
        return Err(OperatorDenial::VirtualUser);
    }
    let device = subject.login.device.as_ref().filter(|device| principal_access::may_log_in(user, Some(device)));
    if device.is_some() { Ok(()) } else { Err(OperatorDenial::NotAssigned) }
}

/// The live session of the operator of a till.
fn find_operator(tx: &mut dyn AuthTx, till: &Till, now: Instant) -> StoreResult<Option<SessionRecord>> {
    let Some(seat) = tx.devices().find(till.device)?.and_then(|device| device.seat) else { return Ok(None) };
    let record = tx.sessions().find(seat)?;
    Ok(record.filter(|record| record.session.parent == Some(till.session) && is_live(record, now)))
}

/// Whether a session has neither ended nor expired.
fn is_live(record: &SessionRecord, now: Instant) -> bool {
    record.session.end_as_of(now).is_none() && !record.session.epochs.is_below(&record.epochs)
}
