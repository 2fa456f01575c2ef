//! Revoking: a program ends the session that a token is of, by showing the token.

use serde_json::json;
use tillgate_domain::{Action, EndedWhy, Outcome, SessionId, StoreExt, Subject};

use super::authenticate::Reach;
use super::end::END_OTHERS;
use super::{Auth, TokenUse};
use crate::token::refresh::Unproven;
use crate::{By, Caller, Error, Refusal};

impl Auth {
    /// Ends the session of a token of the asker's tenant. Whatever of ours proves the session does: an access token or a refresh
    /// token, also one that has expired or been followed by another. False where it is none of ours, or another tenant's: nothing
    /// is done then. It asks the right `sessionDelete`, whatever the token.
    pub fn revoke(&self, asker: &Caller, token: &str) -> Result<bool, Error> {
        asker.need(END_OTHERS)?;
        let tenant = asker.profile.tenant.id;
        let (session, token_use) = match self.names(token) {
            Ok(named) => named,
            Err(Error::Refused(Refusal::Token(_))) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut event = self.event(Action::SessionEnd, Outcome::Done, Subject::Session(session), Some(tenant))?;
        event.actor = asker.actor();
        event.details.insert("why".to_owned(), json!(EndedWhy::Admin.name()));
        event.details.insert("token".to_owned(), json!(token_use.name()));
        if let By::ApiKey(key) = asker.by {
            event.details.insert("api_key".to_owned(), json!(key));
        }
        Ok(self.store.write(|tx| {
            let Some(standing) = tx.sessions().find(session)? else { return Ok(false) };
            if standing.session.tenant != tenant {
                return Ok(false);
            }
            if tx.endings().end(session, EndedWhy::Admin, event.at)? {
                tx.audit().tell(&event)?;
            }
            Ok(true)
        })?)
    }

    /// The session that a token of ours names.
    fn names(&self, token: &str) -> Result<(SessionId, TokenUse), Error> {
        if Unproven::read(token.trim_ascii()).is_some() {
            return Ok((self.proven(token)?.1.session, TokenUse::Refresh));
        }
        let verified = self.verified(token, Reach::Store)?;
        let verified = verified.ok_or_else(|| Error::Fault("the store was not asked".to_owned()))?;
        Ok((verified.claims.sid, TokenUse::Access))
    }
}
