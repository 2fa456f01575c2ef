//! The bodies that the page of krmpesan sends.

use serde::Deserialize;
use validator::Validate;

use crate::request::field::{BodyField, well_typed};

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct LoginBody {
    #[validate(required, length(max = 254), custom(function = "well_typed"))]
    pub(super) login: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct GenerateBody {
    /// Name of the device.
    #[validate(required, length(max = 254), custom(function = "well_typed"))]
    pub(super) device: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) password: BodyField<String>,
}
