//! What requests say of stores.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::failure::Failure;
use crate::field::{DisplayName, Field, fits, stays};

/// A store that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewStore)]
pub(super) struct New {
    /// The name that people read. Unique among the tenant's stores, whatever the case.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, required = true)]
    name: Field<DisplayName>,
}

/// What becomes of a store, as a merge patch (RFC 7396).
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = StoreChange)]
pub(super) struct Change {
    /// Another name.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: Field<String>,
}

impl New {
    pub(super) fn name(self) -> Result<String, Failure> {
        Ok(self.name.needed()?.0)
    }
}

impl Change {
    pub(super) fn name(self) -> Option<String> {
        self.name.given()
    }
}
