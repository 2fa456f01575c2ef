//! Registers a device, with its roles, its settings and, if it logs in as itself, its password.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use crate::office::devices::change::{check_preferences, check_settings};
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::stores::lookup::check_branch_exists;
use crate::office::users::assignment;
use crate::office::{Office, text};
use crate::{
    Action, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Environment, Epoch, JsonObject, KnownRight,
    MissingRight, PrincipalId, RoleName, Scope, Secret, StoreExt, Subject,
};

/// The device to register.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDevice {
    /// The identifier of the device.
    pub id: DeviceId,
    /// The name under which it logs in.
    pub name: DeviceName,
    /// The kind of the device.
    pub environment: Environment,
    /// The first status: `Pending` or `Active`.
    pub status: DeviceStatus,
    /// Its location and purpose, in free text.
    pub description: String,
    /// What the program on the device stores for itself.
    pub preferences: JsonObject,
    /// What the back office sets for the program on the device.
    pub settings: BTreeMap<String, String>,
    /// The store in which it is.
    pub branch: Option<BranchId>,
    /// The names of the roles that the device has when it logs in as itself.
    pub roles: Vec<RoleName>,
    /// The verifier of its password, computed by the caller.
    pub verifier: Option<Secret<String>>,
}

impl Office<'_> {
    /// Checks the right to register devices, before a password is hashed for one.
    pub fn authorize_add_device(&self) -> Result<(), MissingRight> {
        self.require(KnownRight::DeviceCreate)
    }

    /// Registers the device. Its name is unique in the tenant. Requires the right `deviceCreate`,
    /// and every right that the device gets.
    pub fn add_device(&self, new: &NewDevice) -> UseCaseResult<Device> {
        self.store.write("add_device", |tx| commit_refusal(add(tx, self, new)))
    }
}

pub(in crate::office) fn add(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    new: &NewDevice,
) -> Result<Device, UseCaseError> {
    office.authorize_add_device()?;
    new.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Name, why })?;
    text::check_text(FieldName::Description, &new.description, text::MAX_DESCRIPTION_CHARS)?;
    check_settings(&new.settings, &BTreeMap::new())?;
    check_preferences(&new.preferences)?;
    let mut refusals = FieldRefusals::default();
    if !matches!(new.status, DeviceStatus::Pending | DeviceStatus::Active) {
        refusals
            .add(OfficeError::InvalidStatusTransition { from: DeviceStatus::Pending.name(), to: new.status.name() });
    }
    let roles = tx.roles().list(office.tenant)?;
    refusals.gather(check_branch_exists(tx, office.tenant, new.branch))?;
    let role_ids = refusals.gather(assignment::resolve_role_ids(&roles, &new.roles))?.unwrap_or_default();
    refusals.checked()?;
    office.require_all(&assignment::collect_role_rights(&role_ids, &roles))?;
    if !role_ids.is_empty() || new.verifier.is_some() {
        office.require_recent_proof()?;
    }
    let device = Device {
        id: new.id,
        tenant: office.tenant,
        name: new.name.clone(),
        environment: new.environment,
        status: new.status,
        description: new.description.clone(),
        preferences: new.preferences.clone(),
        settings: new.settings.clone(),
        branch: new.branch,
        till_mode: false,
        roles: role_ids,
        epoch: Epoch::default(),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: office.context.at,
        updated_at: office.context.at,
        version: 1,
    };
    if !tx.devices().insert(&device)? {
        return Err(OfficeError::AlreadyExists { field: FieldName::Name, value: device.name.to_string() }.into());
    }
    if let Some(verifier) = &new.verifier {
        tx.passwords().set(PrincipalId::Device(device.id), verifier, office.context.at)?;
    }
    tx.revocations().invalidate(Scope::Device(device.id), office.context.at)?;
    let mut details = Map::from_iter([
        ("name".to_owned(), json!(device.name)),
        ("environment".to_owned(), json!(device.environment.name())),
        ("status".to_owned(), json!(device.status.name())),
        ("roles".to_owned(), json!(new.roles)),
    ]);
    if let Some(branch) = new.branch {
        details.insert("store".to_owned(), json!(branch));
    }
    tx.audit().record(&office.build_event(Action::DeviceAdd, Subject::Device(device.id), details))?;
    Ok(device)
}
