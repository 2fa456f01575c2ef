//! `api-key`: manages the API keys with which programs sign their requests.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, Subcommand};
use tillgate_domain::office::{self, ApiKeyChange, ApiKeyFilter, ApiKeyView, NewApiKey, SecretRotation};
use tillgate_domain::{ApiKey, ApiKeyId, DeviceName, Instant, KnownRight, Right, Secret, UserName};
use tillgate_http::native_bodies::{ApiKeyBody, CreatedApiKeyBody};

use super::argument_errors::ArgumentErrors;
use super::json::format_instant;
use super::limit_args::LimitArgs;
use super::office::{CommandOffice, check_decided};
use super::{CommandError, Context, parse, print};
use crate::composition;
use crate::suggestions::find_nearest;

/// The subcommands of `api-key`.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Add an API key; its secret is shown once
    #[command(after_help = "Example:\n  tillgate api-key add till-sync --user anna --device P01 --right ticketClose")]
    Add {
        /// Display name
        name: String,
        /// User on whose behalf the program acts
        #[arg(long, value_name = "NAME", value_parser = parse::user)]
        user: UserName,
        /// Device on which the program acts; the user must be allowed to log in on it
        #[arg(long, value_name = "NAME", value_parser = parse::device)]
        device: DeviceName,
        /// Description
        #[arg(long, default_value = "")]
        description: String,
        /// Right to which the key is restricted; without any, the key has all rights of the user on
        /// the device
        #[arg(long = "right", value_parser = parse::right)]
        rights: Vec<Right>,
        /// When the key stops being accepted: 2026-11-21T08:00:00Z, or the last day, in the
        /// tenant's time zone
        #[arg(long, value_name = "WHEN")]
        expires_at: Option<String>,
    },
    /// Change when an API key stops being accepted
    #[command(after_help = "Example:\n  tillgate api-key expire 018f3b3e-0000-7000-8000-000000000000 2027-01-31")]
    Expire {
        /// Id of the API key
        #[arg(value_parser = parse::id::<ApiKeyId>("api-key list"))]
        id: ApiKeyId,
        /// 2026-11-21T08:00:00Z, or the last day, in the tenant's time zone; or never
        when: String,
    },
    /// Give an API key a new secret, which is shown once; the previous one stays valid for a while
    #[command(
        after_help = "Example:\n  tillgate api-key rotate 018f3b3e-0000-7000-8000-000000000000 --overlap-hours 2"
    )]
    Rotate {
        /// Id of the API key
        #[arg(value_parser = parse::id::<ApiKeyId>("api-key list"))]
        id: ApiKeyId,
        /// Hours for which the previous secret stays valid, from 0 to 24; during that time, only 0
        /// is possible
        #[arg(long, value_name = "NUMBER", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=24))]
        overlap_hours: u64,
    },
    /// List API keys
    #[command(after_help = "Example:\n  tillgate api-key list --user anna --status active")]
    List(ApiKeyListArgs),
    /// Revoke an API key, or reactivate it
    #[command(after_help = "Example:\n  tillgate api-key status 018f3b3e-0000-7000-8000-000000000000 revoked")]
    Status {
        /// Id of the API key
        #[arg(value_parser = parse::id::<ApiKeyId>("api-key list"))]
        id: ApiKeyId,
        /// active or revoked
        status: ApiKeyStatus,
    },
}

/// The filters of `api-key list`.
#[derive(Debug, Args)]
pub(crate) struct ApiKeyListArgs {
    /// Only API keys of this user
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// Only API keys on this device
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// Only API keys in this status
    #[arg(long)]
    status: Option<ApiKeyStatus>,
    #[command(flatten)]
    limit: LimitArgs,
}

/// Whether requests signed with the key are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ApiKeyStatus {
    /// Signatures of the key are accepted.
    Active,
    /// Signatures of the key are rejected.
    Revoked,
}

impl ApiKeyStatus {
    const fn from_key(key: &ApiKey) -> Self {
        if key.active { Self::Active } else { Self::Revoked }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

impl ApiKeyCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::Add { name, user, device, description, rights, expires_at } => {
                let expires_at = expires_at.as_deref().map(|when| parse_expiry(&office, when)).transpose();
                let errors = ArgumentErrors::default().with(&office.find_user(user)).with(&office.find_device(device));
                errors.with_each(check_granted(&office, rights)?).with(&expires_at).report()?;
                let engine = composition::build_command_engine(&office.settings, &office.database)?;
                let generated = engine.generate_api_key().map_err(CommandError::failed)?;
                let new = NewApiKey {
                    id: generated.id,
                    client_id: generated.client_id,
                    wrapped_secret: generated.wrapped_secret,
                    name: name.clone(),
                    description: description.clone(),
                    active: true,
                    user: user.clone(),
                    device: device.clone(),
                    permissions: rights.iter().cloned().collect(),
                    expires_at: expires_at?.flatten(),
                };
                let key = check_decided(office.for_operator()?.add_api_key(&new))?;
                print_secret(context, &view_api_key(&office, &key)?, &generated.secret);
                Ok(())
            }
            Self::Expire { id, when } => {
                let change = ApiKeyChange { expires_at: Some(parse_expiry(&office, when)?), ..ApiKeyChange::default() };
                let key = check_decided(office.for_operator()?.change_api_key(*id, None, &change))?;
                let view = view_api_key(&office, &key)?;
                let expiry = key.expires_at.map_or_else(|| "never".to_owned(), format_instant);
                print::print_result(
                    context.json,
                    &format!("{}: expires {expiry}", key.name),
                    &ApiKeyBody::from_view(&view),
                );
                Ok(())
            }
            Self::Rotate { id, overlap_hours } => {
                let engine = composition::build_command_engine(&office.settings, &office.database)?;
                let operator = office.for_operator()?;
                let found = check_decided(operator.reader().find_api_key(*id))?;
                let found = found.ok_or_else(|| unknown_key(*id))?;
                let generated = engine.generate_api_key_secret(&found.key.client_id).map_err(CommandError::failed)?;
                let (secret, wrapped_secret) = generated;
                let overlap = Duration::from_secs(overlap_hours * 3_600);
                let rotation = SecretRotation { wrapped_secret, overlap };
                let key = check_decided(operator.rotate_api_key(*id, Some(&[found.key.version]), &rotation))?;
                print_secret(context, &view_api_key(&office, &key)?, &secret);
                if !context.json
                    && let Some(until) = key.previous_secret_until
                {
                    print::print_note(&format!("The previous secret is valid until {}.", format_instant(until)));
                }
                Ok(())
            }
            Self::List(which) => which.run(&office, context.json),
            Self::Status { id, status } => {
                let change = ApiKeyChange { active: Some(*status == ApiKeyStatus::Active), ..ApiKeyChange::default() };
                let key = check_decided(office.for_operator()?.change_api_key(*id, None, &change))?;
                let view = view_api_key(&office, &key)?;
                let line = format!("{}: {}", key.name, status.name());
                print::print_result(context.json, &line, &ApiKeyBody::from_view(&view));
                Ok(())
            }
        }
    }
}

fn unknown_key(id: ApiKeyId) -> CommandError {
    CommandError::failed(format!("there is no API key \"{id}\"; `tillgate api-key list` shows the ids"))
}

/// Checks the custom rights to which a key is restricted. One that no role grants and whose name is
/// similar to one that a role can grant is probably a typing error.
fn check_granted(office: &CommandOffice, rights: &[Right]) -> Result<Vec<Result<(), CommandError>>, CommandError> {
    let roles = office.unguarded().list_roles().map_err(CommandError::failed)?;
    let granted: BTreeSet<&str> = roles.iter().flat_map(|role| role.rights.names()).collect();
    let known = || KnownRight::ALL.iter().map(|known| known.as_str()).chain(granted.iter().copied());
    let unknown = rights.iter().map(Right::as_str).filter(|right| known().all(|each| each != *right));
    let check = |right: &str| match find_nearest(right, known()) {
        Some(near) => {
            Err(CommandError::usage(format!("no role grants the right \"{right}\"; did you mean \"{near}\"?")))
        }
        None => Ok(()),
    };
    Ok(unknown.map(check).collect())
}

fn print_secret(context: &Context, view: &ApiKeyView, secret: &Secret<String>) {
    let (id, client) = (view.key.id, &view.key.client_id);
    let lines = format!("id: {id}\nclientId: {client}\nclientSecret: {}", secret.expose());
    print::print_result(context.json, &lines, &CreatedApiKeyBody::from_view(view, secret));
    if !context.json {
        print::print_note("Save the secret now: it is not shown again.");
    }
}

/// Parses when a key stops being accepted: a time, the end of a day in the tenant's zone, or
/// `never`.
fn parse_expiry(office: &CommandOffice, text: &str) -> Result<Option<Instant>, CommandError> {
    if text == "never" { Ok(None) } else { parse::instant(&office.tenant.zone, text, true).map(Some) }
}

impl ApiKeyListArgs {
    fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let user = self.user.as_ref().map(|name| office.find_user(name)).transpose();
        let device = self.device.as_ref().map(|name| office.find_device(name)).transpose();
        ArgumentErrors::default().with(&user).with(&device).report()?;
        let filter = ApiKeyFilter {
            user: user?.map(|user| user.id),
            device: device?.map(|device| device.id),
            active: self.status.map(|status| status == ApiKeyStatus::Active),
        };
        let reader = office.reader_for_operator();
        let load_page = |page: &_| check_decided(reader.list_api_keys(&filter, page));
        let keys = office::collect_pages(None, load_page, |view| view.key.id)?;
        let row = |view: &ApiKeyView| {
            let key = &view.key;
            let rights = key.permissions.names().collect::<Vec<_>>().join(",");
            vec![
                key.id.to_string(),
                key.client_id.clone(),
                key.name.clone(),
                view.user.to_string(),
                view.device.to_string(),
                ApiKeyStatus::from_key(key).name().to_owned(),
                key.expires_at.map_or_else(|| "-".to_owned(), format_instant),
                key.last_used_at.map_or_else(|| "-".to_owned(), format_instant),
                rights,
            ]
        };
        let rows: Vec<_> = keys.iter().map(|view| (row(view), ApiKeyBody::from_view(view))).collect();
        self.limit.print_table(
            json,
            &["ID", "CLIENT ID", "NAME", "USER", "DEVICE", "STATUS", "EXPIRES", "LAST USED", "RIGHTS"],
            &rows,
        );
        Ok(())
    }
}

fn view_api_key(office: &CommandOffice, key: &ApiKey) -> Result<ApiKeyView, CommandError> {
    office.unguarded().load_api_key_view(key).map_err(CommandError::failed)
}
