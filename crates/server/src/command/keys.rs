//! `keys`: manages the keys that sign access tokens, authenticate refresh tokens and digest PINs.

mod recreate;

use clap::Subcommand;
use serde_json::json;
use tillgate_auth_core::keys::KeyEvent;
use tillgate_auth_core::ports::{AuthPorts, KeyState, StoredKey};
use tillgate_domain::{KeyId, Store, StoreExt};
use tillgate_persistence::Database;

use super::confirmation::{ConfirmationArgs, count_text};
use super::json::format_instant;
use super::limit_args::LimitArgs;
use super::{CommandError, Context, parse, print};
use crate::composition;
use crate::ids::IdSource;
use recreate::RecreateArgs;

/// The subcommands of `keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List keys
    #[command(after_help = "Example:\n  tillgate keys list")]
    List {
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Create new keys; they are used after keys.lead, when every running server has read them
    #[command(after_help = "Example:\n  tillgate keys rotate")]
    Rotate {
        /// Use the new keys immediately
        #[arg(long)]
        now: bool,
    },
    /// Revoke a key; all sessions that depend on it end, and PINs become void
    #[command(after_help = "Example:\n  tillgate keys revoke 018f3b3e-0000-7000-8000-000000000000")]
    Revoke {
        /// Id of the key
        #[arg(value_parser = parse::id::<KeyId>("keys list"))]
        id: KeyId,
        #[command(flatten)]
        confirmation: ConfirmationArgs,
    },
    /// Replace all keys after the master key was lost, and end every session of every tenant
    #[command(
        after_help = "Stop every server first. The master key is created if its file is missing or does not open \
                            the database. See \"A lost master key\" in docs/backup.md.\n\nExample:\n  tillgate keys \
                            recreate"
    )]
    Recreate(RecreateArgs),
}

impl KeyCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let settings = context.settings(|_| ())?;
        let open_database = || context.open_database(&settings);
        match self {
            Self::List { limit } => {
                let database = open_database()?;
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
                limit.print_table(context.json, &["ID", "KIND", "ALGORITHM", "STATE", "SINCE"], &rows);
            }
            Self::Rotate { now } => {
                let database = open_database()?;
                let waiting: Vec<StoredKey> =
                    read_keys(&database)?.into_iter().filter(|key| key.state == KeyState::Next).collect();
                if let (Some(key), false) = (waiting.first(), *now) {
                    let from = format_instant(key.state_since.saturating_add(settings.keys.lead));
                    return Err(CommandError::failed(format!(
                        "new keys already exist, for example {}, and are used from {from}; to create more and use \
                         them immediately, add --now",
                        key.id
                    )));
                }
                let auth = composition::build_command_engine(&settings, &database)?;
                let events = auth.rotate_keys(*now).map_err(CommandError::failed)?;
                let created: Vec<KeyId> = events.iter().filter_map(created_key).collect();
                let names: Vec<String> = created.iter().map(ToString::to_string).collect();
                let from = format_instant(IdSource::default().now().saturating_add(settings.keys.lead));
                let when = if *now { "in use".to_owned() } else { format!("published, in use from {from}") };
                let line = format!("{when}: {}", names.join(", "));
                let from = (!now).then_some(from);
                print::print_result(context.json, &line, &json!({ "made": names, "in_use": now, "in_use_from": from }));
                if let Some(key) = waiting.first() {
                    let from = format_instant(key.state_since.saturating_add(settings.keys.lead));
                    let ids: Vec<String> = waiting.iter().map(|key| key.id.to_string()).collect();
                    print::print_note(&format!(
                        "The keys that were created earlier replace these from {from}: {}. If they are not to be used, \
                         revoke them with tillgate keys revoke",
                        ids.join(", ")
                    ));
                }
            }
            Self::Revoke { id, confirmation } => {
                let database = open_database()?;
                let key = read_keys(&database)?.into_iter().find(|key| key.id == *id);
                let key = key.ok_or_else(|| {
                    CommandError::failed(format!("there is no key \"{id}\"; `tillgate keys list` shows the ids"))
                })?;
                if key.state == KeyState::Revoked {
                    return Err(CommandError::failed(format!("the key \"{id}\" is already revoked")));
                }
                let number = count_sessions_of_key(&database, *id)?;
                let login = if number == 0 { "" } else { ", and the users of these sessions have to log in again" };
                confirmation.ask(&format!(
                    "This revokes the {} key {id} and ends {}: tokens that depend on it are rejected \
                     immediately{login}",
                    key.kind.name(),
                    count_text(number, "session")
                ))?;
                let auth = composition::build_command_engine(&settings, &database)?;
                let ended = auth.revoke_key(*id).map_err(CommandError::failed)?.unwrap_or_default();
                print::print_result(
                    context.json,
                    &format!("key revoked; sessions ended: {ended}"),
                    &json!({ "revoked": id, "ended": ended }),
                );
            }
            Self::Recreate(recreate) => recreate.run(context, &settings)?,
        }
        Ok(())
    }
}

fn read_keys(database: &Database) -> Result<Vec<StoredKey>, CommandError> {
    let store: &dyn Store<AuthPorts> = database;
    store.read("list_keys", |tx| tx.keys().list()).map_err(CommandError::failed)
}

/// The number of live sessions that the revocation of a key ends.
fn count_sessions_of_key(database: &Database, id: KeyId) -> Result<usize, CommandError> {
    let (store, now): (&dyn Store<AuthPorts>, _) = (database, IdSource::default().now());
    let sessions = store.read("count_sessions_of_key", |tx| tx.sessions().ids_by_key(id, now, u32::MAX));
    sessions.map(|ids| ids.len()).map_err(CommandError::failed)
}

fn created_key(event: &KeyEvent) -> Option<KeyId> {
    match event {
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
