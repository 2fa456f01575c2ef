//! ID tokens: access tokens with claims about the user. They are accepted wherever an access token
//! is.

use serde::Serialize;
use tillgate_domain::User;

use super::access_token::{Claims, sign_claims};
use crate::keys::SigningKey;

/// The claims of an ID token.
#[derive(Debug, Serialize)]
pub(crate) struct IdTokenClaims<'c> {
    /// The claims of the access token.
    #[serde(flatten)]
    pub(crate) claims: &'c Claims,
    /// The claims about the user.
    #[serde(flatten)]
    pub(crate) person: Option<UserClaims<'c>>,
}

/// Claims about a user (`OpenID` Connect Core 1.0, section 5.1).
#[derive(Debug, Serialize)]
pub(crate) struct UserClaims<'c> {
    name: &'c str,
    preferred_username: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'c str>,
    /// The instant of the newest change, in seconds.
    updated_at: i64,
}

impl<'c> UserClaims<'c> {
    pub(crate) fn of(user: &'c User) -> Self {
        Self {
            name: &user.display_name,
            preferred_username: user.name.as_str(),
            email: user.email.as_ref().map(tillgate_domain::Email::as_str),
            updated_at: user.updated_at.seconds(),
        }
    }
}

impl IdTokenClaims<'_> {
    /// Signs the claims as an ID token.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, jsonwebtoken::errors::Error> {
        sign_claims(self, key)
    }
}
