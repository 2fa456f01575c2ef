//! Requests of the role operations.

use serde::Deserialize;
use tillgate_auth_core::Auth;
use tillgate_domain::office::{NewRole, RoleChange};
use tillgate_domain::{Environment, Right, RoleId, RoleName};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::native::schemas;
use crate::error::ApiError;
use crate::request::field::{BodyField, Description, LabelText, NewName, NonEmptyList, not_null, well_typed};

/// A new role.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRole)]
pub(super) struct CreateRole {
    /// Name of the role in requests. It must be unique in the tenant, ignoring case.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    name: BodyField<NewName<RoleName>>,
    /// Display name of the role; the name if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<LabelText>,
    /// What the role is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// The rights of the role; at least one.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::RightNames, required = true)]
    rights: BodyField<NonEmptyList<Right>>,
    /// Kinds of devices on which the role applies; at least one.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::Environments, required = true)]
    environments: BodyField<NonEmptyList<Environment>>,
}

/// Changes to a role, as a merge patch (RFC 7396): omitted members stay unchanged.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = RoleChange)]
pub(super) struct UpdateRole {
    /// New name of the role in requests.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: BodyField<RoleName>,
    /// New display name; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<String>,
    /// New description; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// The complete new list of rights.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::RightNames)]
    rights: BodyField<NonEmptyList<Right>>,
    /// The complete new list of kinds of devices on which the role applies.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = schemas::Environments)]
    environments: BodyField<NonEmptyList<Environment>>,
}

impl CreateRole {
    /// Creates the role with a new id.
    pub(super) fn into_new_role(self, auth: &Auth) -> Result<NewRole, ApiError> {
        let NewName(name) = self.name.require_value()?;
        Ok(NewRole {
            id: auth.new_id(RoleId::new)?,
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
