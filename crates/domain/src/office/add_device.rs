//! Registers a device, with its roles and settings and, where it logs in as itself, its password.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::assignment;
use super::change_device::{check_preferences, check_settings};
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, FieldRefusals, Halt, Refused, decide};
use super::stamp::{Authority, Stamp};
use super::text;
use crate::{
    Action, Device, DeviceId, DeviceName, DeviceStatus, Environment, Epoch, JsonObject, KnownRight, PrincipalId,
    RoleName, Scope, Secret, Store, StoreExt, Subject, TenantId,
};

/// A device that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDevice {
    /// Its id.
    pub id: DeviceId,
    /// The name that it logs in under.
    pub name: DeviceName,
    /// What kind it is.
    pub environment: Environment,
    /// `Pending` or `Active`.
    pub status: DeviceStatus,
    /// Where it stands, what it is for.
    pub description: String,
    /// What the program on it remembers of its own.
    pub preferences: JsonObject,
    /// What the back office sets for the program on it.
    pub settings: BTreeMap<String, String>,
    /// The roles that it has when it logs in as itself, by name.
    pub roles: Vec<RoleName>,
    /// The hash of its password, made outside.
    pub verifier: Option<Secret<String>>,
}

/// Whether somebody may register devices at all: asked before a password is hashed for one.
pub fn may_add_device(authority: &Authority) -> Result<(), Refused> {
    authority.ask(KnownRight::DeviceCreate)
}

/// Registers the device. Its name is unique in the tenant. Asks the right `deviceCreate`, and every right that the device gets.
pub fn add_device(store: &dyn Store<OfficeView>, tenant: TenantId, stamp: &Stamp, new: &NewDevice) -> Decided<Device> {
    store.write(|tx| decide(add(tx, tenant, stamp, new)))
}

fn add(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &Stamp, new: &NewDevice) -> Result<Device, Halt> {
    may_add_device(&stamp.authority)?;
    new.name.check_new().map_err(|why| Refused::Invalid { field: Field::Name, why })?;
    text::check(Field::Description, &new.description, text::DESCRIPTION)?;
    check_settings(&new.settings)?;
    check_preferences(&new.preferences)?;
    let mut refusals = FieldRefusals::default();
    if !matches!(new.status, DeviceStatus::Pending | DeviceStatus::Active) {
        refusals.add(Refused::Status { from: DeviceStatus::Pending.name(), to: new.status.name() });
    }
    let roles = tx.roles().list(tenant)?;
    let held = refusals.gather(assignment::role_ids(&roles, &new.roles))?.unwrap_or_default();
    refusals.checked()?;
    stamp.authority.cover(&assignment::rights_of(&held, &roles))?;
    let device = Device {
        id: new.id,
        tenant,
        name: new.name.clone(),
        environment: new.environment,
        status: new.status,
        description: new.description.clone(),
        preferences: new.preferences.clone(),
        settings: new.settings.clone(),
        roles: held,
        epoch: Epoch::default(),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: stamp.at,
        updated_at: stamp.at,
        version: 1,
    };
    if !tx.devices().insert(&device)? {
        return Err(Refused::Taken { field: Field::Name, value: device.name.to_string() }.into());
    }
    if let Some(verifier) = &new.verifier {
        tx.passwords().set(PrincipalId::Device(device.id), verifier, stamp.at)?;
    }
    tx.endings().touch(Scope::Device(device.id), stamp.at)?;
    let details = Map::from_iter([
        ("name".to_owned(), json!(device.name)),
        ("environment".to_owned(), json!(device.environment.name())),
        ("status".to_owned(), json!(device.status.name())),
        ("roles".to_owned(), json!(new.roles)),
    ]);
    tx.audit().tell(&stamp.done(tenant, Action::DeviceAdd, Subject::Device(device.id), details))?;
    Ok(device)
}
