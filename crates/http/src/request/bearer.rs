//! Access tokens in the `Authorization` header (RFC 6750, 2.1), as used by most contracts.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use tillgate_auth_core::{AuthDenied, RequestCredentials, TokenDenied};

use crate::error::ApiError;

/// The challenge for an access token (RFC 6750, 3).
pub(crate) const BEARER_CHALLENGE: &str = "Bearer realm=\"tillgate\"";

/// Reads the token after `Bearer`, ignoring its case; no credentials if the header uses another
/// scheme.
///
/// # Errors
/// The header is repeated or is not text, so that different readers could see different tokens.
pub fn read_bearer(headers: &HeaderMap) -> Result<RequestCredentials<'_>, ApiError> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(RequestCredentials::None) };
    let unreadable = || ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid));
    let (None, Ok(line)) = (lines.next(), line.to_str()) else { return Err(unreadable()) };
    let (scheme, token) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(RequestCredentials::Bearer(token.trim()))
    } else {
        Ok(RequestCredentials::None)
    }
}
