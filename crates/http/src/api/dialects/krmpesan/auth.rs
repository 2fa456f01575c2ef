//! krmpesan's refresh: a permanent token and its pairing in the query; an access token and an ID
//! token in the response.
//!
//! The query is a secret. Only this module reads it, and no error repeats it.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::{AuthDenied, TokenDenied};
use tillgate_domain::{Secret, SessionId};

use crate::error::ApiError;
use crate::request::Request;
use crate::request::head::RequestHead;
use crate::request::query::QueryParameters;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::response;
use crate::serving::route::Route;

/// Paths of the refresh; clients use both.
pub(super) const TOKEN_PATHS: [&str; 2] = ["/token", "/tokens"];

/// The routes; `wrong` limits wrong tokens per address.
pub(super) fn routes(wrong: &Arc<RateLimiter>) -> Vec<Route> {
    let route = |method, path| {
        let wrong = Arc::clone(wrong);
        Route::public(method, path, move |call| refresh_session(call, Arc::clone(&wrong)))
    };
    TOKEN_PATHS.into_iter().flat_map(|path| [route(Method::GET, path), route(Method::POST, path)]).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TokensBody<'g> {
    access_token: &'g str,
    /// Lifetime of the access token in seconds.
    expires_in: u64,
    token_type: &'static str,
    id_token: &'g str,
}

async fn refresh_session(call: Request, wrong: Arc<RateLimiter>) -> Result<HttpResponse, ApiError> {
    let (token, pairing) = read_refresh(call.head())?;
    let result = match pairing {
        Some(pairing) => call.refresh_pairing(token, pairing).await,
        None => Err(ApiError::Denied(TokenDenied::Invalid.into())),
    };
    // counted after the refresh: a valid token must not be blocked by wrong ones of others behind
    // the same address, and an ended or suspended one gets its own error every time
    if let Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid | TokenDenied::WrongAudience))) = &result {
        wrong.check_rate(call.head())?;
    }
    let issued = result?;
    let id_token = issued.id_token.as_ref();
    let id_token = id_token.ok_or_else(|| ApiError::Fault("a krmpesan session without an id token".to_owned()))?;
    let tokens = TokensBody {
        access_token: issued.access_token.expose(),
        expires_in: issued.access_expires_in.as_secs(),
        token_type: "Bearer",
        id_token: id_token.expose(),
    };
    response::render_json(StatusCode::OK, &tokens)
}

/// Reads the refresh token, and the pairing if the text can be the id of one. An empty parameter is
/// a missing one.
fn read_refresh(head: &RequestHead) -> Result<(Secret<String>, Option<SessionId>), ApiError> {
    let mut query = QueryParameters::lenient(head);
    let token = take_nonempty(&mut query, "refresh_token");
    let pairing = take_nonempty(&mut query, "device_id").or_else(|| take_nonempty(&mut query, "device_key"));
    if token.is_none() {
        query.add_violation("refresh_token", "required", "is required");
    }
    if pairing.is_none() {
        query.add_violation("device_id", "required", "is required; device_key is accepted too");
    }
    let (token, pairing) = query.finish((token.unwrap_or_default(), pairing.unwrap_or_default()))?;
    Ok((Secret::new(token), parse_pairing(&pairing)))
}

fn take_nonempty(query: &mut QueryParameters, name: &'static str) -> Option<String> {
    query.parse::<String>(name, "must be text").filter(|text| !text.is_empty())
}

/// Parses the id of a pairing, which must be in canonical form.
fn parse_pairing(text: &str) -> Option<SessionId> {
    text.parse::<SessionId>().ok().filter(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairing_id_has_one_spelling() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(parse_pairing(id).map(|id| id.to_string()).as_deref(), Some(id));
        for other in ["", "P01", &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!(" {id}")] {
            assert_eq!(parse_pairing(other), None, "{other}");
        }
    }
}
