//! `keys recreate`: continues after the master key was lost, with a new one and with new keys.
//!
//! The sessions end before the keys are removed, and the keys are removed before new ones are
//! created. After a crash between two of these steps, the same command continues; if no keys are
//! left, the next start of a server creates them.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use tillgate_auth_core::ports::{AuthPorts, StoredKey};
use tillgate_domain::office::{self, ApiKeyFilter, SessionTarget};
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, KeyId, Scope, Store, StoreExt, Subject};
use tillgate_persistence::Database;

use super::read_keys;
use crate::command::confirmation::{ConfirmationArgs, count_text};
use crate::command::office::{CommandOffice, check_decided};
use crate::command::session::count_live_sessions;
use crate::command::{CommandError, Context, print};
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::{composition, master_key, shell};

/// The age of a heartbeat up to which a server counts as running.
const MAX_HEARTBEAT_AGE: Duration = Duration::from_mins(1);

/// The arguments of `keys recreate`.
#[derive(Debug, Args)]
pub(crate) struct RecreateArgs {
    #[command(flatten)]
    confirmation: ConfirmationArgs,
}

impl RecreateArgs {
    pub(super) fn run(&self, context: &Context, settings: &Settings) -> Result<(), CommandError> {
        let database = composition::open_database_without_master_key(settings)?;
        context.name_database(settings)?;
        let lost_keys = read_keys(&database)?;
        check_lost(settings, &lost_keys)?;
        check_stopped(&database)?;
        let offices = open_offices(settings, &database)?;
        let loss = Loss::count(&database, &offices)?;
        self.confirmation.ask(&loss.to_question())?;
        for office in &offices {
            check_decided(office.for_operator()?.end_sessions(SessionTarget::Everyone, true))?;
        }
        let aside = master_key::set_key_file_aside(settings, IdSource::default().now())?;
        remove_keys(&database, &lost_keys)?;
        let auth = composition::build_engine_with_first_keys(settings, &database)?;
        let created: Vec<KeyId> =
            auth.list_keys().map_err(CommandError::failed)?.into_iter().map(|key| key.id).collect();
        let location = composition::master_key_location(settings);
        let aside = aside.map(|path| path.display().to_string());
        let Loss { sessions, api_keys, sealed_events } = loss;
        print::print_result(
            context.json,
            &format!(
                "{} created, encrypted by {location}; {} ended",
                count_text(created.len(), "new key"),
                count_text(sessions, "session")
            ),
            &json!({
                "master_key": location,
                "previous_file": aside,
                "made": created,
                "ended": sessions,
                "api_keys": api_keys,
                "sealed_events": sealed_events,
            }),
        );
        if !context.json {
            print_next_steps(settings, aside.as_deref(), api_keys);
        }
        Ok(())
    }
}

/// Refuses if the master key opens a key of the database.
fn check_lost(settings: &Settings, keys: &[StoredKey]) -> Result<(), CommandError> {
    if keys.is_empty() {
        return Err(CommandError::failed(format!(
            "the database has no keys: start the server, which creates them ({})",
            settings.command("serve")
        )));
    }
    if master_key::opens_any_key(settings, keys)? {
        return Err(CommandError::failed(format!(
            "{} opens the keys in the database, so it is not lost: to replace the keys, run {}",
            composition::master_key_location(settings),
            settings.command("keys rotate")
        )));
    }
    Ok(())
}

/// Refuses while a server uses the database: it would go on with the keys that it has in memory.
fn check_stopped(database: &Database) -> Result<(), CommandError> {
    let store: &dyn Store<AuthPorts> = database;
    let since = IdSource::default().now().saturating_sub(MAX_HEARTBEAT_AGE);
    let running = store
        .read("list_acknowledgments", |tx| tx.nodes().list_acknowledgments(since))
        .map_err(CommandError::failed)?;
    let Some(server) = running.first() else { return Ok(()) };
    let name = if server.name.is_empty() { server.id.short_name() } else { server.name.clone() };
    Err(CommandError::failed(format!(
        "the server {name} was running less than a minute ago, and may still have the keys in its memory: stop every \
         server; if one was killed, wait for a minute"
    )))
}

/// The offices of all tenants.
fn open_offices(settings: &Settings, database: &Arc<Database>) -> Result<Vec<CommandOffice>, CommandError> {
    let load_page = |page: &_| office::unguarded::list_tenants(&**database, page);
    let tenants = office::collect_pages(None, load_page, |tenant| tenant.id).map_err(CommandError::failed)?;
    let open = |tenant| CommandOffice {
        settings: settings.clone(),
        database: Arc::clone(database),
        tenant,
        ids: IdSource::default(),
    };
    Ok(tenants.into_iter().map(open).collect())
}

/// What the loss of the master key costs.
struct Loss {
    /// The live sessions of all tenants.
    sessions: usize,
    /// The API keys of all tenants that are accepted, whose secrets cannot be decrypted.
    api_keys: usize,
    /// The audit events whose seals can no longer be verified.
    sealed_events: usize,
}

impl Loss {
    fn count(database: &Database, offices: &[CommandOffice]) -> Result<Self, CommandError> {
        let (_, newest) = office::unguarded::count_unsealed_audit(database, 1).map_err(CommandError::failed)?;
        let mut loss =
            Self { sessions: 0, api_keys: 0, sealed_events: usize::try_from(newest.sequence).unwrap_or_default() };
        for office in offices {
            loss.sessions += count_live_sessions(office, SessionTarget::Everyone)?.total;
            loss.api_keys += count_api_keys(office)?;
        }
        Ok(loss)
    }

    fn to_question(&self) -> String {
        format!(
            "This replaces the keys in the database, which the master key does not open. It ends {} in all tenants, so \
             that users have to log in again; the secrets of {} stop working; and the seals of {} can no longer be \
             verified. A copy of the lost master key will be useless",
            count_text(self.sessions, "session"),
            count_text(self.api_keys, "API key"),
            count_text(self.sealed_events, "audit event")
        )
    }
}

/// The number of API keys of a tenant that are neither revoked nor expired.
fn count_api_keys(office: &CommandOffice) -> Result<usize, CommandError> {
    let (reader, every, now) = (office.reader_for_operator(), ApiKeyFilter::default(), office.ids.now());
    let load_page = |page: &_| check_decided(reader.list_api_keys(&every, page));
    let keys = office::collect_pages(None, load_page, |view| view.key.id)?;
    Ok(keys.iter().filter(|view| view.key.active && !view.key.is_expired(now)).count())
}

/// Removes the keys, with an audit event for each.
fn remove_keys(database: &Database, lost_keys: &[StoredKey]) -> Result<(), CommandError> {
    let ids = IdSource::default();
    let now = ids.now();
    let build_event = |key: &StoredKey| {
        Ok(Event {
            id: ids.new_id(EventId::new)?,
            at: now,
            tenant: None,
            actor: Actor::default(),
            action: Action::KeyRevoke,
            subject: Subject::Key(key.id),
            outcome: EventOutcome::Done,
            details: Map::from_iter([
                ("kind".to_owned(), Value::from(key.kind.name())),
                ("master_key_lost".to_owned(), Value::Bool(true)),
                (office::OS_USER_DETAIL.to_owned(), Value::from(shell::shell_user())),
            ]),
            approver: None,
        })
    };
    let events = lost_keys.iter().map(build_event).collect::<Result<Vec<_>, CommandError>>()?;
    let store: &dyn Store<AuthPorts> = database;
    let removed = store.write("remove_lost_keys", |tx| {
        for (key, event) in lost_keys.iter().zip(&events) {
            tx.keys().remove(key.id)?;
            tx.audit().record(event)?;
        }
        tx.revocations().invalidate(Scope::Keys, now)
    });
    removed.map_err(CommandError::failed)
}

fn print_next_steps(settings: &Settings, aside: Option<&str>, api_keys: usize) {
    if let Some(aside) = aside {
        print::print_note(&format!("The file that did not open the database is kept in {aside}."));
    }
    print::print_note(
        "Keep a copy of the master key, but not with the backups of the database. Every other server needs it before \
         it starts.",
    );
    if api_keys > 0 {
        print::print_note(&format!(
            "Give each API key a new secret: {}",
            settings.command("api-key rotate ID --overlap-hours 0")
        ));
    }
}
