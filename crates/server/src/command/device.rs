//! `device`: manages tills, handhelds, back-office programs and tools.

mod accept;
mod enroll;
mod keys;
mod show;
mod waiting;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use tillgate_domain::office::ports::DeviceFilter;
use tillgate_domain::office::{self, DeviceChange, DeviceView, NewDevice, PageRequest, SessionTarget, SettingsChange};
use tillgate_domain::{DeviceId, DeviceName, DeviceStatus, Environment, PrincipalId, RoleName};
use tillgate_http::native_bodies::DeviceBody;

use super::argument_errors::ArgumentErrors;
use super::confirmation::ConfirmationArgs;
use super::json::join_names;
use super::office::{CommandOffice, check_decided};
use super::session::count_live_sessions;
use super::store::find_branch;
use super::{CommandError, Context, parse, print};
use accept::{AcceptArgs, DenyArgs};
use enroll::EnrollArgs;
use keys::{KeyListArgs, RevokeKeyArgs};
use waiting::{CancelArgs, WaitingArgs};

/// The subcommands of `device`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Add a device
    #[command(after_help = "Example:\n  tillgate device add P01 --env CashRegister --store Station")]
    Add {
        /// Login name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
        #[arg(long, help = parse::ENVIRONMENT_HELP, ignore_case = true, value_parser = parse::environments())]
        env: Environment,
        /// Description, such as its location
        #[arg(long, default_value = "")]
        description: String,
        /// Name or id of the store in which the device is
        #[arg(long)]
        store: Option<String>,
        /// Role for sessions in which the device logs in as itself
        #[arg(long = "role", value_parser = parse::role)]
        roles: Vec<RoleName>,
        /// Setting for the program on the device
        #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = parse::key_value)]
        settings: Vec<(String, String)>,
        /// Set a password with which the device logs in as itself, read from the terminal or
        /// standard input
        #[arg(long)]
        password: bool,
    },
    /// List devices
    #[command(after_help = "Example:\n  tillgate device list --env PDA --status locked")]
    List(DeviceListArgs),
    /// Change the status of a device; sessions end unless it is active
    #[command(after_help = "Example:\n  tillgate device status P01 locked")]
    Status {
        /// Name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
        /// New status; asks for confirmation before it retires the device
        #[arg(value_parser = parse::one_of_words::<DeviceStatus>(&["pending", "active", "locked", "retired"]))]
        status: DeviceStatus,
        #[command(flatten)]
        confirmation: ConfirmationArgs,
    },
    /// Show a device
    #[command(after_help = "Example:\n  tillgate device show P01")]
    Show {
        /// Name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
    },
    /// Set or remove a device's own password, read from standard input; all sessions on the device
    /// end
    #[command(after_help = "Example:\n  tillgate device password P01")]
    Password {
        /// Name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
        /// Remove the password: the device can no longer log in as itself
        #[arg(long)]
        remove: bool,
    },
    /// Start the enrollment of a device: print a one-time code with which it registers its key
    #[command(after_help = "Example:\n  tillgate device enroll P01")]
    Enroll(EnrollArgs),
    /// Cancel the enrollment of a device: its code becomes void
    #[command(after_help = "Example:\n  tillgate device cancel P01")]
    Cancel(CancelArgs),
    /// List the machines that wait to be accepted; the code and the digits are on the machine
    #[command(after_help = "Example:\n  tillgate device waiting")]
    Waiting(WaitingArgs),
    /// Accept a machine that shows a code and digits, as the machine of a device
    #[command(after_help = "Example:\n  tillgate device accept KQLZ-SGBV --device P01 --fingerprint 4712")]
    Accept(AcceptArgs),
    /// Deny a machine that shows a code
    #[command(after_help = "Example:\n  tillgate device deny KQLZ-SGBV")]
    Deny(DenyArgs),
    /// List the keys of a device, including earlier ones
    #[command(after_help = "Example:\n  tillgate device keys P01")]
    Keys(KeyListArgs),
    /// Revoke the current key of a device; all sessions on it, except permanent ones, end
    #[command(after_help = "Example:\n  tillgate device revoke-key P01")]
    RevokeKey(RevokeKeyArgs),
    /// Unlock a device after too many failed logins
    #[command(after_help = "Example:\n  tillgate device unlock P01")]
    Unlock {
        /// Name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
    },
    /// Change a device
    #[command(after_help = "Example:\n  tillgate device set P01 --description window --setting printer=LPT1")]
    Set {
        /// Name of the device
        #[arg(value_parser = parse::device)]
        name: DeviceName,
        /// New name
        #[arg(long, value_name = "NAME", value_parser = parse::device)]
        rename: Option<DeviceName>,
        #[arg(long, help = parse::ENVIRONMENT_HELP, ignore_case = true, value_parser = parse::environments())]
        env: Option<Environment>,
        /// New description
        #[arg(long)]
        description: Option<String>,
        /// Name or id of the store in which the device is from now on
        #[arg(long, conflicts_with = "no_store")]
        store: Option<String>,
        /// Remove the device from its store
        #[arg(long)]
        no_store: bool,
        /// Whether users work on the device as operators, who sign in under its own session with
        /// their PIN; ends the session of the person who is logged in on it
        #[arg(long, value_name = "YES")]
        till_mode: Option<bool>,
        /// Setting to add or replace; an empty value removes it
        #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = parse::key_value)]
        settings: Vec<(String, String)>,
        /// Role for sessions in which the device logs in as itself; replaces all roles
        #[arg(long = "role", value_parser = parse::role, conflicts_with = "no_role")]
        roles: Vec<RoleName>,
        /// Remove all roles
        #[arg(long)]
        no_role: bool,
    },
}

/// The filters of `device list`.
#[derive(Debug, Args)]
pub(crate) struct DeviceListArgs {
    /// Only devices with this text in their name or description
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only devices in this status
    #[arg(long, value_parser = parse::one_of_words::<DeviceStatus>(&["pending", "active", "locked", "retired"]))]
    status: Option<DeviceStatus>,
    #[arg(long, help = parse::ENVIRONMENT_HELP, ignore_case = true, value_parser = parse::environments())]
    env: Option<Environment>,
    /// Only devices in this store (name or id)
    #[arg(long)]
    store: Option<String>,
    /// Include retired devices
    #[arg(long)]
    all: bool,
    /// Maximum number of rows
    #[arg(long, value_name = "NUMBER", value_parser = parse::limit::<usize>())]
    limit: Option<usize>,
}

impl DeviceCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        let (device, what) = match self {
            Self::List(which) => return list_devices(&office, which, context.json),
            Self::Enroll(which) => return which.run(&office, context.json),
            Self::Accept(which) => return which.run(&office, context.json),
            Self::Deny(which) => return which.run(&office, context.json),
            Self::Cancel(which) => return which.run(&office, context.json),
            Self::Waiting(which) => return which.run(&office, context.json),
            Self::Keys(which) => return which.run(&office, context.json),
            Self::RevokeKey(which) => return which.run(&office, context.json),
            Self::Add { name, env, description, store, roles, settings, password } => {
                let branch = find_branch(&office, store.as_deref());
                ArgumentErrors::default().with(&branch).with_each(office.check_assignments(roles, &[])).report()?;
                let verifier = match password {
                    true => Some(office.hash_password(&office.read_new_password(
                        name.as_str(),
                        None,
                        [name.to_string()],
                    )?)?),
                    false => None,
                };
                let new = NewDevice {
                    id: office.ids.new_id(DeviceId::new)?,
                    name: name.clone(),
                    environment: *env,
                    status: DeviceStatus::Active,
                    description: description.clone(),
                    preferences: tillgate_domain::JsonObject::default(),
                    settings: settings.iter().cloned().collect(),
                    branch: branch?,
                    roles: roles.clone(),
                    verifier,
                };
                (check_decided(office.for_operator()?.add_device(&new))?, "added")
            }
            Self::Status { name, status, confirmation } => {
                let id = office.find_device(name)?.id;
                if *status == DeviceStatus::Retired {
                    let sessions = count_live_sessions(&office, SessionTarget::Device(id))?;
                    confirmation.ask(&format!("This permanently retires the device \"{name}\" and ends {sessions}"))?;
                }
                (check_decided(office.for_operator()?.set_device_status(id, *status))?, status.name())
            }
            Self::Show { name } => {
                return show::show_device(&office, &office.find_device(name)?, context.json);
            }
            Self::Password { name, remove: true } => {
                let device = office.find_device(name)?;
                let removed = check_decided(office.for_operator()?.remove_password(device.id))?;
                (device, if removed { "has no password; all sessions on it ended" } else { "had no password" })
            }
            Self::Password { name, remove: false } => {
                let device = office.find_device(name)?;
                let principal = PrincipalId::Device(device.id);
                let verifier =
                    office.hash_password(&office.read_new_password(name.as_str(), Some(principal), [])?)?;
                check_decided(office.for_operator()?.set_password(principal, &verifier))?;
                (device, "password changed; all sessions on it ended")
            }
            Self::Unlock { name } => {
                let device = office.find_device(name)?;
                check_decided(office.for_operator()?.unlock_principal(PrincipalId::Device(device.id)))?;
                (device, "may log in again")
            }
            Self::Set { name, rename, env, description, store, no_store, till_mode, settings, roles, no_role } => {
                let (device, branch) = (office.find_device(name), find_branch(&office, store.as_deref()));
                let errors = ArgumentErrors::default().with(&device).with(&branch);
                errors.with_each(office.check_assignments(roles, &[])).report()?;
                let settings: BTreeMap<_, _> = settings.iter().cloned().collect();
                let change = DeviceChange {
                    name: rename.clone(),
                    environment: *env,
                    description: description.clone(),
                    settings: if settings.is_empty() { SettingsChange::Keep } else { SettingsChange::Edit(settings) },
                    branch: match branch? {
                        None if *no_store => Some(None),
                        found => found.map(Some),
                    },
                    till_mode: *till_mode,
                    roles: (*no_role || !roles.is_empty()).then(|| roles.clone()),
                    ..DeviceChange::default()
                };
                (check_decided(office.for_operator()?.change_device(device?.id, None, &change))?, "set")
            }
        };
        let view = office.load_device_view(&device)?;
        print::print_result(context.json, &format!("{}: {what}", device.name), &DeviceBody::from_view(&view));
        Ok(())
    }
}

/// The name of a device's store; empty if it is in none.
fn store_name(view: &DeviceView) -> String {
    view.store.as_ref().map(|store| store.name.clone()).unwrap_or_default()
}

fn list_devices(office: &CommandOffice, which: &DeviceListArgs, json: bool) -> Result<(), CommandError> {
    let row = |view: &DeviceView| {
        let device = &view.device;
        let (environment, status) = (device.environment.name().to_owned(), device.status.name().to_owned());
        let cells = [
            device.name.to_string(),
            environment,
            status,
            store_name(view),
            join_names(&view.roles),
            device.description.clone(),
        ];
        cells.to_vec()
    };
    let shown = DeviceStatus::ALL.into_iter().filter(|status| match which.status {
        Some(requested) => *status == requested,
        None => which.all || *status != DeviceStatus::Retired,
    });
    let filter = DeviceFilter {
        statuses: shown.collect(),
        environment: which.env,
        branch: find_branch(office, which.store.as_deref())?,
        text: which.search.clone(),
    };
    let load_page = |page: &PageRequest<DeviceId>| office.unguarded().search_devices(&filter, page);
    let found = office::collect_pages(None, load_page, |view| view.device.id).map_err(CommandError::failed)?;
    let shown = found.iter().take(which.limit.unwrap_or(usize::MAX));
    let rows: Vec<_> = shown.map(|view| (row(view), DeviceBody::from_view(view))).collect();
    print::print_table(json, &["NAME", "ENVIRONMENT", "STATUS", "STORE", "ROLES", "DESCRIPTION"], &rows);
    print::note_omitted(found.len() - rows.len());
    Ok(())
}
