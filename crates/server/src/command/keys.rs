//! `keys`: the keys that sign access tokens and authenticate refresh tokens.

use clap::Subcommand;
use serde_json::json;
use tillgate_auth_core::keys::KeyEvent;
use tillgate_auth_core::ports::{AuthPorts, KeyState, StoredKey};
use tillgate_domain::{KeyId, Store, StoreExt};
use tillgate_persistence::Database;

use super::confirmation::Confirmation;
use super::json::format_instant;
use super::{CommandError, Context, print};
use crate::composition;
use crate::ids::IdSource;

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys
    List,
    /// Make new keys; they come into use after keys.lead, once every running server has read them
    Rotate {
        /// Put them into use at once
        #[arg(long)]
        now: bool,
    },
    /// Trust a key no longer, and end the sessions that it still serves
    Revoke {
        /// Which
        id: KeyId,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

impl KeyCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let database = composition::open_existing_database(&settings)?;
        match self {
            Self::List => {
                let row = |key: &StoredKey| {
                    let cells = [
                        key.id.to_string(),
                        key.kind.name().into(),
                        key.algorithm.clone(),
                        key.state.name().into(),
                        format_instant(key.state_since),
                    ];
                    (cells.to_vec(), key_json(key))
                };
                let rows: Vec<_> = read_keys(&database)?.iter().map(row).collect();
                print::print_table(context.json, &["ID", "KIND", "ALGORITHM", "STATE", "SINCE"], &rows);
            }
            Self::Rotate { now } => {
                let next = read_keys(&database)?.into_iter().find(|key| key.state == KeyState::Next);
                if let (Some(key), false) = (next, *now) {
                    let from = format_instant(key.state_since.saturating_add(settings.keys.lead));
                    return Err(CommandError::failed(format!(
                        "there are new keys already, {} among them, in use from {from}; --now puts new ones into use at once",
                        key.id
                    )));
                }
                let auth = composition::build_command_engine(&settings, &database)?;
                let happened = auth.rotate_keys(*now).map_err(CommandError::failed)?;
                let born: Vec<KeyId> = happened.iter().filter_map(created_key).collect();
                let names: Vec<String> = born.iter().map(ToString::to_string).collect();
                let from = format_instant(IdSource::default().now().saturating_add(settings.keys.lead));
                let when = if *now { "in use".to_owned() } else { format!("published, in use from {from}") };
                let line = format!("{when}: {}", names.join(", "));
                let from = (!now).then_some(from);
                print::print_answer(context.json, &line, &json!({ "made": names, "in_use": now, "in_use_from": from }));
            }
            Self::Revoke { id, confirmation } => {
                let key = read_keys(&database)?.into_iter().find(|key| key.id == *id);
                let key = key.ok_or_else(|| CommandError::failed(format!("there is no key {id}")))?;
                if key.state == KeyState::Revoked {
                    return Err(CommandError::failed(format!("key {id} is revoked already")));
                }
                confirmation.ask(&format!(
                    "This revokes the {} key {id}: what it serves is refused at once, and people have to log in again",
                    key.kind.name()
                ))?;
                let auth = composition::build_command_engine(&settings, &database)?;
                let ended = auth.revoke_key(*id).map_err(CommandError::failed)?.unwrap_or_default();
                print::print_answer(
                    context.json,
                    &format!("revoked; sessions ended: {ended}"),
                    &json!({ "revoked": id, "ended": ended }),
                );
            }
        }
        Ok(())
    }
}

fn read_keys(database: &Database) -> Result<Vec<StoredKey>, CommandError> {
    let store: &dyn Store<AuthPorts> = database;
    store.read(|tx| tx.keys().list()).map_err(CommandError::failed)
}

fn created_key(happened: &KeyEvent) -> Option<KeyId> {
    match happened {
        KeyEvent::Created(id) => Some(*id),
        KeyEvent::Promoted(_) | KeyEvent::Retired(_) => None,
    }
}

fn key_json(key: &StoredKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "kind": key.kind.name(),
        "algorithm": key.algorithm,
        "state": key.state.name(),
        "created_at": format_instant(key.created_at),
        "since": format_instant(key.state_since),
    })
}
