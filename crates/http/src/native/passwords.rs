//! What the native API does alike for users and for devices: it sets the password that they log in with, and lets them log in again
//! whom wrong ones hold back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tillgate_auth_core::Caller;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::office::PasswordOptions;
use tillgate_domain::{ApiKey, ApiKeyId, DeviceId, PrincipalId, Secret, UserId, office};
use utoipa::ToSchema;
use validator::Validate;

use super::api_keys::KeyStatus;
use super::body::SoFar;
use super::schemas::ApiKeyStatus;
use super::{body, no_content};
use crate::error::{ApiError, FieldViolation};
use crate::field::{BodyField, check_password, well_typed};
use crate::office::into_api_result;
use crate::request::Request;
use crate::response;

/// A password that is to be set for a device.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SetDevicePassword {
    /// 8 to 128 characters, none of the commonest, not made of the tenant's name or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
}

/// A password that is to be set for a user.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SetUserPassword {
    /// 8 to 128 characters, none of the commonest, not made of the user's names, the tenant's or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// Whether the user's API keys are revoked too; they stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    keys: BodyField<bool>,
    /// Whether the user must change this password at the next login; false if not sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: BodyField<bool>,
}

/// An API key by its names.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeySummary<'k> {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// What the program calls it by; no secret.
    client_id: &'k str,
    /// What people call it by.
    name: &'k str,
    /// `revoked` if this call revoked it, `active` if it goes on.
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

/// What a changed password leaves behind.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedPassword)]
pub(super) struct ChangedPasswordBody<'k> {
    /// The API keys of the user that were active. A key needs no password, so whoever had the old password may hold some of them.
    api_keys: Vec<ApiKeySummary<'k>>,
}

/// What the document shows of it.
pub(super) fn example_changed_password() -> Value {
    json!({ "api_keys": [{
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "status": "active",
    }] })
}

/// The answer to a changed password of a user.
pub(super) fn render_changed_password(keys: &[ApiKey], ended: bool) -> Result<HttpResponse, ApiError> {
    let api_keys = keys.iter().map(|key| ApiKeySummary::with_status(key, !ended)).collect();
    response::render_json(StatusCode::OK, &ChangedPasswordBody { api_keys })
}

/// Sets the password of a user that the body says.
pub(super) async fn set_user_password(call: &Request, caller: Caller, id: UserId) -> Result<HttpResponse, ApiError> {
    let policy = call.auth().build_password_policy();
    let sent = body::sent_so_far(call, |sent: &SetUserPassword| sent.weak_by(policy, &[]))?;
    let (keys, options) = set_password(call, caller, PrincipalId::User(id), sent).await?;
    render_changed_password(&keys, options.revoke_api_keys)
}

/// Sets the password of a device that the body says.
pub(super) async fn set_device_password(
    call: &Request,
    caller: Caller,
    id: DeviceId,
) -> Result<HttpResponse, ApiError> {
    let policy = call.auth().build_password_policy();
    let sent = body::sent_so_far(call, |sent: &SetDevicePassword| sent.weak_by(policy, &[]))?;
    set_password(call, caller, PrincipalId::Device(id), sent).await?;
    Ok(no_content())
}

/// A body with a password that is to be set.
trait SetPassword: Sized + Send + 'static {
    fn password(&self) -> &BodyField<Secret<String>>;
    fn options(&self) -> PasswordOptions;

    /// What is wrong with the password by these words.
    fn weak_by(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldViolation> {
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
    mut sent: SoFar<T>,
) -> Result<(Vec<ApiKey>, PasswordOptions), ApiError> {
    call.with_office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.audit_context(&caller)?);
        // before the password is hashed
        let words = match into_api_result(office::authorize_set_password(office.store, tenant, &stamp, principal)) {
            Ok(()) => office::list_context_words(office.store, tenant, Some(principal))?,
            Err(refused) if sent.is_faultless() => return Err(refused),
            // who may not set it learns nothing of the names there are
            Err(_) => Vec::new(),
        };
        sent.add(sent.body().weak_by(office.auth.build_password_policy(), &words));
        let sent = sent.check_body(|_| Ok(Vec::new()))?;
        let (password, options) = (sent.password().clone().require_value()?, sent.options());
        let verifier = office.auth.hash_new_password(&password, &words, caller.address)?;
        let keys =
            into_api_result(office::set_password_with(office.store, tenant, &stamp, principal, &verifier, options))?;
        Ok((keys, options))
    })
    .await
}

/// Forgets the logins that have failed.
pub(super) async fn unlock_principal(
    call: &Request,
    caller: Caller,
    principal: PrincipalId,
) -> Result<HttpResponse, ApiError> {
    call.with_office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.audit_context(&caller)?);
        into_api_result(office::unlock_principal(office.store, tenant, &stamp, principal))
    })
    .await?;
    Ok(no_content())
}
