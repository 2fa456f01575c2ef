//! A login that sets another password: what may be set, and what is written in the login's own unit of work.

use serde_json::json;
use tillgate_domain::office::api_key_details;
use tillgate_domain::{Action, ApiKey, Event, Instant, PrincipalId, Scope, StoreError, Stored, Subject, UserId};

use super::Found;
use crate::auth::Auth;
use crate::auth::change_password::end_others;
use crate::passwords::{WeakPassword, is_same_password};
use crate::ports::{AuthTx, Credential, Verifier};
use crate::requests::NewPassword;
use crate::{Error, Login, LoginRefusal, Profile, Proof, Refusal};

/// The hash of the new password, and the audit event of its change.
pub(super) struct NewVerifier {
    user: UserId,
    verifier: Verifier,
    event: Event,
}

/// What became of the password that was there.
pub(super) struct PasswordReplaced {
    /// How many sessions ended.
    ended: u32,
    /// The user's active API keys, which stay.
    keys: Vec<ApiKey>,
    /// Whether the user had to change it.
    was_required: bool,
}

impl Auth {
    /// The hash of the new password, if one is to be set and may be. Called once the old password has proved right: what is wrong
    /// with the new one may name the user's names.
    pub(super) fn new_verifier(
        &self,
        login: &Login,
        found: &Found,
        new: Option<&NewPassword<'_>>,
    ) -> Result<Option<NewVerifier>, Error> {
        let Some(new) = new else { return Ok(None) };
        let (Some(tenant), Some(user), Proof::Password(old)) = (&found.tenant, &found.user, &login.proof) else {
            return Err(LoginRefusal::Mismatch.into());
        };
        if is_same_password(old.expose(), new.password.expose()) {
            return Err(Refusal::Weak(WeakPassword::Unchanged).into());
        }
        let words = (new.words)(tenant.id, user.id)?;
        let verifier = self.verifier(new.password, &words, login.address)?;
        let mut event =
            self.event(Action::Password, tillgate_domain::Outcome::Done, Subject::User(user.id), Some(tenant.id))?;
        event.details.insert("why".to_owned(), json!("login"));
        Ok(Some(NewVerifier { user: user.id, verifier, event }))
    }
}

impl NewVerifier {
    /// Sets the password in the place of the one that this login has claimed, and ends every session of the user.
    pub(super) fn set(
        &self,
        tx: &mut dyn AuthTx,
        credential: &Credential,
        profile: &mut Profile,
        now: Instant,
    ) -> Stored<PasswordReplaced> {
        let (id, principal) = (self.user, PrincipalId::User(self.user));
        if !tx.credentials().replace(principal, credential.kind, credential.version, &self.verifier, now)? {
            return Err(StoreError::Conflict("a claimed password was changed".to_owned()));
        }
        let was_required = tx.users().clear_password_change_required(id, now)?;
        if was_required {
            tx.endings().touch(Scope::User(id), now)?;
            profile.user = tx.users().find(id)?;
        }
        let ended = end_others(tx, id, None, now)?;
        let keys = tx.api_keys().active_of(profile.tenant.id, id)?;
        Ok(PasswordReplaced { ended, keys, was_required })
    }

    /// Forgets wrong passwords, and records the change beside the login that it came with, whose charge is settled.
    pub(super) fn finish(&self, tx: &mut dyn AuthTx, login: &Event, replaced: &PasswordReplaced) -> Stored<()> {
        // who was held back by guesses at the old one may try the new one
        tx.attempts().forgive(self.user.0)?;
        let mut event = Event { at: login.at, actor: login.actor, ..self.event.clone() };
        event.details.insert("ended".to_owned(), json!(replaced.ended));
        if replaced.was_required {
            event.details.insert("password_change_required".to_owned(), json!({ "from": true, "to": false }));
        }
        event.details.extend(api_key_details(&replaced.keys, false));
        tx.audit().tell(&event)
    }
}
