//! Token revocation (RFC 7009). Revoking any token of a session ends the session with all of its
//! tokens.

use actix_web::HttpResponse;
use tillgate_auth_core::Caller;

use super::error;
use super::request::FormParameters;
use crate::error::ApiError;
use crate::request::Request;

/// The supported token types (RFC 7009, 2.1).
const TOKEN_TYPE_HINTS: [&str; 2] = ["access_token", "refresh_token"];

/// Revokes a token. An unknown token counts as revoked (RFC 7009, 2.2), unless the hint is an
/// unsupported token type: then the client must not believe that such a token was revoked.
pub(super) async fn revoke_token(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut form = FormParameters::read(call.head().headers(), call.body())?;
    let (token, hint) = (form.take_token()?, form.take("token_type_hint"));
    let is_own_token = call.run_blocking(move |auth| auth.revoke_token(&caller, token.expose())).await?;
    let unsupported = hint.is_some_and(|hint| !TOKEN_TYPE_HINTS.contains(&hint.as_str()));
    if !is_own_token && unsupported {
        Ok(error::render_unsupported_token_type())
    } else {
        Ok(HttpResponse::Ok().finish())
    }
}
