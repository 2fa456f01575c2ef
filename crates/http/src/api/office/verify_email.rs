//! The page at which a person verifies their e-mail address with the token of a mailed link.
//! Opening the link changes nothing, because mail filters open links, too; a button does.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::one_time_token::digest_link_token;
use tillgate_domain::User;
use tillgate_domain::office::{self, ports::VerificationDigest};
use tillgate_web::{VerifyEmailPage, VerifyEmailState};

use super::auth_pages::{choose_language, render_page};
use super::cookies::CookieNames;
use crate::api::native::VERIFY_EMAIL_PATH;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::form::read_form_pairs;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, VERIFY_EMAIL_PATH, show_form),
        Route::public(Method::POST, VERIFY_EMAIL_PATH, verify_email),
    ]
}

async fn show_form(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    CookieNames::require_for(head)?;
    let token = find_token(read_form_pairs(head.query().as_bytes()).unwrap_or_default());
    Ok(render(head, StatusCode::OK, &token, VerifyEmailState::Confirm))
}

async fn verify_email(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    check_origin(TrustedSenders::OwnPages, head)?;
    CookieNames::require_for(head)?;
    let token = find_token(body::read_form(head.headers(), call.body())?);
    let digest = digest_link_token(token.trim());
    match consume_token(&call, digest).await {
        Ok(Some(_)) => Ok(render(head, StatusCode::OK, "", VerifyEmailState::Verified)),
        Ok(None) => {
            head.meta().error_code.set(Some("fields_invalid"));
            Ok(render(head, StatusCode::UNPROCESSABLE_ENTITY, "", VerifyEmailState::Invalid))
        }
        Err(ref failure @ ApiError::Unavailable { ref reason, .. }) => {
            tracing::warn!(trace = head.trace_id(), reason, "unavailable");
            head.meta().error_code.set(Some(failure.code()));
            let mut answer = render(head, failure.status(), &token, VerifyEmailState::Unavailable);
            failure.insert_retry_after(answer.headers_mut());
            Ok(answer)
        }
        Err(failure) => Err(failure),
    }
}

/// Verifies the address to which the token of this digest was mailed; `None` if it is not valid.
async fn consume_token(call: &Request, digest: VerificationDigest) -> Result<Option<User>, ApiError> {
    let (address, tenant) = (call.address(), call.tenant_id().await?);
    call.with_office(move |context| {
        let audit_context = context.auth.system_context(address)?;
        Ok(office::unguarded::verify_email(context.store, &audit_context, tenant, &digest)?)
    })
    .await
}

/// The token among the fields of the link or the form; empty if there is none.
fn find_token(pairs: Vec<(String, String)>) -> String {
    pairs.into_iter().find(|(name, _)| name == "token").map(|(_, value)| value).unwrap_or_default()
}

fn render(head: &RequestHead, status: StatusCode, token: &str, state: VerifyEmailState) -> HttpResponse {
    let page = VerifyEmailPage { language: choose_language(head), prefix: head.prefix(), token, state };
    render_page(head, status, page.render())
}
