//! Token revocation (RFC 7009). Whichever token of a session is revoked, the session ends, and every token of it with it.

use actix_web::HttpResponse;
use tillgate_auth_core::Caller;

use super::error;
use super::request::FormParameters;
use crate::error::ApiError;
use crate::request::Request;

/// Where it is, below the mount's prefix.
pub(super) const REVOKE_PATH: &str = "/revoke";

/// What kinds of tokens there are (RFC 7009, 2.1).
const TOKEN_TYPE_HINTS: [&str; 2] = ["access_token", "refresh_token"];

/// A token that is none of ours is gone as it should be (RFC 7009, 2.2). Where the hint names a kind that there is not here, nobody
/// is told that one of those was revoked.
pub(super) async fn revoke_token(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut form = FormParameters::read(call.head().headers(), call.body())?;
    let (token, hint) = (form.take_token()?, form.take("token_type_hint"));
    let ours = call.run_blocking(move |engine| engine.revoke_token(&caller, token.expose())).await?;
    let unsupported = hint.is_some_and(|hint| !TOKEN_TYPE_HINTS.contains(&hint.as_str()));
    if !ours && unsupported { Ok(error::render_unsupported_token_type()) } else { Ok(HttpResponse::Ok().finish()) }
}
