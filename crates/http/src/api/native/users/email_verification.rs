//! Verification of users' e-mail addresses by a mailed link.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use tillgate_auth_core::{Caller, OneTimeToken};
use tillgate_domain::UserId;

use super::mailed_link::MailedLinkBody;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::serving::response::render_json;

/// Requests a mail by whose link the user verifies their e-mail address.
pub(super) async fn request_verification(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let mail = call.mount().server.require_link_mail(&caller.profile.tenant.slug);
    let verification = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            // a caller without the right must not learn how the server is set up
            into_api_result(office.authorize_email_verification(id))?;
            mail?;
            let OneTimeToken { digest, .. } = context.auth.generate_link_token()?;
            into_api_result(office.request_email_verification(id, digest))
        })
        .await?;
    render_json(StatusCode::ACCEPTED, &MailedLinkBody::new(&verification.email, verification.expires_at))
}
