//! A login that also changes the password: hashes the new password before the second unit of work,
//! and replaces the old one in it.

use serde_json::json;
use tillgate_domain::{Action, Event, Instant, StoreError, StoreResult, Subject, UserId};

use super::LoginSubject;
use crate::auth::Auth;
use crate::auth::change_password::{OwnPassword, PasswordReplacement};
use crate::passwords::{WeakPassword, is_same_password};
use crate::ports::{AuthTx, Credential, Verifier};
use crate::principal_profile;
use crate::requests::NewPassword;
use crate::{AuthDenied, Error, LoginDenied, LoginRequest, LoginSecret, Profile};

/// The verifier of the new password, and the audit event of the change.
pub(super) struct NewPasswordHash {
    user: UserId,
    verifier: Verifier,
    event: Event,
}

impl Auth {
    /// Checks and hashes the new password, if the login has one. Call it only after the old
    /// password has proved right: the reason why a new one is weak may reveal the user's names.
    pub(super) fn hash_requested_password(
        &self,
        login: &LoginRequest,
        subject: &LoginSubject,
        new: Option<&NewPassword<'_>>,
    ) -> Result<Option<NewPasswordHash>, Error> {
        let Some(new) = new else { return Ok(None) };
        let (Some(tenant), Some(user), LoginSecret::Password(old)) = (&subject.tenant, &subject.user, &login.secret)
        else {
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
    /// Replaces the password, whose row this login has claimed, and ends every session of the user.
    pub(super) fn replace_password(
        &self,
        tx: &mut dyn AuthTx,
        credential: &Credential,
        profile: &mut Profile,
        now: Instant,
    ) -> StoreResult<PasswordReplacement> {
        let new = OwnPassword { tenant: profile.tenant.id, user: self.user, verifier: &self.verifier, kept: None };
        let replaced = new
            .replace(tx, credential, now)?
            .ok_or_else(|| StoreError::Conflict("the password changed although its row is claimed".to_owned()))?;
        if replaced.change_was_required {
            profile.user = tx.users().find(self.user)?.map(principal_profile::without_assignment);
        }
        Ok(replaced)
    }

    /// Clears the failed logins of the user and records the password change. The charge of the
    /// login must be settled already.
    pub(super) fn record_change(
        &self,
        tx: &mut dyn AuthTx,
        login: &Event,
        replaced: &PasswordReplacement,
    ) -> StoreResult<()> {
        // Guesses at the old password must not delay a login with the new one.
        tx.attempts().clear_failed_logins(self.user.0)?;
        let mut event = Event { at: login.at, actor: login.actor, ..self.event.clone() };
        event.details.extend(replaced.audit_details(false));
        tx.audit().record(&event)
    }
}
