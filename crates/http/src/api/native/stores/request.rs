//! Requests of the store operations.

use serde::Deserialize;
use tillgate_domain::office::StoreChange;
use tillgate_domain::{Branch, BranchId, Zone};
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
    /// Time zone in which the store's times are shown, by its name in the IANA database; that of
    /// the tenant if null or omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>)]
    zone: BodyField<Zone>,
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
    /// Time zone in which the store's times are shown, by its name in the IANA database; null for
    /// that of the tenant.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>)]
    zone: BodyField<Zone>,
}

impl CreateStore {
    pub(super) fn into_branch(self, id: BranchId) -> Result<Branch, ApiError> {
        Ok(Branch { id, name: self.name.require_value()?.0, zone: self.zone.into_value() })
    }
}

impl UpdateStore {
    pub(super) fn into_change(self) -> StoreChange {
        StoreChange { name: self.name.into_value(), zone: self.zone.into_patch() }
    }
}
