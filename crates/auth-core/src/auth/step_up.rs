//! Step-up: the user of a session proves their identity again, for acts that require a recent
//! proof.
//!
//! The session keeps its id. Its tokens are rotated, because the access token contains the instant
//! of the proof. As after every rotation, the previous refresh token returns its successor within
//! the grace period, and after a lost response. Within the grace period of an earlier rotation the
//! refresh token stays: otherwise a tab that still has the previous one would be two generations
//! behind, like a thief.

use tillgate_domain::{Action, EventOutcome, Secret, StoreError, StoreExt, Subject};

use super::Auth;
use crate::ports::Rotation;
use crate::requests::GrantKind;
use crate::{AuthDenied, AuthenticationInfo, Caller, Error, IssuedTokens, Session, SessionKind, TokenDenied};

/// How often a step-up starts again because another unit of work has rotated the session.
const MAX_ROTATION_ATTEMPTS: usize = 8;

impl Auth {
    /// Confirms the caller's password and issues tokens of the same session with the new instant of
    /// the proof.
    ///
    /// # Errors
    ///
    /// As [`confirm_password`](Self::confirm_password), also for a caller that is not a user with a
    /// session of their own. [`TokenDenied::SessionOver`] if the session has ended meanwhile.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn step_up(&self, caller: &Caller, password: &Secret<String>) -> Result<IssuedTokens, Error> {
        let presented = caller.session_context().filter(|session| session.kind == SessionKind::Person);
        let id = presented.ok_or(AuthDenied::WrongPassword)?.id;
        self.confirm_password(caller, password)?;
        let (now, read_version) = (self.time().at, self.revocations.current_version());
        let current_key = self.keyring.current().current_refresh_key();
        let tenant = Some(caller.profile.tenant.id);
        let mut event = self.new_event(Action::StepUp, EventOutcome::Done, Subject::Session(id), tenant)?;
        event.actor = caller.actor();
        let rotated = self.store.write("step_up", |tx| {
            for _ in 0..MAX_ROTATION_ATTEMPTS {
                let Some(record) = tx.sessions().find(id)? else { return Ok(None) };
                let session = &record.session;
                if session.ended.is_some()
                    || session.epochs.is_below(&record.epochs)
                    || self.revocations.is_over(session)
                {
                    return Ok(None);
                }
                let overlap = session.terms.refresh.as_ref().and_then(|refresh| refresh.overlap);
                let recent =
                    session.rotated_at.filter(|at| overlap.is_some_and(|most| now.duration_since(*at) <= most));
                let rotates = overlap.is_some() && recent.is_none();
                let terms = session.terms.for_rights(&caller.profile.rights);
                let rotation = Rotation {
                    generation: session.generation.saturating_add(i64::from(rotates)),
                    key: if rotates { current_key } else { session.key },
                    previous_key: if rotates { session.key } else { session.previous_key },
                    at: recent.unwrap_or(now),
                    expires_at: terms.session_expiry(session.created_at, now, &record.zone),
                    from: caller.address,
                    proved_at: Some(now),
                };
                if tx.sessions().rotate(id, session.generation, &rotation)? {
                    tx.audit().record(&event)?;
                    let measured = overlap.filter(|_| rotates);
                    let session = Session {
                        generation: rotation.generation,
                        key: rotation.key,
                        previous_key: rotation.previous_key,
                        rotated_at: Some(rotation.at),
                        rotated_from: rotation.from,
                        expires_at: rotation.expires_at,
                        authentication: AuthenticationInfo { at: now, ..session.authentication.clone() },
                        ..session.clone()
                    };
                    return Ok(Some((session, measured)));
                }
            }
            Err(StoreError::Conflict(format!(
                "session \"{id}\" was changed by others {MAX_ROTATION_ATTEMPTS} times in a row"
            )))
        })?;
        let (session, measured) = rotated.ok_or(TokenDenied::SessionOver)?;
        if let Some(overlap) = measured {
            self.activity.record_rotation(&session, self.clock.monotonic(), overlap);
        }
        let (keys, epochs) = (self.keys_with(session.key)?, session.epochs);
        self.mint_tokens(
            &keys,
            session,
            &epochs,
            std::sync::Arc::clone(&caller.profile),
            GrantKind::Rotated,
            read_version,
        )
    }
}
