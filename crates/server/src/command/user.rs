//! `user`: manages users.

mod list;
mod password;
mod pin;
mod show;

use clap::Subcommand;
use tillgate_auth_core::OneTimeToken;
use tillgate_domain::office::{
    self, DeviceRoleAssignment, DeviceRolesChange, NewUser, SessionTarget, UserChange, UserView,
};
use tillgate_domain::{ApiKey, DeviceName, Email, Locale, PrincipalId, RoleName, User, UserId, UserName, UserStatus};
use tillgate_http::native_bodies::{InvitationBody, MailedLinkBody, UserBody};

use super::argument_errors::ArgumentErrors;
use super::confirmation::ConfirmationArgs;
use super::json::{format_instant, join_names};
use super::office::{CommandOffice, check_decided};
use super::password::{GenerateArgs, MustChangeArgs};
use super::session::count_live_sessions;
use super::{CommandError, Context, parse, print};
use list::UserListArgs;
use password::PasswordArgs;
use pin::PinArgs;
use show::show_user;

/// The subcommands of `user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; the password is read from the terminal or standard input
    #[command(after_help = "Example:\n  tillgate user add anna --on P01=cashier --generate passwords.txt")]
    Add {
        /// Login name
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// E-mail address, which the user can also log in with
        #[arg(long, value_parser = parse::email)]
        email: Option<Email>,
        /// Display name [default: the login name]
        #[arg(long)]
        display_name: Option<String>,
        /// Language, such as en or sk-SK [default: that of the tenant]
        #[arg(long, value_parser = parse::locale)]
        locale: Option<Locale>,
        /// Role in sessions without a device
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
    #[command(after_help = "Example:\n  tillgate user list --search ann --status suspended")]
    List(UserListArgs),
    /// Show a user
    #[command(after_help = "Example:\n  tillgate user show anna")]
    Show {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
    },
    /// Change a user's names or e-mail address, or require a password change
    #[command(after_help = "Example:\n  tillgate user set anna --email anna@example.com --display-name Anna")]
    Set {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// New login name
        #[arg(long, value_name = "NAME", value_parser = parse::user)]
        rename: Option<UserName>,
        /// New e-mail address
        #[arg(long, value_parser = parse::email)]
        email: Option<Email>,
        /// Remove the e-mail address
        #[arg(long, conflicts_with = "email")]
        no_email: bool,
        /// New display name
        #[arg(long)]
        display_name: Option<String>,
        /// New language, such as en or sk-SK
        #[arg(long, value_parser = parse::locale, conflicts_with = "no_locale")]
        locale: Option<Locale>,
        /// Use the language of the tenant
        #[arg(long)]
        no_locale: bool,
        #[command(flatten)]
        must_change: MustChangeArgs,
    },
    /// Activate, suspend or delete a user; sessions end unless the user is active
    #[command(after_help = "Example:\n  tillgate user status anna suspended")]
    Status {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// active, suspended or deleted; asks for confirmation before it deletes the user
        #[arg(value_parser = parse::one_of_words::<UserStatus>(&["active", "suspended", "deleted"]))]
        status: UserStatus,
        #[command(flatten)]
        confirmation: ConfirmationArgs,
    },
    /// Set a user's password, read from the terminal or standard input; all of the user's sessions
    /// end. Asks for confirmation if permanent ones are among them
    #[command(after_help = "Example:\n  tillgate user password anna --generate passwords.txt")]
    Password(PasswordArgs),
    /// Draw the PIN with which a user works on a till, and show it once
    #[command(after_help = "Example:\n  tillgate user pin anna --output pins.txt")]
    Pin(PinArgs),
    /// Invite a user to choose a password; print the path of the page with a token that works once
    #[command(after_help = "Example:\n  tillgate user invite anna --mail")]
    Invite {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// Mail the link to the user's e-mail address instead; a running server sends it
        #[arg(long)]
        mail: bool,
    },
    /// Unlock a user after too many failed logins
    #[command(after_help = "Example:\n  tillgate user unlock anna")]
    Unlock {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
    },
    /// Show or change a user's roles: --role replaces the roles without a device, --on those on one
    /// device
    #[command(after_help = "Example:\n  tillgate user roles anna --on P01=cashier,manager --off P02")]
    Roles {
        /// Name of the user
        #[arg(value_parser = parse::user)]
        name: UserName,
        /// Role in sessions without a device
        #[arg(long = "role", value_parser = parse::role)]
        roles: Vec<RoleName>,
        /// Roles on a device
        #[arg(long, value_name = "DEVICE=ROLE[,ROLE]", value_parser = parse::roles_on_device)]
        on: Vec<DeviceRoleAssignment>,
        /// Remove a device from the user's list
        #[arg(long, value_name = "DEVICE", value_parser = parse::device)]
        off: Vec<DeviceName>,
    },
}

impl UserCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        let named = |name: &UserName| office.find_user(name).map(|user| user.id);
        let sets = matches!(self, Self::Add { .. } | Self::Set { .. });
        let (user, what) = match self {
            Self::List(which) => return which.run(&office, context.json),
            Self::Pin(pin) => return pin.run(&office, context.json),
            Self::Password(password) => return password.run(&office, context.json),
            Self::Show { name } => return show_user(&office, name, context.json),
            Self::Invite { name, mail: false } => return invite_user(&office, name, context.json),
            Self::Invite { name, mail: true } => return invite_by_mail(&office, name, context.json),
            Self::Set { name, rename, email, no_email, display_name, locale, no_locale, must_change } => {
                let change = UserChange {
                    name: rename.clone(),
                    email: if *no_email { Some(None) } else { email.clone().map(Some) },
                    display_name: display_name.clone(),
                    password_change_required: must_change.requested(),
                    locale: if *no_locale { Some(None) } else { locale.clone().map(Some) },
                    // the operator of this machine changes any user without confirming a password
                    password_confirmed: true,
                    ..UserChange::default()
                };
                let required = change.password_change_required;
                let names = rename.is_none() && change.email.is_none() && display_name.is_none();
                if names && required.is_none() && change.locale.is_none() {
                    let flags = "--rename, --email, --no-email, --display-name, --locale, --no-locale, \
                                 --must-change-password or --no-must-change-password";
                    return Err(CommandError::usage(format!("nothing to change: use {flags}")));
                }
                (check_decided(office.for_operator()?.change_user(named(name)?, None, &change))?, "set")
            }
            Self::Add { name, email, display_name, locale, roles, on, generate, must_change } => {
                ArgumentErrors::default().with_each(office.check_assignments(roles, on)).report()?;
                let names = [name.to_string()].into_iter().chain(display_name.clone());
                let names = names.chain(email.iter().flat_map(office::email_context_words));
                let new_password = office.choose_password(generate, name.as_str(), None, names)?;
                let new = NewUser {
                    id: office.ids.new_id(UserId::new)?,
                    name: name.clone(),
                    email: email.clone(),
                    display_name: display_name.clone().unwrap_or_else(|| name.to_string()),
                    status: UserStatus::Active,
                    feature: None,
                    roles: roles.clone(),
                    devices: on.clone(),
                    verifier: Some(office.hash_password(&new_password.password)?),
                    password_change_required: must_change.is_required(generate),
                    locale: locale.clone(),
                };
                let user = check_decided(office.for_operator()?.add_user(&new))?;
                new_password.deliver(user.name.as_str())?;
                (user, "added")
            }
            Self::Status { name, status, confirmation } => {
                if *status == UserStatus::Deleted {
                    let sessions = count_live_sessions(&office, SessionTarget::User(named(name)?))?;
                    confirmation.ask(&format!("This permanently deletes the user \"{name}\" and ends {sessions}"))?;
                }
                (check_decided(office.for_operator()?.set_user_status(named(name)?, *status))?, status.name())
            }
            Self::Unlock { name } => {
                let user = office.find_user(name)?;
                check_decided(office.for_operator()?.unlock_principal(PrincipalId::User(user.id)))?;
                (user, "may log in again")
            }
            Self::Roles { name, roles, on, off } => {
                let (user, removed) = (named(name), off.iter().map(|device| office.find_device(device)));
                let errors = ArgumentErrors::default().with(&user).with_each(office.check_assignments(roles, on));
                errors.with_each(removed).report()?;
                let office_roles = (!roles.is_empty()).then(|| roles.clone());
                let devices = DeviceRolesChange::Edit { set: on.clone(), remove: off.clone() };
                let changes = office_roles.is_some() || !on.is_empty();
                let user = check_decided(office.for_operator()?.assign_roles(user?, office_roles, devices))?;
                if changes {
                    let unrestricted =
                        office.unguarded().list_unrestricted_api_keys(user.id).map_err(CommandError::failed)?;
                    note_api_keys(&unrestricted, "is unrestricted: it has all rights of the user");
                }
                return print_roles(&office, name, &user, context.json);
            }
        };
        let line = format!("{}: {what}{}", user.name, if sets { must_change_note(&user) } else { "" });
        print::print_result(context.json, &line, &UserBody::from_view(&office.load_user_view(&user)?));
        Ok(())
    }
}

/// A note for commands that may set a password: whether it must be changed.
fn must_change_note(user: &User) -> &'static str {
    if user.password_change_required { "; the password must be changed at the next login" } else { "" }
}

/// Invites a user, and prints the path of the page with the token, or without a back office for
/// browsers the token.
fn invite_user(office: &CommandOffice, name: &UserName, json: bool) -> Result<(), CommandError> {
    let user = office.find_user(name)?;
    let OneTimeToken { token, digest } = OneTimeToken::new_link_token(office.ids.random_bytes()?);
    let invitation = check_decided(office.for_operator()?.invite_user(user.id, digest))?;
    let body = InvitationBody::new(&token, office.office_prefix(), invitation.expires_at);
    print::print_result(json, body.path_or_token(), &body);
    let until = format_instant(invitation.expires_at);
    print::print_note(&format!(
        "{}: invited until {until}; open the path at the server's address. It works once",
        user.name
    ));
    Ok(())
}

/// Invites a user by a mail, which a running server sends.
fn invite_by_mail(office: &CommandOffice, name: &UserName, json: bool) -> Result<(), CommandError> {
    let user = office.find_user(name)?;
    office.require_link_mail()?;
    let OneTimeToken { digest, .. } = OneTimeToken::new_link_token(office.ids.random_bytes()?);
    let invitation = check_decided(office.for_operator()?.invite_user_by_mail(user.id, digest))?;
    let email = invitation.email.ok_or_else(|| CommandError::failed("a mailed invitation has no address"))?;
    let until = format_instant(invitation.expires_at);
    let line = format!("{}: invited by mail to {email}, until {until}; a running server sends the mail", user.name);
    print::print_result(json, &line, &MailedLinkBody::new(&email, invitation.expires_at));
    Ok(())
}

fn print_roles(office: &CommandOffice, name: &UserName, user: &User, json: bool) -> Result<(), CommandError> {
    let view = office.load_user_view(user)?;
    let assigned = format_assignment(&view);
    let assigned = if assigned.is_empty() { "no role" } else { &assigned };
    print::print_result(json, &format!("{name}: {assigned}"), &UserBody::from_view(&view));
    Ok(())
}

/// The roles of a user in short form: `admin P01=cashier,manager P02=`.
fn format_assignment(view: &UserView) -> String {
    let devices = view.devices.iter().map(|on| format!("{}={}", on.device, join_names(&on.roles)));
    let office = [join_names(&view.roles)].into_iter().filter(|names| !names.is_empty());
    office.chain(devices).collect::<Vec<_>>().join(" ")
}

/// Notes what a command means for these API keys.
fn note_api_keys(keys: &[ApiKey], what: &str) {
    for key in keys {
        print::print_note(&format!("the API key \"{}\" ({}) {what}", key.name, key.client_id));
    }
}
