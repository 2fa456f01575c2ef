//! Requests of a till.

use serde::Deserialize;
use tillgate_domain::{Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use crate::error::ApiError;
use crate::request::field::{BodyField, well_typed};

/// The sign-in of an operator.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SignInOperator {
    /// Id of the user.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = uuid::Uuid, required = true)]
    user: BodyField<UserId>,
    /// The user's PIN.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    pin: BodyField<Secret<String>>,
}

impl SignInOperator {
    pub(super) fn into_input(self) -> Result<(UserId, Secret<String>), ApiError> {
        Ok((self.user.require_value()?, self.pin.require_value()?))
    }
}
