//! Refreshes that are denied because the client did not prove the key of its session. The session
//! does not end, since whoever has copied its refresh token must not be able to log the client out.

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

impl RefreshAttempt<'_> {
    /// The key that the client has proved.
    pub(super) fn proven_key(&self) -> Option<&ProvenKey> {
        self.proof.as_ref().ok().and_then(Option::as_ref)
    }

    /// Stores the proof, if there is one, once per unit of work. Returns whether it is accepted.
    pub(super) fn consume_proof(&self, tx: &mut dyn AuthTx, is_new: &mut Option<bool>) -> StoreResult<bool> {
        let (Some(proven), None) = (self.proven_key(), *is_new) else { return Ok(is_new.unwrap_or(true)) };
        let consumed = proven.consume(tx, self.now)?;
        *is_new = Some(consumed);
        Ok(consumed)
    }

    /// The denial of a session that is bound to another key than the one that was proved, or of a
    /// proof that is not valid.
    pub(super) fn deny_unproven(&self, session: &Session) -> RefreshDenied {
        let denied = match &self.proof {
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
