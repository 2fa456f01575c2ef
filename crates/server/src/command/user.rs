//! `user`: people, from the command line.

use clap::{Args, Subcommand};
use tillgate_domain::office::ports::UserFilter;
use tillgate_domain::office::{self, DeviceRoles, NewUser, PasswordOptions, RolesOn, UserChange, Whose};
use tillgate_domain::{ApiKey, DeviceName, Email, PrincipalId, RoleName, UserId, UserName, UserStatus};

use super::confirm::{Confirmation, counted};
use super::office::{Office, done};
use super::password::{Generate, MustChange};
use super::session::count_live;
use super::show::instant;
use super::{Context, Stop, pairs, print};

/// What is done with people.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user; their password is one line on standard input
    Add {
        /// The name to log in under
        #[arg(value_parser = pairs::user)]
        name: UserName,
        /// The address to log in with instead
        #[arg(long, value_parser = pairs::email)]
        email: Option<Email>,
        /// The name that people read; without it, the name
        #[arg(long)]
        display_name: Option<String>,
        /// A role for sessions without a device
        #[arg(long = "role", value_parser = pairs::role)]
        roles: Vec<RoleName>,
        /// Roles on a device
        #[arg(long, value_name = "DEVICE=ROLE[,ROLE]", value_parser = pairs::roles_on)]
        on: Vec<RolesOn>,
        #[command(flatten)]
        generate: Generate,
        #[command(flatten)]
        must_change: MustChange,
    },
    /// List users
    List(UserListArgs),
    /// Show a user
    Show {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
    },
    /// Change a user's names or address, or whether they must change the password
    Set {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
        /// The name to log in under from now on
        #[arg(long, value_name = "NAME", value_parser = pairs::user)]
        rename: Option<UserName>,
        /// The address to log in with instead
        #[arg(long, value_parser = pairs::email)]
        email: Option<Email>,
        /// No address any more
        #[arg(long, conflicts_with = "email")]
        no_email: bool,
        /// The name that people read
        #[arg(long)]
        display_name: Option<String>,
        #[command(flatten)]
        must_change: MustChange,
    },
    /// Activate, suspend or delete a user; only an active one keeps a session
    Status {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
        /// active, suspended or deleted; asks before it deletes
        #[arg(value_parser = pairs::words::<UserStatus>(&["active", "suspended", "deleted"]))]
        status: UserStatus,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Set a user's password, one line on standard input; every session of theirs ends
    Password {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
        /// Revoke the user's API keys too
        #[arg(long)]
        keys: bool,
        #[command(flatten)]
        generate: Generate,
        #[command(flatten)]
        must_change: MustChange,
    },
    /// Let a user log in again whom wrong passwords hold back
    Unlock {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
    },
    /// Show a user's roles, or change them: --role replaces those without a device, --on those on one device
    Roles {
        /// Who
        #[arg(value_parser = pairs::user)]
        name: UserName,
        /// A role for sessions without a device
        #[arg(long = "role", value_parser = pairs::role)]
        roles: Vec<RoleName>,
        /// Roles on a device
        #[arg(long, value_name = "DEVICE=ROLE[,ROLE]", value_parser = pairs::roles_on)]
        on: Vec<RolesOn>,
        /// A device that they log in on no longer
        #[arg(long, value_name = "DEVICE", value_parser = pairs::device)]
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
    #[arg(long, value_parser = pairs::words::<UserStatus>(&["pending", "active", "suspended", "deleted"]))]
    status: Option<UserStatus>,
    /// Deleted ones too
    #[arg(long)]
    all: bool,
    /// The maximum number of rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl User {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let named = |name: &UserName| office.user(name).map(|user| user.id);
        let stamp = || office.draw.stamp();
        let (store, tenant) = (office.store(), office.id());
        let sets = matches!(self, Self::Add { .. } | Self::Set { .. } | Self::Password { .. });
        let (user, what) = match self {
            Self::List(which) => return list(&office, which, context.json),
            Self::Show { name } => return show(&office, name, context.json),
            Self::Set { name, rename, email, no_email, display_name, must_change } => {
                let change = UserChange {
                    name: rename.clone(),
                    email: if *no_email { Some(None) } else { email.clone().map(Some) },
                    display_name: display_name.clone(),
                    password_change_required: must_change.given(),
                    // whoever runs the program may change anything
                    proved: true,
                    ..UserChange::default()
                };
                let required = change.password_change_required;
                if rename.is_none() && change.email.is_none() && display_name.is_none() && required.is_none() {
                    let flags = "--rename, --email, --no-email, --display-name, --must-change-password or \
                                 --no-must-change-password";
                    return Err(Stop::usage(format!("say what is to change: {flags}")));
                }
                (done(office::change_user(store, tenant, &stamp()?, named(name)?, None, &change))?, "set")
            }
            Self::Add { name, email, display_name, roles, on, generate, must_change } => {
                let names = [name.to_string()].into_iter().chain(display_name.clone());
                let names = names.chain(email.iter().flat_map(office::email_words));
                let given = office.given_password(generate, name.as_str(), None, names)?;
                let new = NewUser {
                    id: office.draw.id(UserId::new)?,
                    name: name.clone(),
                    email: email.clone(),
                    display_name: display_name.clone().unwrap_or_else(|| name.to_string()),
                    status: UserStatus::Active,
                    feature: None,
                    roles: roles.clone(),
                    devices: on.clone(),
                    verifier: Some(office.verifier(&given.password)?),
                    password_change_required: must_change.required(generate),
                };
                let user = done(office::add_user(store, tenant, &stamp()?, &new))?;
                given.deliver(user.name.as_str())?;
                (user, "added")
            }
            Self::Status { name, status, confirmation } => {
                if *status == UserStatus::Deleted {
                    let sessions = count_live(&office, Whose::User(named(name)?))?;
                    confirmation.ask(&format!(
                        "This deletes the user \"{name}\" for good and ends {}",
                        counted(sessions, "session")
                    ))?;
                }
                (done(office::set_user_status(store, tenant, &stamp()?, named(name)?, *status))?, status.name())
            }
            Self::Password { name, keys: end, generate, must_change } => {
                let user = office.user(name)?;
                let principal = PrincipalId::User(user.id);
                let given = office.given_password(generate, name.as_str(), Some(principal), [])?;
                let verifier = office.verifier(&given.password)?;
                let options = PasswordOptions { end_keys: *end, change_required: must_change.required(generate) };
                let keys = done(office::set_password_with(store, tenant, &stamp()?, principal, &verifier, options))?;
                let user = office.user(name)?;
                given.deliver(user.name.as_str())?;
                name_keys(&keys, if *end { "was revoked" } else { "needs no password and stays" });
                (user, "has another password; every session of theirs is over")
            }
            Self::Unlock { name } => {
                let user = office.user(name)?;
                done(office::unlock(store, tenant, &stamp()?, PrincipalId::User(user.id)))?;
                (user, "may log in again")
            }
            Self::Roles { name, roles, on, off } => {
                let user = named(name)?;
                let office_roles = (!roles.is_empty()).then(|| roles.clone());
                let devices = DeviceRoles::Edit { on: on.clone(), off: off.clone() };
                let changes = office_roles.is_some() || !on.is_empty();
                let user = done(office::assign_roles(store, tenant, &stamp()?, user, office_roles, devices))?;
                if changes {
                    let growing = office::growing_api_keys(store, tenant, user.id).map_err(Stop::failed)?;
                    name_keys(&growing, "has no permissions and gives what the user is given");
                }
                let names = office.names()?;
                let held = names.assignment(&user);
                let held = if held.is_empty() { "no role" } else { &held };
                print::answer(context.json, &format!("{name}: {held}"), &names.user(&user));
                return Ok(());
            }
        };
        let document = office.names()?.user(&user);
        let line = format!("{}: {what}{}", user.name, if sets { must_change_note(&user) } else { "" });
        print::answer(context.json, &line, &document);
        Ok(())
    }
}

/// What a command that may set a password tells of it besides.
fn must_change_note(user: &tillgate_domain::User) -> &'static str {
    if user.password_change_required { "; the password must be changed at the next login" } else { "" }
}

fn show(office: &Office, name: &UserName, json: bool) -> Result<(), Stop> {
    let (user, names) = (office.user(name)?, office.names()?);
    let document = names.user(&user);
    if json {
        print::out(&document.to_string());
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let rows = [
        ("name", user.name.to_string()),
        ("display name", user.display_name.clone()),
        ("email", or_none(user.email.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("status", user.status.name().to_owned()),
        ("roles", or_none(names.assignment(&user))),
        ("password", password_state(&user).to_owned()),
        ("sessions", count_live(office, Whose::User(user.id))?.to_string()),
        ("created", instant(user.created_at)),
        ("changed", instant(user.updated_at)),
        ("id", user.id.to_string()),
    ];
    print::fields(&rows);
    Ok(())
}

/// What is to be known of a password without knowing it.
fn password_state(user: &tillgate_domain::User) -> &'static str {
    if user.password_change_required { "must be changed at the next login" } else { "need not be changed" }
}

fn list(office: &Office, which: &UserListArgs, json: bool) -> Result<(), Stop> {
    let names = office.names()?;
    let row = |user: &tillgate_domain::User| {
        let email = user.email.as_ref().map(ToString::to_string).unwrap_or_default();
        let password = if user.password_change_required { "must change" } else { "" };
        let (status, password) = (user.status.name().to_owned(), password.to_owned());
        let cells = [user.name.to_string(), status, password, email, names.assignment(user)];
        (cells.to_vec(), names.user(user))
    };
    let shown = UserStatus::ALL.into_iter().filter(|status| match which.status {
        Some(asked) => *status == asked,
        None => which.all || *status != UserStatus::Deleted,
    });
    let filter = UserFilter { statuses: shown.collect(), text: which.search.clone(), ..UserFilter::default() };
    let users = office.users()?;
    let found: Vec<_> = users.iter().filter(|user| filter.fits(user)).collect();
    let rows: Vec<_> = found.iter().take(which.limit.unwrap_or(usize::MAX)).map(|user| row(user)).collect();
    print::table(json, &["NAME", "STATUS", "PASSWORD", "EMAIL", "ROLES"], &rows);
    if users.is_empty() && !json {
        print::note("there is no user yet");
    } else {
        print::left_out(found.len() - rows.len());
    }
    Ok(())
}

/// Notes API keys that whoever runs the command should know of.
fn name_keys(keys: &[ApiKey], what: &str) {
    for key in keys {
        print::note(&format!("the API key \"{}\" ({}) {what}", key.name, key.client));
    }
}
