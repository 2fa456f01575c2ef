//! `keys`: the keys that sign access tokens and authenticate refresh tokens.

use clap::Subcommand;
use serde_json::json;
use tillgate_auth_core::keys::Lifecycle;
use tillgate_auth_core::ports::{AuthView, KeyState, StoredKey};
use tillgate_domain::{KeyId, Store, StoreExt};
use tillgate_persistence::Database;

use super::confirm::Confirmation;
use super::show::instant;
use super::{Context, Stop, print};
use crate::compose;
use crate::draw::Draw;

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
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

impl Keys {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = context.settings(|_| ())?;
        let database = compose::open_existing(&settings)?;
        match self {
            Self::List => {
                let row = |key: &StoredKey| {
                    let cells = [
                        key.id.to_string(),
                        key.kind.name().into(),
                        key.algorithm.clone(),
                        key.state.name().into(),
                        instant(key.since),
                    ];
                    (cells.to_vec(), document(key))
                };
                let rows: Vec<_> = all(&database)?.iter().map(row).collect();
                print::table(context.json, &["ID", "KIND", "ALGORITHM", "STATE", "SINCE"], &rows);
            }
            Self::Rotate { now } => {
                let next = all(&database)?.into_iter().find(|key| key.state == KeyState::Next);
                if let (Some(key), false) = (next, *now) {
                    let from = instant(key.since.after(settings.keys.lead));
                    return Err(Stop::failed(format!(
                        "there are new keys already, {} among them, in use from {from}; --now puts new ones into use at once",
                        key.id
                    )));
                }
                let auth = compose::engine_beside(&settings, &database)?;
                let happened = auth.rotate_keys(*now).map_err(Stop::failed)?;
                let born: Vec<KeyId> = happened.iter().filter_map(born).collect();
                let names: Vec<String> = born.iter().map(ToString::to_string).collect();
                let from = instant(Draw::default().now().after(settings.keys.lead));
                let when = if *now { "in use".to_owned() } else { format!("published, in use from {from}") };
                let line = format!("{when}: {}", names.join(", "));
                let from = (!now).then_some(from);
                print::answer(context.json, &line, &json!({ "made": names, "in_use": now, "in_use_from": from }));
            }
            Self::Revoke { id, confirmation } => {
                let key = all(&database)?.into_iter().find(|key| key.id == *id);
                let key = key.ok_or_else(|| Stop::failed(format!("there is no key {id}")))?;
                if key.state == KeyState::Revoked {
                    return Err(Stop::failed(format!("key {id} is revoked already")));
                }
                confirmation.ask(&format!(
                    "This revokes the {} key {id}: what it serves is refused at once, and people have to log in again",
                    key.kind.name()
                ))?;
                let auth = compose::engine_beside(&settings, &database)?;
                let ended = auth.revoke_key(*id).map_err(Stop::failed)?.unwrap_or_default();
                print::answer(
                    context.json,
                    &format!("revoked; sessions ended: {ended}"),
                    &json!({ "revoked": id, "ended": ended }),
                );
            }
        }
        Ok(())
    }
}

fn all(database: &Database) -> Result<Vec<StoredKey>, Stop> {
    let store: &dyn Store<AuthView> = database;
    store.read(|tx| tx.keys().all()).map_err(Stop::failed)
}

fn born(happened: &Lifecycle) -> Option<KeyId> {
    match happened {
        Lifecycle::Born(id) => Some(*id),
        Lifecycle::Used(_) | Lifecycle::Gone(_) => None,
    }
}

fn document(key: &StoredKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "kind": key.kind.name(),
        "algorithm": key.algorithm,
        "state": key.state.name(),
        "created_at": instant(key.created_at),
        "since": instant(key.since),
    })
}
