//! Invitations of users to choose a password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{Caller, OneTimeToken};
use tillgate_domain::{Instant, PrincipalId, Secret, UserId};
use utoipa::ToSchema;

use super::mailed_link::MailedLinkBody;
use super::office_links::invitation_path;
use super::request::{InvitationDelivery, InviteUser};
use crate::api::native::body;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::serving::response::render_json;
use crate::timestamps::serialize_instant;

/// An invitation of a user to choose a password.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody<'i> {
    /// The token, which works once. It is returned only in this response.
    token: &'i str,
    /// Path of the page of the back office at which the user chooses the password, with the token;
    /// null if the server serves no back office for browsers. Add it to the address of the server.
    path: Option<String>,
    /// When the invitation expires.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl<'i> InvitationBody<'i> {
    /// An invitation for the back office for browsers at this prefix.
    pub fn new(token: &'i Secret<String>, office_prefix: Option<&str>, expires_at: Instant) -> Self {
        let token = token.expose();
        Self { token, path: office_prefix.map(|prefix| invitation_path(prefix, token)), expires_at }
    }

    /// The path with the token, or the token alone without a back office for browsers.
    pub fn path_or_token(&self) -> &str {
        self.path.as_deref().unwrap_or(self.token)
    }
}

/// Invites the user to choose a password.
pub(super) async fn invite_user(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    match body::read_optional_request::<InviteUser>(call)?.delivery() {
        InvitationDelivery::Show => invite_with_token(call, caller, id).await,
        InvitationDelivery::Mail => invite_by_mail(call, caller, id).await,
    }
}

/// Invites the user by a mail.
async fn invite_by_mail(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let mail = call.mount().server.require_link_mail(&caller.profile.tenant.slug);
    let invitation = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            // a caller without the right must not learn how the server is set up
            into_api_result(office.authorize_set_password(PrincipalId::User(id)))?;
            mail?;
            let OneTimeToken { digest, .. } = context.auth.generate_link_token()?;
            into_api_result(office.invite_user_by_mail(id, digest))
        })
        .await?;
    let email = invitation.email.ok_or_else(|| ApiError::Fault("a mailed invitation has no address".to_owned()))?;
    render_json(StatusCode::ACCEPTED, &MailedLinkBody::new(&email, invitation.expires_at))
}

async fn invite_with_token(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.slug.clone();
    let (token, invitation) = call
        .with_office(move |context| {
            let OneTimeToken { token, digest } = context.auth.generate_link_token()?;
            let invitation = into_api_result(context.for_caller(&caller)?.invite_user(id, digest))?;
            Ok((token, invitation))
        })
        .await?;
    let prefix = call.mount().server.office_prefix(&tenant);
    render_json(StatusCode::CREATED, &InvitationBody::new(&token, prefix, invitation.expires_at))
}
