//! The page at which an invited user chooses a password: a form that works without scripts. A
//! script moves the token of the link into the form; without it, the person enters the token.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::one_time_token::digest_link_token;
use tillgate_auth_core::{AuthDenied, OneTimeTokenKind};
use tillgate_domain::{PrincipalId, Secret, User, office};
use tillgate_web::{InvitationNotice, InvitationPage};

use super::auth_pages::{SIGN_IN_PATH, TOKEN_PAGE_CSP, choose_language, redirect_to, render_page_with};
use super::cookies::CookieNames;
use crate::api::native::INVITATION_PATH;
use crate::context::office::deny_one_time_token;
use crate::error::{ApiError, ProtocolError};
use crate::percent::{encode, is_unreserved};
use crate::request::Request;
use crate::request::body;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, INVITATION_PATH, show_invitation),
        Route::public(Method::POST, INVITATION_PATH, accept_invitation),
    ]
}

async fn show_invitation(call: Request) -> Result<HttpResponse, ApiError> {
    CookieNames::require_for(call.head())?;
    Ok(InvitationForm::from_pairs(&[]).render(call.head(), StatusCode::OK, None))
}

async fn accept_invitation(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    check_origin(TrustedSenders::OwnPages, head)?;
    CookieNames::require_for(head)?;
    let form = InvitationForm::from_pairs(&body::read_form(head.headers(), call.body())?);
    match set_password(&call, &form).await {
        Ok(user) => {
            let login = encode(user.name.as_str(), is_unreserved);
            Ok(redirect_to(&format!("{}{SIGN_IN_PATH}?login={login}&saved=1", head.prefix())))
        }
        Err(failure) => form.render_failure(head, failure),
    }
}

/// Sets the password of the invited user, if the mount serves the user's tenant.
async fn set_password(call: &Request, form: &InvitationForm) -> Result<User, ApiError> {
    let (address, tenant) = (call.address(), call.tenant_id().await?);
    let (digest, password) = (digest_link_token(form.token.trim()), form.password.clone());
    call.with_office(move |context| {
        let deny = || deny_one_time_token(context, OneTimeTokenKind::Invitation, tenant, address);
        // checked before the password is hashed, so that guessing tokens is cheap for the server
        let found = office::unguarded::find_invited_user(context.store, tenant, &digest, context.auth.time().at)?;
        let Some(user) = found else { return Err(deny()?) };
        let words = context.unguarded(user.tenant).list_context_words(Some(PrincipalId::User(user.id)))?;
        let verifier = context.auth.hash_stranger_password(&password, &words, address)?;
        let audit_context = context.auth.system_context(address)?;
        match office::unguarded::accept_invitation(context.store, &audit_context, tenant, &digest, &verifier)? {
            Some(user) => Ok(user),
            None => Err(deny()?),
        }
    })
    .await
}

/// What the form sends.
struct InvitationForm {
    token: String,
    password: Secret<String>,
}

impl InvitationForm {
    /// Reads the fields; unknown ones are ignored, and of repeated ones the first counts.
    fn from_pairs(pairs: &[(String, String)]) -> Self {
        let field = |name: &str| pairs.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.clone());
        Self {
            token: field("token").unwrap_or_default(),
            password: Secret::new(field("new_password").unwrap_or_default()),
        }
    }

    fn render(&self, head: &RequestHead, status: StatusCode, notice: Option<InvitationNotice>) -> HttpResponse {
        let page =
            InvitationPage { language: choose_language(head), prefix: head.prefix(), token: &self.token, notice };
        render_page_with(head, status, TOKEN_PAGE_CSP, page.render())
    }

    /// Shows the form again with what to do, if the person can do something there.
    fn render_failure(&self, head: &RequestHead, failure: ApiError) -> Result<HttpResponse, ApiError> {
        let notice = match &failure {
            ApiError::Denied(AuthDenied::WeakPassword(_)) => InvitationNotice::WeakPassword,
            ApiError::Protocol(ProtocolError::InvalidFields(_)) => InvitationNotice::Invalid,
            ApiError::Unavailable { reason, .. } => {
                tracing::warn!(trace = head.trace_id(), reason, "unavailable");
                InvitationNotice::Unavailable
            }
            _ => return Err(failure),
        };
        head.meta().error_code.set(Some(failure.code()));
        let mut response = self.render(head, failure.status(), Some(notice));
        failure.insert_retry_after(response.headers_mut());
        Ok(response)
    }
}
