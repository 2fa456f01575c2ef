//! What requests say of roles.

use serde::Deserialize;
use tillgate_auth_core::Auth;
use tillgate_domain::office::{NewRole, RoleChange};
use tillgate_domain::{Environment, Right, RoleId, RoleName};
use utoipa::ToSchema;
use validator::Validate;

use crate::failure::Failure;
use crate::field::{AtLeastOne, Description, Field, Label, NewName, fits, stays};
use crate::native::schemas;

/// A role that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewRole)]
pub(super) struct New {
    /// The name that requests use. Unique in the tenant, whatever the case.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    name: Field<NewName<RoleName>>,
    /// The name that people read; the name where it is not sent.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: Field<Label>,
    /// What it is for.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Field<Description>,
    /// What it allows; one right at least.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = schemas::RightNames, required = true)]
    rights: Field<AtLeastOne<Right>>,
    /// Where it counts; one environment at least.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = schemas::Environments, required = true)]
    environments: Field<AtLeastOne<Environment>>,
}

/// What becomes of a role, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = RoleChange)]
pub(super) struct Change {
    /// Another name for requests.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Field<RoleName>,
    /// Another name that people read; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: Field<String>,
    /// Another description; null for none.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Field<Description>,
    /// What it allows, in the place of what it did.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = schemas::RightNames)]
    rights: Field<AtLeastOne<Right>>,
    /// Where it counts, in the place of where it did.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = schemas::Environments)]
    environments: Field<AtLeastOne<Environment>>,
}

impl New {
    /// The role, with an id of its own.
    pub(super) fn role(self, engine: &Auth) -> Result<NewRole, Failure> {
        let NewName(name) = self.name.needed()?;
        Ok(NewRole {
            id: engine.id(RoleId::new)?,
            label: self.label.given().map_or_else(|| name.to_string(), |Label(label)| label),
            name,
            description: self.description.given().map(|Description(text)| text).unwrap_or_default(),
            rights: self.rights.needed()?.0.into_iter().collect(),
            environments: self.environments.needed()?.0.into_iter().collect(),
        })
    }
}

impl Change {
    pub(super) fn change(self) -> RoleChange {
        RoleChange {
            name: self.name.given(),
            label: self.label.patch().map(Option::unwrap_or_default),
            description: self.description.patch().map(|text| text.map(|Description(text)| text).unwrap_or_default()),
            rights: self.rights.given().map(|AtLeastOne(rights)| rights.into_iter().collect()),
            environments: self.environments.given().map(|AtLeastOne(places)| places.into_iter().collect()),
        }
    }
}
