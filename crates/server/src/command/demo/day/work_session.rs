//! The session of a person at a till, as the till's program uses it.

use std::net::IpAddr;

use tillgate_auth_core::auth::Auth;
use tillgate_auth_core::{AuthRequest, Caller, DialectName, IssuedTokens, RefreshRequest, RequestCredentials};

use crate::command::CommandError;

/// A session with its tokens.
pub(super) struct WorkSession {
    pub(super) dialect: DialectName,
    pub(super) address: IpAddr,
    pub(super) tokens: IssuedTokens,
}

impl WorkSession {
    /// The caller of a request that is sent now. Refreshes the session first if its access token
    /// has expired.
    pub(super) fn authenticate(&mut self, auth: &Auth) -> Result<Caller, CommandError> {
        if self.tokens.access_expires_at <= auth.time().at
            && let Some(refresh_token) = &self.tokens.refresh_token
        {
            let request = RefreshRequest {
                address: Some(self.address),
                ..RefreshRequest::new(&self.dialect, refresh_token.expose())
            };
            self.tokens = auth.refresh(&request).map_err(CommandError::failed)?;
        }
        let request = AuthRequest {
            credentials: RequestCredentials::Bearer(self.tokens.access_token.expose()),
            dialect: &self.dialect,
            tenant: None,
            address: Some(self.address),
        };
        auth.authenticate(&request).map_err(CommandError::failed)
    }
}
