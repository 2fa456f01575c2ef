//! Access tokens in the `Authorization` header (RFC 6750, 2.1), as most contracts take them.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use tillgate_auth_core::{AuthDenied, RequestCredentials, TokenDenied};

use crate::error::ApiError;

/// What asks for a token (RFC 6750, 3).
pub(crate) const BEARER_CHALLENGE: &str = "Bearer realm=\"tillgate\"";

/// The token after `Bearer`, whatever its case; nothing where another scheme is named.
///
/// # Errors
/// The header comes twice or is no text: what one reader took from it, another might not.
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
