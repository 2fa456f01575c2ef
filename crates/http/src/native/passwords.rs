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

use super::api_keys::Status;
use super::body::SoFar;
use super::schemas::ApiKeyStatus;
use super::{body, done};
use crate::answer;
use crate::call::Call;
use crate::failure::{Failure, FieldFault};
use crate::field::{Field, fits, weak_password};
use crate::office::decided;

/// A password that is to be set for a device.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct NewPassword {
    /// 8 to 128 characters, none of the commonest, not made of the tenant's name or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: Field<Secret<String>>,
}

/// A password that is to be set for a user.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct NewUserPassword {
    /// 8 to 128 characters, none of the commonest, not made of the user's names, the tenant's or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: Field<Secret<String>>,
    /// Whether the user's API keys are revoked too; they stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    keys: Field<bool>,
    /// Whether the user must change this password at the next login; false if not sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    password_change_required: Field<bool>,
}

/// An API key by its names.
#[derive(Serialize, ToSchema)]
pub(super) struct NamedApiKey<'k> {
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

impl<'k> NamedApiKey<'k> {
    pub(super) fn of(key: &'k ApiKey) -> Self {
        Self::with_status(key, key.active)
    }

    fn with_status(key: &'k ApiKey, active: bool) -> Self {
        Self { id: key.id, client_id: &key.client, name: &key.name, status: Status::of(active).name() }
    }
}

/// What a changed password leaves behind.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedPassword)]
pub(super) struct Changed<'k> {
    /// The API keys of the user that were active. A key needs no password, so whoever had the old password may hold some of them.
    api_keys: Vec<NamedApiKey<'k>>,
}

/// What the document shows of it.
pub(super) fn example() -> Value {
    json!({ "api_keys": [{
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "client_id": "5f2c0d6b8a914e7f93d1c0ab45e67f12",
        "name": "Warehouse",
        "status": "active",
    }] })
}

/// The answer to a changed password of a user.
pub(super) fn changed(keys: &[ApiKey], ended: bool) -> Result<HttpResponse, Failure> {
    let api_keys = keys.iter().map(|key| NamedApiKey::with_status(key, !ended)).collect();
    answer::json(StatusCode::OK, &Changed { api_keys })
}

/// Sets the password of a user that the body says.
pub(super) async fn set_of_user(call: &Call, caller: Caller, id: UserId) -> Result<HttpResponse, Failure> {
    let policy = call.engine().password_policy();
    let sent = body::sent_so_far(call, |sent: &NewUserPassword| sent.weak_by(policy, &[]))?;
    let (keys, options) = set(call, caller, PrincipalId::User(id), sent).await?;
    changed(&keys, options.end_keys)
}

/// Sets the password of a device that the body says.
pub(super) async fn set_of_device(call: &Call, caller: Caller, id: DeviceId) -> Result<HttpResponse, Failure> {
    let policy = call.engine().password_policy();
    let sent = body::sent_so_far(call, |sent: &NewPassword| sent.weak_by(policy, &[]))?;
    set(call, caller, PrincipalId::Device(id), sent).await?;
    Ok(done())
}

/// A body with a password that is to be set.
trait SetPassword: Sized + Send + 'static {
    fn password(&self) -> &Field<Secret<String>>;
    fn options(&self) -> PasswordOptions;

    /// What is wrong with the password by these words.
    fn weak_by(&self, policy: &PasswordPolicy, words: &[String]) -> Vec<FieldFault> {
        weak_password(policy, "password", self.password(), words)
    }
}

impl SetPassword for NewUserPassword {
    fn password(&self) -> &Field<Secret<String>> {
        &self.password
    }

    fn options(&self) -> PasswordOptions {
        PasswordOptions {
            end_keys: self.keys.value().copied().unwrap_or(false),
            change_required: self.password_change_required.value().copied().unwrap_or(false),
        }
    }
}

impl SetPassword for NewPassword {
    fn password(&self) -> &Field<Secret<String>> {
        &self.password
    }

    fn options(&self) -> PasswordOptions {
        PasswordOptions::default()
    }
}

async fn set<T: SetPassword>(
    call: &Call,
    caller: Caller,
    principal: PrincipalId,
    mut sent: SoFar<T>,
) -> Result<(Vec<ApiKey>, PasswordOptions), Failure> {
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        // before the password is hashed
        let words = match decided(office::may_set_password(office.store, tenant, &stamp, principal)) {
            Ok(()) => office::password_words(office.store, tenant, Some(principal))?,
            Err(refused) if sent.is_faultless() => return Err(refused),
            // who may not set it learns nothing of the names there are
            Err(_) => Vec::new(),
        };
        sent.add(sent.body().weak_by(office.engine.password_policy(), &words));
        let sent = sent.checked(|_| Ok(Vec::new()))?;
        let (password, options) = (sent.password().clone().needed()?, sent.options());
        let verifier = office.engine.verifier(&password, &words, caller.address)?;
        let keys = decided(office::set_password_with(office.store, tenant, &stamp, principal, &verifier, options))?;
        Ok((keys, options))
    })
    .await
}

/// Forgets the logins that have failed.
pub(super) async fn unlock(call: &Call, caller: Caller, principal: PrincipalId) -> Result<HttpResponse, Failure> {
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        decided(office::unlock(office.store, tenant, &stamp, principal))
    })
    .await?;
    Ok(done())
}
