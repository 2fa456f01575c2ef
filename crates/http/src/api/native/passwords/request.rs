//! Requests that set a password.

use serde::Deserialize;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;
use tillgate_domain::office::PasswordOptions;
use utoipa::ToSchema;
use validator::Validate;

use crate::error::FieldViolation;
use crate::request::field::{BodyField, check_password, well_typed};

/// A new password of a device.
#[derive(Deserialize, Validate, ToSchema)]
pub(in crate::api::native) struct SetDevicePassword {
    /// New password: 8 to 128 characters, not a common password, not made of the tenant's or a
    /// device's name.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
}

/// A new password of a user.
#[derive(Deserialize, Validate, ToSchema)]
pub(in crate::api::native) struct SetUserPassword {
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

/// A body with a new password.
pub(super) trait SetPassword: Sized + Send + 'static {
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
