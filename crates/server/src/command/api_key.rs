//! `api-key`: keys that programs sign their requests with.

use clap::Subcommand;
use serde_json::{Value, json};
use tillgate_domain::office::{self, ApiKeyChange, ApiKeyFilter, Authority, KnownApiKey, NewApiKey};
use tillgate_domain::{ApiKey, ApiKeyId, DeviceName, Right, UserName};

use super::office::{Office, done};
use super::show;
use super::{Context, Stop, pairs, print};
use crate::compose;

/// What is done with keys of programs.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeys {
    /// Make a key for a program; its secret is shown once
    Add {
        /// What people call it by
        name: String,
        /// The user whom a request runs as
        #[arg(long, value_name = "NAME", value_parser = pairs::user)]
        user: UserName,
        /// The device that it runs on: one that the user may log in on
        #[arg(long, value_name = "NAME", value_parser = pairs::device)]
        device: DeviceName,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// A right that the key is narrowed to; without one it has all that the user has there
        #[arg(long = "right", value_parser = pairs::right)]
        rights: Vec<Right>,
    },
    /// List keys
    List,
    /// Revoke a key, or let it count again
    Status {
        /// Which
        id: ApiKeyId,
        /// active or revoked
        status: Status,
    },
}

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Status {
    /// It counts.
    Active,
    /// It does not.
    Revoked,
}

impl Status {
    const fn of(key: &ApiKey) -> Self {
        if key.active { Self::Active } else { Self::Revoked }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

impl ApiKeys {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        match self {
            Self::Add { name, user, device, description, rights } => {
                let engine = compose::engine_beside(&office.settings, &office.database)?;
                let drawn = engine.draw_api_key().map_err(Stop::failed)?;
                let new = NewApiKey {
                    id: drawn.id,
                    client: drawn.client,
                    wrapped: drawn.wrapped,
                    name: name.clone(),
                    description: description.clone(),
                    active: true,
                    user: user.clone(),
                    device: device.clone(),
                    permissions: rights.iter().cloned().collect(),
                };
                let key = done(office::add_api_key(office.store(), office.id(), &office.draw.stamp()?, &new))?;
                let secret = drawn.secret.expose();
                let mut document = document(&known(&office, &key)?);
                if let Some(members) = document.as_object_mut() {
                    members.insert("clientSecret".to_owned(), json!(secret));
                }
                let lines = format!("id: {}\nclientId: {}\nclientSecret: {secret}", key.id, key.client);
                print::answer(context.json, &lines, &document);
                if !context.json {
                    print::note("Keep the secret now: it is not shown again.");
                }
                Ok(())
            }
            Self::List => list(&office, context.json),
            Self::Status { id, status } => {
                let change = ApiKeyChange { active: Some(*status == Status::Active), ..ApiKeyChange::default() };
                let stamp = office.draw.stamp()?;
                let key = done(office::change_api_key(office.store(), office.id(), &stamp, *id, None, &change))?;
                let document = document(&known(&office, &key)?);
                print::answer(context.json, &format!("{}: {}", key.name, status.name()), &document);
                Ok(())
            }
        }
    }
}

fn list(office: &Office, json: bool) -> Result<(), Stop> {
    let every = ApiKeyFilter::default();
    let part = |page: &_| done(office::list_api_keys(office.store(), office.id(), &Authority::Host, &every, page));
    let keys = office::all(None, part, |known| known.key.id)?;
    let row = |known: &KnownApiKey| {
        let key = &known.key;
        let rights = key.permissions.names().collect::<Vec<_>>().join(",");
        let cells = [
            key.id.to_string(),
            key.client.clone(),
            key.name.clone(),
            known.user.to_string(),
            known.device.to_string(),
            Status::of(key).name().to_owned(),
            rights,
        ];
        (cells.to_vec(), document(known))
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    print::table(json, &["ID", "CLIENT ID", "NAME", "USER", "DEVICE", "STATUS", "RIGHTS"], &rows);
    Ok(())
}

fn known(office: &Office, key: &ApiKey) -> Result<KnownApiKey, Stop> {
    office::known_api_key(office.store(), key).map_err(Stop::failed)
}

/// A key without its secret.
fn document(known: &KnownApiKey) -> Value {
    let key = &known.key;
    json!({
        "id": key.id,
        "clientId": key.client,
        "name": key.name,
        "description": key.description,
        "user": known.user,
        "device": known.device,
        "status": Status::of(key).name(),
        "rights": key.permissions,
        "created_at": show::instant(key.created_at),
    })
}
