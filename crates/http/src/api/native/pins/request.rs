//! Requests of the operations on PINs.

use serde::Deserialize;
use tillgate_domain::Secret;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::error::ApiError;
use crate::request::field::{BodyField, well_typed};

/// A request to draw a PIN. It has no members.
#[derive(Deserialize, ToSchema)]
pub(super) struct DrawPin {}

impl Validate for DrawPin {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// A request to set the caller's own PIN.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct SetOwnPin {
    /// The caller's password.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// The new PIN: 4 to 12 digits that are not a date, a pattern or digits of the user name. If it
    /// is omitted, the server draws one of six digits and returns it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 4, max_length = 12, write_only)]
    new_pin: BodyField<Secret<String>>,
}

impl SetOwnPin {
    /// The password, and the new PIN if it was sent.
    pub(super) fn into_input(self) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
        Ok((self.password.require_value()?, self.new_pin.into_value()))
    }
}
