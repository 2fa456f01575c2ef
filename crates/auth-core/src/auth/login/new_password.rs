//! A login that sets another password: what may be set, and what is written in the login's own unit of work.

use serde_json::json;
use tillgate_domain::office::audit_api_keys;
use tillgate_domain::{Action, ApiKey, Event, Instant, PrincipalId, Scope, StoreError, StoreResult, Subject, UserId};

use super::LoginSubject;
use crate::auth::Auth;
use crate::auth::change_password::end_other_sessions;
use crate::passwords::{WeakPassword, is_same_password};
use crate::ports::{AuthTx, Credential, Verifier};
use crate::requests::NewPassword;
use crate::{AuthDenied, Error, LoginDenied, LoginRequest, Profile, Proof};

/// The hash of the new password, and the audit event of its change.
pub(super) struct NewPasswordHash {
    user: UserId,
    verifier: Verifier,
    event: Event,
}

/// What became of the password that was there.
pub(super) struct PasswordReplacement {
    /// How many sessions ended.
    sessions_ended: u32,
    /// The user's active API keys, which stay.
    api_keys: Vec<ApiKey>,
    /// Whether the user had to change it.
    change_was_required: bool,
}

impl Auth {
    /// The hash of the new password, if one is to be set and may be. Called once the old password has proved right: what is wrong
    /// with the new one may name the user's names.
    pub(super) fn hash_requested_password(
        &self,
        login: &LoginRequest,
        found: &LoginSubject,
        new: Option<&NewPassword<'_>>,
    ) -> Result<Option<NewPasswordHash>, Error> {
        let Some(new) = new else { return Ok(None) };
        let (Some(tenant), Some(user), Proof::Password(old)) = (&found.tenant, &found.user, &login.proof) else {
            return Err(LoginDenied::Mismatch.into());
        };
        if is_same_password(old.expose(), new.password.expose()) {
            return Err(AuthDenied::WeakPassword(WeakPassword::Unchanged).into());
        }
        let words = (new.context_words)(tenant.id, user.id)?;
        let verifier = self.hash_new_password(new.password, &words, login.address)?;
        let mut event = self.new_event(
            Action::Password,
            tillgate_domain::EventOutcome::Done,
            Subject::User(user.id),
            Some(tenant.id),
        )?;
        event.details.insert("why".to_owned(), json!("login"));
        Ok(Some(NewPasswordHash { user: user.id, verifier, event }))
    }
}

impl NewPasswordHash {
    /// Sets the password in the place of the one that this login has claimed, and ends every session of the user.
    pub(super) fn replace_password(
        &self,
        tx: &mut dyn AuthTx,
        credential: &Credential,
        profile: &mut Profile,
        now: Instant,
    ) -> StoreResult<PasswordReplacement> {
        let (id, principal) = (self.user, PrincipalId::User(self.user));
        if !tx.credentials().replace(principal, credential.kind, credential.version, &self.verifier, now)? {
            return Err(StoreError::Conflict("a claimed password was changed".to_owned()));
        }
        let was_required = tx.users().clear_password_change_required(id, now)?;
        if was_required {
            tx.revocations().invalidate(Scope::User(id), now)?;
            profile.user = tx.users().find(id)?;
        }
        let ended = end_other_sessions(tx, id, None, now)?;
        let keys = tx.api_keys().list_active_by_user(profile.tenant.id, id)?;
        Ok(PasswordReplacement { sessions_ended: ended, api_keys: keys, change_was_required: was_required })
    }

    /// Forgets wrong passwords, and records the change beside the login that it came with, whose charge is settled.
    pub(super) fn record_change(
        &self,
        tx: &mut dyn AuthTx,
        login: &Event,
        replaced: &PasswordReplacement,
    ) -> StoreResult<()> {
        // who was held back by guesses at the old one may try the new one
        tx.attempts().clear_failed_logins(self.user.0)?;
        let mut event = Event { at: login.at, actor: login.actor, ..self.event.clone() };
        event.details.insert("ended".to_owned(), json!(replaced.sessions_ended));
        if replaced.change_was_required {
            event.details.insert("password_change_required".to_owned(), json!({ "from": true, "to": false }));
        }
        event.details.extend(audit_api_keys(&replaced.api_keys, false));
        tx.audit().record(&event)
    }
}
