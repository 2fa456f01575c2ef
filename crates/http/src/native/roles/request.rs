//! What requests say of roles.

use serde::Deserialize;
use tillgate_auth_core::Auth;
use tillgate_domain::office::{NewRole, RoleChange};
use tillgate_domain::{Environment, Right, RoleId, RoleName};
use utoipa::ToSchema;
use validator::Validate;

use crate::error::ApiError;
use crate::field::{BodyField, Description, LabelText, NewName, NonEmptyList, not_null, well_typed};
use crate::native::schemas;

/// A role that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRole)]
pub(super) struct CreateRole {
    /// The name that requests use. Unique in the tenant, whatever the case.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    name: BodyField<NewName<RoleName>>,
    /// The name that people read; the name where it is not sent.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<LabelText>,
    /// What it is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// What it allows; one right at least.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::RightNames, required = true)]
    rights: BodyField<NonEmptyList<Right>>,
    /// Where it counts; one environment at least.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Environments, required = true)]
    environments: BodyField<NonEmptyList<Environment>>,
}

/// What becomes of a role, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = RoleChange)]
pub(super) struct UpdateRole {
    /// Another name for requests.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: BodyField<RoleName>,
    /// Another name that people read; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<String>,
    /// Another description; null for none.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// What it allows, in the place of what it did.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::RightNames)]
    rights: BodyField<NonEmptyList<Right>>,
    /// Where it counts, in the place of where it did.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::Environments)]
    environments: BodyField<NonEmptyList<Environment>>,
}

impl CreateRole {
    /// The role, with an id of its own.
    pub(super) fn into_new_role(self, engine: &Auth) -> Result<NewRole, ApiError> {
        let NewName(name) = self.name.require_value()?;
        Ok(NewRole {
            id: engine.new_id(RoleId::new)?,
            label: self.label.into_value().map_or_else(|| name.to_string(), |LabelText(label)| label),
            name,
            description: self.description.into_value().map(|Description(text)| text).unwrap_or_default(),
            rights: self.rights.require_value()?.0.into_iter().collect(),
            environments: self.environments.require_value()?.0.into_iter().collect(),
        })
    }
}

impl UpdateRole {
    pub(super) fn into_change(self) -> RoleChange {
        RoleChange {
            name: self.name.into_value(),
            label: self.label.into_patch().map(Option::unwrap_or_default),
            description: self
                .description
                .into_patch()
                .map(|text| text.map(|Description(text)| text).unwrap_or_default()),
            rights: self.rights.into_value().map(|NonEmptyList(rights)| rights.into_iter().collect()),
            environments: self.environments.into_value().map(|NonEmptyList(places)| places.into_iter().collect()),
        }
    }
}
