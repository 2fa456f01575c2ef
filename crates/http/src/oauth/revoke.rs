//! Token revocation (RFC 7009). Whichever token of a session is revoked, the session ends, and every token of it with it.

use actix_web::HttpResponse;
use tillgate_auth_core::Caller;

use super::form::Form;
use super::words;
use crate::call::Call;
use crate::failure::Failure;

/// Where it is, below the mount's prefix.
pub(super) const PATH: &str = "/revoke";

/// What kinds of tokens there are (RFC 7009, 2.1).
const HINTS: [&str; 2] = ["access_token", "refresh_token"];

/// A token that is none of ours is gone as it should be (RFC 7009, 2.2). Where the hint names a kind that there is not here, nobody
/// is told that one of those was revoked.
pub(super) async fn revoke(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut form = Form::read(call.head().headers(), call.body())?;
    let (token, hint) = (form.token()?, form.take("token_type_hint"));
    let ours = call.block(move |engine| engine.revoke(&caller, token.expose())).await?;
    let unsupported = hint.is_some_and(|hint| !HINTS.contains(&hint.as_str()));
    if !ours && unsupported { Ok(words::unsupported()) } else { Ok(HttpResponse::Ok().finish()) }
}
