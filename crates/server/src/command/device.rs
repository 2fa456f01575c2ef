//! `device`: tills, handhelds, office programs and tools, from the command line.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use tillgate_domain::office::ports::DeviceFilter;
use tillgate_domain::office::{self, DeviceChange, NewDevice, SettingsChange, Whose};
use tillgate_domain::{DeviceId, DeviceName, DeviceStatus, Environment, PrincipalId, RoleName};

use super::confirm::{Confirmation, counted};
use super::office::{Office, done};
use super::session::count_live;
use super::show::instant;
use super::{Context, Stop, pairs, print};

/// What is done with devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Register a device
    Add {
        /// The name to log in under
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
        #[arg(long, help = pairs::ENVIRONMENT, ignore_case = true, value_parser = pairs::environments())]
        env: Environment,
        /// Where it stands, what it is for
        #[arg(long, default_value = "")]
        description: String,
        /// A role that it has when it logs in as itself
        #[arg(long = "role", value_parser = pairs::role)]
        roles: Vec<RoleName>,
        /// A setting for the program on it
        #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = pairs::setting)]
        settings: Vec<(String, String)>,
        /// Read a password of its own, one line on standard input
        #[arg(long)]
        password: bool,
    },
    /// List devices
    List(DeviceListArgs),
    /// Put a device into or out of use; only an active one keeps a session
    Status {
        /// Which
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
        /// Its status from now on; asks before it retires
        #[arg(value_parser = pairs::words::<DeviceStatus>(&["pending", "active", "locked", "retired"]))]
        status: DeviceStatus,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Show a device
    Show {
        /// Which
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
    },
    /// Set a device's own password, one line on standard input, or remove it; every session on it ends
    Password {
        /// Which
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
        /// It logs in as itself no more
        #[arg(long)]
        remove: bool,
    },
    /// Let a device log in again that wrong passwords hold back
    Unlock {
        /// Which
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
    },
    /// Change a device: --setting adds or replaces one setting and removes it where the value is empty; --role replaces its roles,
    /// --no-role takes them all
    Set {
        /// Which
        #[arg(value_parser = pairs::device)]
        name: DeviceName,
        /// Its name from now on
        #[arg(long, value_name = "NAME", value_parser = pairs::device)]
        rename: Option<DeviceName>,
        #[arg(long, help = pairs::ENVIRONMENT, ignore_case = true, value_parser = pairs::environments())]
        env: Option<Environment>,
        /// Where it stands, what it is for
        #[arg(long)]
        description: Option<String>,
        /// A setting for the program on it
        #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = pairs::setting)]
        settings: Vec<(String, String)>,
        /// A role that it has when it logs in as itself
        #[arg(long = "role", value_parser = pairs::role, conflicts_with = "no_role")]
        roles: Vec<RoleName>,
        /// It has no role when it logs in as itself
        #[arg(long)]
        no_role: bool,
    },
}

/// The filters of `device list`.
#[derive(Debug, Args)]
pub(crate) struct DeviceListArgs {
    /// With this text in their name or description
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// In this status
    #[arg(long, value_parser = pairs::words::<DeviceStatus>(&["pending", "active", "locked", "retired"]))]
    status: Option<DeviceStatus>,
    #[arg(long, help = pairs::ENVIRONMENT, ignore_case = true, value_parser = pairs::environments())]
    env: Option<Environment>,
    /// The maximum number of rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl Device {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let stamp = || office.draw.stamp();
        let (store, tenant) = (office.store(), office.id());
        let (device, what) = match self {
            Self::List(which) => return list(&office, which, context.json),
            Self::Add { name, env, description, roles, settings, password } => {
                let verifier = match password {
                    true => Some(office.verifier(&office.new_password(name.as_str(), None, [name.to_string()])?)?),
                    false => None,
                };
                let new = NewDevice {
                    id: office.draw.id(DeviceId::new)?,
                    name: name.clone(),
                    environment: *env,
                    status: DeviceStatus::Active,
                    description: description.clone(),
                    preferences: tillgate_domain::JsonObject::default(),
                    settings: settings.iter().cloned().collect(),
                    roles: roles.clone(),
                    verifier,
                };
                (done(office::add_device(store, tenant, &stamp()?, &new))?, "added")
            }
            Self::Status { name, status, confirmation } => {
                let id = office.device(name)?.id;
                if *status == DeviceStatus::Retired {
                    let sessions = count_live(&office, Whose::Device(id))?;
                    confirmation.ask(&format!(
                        "This retires the device \"{name}\" for good and ends {}",
                        counted(sessions, "session")
                    ))?;
                }
                (done(office::set_device_status(store, tenant, &stamp()?, id, *status))?, status.name())
            }
            Self::Show { name } => {
                let device = office.device(name)?;
                return show(&office, &device, context.json);
            }
            Self::Password { name, remove: true } => {
                let device = office.device(name)?;
                let removed = done(office::remove_password(store, tenant, &stamp()?, device.id))?;
                (device, if removed { "has no password; every session on it is over" } else { "had no password" })
            }
            Self::Password { name, remove: false } => {
                let device = office.device(name)?;
                let principal = PrincipalId::Device(device.id);
                let verifier = office.verifier(&office.new_password(name.as_str(), Some(principal), [])?)?;
                done(office::set_password(store, tenant, &stamp()?, principal, &verifier))?;
                (device, "has another password; every session on it is over")
            }
            Self::Unlock { name } => {
                let device = office.device(name)?;
                done(office::unlock(store, tenant, &stamp()?, PrincipalId::Device(device.id)))?;
                (device, "may log in again")
            }
            Self::Set { name, rename, env, description, settings, roles, no_role } => {
                let settings: BTreeMap<_, _> = settings.iter().cloned().collect();
                let change = DeviceChange {
                    name: rename.clone(),
                    environment: *env,
                    description: description.clone(),
                    settings: if settings.is_empty() { SettingsChange::Keep } else { SettingsChange::Edit(settings) },
                    roles: (*no_role || !roles.is_empty()).then(|| roles.clone()),
                    ..DeviceChange::default()
                };
                let id = office.device(name)?.id;
                (done(office::change_device(store, tenant, &stamp()?, id, None, &change))?, "set")
            }
        };
        let document = office.names()?.device_document(&device);
        print::answer(context.json, &format!("{}: {what}", device.name), &document);
        Ok(())
    }
}

fn show(office: &Office, device: &tillgate_domain::Device, json: bool) -> Result<(), Stop> {
    let names = office.names()?;
    if json {
        print::answer(true, "", &names.device_document(device));
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let settings: Vec<String> = device.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let users = office.users()?;
    let here = users.iter().filter(|user| user.assignment.devices.contains_key(&device.id));
    let people: Vec<&str> = here.map(|user| user.name.as_str()).collect();
    let rows = [
        ("name", device.name.to_string()),
        ("environment", device.environment.name().to_owned()),
        ("status", device.status.name().to_owned()),
        ("description", or_none(device.description.clone())),
        ("roles", or_none(names.roles(&device.roles).join(","))),
        ("users", or_none(people.join(","))),
        ("settings", or_none(settings.join(" "))),
        ("sessions", count_live(office, Whose::Device(device.id))?.to_string()),
        ("last seen", device.last_seen_at.map_or_else(|| "never".to_owned(), instant)),
        ("id", device.id.to_string()),
    ];
    print::fields(&rows);
    Ok(())
}

fn list(office: &Office, which: &DeviceListArgs, json: bool) -> Result<(), Stop> {
    let names = office.names()?;
    let row = |device: &tillgate_domain::Device| {
        let (environment, status) = (device.environment.name().to_owned(), device.status.name().to_owned());
        let cells = [
            device.name.to_string(),
            environment,
            status,
            names.roles(&device.roles).join(","),
            device.description.clone(),
        ];
        (cells.to_vec(), names.device_document(device))
    };
    let filter = DeviceFilter {
        statuses: which.status.into_iter().collect(),
        environment: which.env,
        text: which.search.clone(),
    };
    let devices = office.devices()?;
    let found: Vec<_> = devices.iter().filter(|device| filter.fits(device)).collect();
    let rows: Vec<_> = found.iter().take(which.limit.unwrap_or(usize::MAX)).map(|device| row(device)).collect();
    print::table(json, &["NAME", "ENVIRONMENT", "STATUS", "ROLES", "DESCRIPTION"], &rows);
    print::left_out(found.len() - rows.len());
    Ok(())
}
