//! Creates the accounts of the demo that do not exist yet, with the use cases of the back office.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::office::{DeviceRoleAssignment, NewDevice, NewRole, NewUser, StoreChange};
use tillgate_domain::{
    Branch, BranchId, DeviceName, DeviceStatus, Email, Environment, Locale, PrincipalId, RoleId, RoleName, Secret,
    Slug, Tenant, UserName, UserStatus, Zone,
};
use tillgate_persistence::Database;

use super::accounts::{self, DemoAccount, ShopSize};
use super::backdated_engine::BackdatedEngine;
use super::day::{self, DAY_LENGTH};
use super::passwords::{self, DemoCredential, PasswordDelivery};
use super::staff::{DemoStore, JAKARTA_ZONE, PEOPLE, SUPERVISOR, TILLS};
use crate::command::{CommandError, office::check_decided};
use crate::composition;
use crate::configuration::Settings;
use crate::ids::IdSource;

/// The tenant of the demo shop.
pub(super) const DEMO_TENANT: &str = "default";

/// The role of a device that logs in as itself.
const DEVICE_ROLE: &str = "cashier";

/// How long it takes to set the shop up, before its day begins.
const SETUP_TIME: Duration = Duration::from_mins(10);

/// How long one unit of work of the creation may wait for the database.
const SETUP_DEADLINE: Duration = Duration::from_mins(1);

/// The accounts of the demo that do not exist yet.
pub(super) struct NewAccounts {
    /// The accounts to create.
    pub(super) accounts: Vec<DemoAccount>,
    /// The passwords of those that have one.
    pub(super) credentials: Vec<DemoCredential>,
    /// Whether no account exists yet.
    is_complete: bool,
}

impl NewAccounts {
    /// The passwords of the accounts by name, as far as they are known: chosen, just created, or in
    /// the password file.
    pub(super) fn passwords(
        &self,
        settings: &Settings,
        chosen: Option<&Secret<String>>,
    ) -> Result<BTreeMap<String, Secret<String>>, CommandError> {
        if let Some(chosen) = chosen {
            let accounts = accounts::list_accounts(ShopSize::Full).into_iter();
            return Ok(accounts.map(|account| (account.name.to_owned(), chosen.clone())).collect());
        }
        let mut known = passwords::read_passwords(&settings.server.data)?;
        known.extend(self.credentials.iter().map(|(account, password)| (account.name.to_owned(), password.clone())));
        Ok(known)
    }
}

/// Generates the passwords of the missing accounts. A password file is written before the accounts
/// are created, so that no password is lost in a crash.
pub(super) fn prepare_accounts(
    settings: &Settings,
    database: &Database,
    size: ShopSize,
    chosen: Option<&Secret<String>>,
    delivery: PasswordDelivery,
) -> Result<NewAccounts, CommandError> {
    let ids = IdSource::default();
    let missing = accounts::missing_accounts(database, size)?;
    let password =
        |_: &DemoAccount| chosen.map_or_else(|| passwords::generate_password(&ids), |chosen| Ok(chosen.clone()));
    let credentials: Vec<DemoCredential> = missing
        .iter()
        .filter(|account| account.has_password)
        .map(|account| Ok((*account, password(account)?)))
        .collect::<Result<_, CommandError>>()?;
    let is_complete = missing.len() == accounts::list_accounts(size).len();
    if delivery == PasswordDelivery::File && !credentials.is_empty() {
        passwords::write_passwords(&settings.server.data, &credentials, !is_complete)?;
    }
    Ok(NewAccounts { accounts: missing, credentials, is_complete })
}

/// Creates the accounts. A full shop that is new gets the events of a simulated day.
pub(super) fn create_demo(settings: &Settings, size: ShopSize, new: &NewAccounts) -> Result<(), CommandError> {
    let NewAccounts { accounts: missing, credentials, is_complete } = new;
    if missing.is_empty() {
        return Ok(());
    }
    let ids = IdSource::default();
    let database = open_patiently(settings)?;
    let engine = BackdatedEngine::start(settings, &database)?;
    let has_history = *is_complete && size == ShopSize::Full;
    if has_history {
        engine.set_time_ago(DAY_LENGTH + SETUP_TIME);
    }
    let tenant = find_demo_tenant(&database)?;
    let tenant = if size == ShopSize::Full { set_up_stores(&engine, tenant)? } else { tenant };
    let mut verifiers = BTreeMap::new();
    for account in missing {
        let password = credentials.iter().find(|(each, _)| each == account).map(|(_, password)| password);
        let verifier =
            password.map(|password| ids.hash_password(composition::password_cost(settings), password)).transpose()?;
        if let Some(verifier) = &verifier {
            verifiers.insert(account.name, verifier.clone());
        }
        add_account(&engine, &tenant, account, verifier)?;
    }
    if has_history {
        day::simulate_day(settings, &engine, &tenant, &verifiers)?;
    }
    engine.finish()
}

/// Opens the database for the creation of the shop alone. No client waits for it, so that a slow
/// disk delays the demo instead of ending it halfway.
fn open_patiently(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    let mut settings = settings.clone();
    settings.database.deadline = SETUP_DEADLINE;
    composition::open_database(&settings)
}

fn find_demo_tenant(database: &Database) -> Result<Tenant, CommandError> {
    composition::find_tenant(database, &Slug::parse(DEMO_TENANT).map_err(CommandError::failed)?)
}

/// Names the first store and adds the second one and the role of the full shop, unless they exist.
fn set_up_stores(engine: &BackdatedEngine<'_>, tenant: Tenant) -> Result<Tenant, CommandError> {
    let mut tenant = tenant;
    let has_store = |tenant: &Tenant, store: DemoStore| tenant.branches.iter().any(|each| each.name == store.name());
    if let [only] = tenant.branches.as_slice()
        && !has_store(&tenant, DemoStore::Bratislava)
    {
        let office = engine.operator_office(tenant.id)?;
        let name = Some(DemoStore::Bratislava.name().to_owned());
        let change = StoreChange { name, ..StoreChange::default() };
        tenant = check_decided(office.change_store(only.id, None, &change))?;
    }
    if !has_store(&tenant, DemoStore::Jakarta) {
        let id = engine.auth.new_id(BranchId::new).map_err(CommandError::failed)?;
        let zone = Zone::parse(JAKARTA_ZONE).map_err(CommandError::failed)?;
        let new = Branch { id, name: DemoStore::Jakarta.name().to_owned(), zone: Some(zone) };
        tenant = check_decided(engine.operator_office(tenant.id)?.add_store(&new))?;
    }
    let role = parse_role(SUPERVISOR.name)?;
    let roles = engine.operator_office(tenant.id)?.unguarded().list_roles().map_err(CommandError::failed)?;
    if roles.iter().all(|each| each.name != role) {
        let new = NewRole {
            id: engine.auth.new_id(RoleId::new).map_err(CommandError::failed)?,
            name: role,
            label: SUPERVISOR.label.to_owned(),
            description: SUPERVISOR.description.to_owned(),
            rights: tillgate_domain::Rights::of(SUPERVISOR.rights),
            environments: Environment::ALL.into_iter().filter(|each| each.sells()).collect(),
        };
        check_decided(engine.operator_office(tenant.id)?.add_role(&new))?;
    }
    Ok(tenant)
}

fn add_account(
    engine: &BackdatedEngine<'_>,
    tenant: &Tenant,
    account: &DemoAccount,
    verifier: Option<Secret<String>>,
) -> Result<(), CommandError> {
    match account.environment {
        Some(environment) => add_device(engine, tenant, account, environment, verifier),
        None => add_user(engine, tenant, account, verifier),
    }
}

fn add_device(
    engine: &BackdatedEngine<'_>,
    tenant: &Tenant,
    account: &DemoAccount,
    environment: Environment,
    verifier: Option<Secret<String>>,
) -> Result<(), CommandError> {
    let PrincipalId::Device(id) = account.id else { return Ok(()) };
    let till = TILLS.iter().find(|till| till.name == account.name);
    let branch = match till {
        Some(till) => tenant.branches.iter().find(|store| store.name == till.store.name()),
        None => tenant.branches.first(),
    };
    let new = NewDevice {
        id,
        name: DeviceName::parse(account.name).map_err(CommandError::failed)?,
        environment,
        status: DeviceStatus::Active,
        description: till.map_or("Demo", |till| till.description).to_owned(),
        preferences: tillgate_domain::JsonObject::default(),
        settings: BTreeMap::new(),
        branch: branch.map(|store| store.id),
        roles: if account.has_password { vec![parse_role(DEVICE_ROLE)?] } else { Vec::new() },
        verifier,
    };
    check_decided(engine.operator_office(tenant.id)?.add_device(&new)).map(drop)
}

/// Adds a user. A user of the examples has the role of the same name, without a device and on every
/// device of the examples.
fn add_user(
    engine: &BackdatedEngine<'_>,
    tenant: &Tenant,
    account: &DemoAccount,
    verifier: Option<Secret<String>>,
) -> Result<(), CommandError> {
    let PrincipalId::User(id) = account.id else { return Ok(()) };
    let name = account.name;
    let person = PEOPLE.iter().find(|person| person.name == name);
    let devices: Vec<(&str, &str)> = match person {
        Some(person) => person.devices.to_vec(),
        None => accounts::list_accounts(ShopSize::Small)
            .into_iter()
            .filter(|account| account.environment.is_some())
            .map(|device| (device.name, name))
            .collect(),
    };
    let on = |(device, role): (&str, &str)| {
        Ok(DeviceRoleAssignment {
            device: DeviceName::parse(device).map_err(CommandError::failed)?,
            roles: vec![parse_role(role)?],
        })
    };
    let office_role = person.map_or(Some(name), |person| person.office_role);
    let new = NewUser {
        id,
        name: UserName::parse(name).map_err(CommandError::failed)?,
        email: Some(Email::parse(&format!("{name}@example.com")).map_err(CommandError::failed)?),
        display_name: person.map_or_else(|| capitalize(name), |person| person.display_name.to_owned()),
        status: UserStatus::Active,
        feature: None,
        roles: office_role.map(parse_role).into_iter().collect::<Result<_, _>>()?,
        devices: devices.into_iter().map(on).collect::<Result<_, CommandError>>()?,
        verifier,
        password_change_required: false,
        locale: person.map(|person| Locale::parse(person.locale)).transpose().map_err(CommandError::failed)?,
    };
    check_decided(engine.operator_office(tenant.id)?.add_user(&new)).map(drop)
}

fn parse_role(name: &str) -> Result<RoleName, CommandError> {
    RoleName::parse(name).map_err(CommandError::failed)
}

fn capitalize(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
