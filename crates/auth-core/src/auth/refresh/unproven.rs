//! Refreshes that are denied because the client did not prove the key of its session. The session
//! does not end: somebody who has copied its refresh token must not be able to log the client out.

use serde_json::json;
use tillgate_domain::{Action, StoreResult};

use super::plan::build_event;
use super::{Auth, RefreshAttempt};
use crate::denials::GuestKey;
use crate::dpop::{ProofDenied, ProofFault, ProvenKey};
use crate::ports::AuthTx;
use crate::{AuthDenied, Error, Session, TokenDenied};

/// Why a refresh token does not get new tokens.
pub(super) enum RefreshDenied {
    Token(TokenDenied),
    /// The proof is missing or not valid; with the session of the refresh token.
    Unproven(ProofDenied, Box<Session>),
}

impl From<TokenDenied> for RefreshDenied {
    fn from(denial: TokenDenied) -> Self {
        Self::Token(denial)
    }
}

impl RefreshDenied {
    /// The denial of a proof that was accepted before.
    pub(super) fn replayed(session: &Session) -> Self {
        Self::Unproven(ProofFault::Replayed.into(), Box::new(session.clone()))
    }
}

/// The use of the proof of a refresh in one unit of work, which stores it once, however often the
/// refresh is judged.
#[derive(Default)]
pub(super) struct ProofUse {
    /// Whether the proof was new; `None` before it is stored.
    is_new: Option<bool>,
}

impl ProofUse {
    /// Stores the proof, unless this unit of work has done so. Returns whether it is accepted: it
    /// is new, or the attempt has none.
    pub(super) fn accept(&mut self, tx: &mut dyn AuthTx, attempt: &RefreshAttempt<'_>) -> StoreResult<bool> {
        let Some(proven) = attempt.find_proven_key() else { return Ok(true) };
        if let Some(is_new) = self.is_new {
            return Ok(is_new);
        }
        let is_new = proven.consume(tx, attempt.now)?;
        self.is_new = Some(is_new);
        Ok(is_new)
    }
}

impl RefreshAttempt<'_> {
    /// The key that the client has proved.
    pub(super) fn find_proven_key(&self) -> Option<&ProvenKey> {
        self.proven_key.as_ref().ok().and_then(Option::as_ref)
    }

    /// The denial of a session that is bound to another key than the one that was proved, or of a
    /// proof that is not valid.
    pub(super) fn deny_unproven(&self, session: &Session) -> RefreshDenied {
        let denied = match &self.proven_key {
            Err(denied) => denied.clone(),
            Ok(Some(_)) => ProofFault::Key.into(),
            Ok(None) => ProofDenied::Missing,
        };
        RefreshDenied::Unproven(denied, Box::new(session.clone()))
    }
}

impl Auth {
    /// The error of a refresh that is denied. Records it if the client did not prove its key.
    pub(super) fn deny_refresh(&self, attempt: &RefreshAttempt<'_>, denied: RefreshDenied, in_doubt: bool) -> Error {
        match denied {
            RefreshDenied::Token(TokenDenied::Expired) if in_doubt => Error::unavailable(
                "the session may have expired, but the clock is in doubt: check the clock of this machine",
            ),
            RefreshDenied::Token(denial) => denial.into(),
            RefreshDenied::Unproven(denied, session) => {
                self.record_unproven_refresh(attempt, &session, &denied);
                AuthDenied::Proof(denied).into()
            }
        }
    }

    /// Records a refresh without a valid proof, with the limit of other denials.
    fn record_unproven_refresh(&self, attempt: &RefreshAttempt<'_>, session: &Session, denied: &ProofDenied) {
        let mut event = build_event(session, attempt, Action::RefreshUnproven);
        event.details.insert("why".to_owned(), json!(denied.code()));
        if let Some(fault) = denied.fault() {
            event.details.insert("check".to_owned(), json!(fault.check()));
        }
        self.record_guest_denial(GuestKey::Session(session.id), &event);
    }
}
