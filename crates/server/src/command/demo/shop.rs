//! Makes the shop of the demo: what of it is not there yet, by the same use cases that the back office has.

use std::collections::BTreeMap;

use tillgate_domain::office::{self, NewDevice, NewUser, OfficeView, RolesOn};
use tillgate_domain::{
    DeviceName, DeviceStatus, Email, Environment, PrincipalId, RoleName, Secret, Slug, Store, TenantId, UserId,
    UserName, UserStatus,
};
use tillgate_persistence::Database;

use super::accounts::{self, Account};
use super::passwords::{self, Known, Telling};
use crate::command::{Stop, office::done};
use crate::compose;
use crate::configuration::Settings;
use crate::draw::Draw;

/// The tenant that the shop is made in.
pub(super) const TENANT: &str = "default";

/// The role of every device when it is logged in as itself.
const DEVICE_ROLE: &str = "cashier";

/// Makes what is missing, and returns the passwords of what was made. They are written, where they are to be, before the accounts
/// are: nobody has to guess a password after a crash.
pub(super) fn make(
    settings: &Settings,
    database: &Database,
    given: Option<&Secret<String>>,
    telling: Telling,
) -> Result<Vec<Known>, Stop> {
    let draw = Draw::default();
    let missing = accounts::missing(database)?;
    let password = |_: &Account| given.map_or_else(|| passwords::random(&draw), |given| Ok(given.clone()));
    let made: Vec<Known> =
        missing.iter().map(|account| Ok((*account, password(account)?))).collect::<Result<_, Stop>>()?;
    if telling == Telling::Written && !made.is_empty() {
        passwords::write(&settings.server.data, &made, made.len() < accounts::all().len())?;
    }
    let tenant = compose::tenant(database, &Slug::parse(TENANT).map_err(Stop::failed)?)?.id;
    for (account, password) in &made {
        let verifier = draw.verifier(settings, password)?;
        match (account.id, account.environment) {
            (PrincipalId::User(id), _) => add_user(database, tenant, &draw, account.name, id, verifier)?,
            (PrincipalId::Device(id), environment) => {
                let new = NewDevice {
                    id,
                    name: DeviceName::parse(account.name).map_err(Stop::failed)?,
                    environment: environment.unwrap_or(Environment::Tool),
                    status: DeviceStatus::Active,
                    description: "Demo".to_owned(),
                    preferences: tillgate_domain::JsonObject::default(),
                    settings: BTreeMap::new(),
                    roles: vec![role(DEVICE_ROLE)?],
                    verifier: Some(verifier),
                };
                done(office::add_device(database, tenant, &draw.stamp()?, &new)).map(drop)?;
            }
        }
    }
    Ok(made)
}

/// Adds a user who holds the role of their name without a device and on every device of the demo.
fn add_user(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    draw: &Draw,
    name: &str,
    id: UserId,
    verifier: Secret<String>,
) -> Result<(), Stop> {
    let devices = accounts::all().into_iter().filter(|account| account.environment.is_some());
    let on = |device: Account| {
        Ok(RolesOn { device: DeviceName::parse(device.name).map_err(Stop::failed)?, roles: vec![role(name)?] })
    };
    let new = NewUser {
        id,
        name: UserName::parse(name).map_err(Stop::failed)?,
        email: Some(Email::parse(&format!("{name}@example.com")).map_err(Stop::failed)?),
        display_name: capital(name),
        status: UserStatus::Active,
        feature: None,
        roles: vec![role(name)?],
        devices: devices.map(on).collect::<Result<_, Stop>>()?,
        verifier: Some(verifier),
        password_change_required: false,
    };
    done(office::add_user(store, tenant, &draw.stamp()?, &new)).map(drop)
}

fn role(name: &str) -> Result<RoleName, Stop> {
    RoleName::parse(name).map_err(Stop::failed)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
