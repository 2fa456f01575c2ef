//! PosStar's password reset: a token by mail, and a new password for the token.
//!
//! A request for a reset does the same work whether or not the address belongs to a user: it writes
//! one row, which the background thread that sends mail processes later.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::OneTimeTokenKind;
use tillgate_auth_core::one_time_token::digest_link_token;
use tillgate_domain::office::{self, ports::ResetRequest};
use tillgate_domain::{Email, PrincipalId, ResetId, Secret};

use super::paths::{FORGOT_PASSWORD_PATH, RESET_PASSWORD_PATH};
use super::request::{ForgotPasswordBody, ResetPasswordBody};
use super::response::MessageBody;
use crate::context::office::deny_one_time_token;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::field::check_password;
use crate::request::partial_body::{validate_body, validate_body_with};
use crate::serving::response;
use crate::serving::route::Route;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::public(Method::POST, FORGOT_PASSWORD_PATH, request_reset),
        Route::public(Method::POST, RESET_PASSWORD_PATH, reset_password),
    ]
}

async fn request_reset(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: ForgotPasswordBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    // a malformed address belongs to nobody
    if let Ok(email) = Email::parse(&sent.email.into_value().unwrap_or_default()) {
        let (address, tenant) = (call.address(), call.tenant_id().await?);
        call.with_office(move |context| {
            let (id, now) = (context.auth.new_id(ResetId::new)?, context.auth.time().at);
            let request = ResetRequest { id, email, tenant, address, requested_at: now, due_at: now, tries: 0 };
            Ok(office::unguarded::request_reset(context.store, &request)?)
        })
        .await?;
    }
    response::render_json(StatusCode::OK, &MessageBody { message: "If the email exists, a reset link has been sent." })
}

async fn reset_password(call: Request) -> Result<HttpResponse, ApiError> {
    let sent = body::read_object::<ResetPasswordBody>(call.head().headers(), call.body())?;
    let policy = call.auth().build_password_policy();
    let sent = validate_body_with(sent, |sent| check_password(policy, "password", &sent.password, &[]))?;
    let digest = digest_link_token(&sent.token.into_value().unwrap_or_default());
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    let (address, tenant) = (call.address(), call.tenant_id().await?);
    call.with_office(move |context| {
        let deny = || deny_one_time_token(context, OneTimeTokenKind::PasswordReset, tenant, address);
        // checked before the password is hashed, so that guessing tokens is cheap for the server
        let found = office::unguarded::find_reset_user(context.store, tenant, &digest, context.auth.time().at)?;
        let Some(holder) = found else { return Err(deny()?) };
        let words = context.unguarded(holder.tenant).list_context_words(Some(PrincipalId::User(holder.id)))?;
        let verifier = context.auth.hash_stranger_password(&password, &words, address)?;
        let audit_context = context.auth.system_context(address)?;
        match office::unguarded::reset_password(context.store, &audit_context, tenant, &digest, &verifier)? {
            Some(_) => Ok(()),
            None => Err(deny()?),
        }
    })
    .await?;
    response::render_json(StatusCode::OK, &MessageBody { message: "Password has been reset." })
}
