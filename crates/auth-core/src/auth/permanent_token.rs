//! Permanent tokens: generates one for a device, with the user's password.
//!
//! This is a login that claims the device's pairing instead of its seat; the throttle, the hash
//! queue, the claims and the denials are those of a login. The session is never rotated and never
//! expires. Its id names the pairing and is new for each generated token.

use tillgate_domain::SessionId;

use super::Auth;
use super::login::LoginKind;
use crate::{Error, IssuedTokens, LoginDenied, LoginIdentity, LoginRequest, RefreshRequest, RefreshTerms, Terms};

impl Auth {
    /// Generates the permanent token of a device and ends the previous one, even if another user
    /// generated it. Of the login's terms, only the lifetime of access tokens is used.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login), and [`LoginDenied::DeviceNotAllowed`] for a login without a
    /// device or of a device as itself.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn generate_permanent_token(&self, login: &LoginRequest) -> Result<IssuedTokens, Error> {
        if !matches!(login.identity, LoginIdentity::User { device: Some(_), .. }) {
            return Err(LoginDenied::DeviceNotAllowed.into());
        }
        let refresh = Some(RefreshTerms { idle: None, overlap: None, first_reusable: false });
        let terms = Terms {
            access: login.terms.access,
            refresh,
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        };
        self.login_as(&LoginRequest { terms, ..login.clone() }, LoginKind::Pairing, None)
    }

    /// Refreshes with a permanent token, which must belong to this pairing. Writes nothing, however
    /// often and from however many machines it is used; the token is valid until its session is
    /// ended.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn refresh_pairing(&self, request: &RefreshRequest<'_>, pairing: SessionId) -> Result<IssuedTokens, Error> {
        self.refresh_with_pairing(request, Some(pairing))
    }
}
