//! A user changes their own password: proves the old one, and all their other sessions end.
//!
//! The change claims the credential and raises no epoch, so that the session that changes it
//! continues. A concurrent login with the old password either was committed before, and its session
//! ends here, or fails to claim the credential. So does a PIN that is set with the old password.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use tillgate_domain::office::{audit_api_keys, collect_pages};
use tillgate_domain::{
    Action, ApiKey, EndReason, Event, EventOutcome, Instant, Scope, Secret, SessionId, StoreError, StoreExt,
    StoreResult, Subject, TenantId, UserId,
};

use super::Auth;
use super::login::WaitResult;
use crate::denials::GuestKey;
use crate::passwords::{Lane, PasswordPolicy, WeakPassword, is_same_password};
use crate::ports::{AuthTx, Credential, CredentialKind, SessionFilter, SessionOrder, SessionView, Verifier};
use crate::throttle::{AttemptOutcome, Charge, ClaimedIdentity, LoginAttempt, PriorSession};
use crate::{AuthDenied, Caller, Error, TokenDenied};

/// How often a change starts again because another one has overtaken it.
const MAX_RESTARTS: usize = 4;

/// What follows from a changed password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChange {
    /// The user's API keys that were active. A key needs no password, so anybody who knew the old
    /// password may have copied some of them.
    pub api_keys: Vec<ApiKey>,
    /// Whether the change has revoked these keys.
    pub api_keys_revoked: bool,
}

/// The outcome of the unit of work.
enum ChangeResult {
    Done(Vec<ApiKey>),
    /// The caller's own session has ended.
    SessionOver,
    /// Somebody else has changed the password in the meantime.
    Retry,
}

impl Auth {
    /// Checks a new password by the policy and hashes it. `words` are the names of which it must
    /// not be made: slug and name of the tenant, the names of its stores and devices, and the names
    /// and the e-mail address of the user. The back office reads them with
    /// `UnguardedOffice::list_context_words`. `address` is the network address of the caller who
    /// sets it.
    pub fn hash_new_password(
        &self,
        password: &Secret<String>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<Verifier, Error> {
        self.check_password(password, words)?;
        self.hash_password(password, address)
    }

    /// As [`hash_new_password`](Self::hash_new_password), for a caller who is not logged in, as at
    /// a registration: the hash has the lowest priority, and networks take turns.
    pub fn hash_stranger_password(
        &self,
        password: &Secret<String>,
        words: &[String],
        address: Option<IpAddr>,
    ) -> Result<Verifier, Error> {
        self.check_password(password, words)?;
        self.hash_queue.hash(password, Lane::NewPassword, address).map_err(|error| super::map_hash_error(&error))
    }

    /// The rules for new passwords.
    pub const fn build_password_policy(&self) -> &PasswordPolicy {
        &self.settings.policy
    }

    /// Checks a new password by the policy; `words` as in
    /// [`hash_new_password`](Self::hash_new_password).
    pub fn check_password(&self, password: &Secret<String>, words: &[String]) -> Result<(), Error> {
        Ok(self.settings.policy.check(password.expose(), words).map_err(AuthDenied::WeakPassword)?)
    }

    /// Verifies the caller's password. A wrong one is counted as at a login, but the denial is
    /// [`AuthDenied::WrongPassword`]: the session and its tokens stay valid.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn confirm_password(&self, caller: &Caller, password: &Secret<String>) -> Result<(), Error> {
        self.confirm_credential(caller, password).map(drop)
    }

    /// As [`confirm_password`](Self::confirm_password). Returns the credential that was verified.
    /// Claim it before anything is stored that requires the current password: it may have been
    /// replaced in the meantime.
    pub(super) fn confirm_credential(&self, caller: &Caller, password: &Secret<String>) -> Result<Credential, Error> {
        let (credential, charge) = self.verify_current_password(caller, password)?;
        self.settle_charge(&charge, AttemptOutcome::Succeeded);
        Ok(credential)
    }

    /// Changes the caller's password, after verifying the old one as
    /// [`confirm_password`](Self::confirm_password) does; a caller that is not a user has none.
    /// Ends the caller's other sessions, including permanent ones, and removes the caller's PIN;
    /// the caller's own session continues. `end_keys` revokes the caller's API keys. `words` as in
    /// [`hash_new_password`](Self::hash_new_password). The same password again is denied, because a
    /// user who is required to change it would not have changed it.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn change_password(
        &self,
        caller: &Caller,
        old: &Secret<String>,
        new: &Secret<String>,
        words: &[String],
        end_keys: bool,
    ) -> Result<PasswordChange, Error> {
        let user = caller.user().ok_or(AuthDenied::WrongPassword)?;
        self.check_password(new, words)?;
        for _ in 0..MAX_RESTARTS {
            let (credential, charge) = self.verify_current_password(caller, old)?;
            if is_same_password(old.expose(), new.expose()) {
                self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                return Err(AuthDenied::WeakPassword(WeakPassword::Unchanged).into());
            }
            let changed = self
                .hash_password(new, caller.address)
                .and_then(|verifier| self.replace_password(caller, user, &credential, &verifier, &charge, end_keys));
            if !matches!(changed, Ok(ChangeResult::Done(_))) {
                self.settle_charge(&charge, AttemptOutcome::Withdrawn);
            }
            match changed? {
                ChangeResult::Done(api_keys) => {
                    self.login_queue.notify_settled(&charge);
                    return Ok(PasswordChange { api_keys, api_keys_revoked: end_keys });
                }
                ChangeResult::SessionOver => return Err(TokenDenied::SessionOver.into()),
                ChangeResult::Retry => {}
            }
        }
        Err(Error::unavailable("the password was changed by others again and again: retry"))
    }

    /// Waits for the caller's turn and verifies the old password.
    fn verify_current_password(&self, caller: &Caller, old: &Secret<String>) -> Result<(Credential, Charge), Error> {
        let attempt = LoginAttempt {
            identity: ClaimedIdentity::Principal(caller.principal),
            device: caller.device,
            address: caller.address,
            // A caller with a session has proved an earlier login.
            prior_session: caller.session_id().map(|_| PriorSession { user: caller.user(), device: caller.device }),
            password: old.clone(),
        };
        let empty = old.expose().is_empty();
        let waited = self.await_admission("begin_login", |tx, now| {
            let found = tx.credentials().find(caller.principal, CredentialKind::Password)?;
            Ok((found.filter(|_| !empty), self.throttle.open_charge(tx, &attempt, now)?))
        })?;
        let (credential, charge) = match waited {
            WaitResult::Admitted(credential, charge) => (credential, *charge),
            WaitResult::RateLimited(_, retry_after) => {
                let denial = AuthDenied::TooManyAttempts { retry_after };
                self.record_guest_denial(
                    GuestKey::Principal(caller.principal),
                    &self.denied_change_event(caller, denial.code())?,
                );
                return Err(denial.into());
            }
        };
        let verifier = credential.as_ref().map(|credential| credential.verifier.clone());
        let verified =
            self.hash_queue.verify(old.clone(), verifier, charge.lane(), caller.address, false).map_err(|error| {
                self.settle_charge(&charge, AttemptOutcome::Withdrawn);
                super::map_hash_error(&error)
            })?;
        match credential.filter(|_| verified.matches) {
            Some(credential) => Ok((credential, charge)),
            None => Err(self.deny_change(caller, &charge)?),
        }
    }

    /// Counts a wrong password and records the denial.
    fn deny_change(&self, caller: &Caller, charge: &Charge) -> Result<Error, Error> {
        let event = self.denied_change_event(caller, AuthDenied::WrongPassword.code())?;
        let settled = self.store.write("deny_password_change", |tx| {
            let counts = self.throttle.settle_charge(tx, charge, AttemptOutcome::Failed, event.at)?;
            if counts {
                tx.audit().record(&event)?;
            }
            Ok(counts)
        });
        self.login_queue.notify_settled(charge);
        if !settled? {
            self.record_guest_denial(GuestKey::Principal(caller.principal), &event);
        }
        Ok(AuthDenied::WrongPassword.into())
    }

    fn denied_change_event(&self, caller: &Caller, why: &str) -> Result<Event, Error> {
        let subject = caller.user().map_or(Subject::Server, Subject::User);
        let mut event =
            self.new_event(Action::Password, EventOutcome::Refused, subject, Some(caller.profile.tenant.id))?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(why));
        Ok(event)
    }

    fn replace_password(
        &self,
        caller: &Caller,
        user: UserId,
        credential: &Credential,
        verifier: &Verifier,
        charge: &Charge,
        end_keys: bool,
    ) -> Result<ChangeResult, Error> {
        let tenant = caller.profile.tenant.id;
        let mut event = self.new_event(Action::Password, EventOutcome::Done, Subject::User(user), Some(tenant))?;
        event.actor = caller.actor();
        let changed = self.store.write("change_password", |tx| {
            if is_session_over(tx, caller)? {
                return Ok(ChangeResult::SessionOver);
            }
            let new = OwnPassword { tenant, user, verifier, kept: caller.session_id() };
            let Some(replaced) = new.replace(tx, credential, event.at)? else { return Ok(ChangeResult::Retry) };
            if end_keys {
                revoke_api_keys(tx, user, &replaced.api_keys, event.at)?;
            }
            self.throttle.settle_charge(tx, charge, AttemptOutcome::Succeeded, event.at)?;
            // Guesses at the old password must not delay a login with the new one.
            tx.attempts().clear_failed_logins(credential.principal.uuid())?;
            let mut event = event.clone();
            event.details.extend(replaced.audit_details(end_keys));
            tx.audit().record(&event)?;
            Ok(ChangeResult::Done(replaced.api_keys))
        })?;
        Ok(changed)
    }
}

/// A password that a user sets for themselves, knowing the previous one.
pub(super) struct OwnPassword<'a> {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) verifier: &'a Verifier,
    /// The session that sets it, and continues.
    pub(super) kept: Option<SessionId>,
}

/// What replacing the password has changed, for the audit event.
pub(super) struct PasswordReplacement {
    /// How many sessions of the user ended.
    sessions_ended: u32,
    /// The user's active API keys, which stay active.
    api_keys: Vec<ApiKey>,
    /// Whether the user was required to change the password.
    pub(super) change_was_required: bool,
    /// Whether the user had a PIN.
    pin_removed: bool,
}

impl OwnPassword<'_> {
    /// Replaces this credential, and removes what somebody who knew it could have got: the other
    /// sessions, and the PIN. Returns `None` and changes nothing if the credential was replaced in
    /// the meantime.
    pub(super) fn replace(
        &self,
        tx: &mut dyn AuthTx,
        credential: &Credential,
        now: Instant,
    ) -> StoreResult<Option<PasswordReplacement>> {
        let Self { tenant, user, verifier, kept } = *self;
        if !tx.credentials().replace(credential.principal, credential.kind, credential.version, verifier, now)? {
            return Ok(None);
        }
        let change_was_required = tx.users().clear_password_change_required(user, now)?;
        if change_was_required {
            tx.revocations().invalidate(Scope::User(user), now)?;
        }
        let pin_removed = tx.pins().remove(user)?;
        let sessions_ended = end_other_sessions(tx, user, kept, now)?;
        let api_keys = tx.api_keys().list_active_by_user(tenant, user)?;
        Ok(Some(PasswordReplacement { sessions_ended, api_keys, change_was_required, pin_removed }))
    }
}

impl PasswordReplacement {
    /// The details of the audit event.
    pub(super) fn audit_details(&self, end_keys: bool) -> Map<String, Value> {
        let mut details = Map::from_iter([("ended".to_owned(), json!(self.sessions_ended))]);
        if self.change_was_required {
            details.insert("password_change_required".to_owned(), json!({ "from": true, "to": false }));
        }
        if self.pin_removed {
            details.insert("pin_removed".to_owned(), json!(true));
        }
        details.extend(audit_api_keys(&self.api_keys, end_keys));
        details
    }
}

/// Whether the caller's session has ended in the meantime. A signed call has none.
pub(super) fn is_session_over(tx: &mut dyn AuthTx, caller: &Caller) -> StoreResult<bool> {
    let Some(id) = caller.session_id() else { return Ok(false) };
    let found = tx.sessions().find(id)?;
    Ok(found.is_none_or(|found| found.session.ended.is_some() || found.session.epochs.is_below(&found.epochs)))
}

/// Ends all live sessions of the user except `kept`, including permanent ones. Returns their
/// number.
fn end_other_sessions(tx: &mut dyn AuthTx, user: UserId, kept: Option<SessionId>, now: Instant) -> StoreResult<u32> {
    let filter = SessionFilter { user: Some(user), live: Some((true, now)), ..SessionFilter::default() };
    let live = {
        let order = SessionOrder::Newest;
        collect_pages(
            None,
            |page| tx.sessions().list(&filter, order, page.after, page.limit),
            |listed| order.cursor(&listed.session),
        )?
    };
    let mut ended = 0_u32;
    for SessionView { session, .. } in &live {
        if Some(session.id) != kept && tx.revocations().end_session(session.id, EndReason::Password, now)? {
            ended = ended.saturating_add(1);
        }
    }
    Ok(ended)
}

/// Revokes the keys. The user's invalidation makes cached keys outdated.
fn revoke_api_keys(tx: &mut dyn AuthTx, user: UserId, keys: &[ApiKey], now: Instant) -> StoreResult<()> {
    for key in keys {
        if !tx.api_keys().revoke(key)? {
            return Err(StoreError::Conflict("an API key was changed in the meantime".to_owned()));
        }
    }
    if keys.is_empty() { Ok(()) } else { tx.revocations().invalidate(Scope::User(user), now) }
}
