//! Operations on passwords that users and devices share: set a password, and unlock after too many
//! failed logins.

mod openapi;
mod request;
mod response;

use actix_web::HttpResponse;
use tillgate_auth_core::Caller;
use tillgate_domain::office::PasswordOptions;
use tillgate_domain::{ApiKey, DeviceId, PrincipalId, UserId};

use super::{body, no_content, revocations};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::partial_body::PartialBody;
pub(super) use openapi::example_changed_password;
use request::SetPassword;
pub(super) use request::{SetDevicePassword, SetUserPassword};
pub(super) use response::{ChangedPasswordBody, render_changed_password};

/// Sets the password of a user to the one in the body.
pub(super) async fn set_user_password(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let policy = call.auth().build_password_policy();
    let sent = body::read_partial_request(call, |sent: &SetUserPassword| sent.password_violations(policy, &[]))?;
    let (keys, options) = set_password(call, caller, PrincipalId::User(id), sent).await?;
    let response = render_changed_password(&keys, options.revoke_api_keys)?;
    Ok(revocations::with_position(call, response).await)
}

/// Sets the password of a device to the one in the body.
pub(super) async fn set_device_password(
    call: &Request,
    caller: Caller,
    id: DeviceId,
) -> Result<HttpResponse, ApiError> {
    let policy = call.auth().build_password_policy();
    let sent = body::read_partial_request(call, |sent: &SetDevicePassword| sent.password_violations(policy, &[]))?;
    set_password(call, caller, PrincipalId::Device(id), sent).await?;
    Ok(revocations::with_position(call, no_content()).await)
}

async fn set_password<T: SetPassword>(
    call: &Request,
    caller: Caller,
    principal: PrincipalId,
    mut sent: PartialBody<T>,
) -> Result<(Vec<ApiKey>, PasswordOptions), ApiError> {
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        // authorize before the password is hashed, which is expensive
        let words = match into_api_result(office.authorize_set_password(principal)) {
            Ok(()) => office.unguarded().list_context_words(Some(principal))?,
            Err(error) if sent.is_valid() => return Err(error),
            // an unauthorized caller must not learn from the violations which names exist
            Err(_) => Vec::new(),
        };
        sent.add(sent.body().password_violations(context.auth.build_password_policy(), &words));
        let sent = sent.check_body(|_| Ok(Vec::new()))?;
        let (password, options) = (sent.password().clone().require_value()?, sent.options());
        let verifier = context.auth.hash_new_password(&password, &words, caller.address)?;
        let keys = into_api_result(office.set_password_with(principal, &verifier, options))?;
        Ok((keys, options))
    })
    .await
}

/// Resets the failed logins.
pub(super) async fn unlock_principal(
    call: &Request,
    caller: Caller,
    principal: PrincipalId,
) -> Result<HttpResponse, ApiError> {
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.unlock_principal(principal))
    })
    .await?;
    Ok(no_content())
}
