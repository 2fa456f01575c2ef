//! Creates the accounts of the demo that do not exist yet, with the use cases of the back office.

use std::collections::BTreeMap;

use tillgate_domain::office::{DeviceRoleAssignment, NewDevice, NewUser, Office, OfficePorts};
use tillgate_domain::{
    DeviceName, DeviceStatus, Email, Environment, PrincipalId, RoleName, Secret, Slug, Store, TenantId, UserId,
    UserName, UserStatus,
};
use tillgate_persistence::Database;

use super::accounts::{self, DemoAccount};
use super::passwords::{self, DemoCredential, PasswordDelivery};
use crate::command::{CommandError, office::check_decided};
use crate::composition;
use crate::configuration::Settings;
use crate::ids::IdSource;

/// The tenant of the demo shop.
pub(super) const DEMO_TENANT: &str = "default";

/// The role of a device that logs in as itself.
const DEVICE_ROLE: &str = "cashier";

/// Creates the missing accounts and returns their passwords. A password file is written before the
/// accounts, so that no password is lost in a crash.
pub(super) fn create_demo(
    settings: &Settings,
    database: &Database,
    chosen: Option<&Secret<String>>,
    delivery: PasswordDelivery,
) -> Result<Vec<DemoCredential>, CommandError> {
    let ids = IdSource::default();
    let missing = accounts::missing_accounts(database)?;
    let password =
        |_: &DemoAccount| chosen.map_or_else(|| passwords::generate_password(&ids), |chosen| Ok(chosen.clone()));
    let created: Vec<DemoCredential> =
        missing.iter().map(|account| Ok((*account, password(account)?))).collect::<Result<_, CommandError>>()?;
    if delivery == PasswordDelivery::File && !created.is_empty() {
        passwords::write_passwords(&settings.server.data, &created, created.len() < accounts::all_accounts().len())?;
    }
    let tenant = composition::find_tenant(database, &Slug::parse(DEMO_TENANT).map_err(CommandError::failed)?)?;
    for (account, password) in &created {
        let verifier = ids.hash_password(composition::password_cost(settings), password)?;
        match (account.id, account.environment) {
            (PrincipalId::User(id), _) => add_user(database, tenant.id, &ids, account.name, id, verifier)?,
            (PrincipalId::Device(id), environment) => {
                let new = NewDevice {
                    id,
                    name: DeviceName::parse(account.name).map_err(CommandError::failed)?,
                    environment: environment.unwrap_or(Environment::Tool),
                    status: DeviceStatus::Active,
                    description: "Demo".to_owned(),
                    preferences: tillgate_domain::JsonObject::default(),
                    settings: BTreeMap::new(),
                    branch: tenant.branches.first().map(|store| store.id),
                    roles: vec![parse_role(DEVICE_ROLE)?],
                    verifier: Some(verifier),
                };
                check_decided(Office::new(database, tenant.id, ids.audit_context()?).add_device(&new)).map(drop)?;
            }
        }
    }
    Ok(created)
}

/// Adds a user who has the role of the same name, without a device and on every device of the demo.
fn add_user(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    ids: &IdSource,
    name: &str,
    id: UserId,
    verifier: Secret<String>,
) -> Result<(), CommandError> {
    let devices = accounts::all_accounts().into_iter().filter(|account| account.environment.is_some());
    let on = |device: DemoAccount| {
        Ok(DeviceRoleAssignment {
            device: DeviceName::parse(device.name).map_err(CommandError::failed)?,
            roles: vec![parse_role(name)?],
        })
    };
    let new = NewUser {
        id,
        name: UserName::parse(name).map_err(CommandError::failed)?,
        email: Some(Email::parse(&format!("{name}@example.com")).map_err(CommandError::failed)?),
        display_name: capitalize(name),
        status: UserStatus::Active,
        feature: None,
        roles: vec![parse_role(name)?],
        devices: devices.map(on).collect::<Result<_, CommandError>>()?,
        verifier: Some(verifier),
        password_change_required: false,
        locale: None,
    };
    check_decided(Office::new(store, tenant, ids.audit_context()?).add_user(&new)).map(drop)
}

fn parse_role(name: &str) -> Result<RoleName, CommandError> {
    RoleName::parse(name).map_err(CommandError::failed)
}

fn capitalize(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
