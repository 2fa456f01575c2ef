//! `user`: people, from the command line.

use clap::{Args, Subcommand};
use tillgate_domain::office::ports::UserFilter;
use tillgate_domain::office::{
    self, DeviceRoleAssignment, DeviceRolesChange, NewUser, PasswordOptions, SessionTarget, UserChange,
};
use tillgate_domain::{ApiKey, DeviceName, Email, PrincipalId, RoleName, UserId, UserName, UserStatus};

use super::confirmation::{Confirmation, count_text};
use super::json::format_instant;
use super::office::{CommandOffice, check_decided};
use super::password::{GenerateArgs, MustChangeArgs};
use super::session::count_live_sessions;
use super::{CommandError, Context, parse, print};

/// What is done with people.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; their password is one line on standard input
    Add {
        /// The name to log in under
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// The address to log in with instead
        #[arg(long, value_parser = parse::email)]
        email: Option<Email>,
        /// The name that people read; without it, the name
        #[arg(long)]
        display_name: Option<String>,
        /// A role for sessions without a device
        #[arg(long = "role", value_parser = parse::role)]
        roles: Vec<RoleName>,
        /// Roles on a device
        #[arg(long, value_name = "DEVICE=ROLE[,ROLE]", value_parser = parse::roles_on_device)]
        on: Vec<DeviceRoleAssignment>,
        #[command(flatten)]
        generate: GenerateArgs,
        #[command(flatten)]
        must_change: MustChangeArgs,
    },
    /// List users
    List(UserListArgs),
    /// Show a user
    Show {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
    },
    /// Change a user's names or address, or whether they must change the password
    Set {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// The name to log in under from now on
        #[arg(long, value_name = "NAME", value_parser = parse::user)]
        rename: Option<UserName>,
        /// The address to log in with instead
        #[arg(long, value_parser = parse::email)]
        email: Option<Email>,
        /// No address any more
        #[arg(long, conflicts_with = "email")]
        no_email: bool,
        /// The name that people read
        #[arg(long)]
        display_name: Option<String>,
        #[command(flatten)]
        must_change: MustChangeArgs,
    },
    /// Activate, suspend or delete a user; only an active one keeps a session
    Status {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// active, suspended or deleted; asks before it deletes
        #[arg(value_parser = parse::one_of_words::<UserStatus>(&["active", "suspended", "deleted"]))]
        status: UserStatus,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Set a user's password, one line on standard input; every session of theirs ends
    Password {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// Revoke the user's API keys too
        #[arg(long)]
        keys: bool,
        #[command(flatten)]
        generate: GenerateArgs,
        #[command(flatten)]
        must_change: MustChangeArgs,
    },
    /// Let a user log in again whom wrong passwords hold back
    Unlock {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
    },
    /// Show a user's roles, or change them: --role replaces those without a device, --on those on one device
    Roles {
        /// Who
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// A role for sessions without a device
        #[arg(long = "role", value_parser = parse::role)]
        roles: Vec<RoleName>,
        /// Roles on a device
        #[arg(long, value_name = "DEVICE=ROLE[,ROLE]", value_parser = parse::roles_on_device)]
        on: Vec<DeviceRoleAssignment>,
        /// A device that they log in on no longer
        #[arg(long, value_name = "DEVICE", value_parser = parse::device)]
        off: Vec<DeviceName>,
    },
}

/// The filters of `user list`.
#[derive(Debug, Args)]
pub(crate) struct UserListArgs {
    /// With this text in their name, their address or the name that people read
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// In this status
    #[arg(long, value_parser = parse::one_of_words::<UserStatus>(&["pending", "active", "suspended", "deleted"]))]
    status: Option<UserStatus>,
    /// Deleted ones too
    #[arg(long)]
    all: bool,
    /// The maximum number of rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl UserCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        let named = |name: &UserName| office.find_user(name).map(|user| user.id);
        let stamp = || office.ids.audit_context();
        let (store, tenant) = (office.store(), office.tenant_id());
        let sets = matches!(self, Self::Add { .. } | Self::Set { .. } | Self::Password { .. });
        let (user, what) = match self {
            Self::List(which) => return list_users(&office, which, context.json),
            Self::Show { name } => return show_user(&office, name, context.json),
            Self::Set { name, rename, email, no_email, display_name, must_change } => {
                let change = UserChange {
                    name: rename.clone(),
                    email: if *no_email { Some(None) } else { email.clone().map(Some) },
                    display_name: display_name.clone(),
                    password_change_required: must_change.requested(),
                    // whoever runs the program may change anything
                    password_confirmed: true,
                    ..UserChange::default()
                };
                let required = change.password_change_required;
                if rename.is_none() && change.email.is_none() && display_name.is_none() && required.is_none() {
                    let flags = "--rename, --email, --no-email, --display-name, --must-change-password or \
                                 --no-must-change-password";
                    return Err(CommandError::usage(format!("say what is to change: {flags}")));
                }
                (check_decided(office::change_user(store, tenant, &stamp()?, named(name)?, None, &change))?, "set")
            }
            Self::Add { name, email, display_name, roles, on, generate, must_change } => {
                let names = [name.to_string()].into_iter().chain(display_name.clone());
                let names = names.chain(email.iter().flat_map(office::email_context_words));
                let given = office.choose_password(generate, name.as_str(), None, names)?;
                let new = NewUser {
                    id: office.ids.new_id(UserId::new)?,
                    name: name.clone(),
                    email: email.clone(),
                    display_name: display_name.clone().unwrap_or_else(|| name.to_string()),
                    status: UserStatus::Active,
                    feature: None,
                    roles: roles.clone(),
                    devices: on.clone(),
                    verifier: Some(office.hash_password(&given.password)?),
                    password_change_required: must_change.is_required(generate),
                };
                let user = check_decided(office::add_user(store, tenant, &stamp()?, &new))?;
                given.deliver(user.name.as_str())?;
                (user, "added")
            }
            Self::Status { name, status, confirmation } => {
                if *status == UserStatus::Deleted {
                    let sessions = count_live_sessions(&office, SessionTarget::User(named(name)?))?;
                    confirmation.ask(&format!(
                        "This deletes the user \"{name}\" for good and ends {}",
                        count_text(sessions, "session")
                    ))?;
                }
                (
                    check_decided(office::set_user_status(store, tenant, &stamp()?, named(name)?, *status))?,
                    status.name(),
                )
            }
            Self::Password { name, keys: end, generate, must_change } => {
                let user = office.find_user(name)?;
                let principal = PrincipalId::User(user.id);
                let given = office.choose_password(generate, name.as_str(), Some(principal), [])?;
                let verifier = office.hash_password(&given.password)?;
                let options =
                    PasswordOptions { revoke_api_keys: *end, require_change: must_change.is_required(generate) };
                let keys =
                    check_decided(office::set_password_with(store, tenant, &stamp()?, principal, &verifier, options))?;
                let user = office.find_user(name)?;
                given.deliver(user.name.as_str())?;
                note_api_keys(&keys, if *end { "was revoked" } else { "needs no password and stays" });
                (user, "has another password; every session of theirs is over")
            }
            Self::Unlock { name } => {
                let user = office.find_user(name)?;
                check_decided(office::unlock_principal(store, tenant, &stamp()?, PrincipalId::User(user.id)))?;
                (user, "may log in again")
            }
            Self::Roles { name, roles, on, off } => {
                let user = named(name)?;
                let office_roles = (!roles.is_empty()).then(|| roles.clone());
                let devices = DeviceRolesChange::Edit { set: on.clone(), remove: off.clone() };
                let changes = office_roles.is_some() || !on.is_empty();
                let user = check_decided(office::assign_roles(store, tenant, &stamp()?, user, office_roles, devices))?;
                if changes {
                    let growing =
                        office::list_unrestricted_api_keys(store, tenant, user.id).map_err(CommandError::failed)?;
                    note_api_keys(&growing, "has no permissions and gives what the user is given");
                }
                let names = office.load_names()?;
                let held = names.assignment_text(&user);
                let held = if held.is_empty() { "no role" } else { &held };
                print::print_answer(context.json, &format!("{name}: {held}"), &names.user_json(&user));
                return Ok(());
            }
        };
        let document = office.load_names()?.user_json(&user);
        let line = format!("{}: {what}{}", user.name, if sets { must_change_note(&user) } else { "" });
        print::print_answer(context.json, &line, &document);
        Ok(())
    }
}

/// What a command that may set a password tells of it besides.
fn must_change_note(user: &tillgate_domain::User) -> &'static str {
    if user.password_change_required { "; the password must be changed at the next login" } else { "" }
}

fn show_user(office: &CommandOffice, name: &UserName, json: bool) -> Result<(), CommandError> {
    let (user, names) = (office.find_user(name)?, office.load_names()?);
    let document = names.user_json(&user);
    if json {
        print::print_line(&document.to_string());
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let rows = [
        ("name", user.name.to_string()),
        ("display name", user.display_name.clone()),
        ("email", or_none(user.email.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("status", user.status.name().to_owned()),
        ("roles", or_none(names.assignment_text(&user))),
        ("password", password_state(&user).to_owned()),
        ("sessions", count_live_sessions(office, SessionTarget::User(user.id))?.to_string()),
        ("created", format_instant(user.created_at)),
        ("changed", format_instant(user.updated_at)),
        ("id", user.id.to_string()),
    ];
    print::print_fields(&rows);
    Ok(())
}

/// What is to be known of a password without knowing it.
fn password_state(user: &tillgate_domain::User) -> &'static str {
    if user.password_change_required { "must be changed at the next login" } else { "need not be changed" }
}

fn list_users(office: &CommandOffice, which: &UserListArgs, json: bool) -> Result<(), CommandError> {
    let names = office.load_names()?;
    let row = |user: &tillgate_domain::User| {
        let email = user.email.as_ref().map(ToString::to_string).unwrap_or_default();
        let password = if user.password_change_required { "must change" } else { "" };
        let (status, password) = (user.status.name().to_owned(), password.to_owned());
        let cells = [user.name.to_string(), status, password, email, names.assignment_text(user)];
        (cells.to_vec(), names.user_json(user))
    };
    let shown = UserStatus::ALL.into_iter().filter(|status| match which.status {
        Some(asked) => *status == asked,
        None => which.all || *status != UserStatus::Deleted,
    });
    let filter = UserFilter { statuses: shown.collect(), text: which.search.clone(), ..UserFilter::default() };
    let users = office.list_users()?;
    let found: Vec<_> = users.iter().filter(|user| filter.matches(user)).collect();
    let rows: Vec<_> = found.iter().take(which.limit.unwrap_or(usize::MAX)).map(|user| row(user)).collect();
    print::print_table(json, &["NAME", "STATUS", "PASSWORD", "EMAIL", "ROLES"], &rows);
    if users.is_empty() && !json {
        print::print_note("there is no user yet");
    } else {
        print::note_omitted(found.len() - rows.len());
    }
    Ok(())
}

/// Notes API keys that whoever runs the command should know of.
fn note_api_keys(keys: &[ApiKey], what: &str) {
    for key in keys {
        print::print_note(&format!("the API key \"{}\" ({}) {what}", key.name, key.client_id));
    }
}
