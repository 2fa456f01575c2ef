//! `api-key`: manages the API keys with which programs sign their requests.

use clap::Subcommand;
use tillgate_domain::office::{self, ApiKeyChange, ApiKeyFilter, ApiKeyView, NewApiKey};
use tillgate_domain::{ApiKey, ApiKeyId, DeviceName, Right, UserName};
use tillgate_http::native_bodies::{ApiKeyBody, CreatedApiKeyBody};

use super::office::{CommandOffice, check_decided};
use super::{CommandError, Context, parse, print};
use crate::composition;

/// The subcommands of `api-key`.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Add an API key; its secret is shown once
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
    },
    /// List API keys
    List,
    /// Revoke an API key, or reactivate it
    Status {
        /// Id of the API key
        id: ApiKeyId,
        /// active or revoked
        status: ApiKeyStatus,
    },
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
            Self::Add { name, user, device, description, rights } => {
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
                };
                let key = check_decided(office.for_operator()?.add_api_key(&new))?;
                let secret = generated.secret.expose();
                let view = view_api_key(&office, &key)?;
                let lines = format!("id: {}\nclientId: {}\nclientSecret: {secret}", key.id, key.client_id);
                print::print_answer(context.json, &lines, &CreatedApiKeyBody::from_view(&view, &generated.secret));
                if !context.json {
                    print::print_note("Save the secret now: it is not shown again.");
                }
                Ok(())
            }
            Self::List => list_api_keys(&office, context.json),
            Self::Status { id, status } => {
                let change = ApiKeyChange { active: Some(*status == ApiKeyStatus::Active), ..ApiKeyChange::default() };
                let key = check_decided(office.for_operator()?.change_api_key(*id, None, &change))?;
                let view = view_api_key(&office, &key)?;
                let line = format!("{}: {}", key.name, status.name());
                print::print_answer(context.json, &line, &ApiKeyBody::from_view(&view));
                Ok(())
            }
        }
    }
}

fn list_api_keys(office: &CommandOffice, json: bool) -> Result<(), CommandError> {
    let (operator, every) = (office.for_operator()?, ApiKeyFilter::default());
    let load_page = |page: &_| check_decided(operator.list_api_keys(&every, page));
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
            rights,
        ]
    };
    let rows: Vec<_> = keys.iter().map(|view| (row(view), ApiKeyBody::from_view(view))).collect();
    print::print_table(json, &["ID", "CLIENT ID", "NAME", "USER", "DEVICE", "STATUS", "RIGHTS"], &rows);
    Ok(())
}

fn view_api_key(office: &CommandOffice, key: &ApiKey) -> Result<ApiKeyView, CommandError> {
    office.unguarded().load_api_key_view(key).map_err(CommandError::failed)
}
