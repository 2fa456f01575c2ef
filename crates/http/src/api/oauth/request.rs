//! Form parameters of a request; each may occur at most once (RFC 6749, 3.2).

use std::collections::BTreeMap;

use actix_web::http::header::HeaderMap;
use tillgate_domain::Secret;

use crate::error::ApiError;
use crate::request::body;

/// The parameters of a request. A parameter without a value is treated as omitted (RFC 6749, 3.2).
pub(super) struct FormParameters(BTreeMap<String, String>);

impl FormParameters {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in body::read_form(headers, body)? {
            if parameters.insert(name, value).is_some() {
                return Err(ApiError::malformed("a parameter is repeated"));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes the token to introspect or revoke.
    pub(super) fn take_token(&mut self) -> Result<Secret<String>, ApiError> {
        let token = self.take("token").ok_or_else(|| ApiError::malformed("the parameter `token` is missing"))?;
        Ok(Secret::new(normalize_token(token)))
    }
}

/// Converts a token to the engine's encoding. Refresh tokens are base64url; only PORTOS writes them
/// in standard base64 (RFC 4648, 4 and 5), and no other token contains the characters by which
/// these differ.
fn normalize_token(token: String) -> String {
    let standard = token.contains(['+', '/']) && !token.contains(['-', '_', '=']);
    if standard { token.replace('+', "-").replace('/', "_") } else { token }
}
