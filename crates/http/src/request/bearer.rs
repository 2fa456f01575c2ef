//! Access tokens in the `Authorization` header (RFC 6750, 2.1), as used by most contracts.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use tillgate_auth_core::{AuthDenied, DpopCredentials, ProofRetention, RequestCredentials, TokenDenied};

use crate::error::ApiError;
use crate::request::dpop::read_proof;
use crate::request::head::RequestHead;

/// The challenge for an access token (RFC 6750, 3).
pub(crate) const BEARER_CHALLENGE: &str = "Bearer realm=\"tillgate\"";

/// Reads the token after `Bearer`, ignoring its case; no credentials if the header uses another
/// scheme.
///
/// # Errors
/// The header is repeated or is not text, so that different readers could see different tokens.
pub fn read_bearer(headers: &HeaderMap) -> Result<RequestCredentials<'_>, ApiError> {
    Ok(match read_authorization(headers)? {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => RequestCredentials::Bearer(token),
        _ => RequestCredentials::None,
    })
}

/// Reads the token after `Bearer` like [`read_bearer`], or the token after `DPoP` with the proof of
/// its key (RFC 9449, 7.1).
///
/// # Errors
/// Those of [`read_bearer`].
pub(crate) fn read_bearer_or_dpop(head: &RequestHead) -> Result<RequestCredentials<'_>, ApiError> {
    Ok(match read_authorization(head.headers())? {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => RequestCredentials::Bearer(token),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => RequestCredentials::Dpop(DpopCredentials {
            token,
            proof: read_proof(head),
            retention: if head.method().is_safe() { ProofRetention::Memory } else { ProofRetention::Store },
        }),
        _ => RequestCredentials::None,
    })
}

/// Reads the scheme and what follows it.
fn read_authorization(headers: &HeaderMap) -> Result<Option<(&str, &str)>, ApiError> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    let unreadable = || ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid));
    let (None, Ok(line)) = (lines.next(), line.to_str()) else { return Err(unreadable()) };
    let (scheme, token) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    Ok(Some((scheme, token.trim())))
}
