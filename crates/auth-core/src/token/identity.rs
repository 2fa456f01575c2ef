//! Id tokens: access tokens that also say who the user is. Whoever checks an access token takes one.

use serde::Serialize;
use tillgate_domain::User;

use super::access::{Claims, sign_claims};
use crate::keys::SigningKey;

/// An id token's claims.
#[derive(Debug, Serialize)]
pub(crate) struct IdTokenClaims<'c> {
    /// Those of the access token.
    #[serde(flatten)]
    pub(crate) claims: &'c Claims,
    /// Who the user is.
    #[serde(flatten)]
    pub(crate) person: Option<UserClaims<'c>>,
}

/// Who a user is, in the words of `OpenID` Connect Core 1.0, 5.1.
#[derive(Debug, Serialize)]
pub(crate) struct UserClaims<'c> {
    name: &'c str,
    preferred_username: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'c str>,
    /// In seconds.
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
    /// The token.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, jsonwebtoken::errors::Error> {
        sign_claims(self, key)
    }
}
