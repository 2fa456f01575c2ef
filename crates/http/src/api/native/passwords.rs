//! Operations on passwords that users and devices share: set a password, and unlock after too many
//! failed logins.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tillgate_auth_core::Caller;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::PasswordOptions;
use tillgate_domain::{ApiKey, ApiKeyId, DeviceId, PrincipalId, Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use super::body::PartialBody;
use super::key_status::KeyStatus;
use super::schemas::ApiKeyStatus;
use super::{body, no_content};
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldViolation};
use crate::request::Request;
use crate::request::field::{BodyField, check_password, well_typed};
use crate::serving::response;

/// A new password of a device.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SetDevicePassword {
    /// New password: 8 to 128 characters, not a common password, not made of the tenant's or a
    /// device's name.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
}

/// A new password of a user.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SetUserPassword {
    /// New password: 8 to 128 characters, not a common password, not made of the user's, the
    /// tenant's or a device's name.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// Whether the user's API keys are revoked too; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    keys: BodyField<bool>,
    /// Whether the user must change this password at the next login; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: BodyField<bool>,
}

/// Identification of an API key.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeySummary<'k> {
    /// Id of the key.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// The client id by which the program identifies itself; not secret.
    client_id: &'k str,
    /// Display name of the key.
    name: &'k str,
    /// `revoked` if this request revoked the key, otherwise `active`.
    #[schema(value_type = ApiKeyStatus)]
    status: &'static str,
}

impl<'k> ApiKeySummary<'k> {
    pub(super) fn from_key(key: &'k ApiKey) -> Self {
        Self::with_status(key, key.active)
    }

    fn with_status(key: &'k ApiKey, active: bool) -> Self {
        Self { id: key.id, client_id: &key.client_id, name: &key.name, status: KeyStatus::from_active(active).name() }
    }
}

/// The API keys of a user whose password was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedPassword)]
pub(super) struct ChangedPasswordBody<'k> {
    /// The user's API keys that were active. A key works without a password, so someone who knew
    /// the old password may have some of them.
    api_keys: Vec<ApiKeySummary<'k>>,
}

/// Example of a changed password in the document.
pub(super) fn example_changed_password() -> Value {
    json!({ "api_keys": [{
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "status": "active",
    }] })
}

/// Renders the response to a change of a user's password.
pub(super) fn render_changed_password(keys: &[ApiKey], ended: bool) -> Result<HttpResponse, ApiError> {
    let api_keys = keys.iter().map(|key| ApiKeySummary::with_status(key, !ended)).collect();
    response::render_json(StatusCode::OK, &ChangedPasswordBody { api_keys })
}

/// Sets the password of a user to the one in the body.
pub(super) async fn set_user_password(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let policy = call.auth().build_password_policy();
    let sent = body::read_partial_request(call, |sent: &SetUserPassword| sent.password_violations(policy, &[]))?;
    let (keys, options) = set_password(call, caller, PrincipalId::User(id), sent).await?;
    render_changed_password(&keys, options.revoke_api_keys)
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
    Ok(no_content())
}

/// A body with a new password.
trait SetPassword: Sized + Send + 'static {
    fn password(&self) -> &BodyField<Secret<String>>;
    fn options(&self) -> PasswordOptions;

    /// Validates the password against these words.
    fn password_violations(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldViolation> {
        check_password(policy, "password", self.password(), words)
    }
}

impl SetPassword for SetUserPassword {
    fn password(&self) -> &BodyField<Secret<String>> {
        &self.password
    }

    fn options(&self) -> PasswordOptions {
        PasswordOptions {
            revoke_api_keys: self.keys.as_value().copied().unwrap_or(false),
            require_change: self.password_change_required.as_value().copied().unwrap_or(false),
        }
    }
}

impl SetPassword for SetDevicePassword {
    fn password(&self) -> &BodyField<Secret<String>> {
        &self.password
    }

    fn options(&self) -> PasswordOptions {
        PasswordOptions::default()
    }
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
