//! Token revocation (RFC 7009): a program ends the session of a token by presenting the token.

use serde_json::json;
use tillgate_domain::{Action, EndReason, EventOutcome, SessionId, StoreExt, Subject};

use super::reach::Reach;
use super::session_end::END_SESSIONS_RIGHT;
use super::{Auth, TokenUse};
use crate::token::refresh_token::UnverifiedRefreshToken;
use crate::{AuthDenied, AuthenticatedBy, Caller, Error};

impl Auth {
    /// Ends the session of a token of the caller's tenant. Accepts access tokens and refresh
    /// tokens, including expired and replaced ones. Returns false, and does nothing, if the token
    /// is not valid or belongs to another tenant. Requires the right `sessionDelete`, whatever the
    /// token is.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn revoke_token(&self, caller: &Caller, token: &str) -> Result<bool, Error> {
        caller.require_right(END_SESSIONS_RIGHT)?;
        let tenant = caller.profile.tenant.id;
        let (session, token_use) = match self.identify_session(token) {
            Ok(named) => named,
            Err(Error::Denied(AuthDenied::Token(_))) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut event =
            self.new_event(Action::SessionEnd, EventOutcome::Done, Subject::Session(session), Some(tenant))?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(EndReason::Admin.name()));
        event.details.insert("token".to_owned(), json!(token_use.name()));
        if let AuthenticatedBy::ApiKey(key) = caller.authenticated_by {
            event.details.insert("api_key".to_owned(), json!(key));
        }
        Ok(self.store.write("revoke_token", |tx| {
            let Some(record) = tx.sessions().find(session)? else { return Ok(false) };
            if record.session.tenant != tenant {
                return Ok(false);
            }
            if tx.revocations().end_session(session, EndReason::Admin, event.at)? {
                tx.audit().record(&event)?;
            }
            Ok(true)
        })?)
    }

    /// The session that a token names.
    fn identify_session(&self, token: &str) -> Result<(SessionId, TokenUse), Error> {
        let token = token.trim_ascii();
        if UnverifiedRefreshToken::parse(token).is_some() {
            return Ok((self.verify_refresh_token(token)?.1.session, TokenUse::Refresh));
        }
        let verified = self.verify_token(token, Reach::Store)?;
        let verified =
            verified.ok_or_else(|| Error::Fault("verification with the store did not return a result".to_owned()))?;
        Ok((verified.session, TokenUse::Access))
    }
}
