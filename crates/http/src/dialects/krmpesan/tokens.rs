//! krmpesan's refresh: a permanent token and its pairing in the query, an access token and an id token in the answer.
//!
//! The query is a secret. It is read here and nowhere else; what fails never repeats it.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use tillgate_auth_core::{Refusal, TokenRefusal};
use tillgate_domain::{Secret, SessionId};

use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::head::Head;
use crate::limiter::Limiter;
use crate::query::Parameters;
use crate::route::Route;

/// Where a token is refreshed: both are in use.
pub(super) const PATHS: [&str; 2] = ["/token", "/tokens"];

/// The calls; `wrong` counts the wrong tokens of an address.
pub(super) fn routes(wrong: &Arc<Limiter>) -> Vec<Route> {
    let route = |method, path| {
        let wrong = Arc::clone(wrong);
        Route::open(method, path, move |call| refresh(call, Arc::clone(&wrong)))
    };
    PATHS.into_iter().flat_map(|path| [route(Method::GET, path), route(Method::POST, path)]).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tokens<'g> {
    access_token: &'g str,
    /// In seconds.
    expires_in: u64,
    token_type: &'static str,
    id_token: &'g str,
}

async fn refresh(call: Call, wrong: Arc<Limiter>) -> Result<HttpResponse, Failure> {
    let (token, pairing) = sent(call.head())?;
    let answered = match pairing {
        Some(pairing) => call.refresh_paired(token, pairing).await,
        None => Err(Failure::Refused(TokenRefusal::Invalid.into())),
    };
    // counted after the look at it: a good token is never held up by others' wrong ones from the same address, and one that was
    // ended or is held back is told so each time
    if let Err(Failure::Refused(Refusal::Token(TokenRefusal::Invalid | TokenRefusal::Foreign))) = &answered {
        wrong.admit(call.head())?;
    }
    let granted = answered?;
    let id_token = granted.id_token.as_ref();
    let id_token = id_token.ok_or_else(|| Failure::Fault("a krmpesan session without an id token".to_owned()))?;
    let tokens = Tokens {
        access_token: granted.access_token.expose(),
        expires_in: granted.access_life.as_secs(),
        token_type: "Bearer",
        id_token: id_token.expose(),
    };
    answer::json(StatusCode::OK, &tokens)
}

/// The refresh token, and the pairing where the text can be one's name. An empty parameter is a missing one.
fn sent(head: &Head) -> Result<(Secret<String>, Option<SessionId>), Failure> {
    let mut query = Parameters::of(head);
    let token = filled(&mut query, "refresh_token");
    let pairing = filled(&mut query, "device_id").or_else(|| filled(&mut query, "device_key"));
    if token.is_none() {
        query.fault("refresh_token", "required", "is required");
    }
    if pairing.is_none() {
        query.fault("device_id", "required", "is required; device_key is taken too");
    }
    let (token, pairing) = query.checked((token.unwrap_or_default(), pairing.unwrap_or_default()))?;
    Ok((Secret::new(token), named(&pairing)))
}

fn filled(query: &mut Parameters, name: &'static str) -> Option<String> {
    query.take::<String>(name, "must be text").filter(|text| !text.is_empty())
}

/// The pairing of exactly this name.
fn named(text: &str) -> Option<SessionId> {
    text.parse::<SessionId>().ok().filter(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pairing_has_one_spelling() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(named(id).map(|id| id.to_string()).as_deref(), Some(id));
        for other in ["", "P01", &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!(" {id}")] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
