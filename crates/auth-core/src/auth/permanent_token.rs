//! Generating: a permanent token of a user for a device, after the user's password.
//!
//! It is a login that takes the device's pairing instead of its seat: throttle, queue, claims and refusals are a login's own. The
//! session is never rotated and never expires; the id of the session names the pairing, new at each generation.

use tillgate_domain::SessionId;

use super::Auth;
use super::login::LoginKind;
use crate::{Error, IssuedTokens, LoginDenied, LoginIdentity, LoginRequest, RefreshRequest, RefreshTerms, Terms};

impl Auth {
    /// Generates the permanent token of a device, and ends the one that the device had, whoever generated it. Of the login's terms
    /// only the life of access tokens counts. Nobody but a user on a device can: a device itself, or a user in the office, is
    /// refused.
    pub fn generate_permanent_token(&self, login: &LoginRequest) -> Result<IssuedTokens, Error> {
        if !matches!(login.identity, LoginIdentity::User { device: Some(_), .. }) {
            return Err(LoginDenied::DeviceNotAllowed.into());
        }
        let refresh = Some(RefreshTerms { idle: None, overlap: None, first_reusable: false });
        let terms =
            Terms { access: login.terms.access, refresh, absolute: None, midnight: false, exchange_overlap: None };
        self.login_as(&LoginRequest { terms, ..login.clone() }, LoginKind::Pairing, None)
    }

    /// Refreshes by a permanent token, which must be the one of this pairing. Nothing is written, however often and from however
    /// many places it comes: it is good until it is ended.
    pub fn refresh_pairing(&self, refreshing: &RefreshRequest<'_>, pairing: SessionId) -> Result<IssuedTokens, Error> {
        self.refresh_with_pairing(refreshing, Some(pairing))
    }
}
