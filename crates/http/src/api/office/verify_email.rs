//! The page at which a person verifies their e-mail address with the token of a mailed link.
//! Opening the link changes nothing, because mail filters open links, too; a button does.
//!
//! The page names the shop and the address, so that the person knows what they confirm. Who has the
//! token has read the mail to this address. Without a valid token, the page says nothing about it.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::OneTimeTokenKind;
use tillgate_auth_core::one_time_token::digest_link_token;
use tillgate_domain::User;
use tillgate_domain::office::{self, EmailVerificationView};
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
    match find_verification(&call, token.trim()).await {
        Ok(Some(EmailVerificationView { tenant_name, email })) => {
            let state = VerifyEmailState::Confirm { shop: &tenant_name, email: email.as_str() };
            Ok(render(head, StatusCode::OK, &token, state))
        }
        Ok(None) => Ok(render_invalid(head)),
        Err(failure) => render_failure(head, &token, failure),
    }
}

async fn verify_email(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    check_origin(TrustedSenders::OwnPages, head)?;
    CookieNames::require_for(head)?;
    let token = find_token(body::read_form(head.headers(), call.body())?);
    match consume_token(&call, token.trim()).await {
        Ok(Some(_)) => Ok(render(head, StatusCode::OK, "", VerifyEmailState::Verified)),
        Ok(None) => Ok(render_invalid(head)),
        Err(failure) => render_failure(head, &token, failure),
    }
}

/// What the token verifies; `None` if it is not valid. The page without a token is no guess.
async fn find_verification(call: &Request, token: &str) -> Result<Option<EmailVerificationView>, ApiError> {
    let (address, tenant) = (call.address(), call.tenant_id().await?);
    let (digest, is_guess) = (digest_link_token(token), !token.is_empty());
    call.with_office(move |context| {
        let now = context.auth.time().at;
        let found = office::unguarded::find_email_verification(context.store, tenant, &digest, now)?;
        if found.is_none() && is_guess {
            context.auth.record_token_denial(OneTimeTokenKind::EmailVerification, tenant, address)?;
        }
        Ok(found)
    })
    .await
}

/// Verifies the address to which the token was mailed; `None` if the token is not valid.
async fn consume_token(call: &Request, token: &str) -> Result<Option<User>, ApiError> {
    let (address, tenant) = (call.address(), call.tenant_id().await?);
    let digest = digest_link_token(token);
    call.with_office(move |context| {
        let audit_context = context.auth.system_context(address)?;
        let verified = office::unguarded::verify_email(context.store, &audit_context, tenant, &digest)?;
        if verified.is_none() {
            context.auth.record_token_denial(OneTimeTokenKind::EmailVerification, tenant, address)?;
        }
        Ok(verified)
    })
    .await
}

/// The token among the fields of the link or the form; empty if there is none.
fn find_token(pairs: Vec<(String, String)>) -> String {
    pairs.into_iter().find(|(name, _)| name == "token").map(|(_, value)| value).unwrap_or_default()
}

/// The same page whatever the reason: the token is unknown, used, expired, or of another tenant.
fn render_invalid(head: &RequestHead) -> HttpResponse {
    head.meta().error_code.set(Some("fields_invalid"));
    render(head, StatusCode::UNPROCESSABLE_ENTITY, "", VerifyEmailState::Invalid)
}

/// Shows the button again if the failure is temporary.
fn render_failure(head: &RequestHead, token: &str, failure: ApiError) -> Result<HttpResponse, ApiError> {
    let ApiError::Unavailable { reason, .. } = &failure else { return Err(failure) };
    tracing::warn!(trace = head.trace_id(), reason, "unavailable");
    head.meta().error_code.set(Some(failure.code()));
    let mut response = render(head, failure.status(), token, VerifyEmailState::Unavailable);
    failure.insert_retry_after(response.headers_mut());
    Ok(response)
}

fn render(head: &RequestHead, status: StatusCode, token: &str, state: VerifyEmailState<'_>) -> HttpResponse {
    let page = VerifyEmailPage { language: choose_language(head), prefix: head.prefix(), token, state };
    render_page(head, status, page.render())
}
