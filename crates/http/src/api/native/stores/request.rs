//! Requests of the store operations.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::error::ApiError;
use crate::request::field::{BodyField, DisplayName, not_null, well_typed};

/// A new store.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewStore)]
pub(super) struct CreateStore {
    /// Display name of the store. It must be unique in the tenant, ignoring case.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, required = true)]
    name: BodyField<DisplayName>,
}

/// Changes to a store, as a merge patch (RFC 7396).
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = StoreChange)]
pub(super) struct UpdateStore {
    /// New display name of the store.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: BodyField<String>,
}

impl CreateStore {
    pub(super) fn into_name(self) -> Result<String, ApiError> {
        Ok(self.name.require_value()?.0)
    }
}

impl UpdateStore {
    pub(super) fn into_name(self) -> Option<String> {
        self.name.into_value()
    }
}
