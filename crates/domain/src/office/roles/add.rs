//! Adds a role to a tenant.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::{Office, text};
use crate::{Action, Environment, KnownRight, Rights, Role, RoleId, RoleName, StoreExt, Subject};

/// The role to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRole {
    /// The identifier of the role.
    pub id: RoleId,
    /// The name in requests and commands.
    pub name: RoleName,
    /// The name for people.
    pub label: String,
    /// The purpose of the role, in free text.
    pub description: String,
    /// The rights that the role grants; at least one.
    pub rights: Rights,
    /// The environments in which the role applies; at least one.
    pub environments: BTreeSet<Environment>,
}

impl Office<'_> {
    /// Adds the role. Its name is unique in the tenant. Requires the right `roleCreate`, and every
    /// right that the role grants, so that nobody gets more rights by a role of their own.
    pub fn add_role(&self, new: &NewRole) -> UseCaseResult<Role> {
        self.store.write("add_role", |tx| commit_refusal(add(tx, self, new)))
    }
}

fn add(tx: &mut dyn OfficeTx, office: &Office<'_>, new: &NewRole) -> Result<Role, UseCaseError> {
    office.require(KnownRight::RoleCreate)?;
    office.require_recent_proof()?;
    office.require_all(&new.rights)?;
    new.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Name, why })?;
    check_label(&new.label, "")?;
    check_fields(&new.label, &new.description, &new.rights, &new.environments)?;
    let role = Role {
        id: new.id,
        tenant: office.tenant,
        name: new.name.clone(),
        label: new.label.clone(),
        description: new.description.clone(),
        rights: new.rights.clone(),
        environments: new.environments.clone(),
        built_in: false,
        version: 1,
    };
    if !tx.roles().insert(&role)? {
        return Err(OfficeError::AlreadyExists { field: FieldName::Name, value: role.name.to_string() }.into());
    }
    let environments: Vec<&str> = role.environments.iter().map(|each| each.name()).collect();
    let details = Map::from_iter([
        ("name".to_owned(), json!(role.name.as_str())),
        ("rights".to_owned(), json!(role.rights)),
        ("environments".to_owned(), json!(environments)),
    ]);
    tx.audit().record(&office.build_event(Action::RoleAdd, Subject::Role(role.id), details))?;
    Ok(role)
}

/// Checks a label that replaces `before`; it may be empty.
pub(in crate::office) fn check_label(label: &str, before: &str) -> Result<(), OfficeError> {
    if label.trim().is_empty() {
        Ok(())
    } else {
        text::check_renamed(FieldName::Label, label, before, text::MAX_LABEL_CHARS)
    }
}

/// Checks the texts for people, and that there is at least one right and one environment.
pub(in crate::office) fn check_fields(
    label: &str,
    description: &str,
    rights: &Rights,
    environments: &BTreeSet<Environment>,
) -> Result<(), OfficeError> {
    let texts = [
        (FieldName::Label, label, text::MAX_LABEL_CHARS),
        (FieldName::Description, description, text::MAX_DESCRIPTION_CHARS),
    ];
    let sets = [(FieldName::Rights, rights.is_empty()), (FieldName::Environments, environments.is_empty())];
    let texts = texts.into_iter().filter_map(|(field, text, most)| text::check_text(field, text, most).err());
    let sets = sets.into_iter().filter_map(|(field, empty)| empty.then_some(OfficeError::Required { field }));
    let mut refusals = FieldRefusals::default();
    texts.chain(sets).for_each(|refused| refusals.add(refused));
    refusals.checked()
}
