//! Requests of the operations on PINs.

use serde::Deserialize;
use tillgate_auth_core::Caller;
use tillgate_domain::Secret;
use tillgate_domain::pin::check_pin;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::api::native::error::weak_pin_violation;
use crate::error::{ApiError, FieldViolation};
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
    /// Finds why the new PIN may not be set, to be reported with the other violations.
    pub(super) fn find_weak_pin(&self, caller: &Caller) -> Vec<FieldViolation> {
        let Some((pin, user)) = self.new_pin.as_value().zip(caller.profile.user.as_ref()) else { return Vec::new() };
        check_pin(pin.expose(), user.name.as_str()).err().map(weak_pin_violation).into_iter().collect()
    }

    /// The password, and the new PIN if it was sent.
    pub(super) fn into_input(self) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
        Ok((self.password.require_value()?, self.new_pin.into_value()))
    }
}
