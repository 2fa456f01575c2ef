//! Declarations that only the operator can make: that the clock is right, and that the database was
//! restored.

use serde_json::{Map, Value};
use tillgate_auth_core::ports::AuthPorts;
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, Scope, Store, StoreExt, Subject, office};

use crate::audit_sealing::{SealFile, StoredSeal};
use crate::command::office::CommandOffice;
use crate::command::{CommandError, Context, print};
use crate::{composition, shell};

/// Records the declarations in the audit log and notifies every running server.
pub(super) fn declare(context: &Context, clock: bool, restored: bool) -> Result<(), CommandError> {
    let office = CommandOffice::open(context)?;
    let store: &dyn Store<AuthPorts> = &*office.database;
    let at = office.ids.now();
    let mut declarations = Vec::new();
    if clock {
        declarations.push((
            Action::ClockAccept,
            vec![Scope::Clock],
            "declared that the clock is right: running servers trust it within a second",
        ));
    }
    let mut lost_seal = Map::new();
    if restored {
        // only a server of this database may set its seal file aside: its data folder has the
        // master key
        composition::build_command_engine(&office.settings, &office.database)?;
        let seal_file = SealFile::from_settings(&office.settings);
        if seal_file.read().map_err(CommandError::failed)?.is_none() {
            print::print_note(&format!(
                "{} is missing. In a new folder, create it: {}. Also run this command with the --data of every \
                 server that uses the database; otherwise those servers keep reporting a broken audit log",
                seal_file.path().display(),
                office.settings.command("audit reseal --yes")
            ));
        }
        if let Some(seal) = set_aside_seal(&office)? {
            lost_seal.insert("seal".to_owned(), seal);
        }
        let scopes = vec![Scope::Keys, Scope::Tenant(office.tenant.id)];
        let line = "declared that the database was restored: running servers reload it. Everything since the backup \
                    is undone: lock and suspend again the devices and users that you had locked or suspended since \
                    then";
        declarations.push((Action::StoreRestored, scopes, line));
    }
    for (action, scopes, line) in declarations {
        let event = Event {
            id: office.ids.new_id(EventId::new)?,
            at,
            tenant: None,
            actor: Actor::default(),
            action,
            subject: Subject::Server,
            outcome: EventOutcome::Done,
            details: {
                let mut details =
                    if action == Action::StoreRestored { std::mem::take(&mut lost_seal) } else { Map::new() };
                details.insert(office::OS_USER_DETAIL.to_owned(), Value::from(shell::shell_user()));
                details
            },
            approver: None,
        };
        store
            .write("doctor_declare", |tx| {
                scopes.iter().try_for_each(|scope| tx.revocations().invalidate(*scope, at))?;
                tx.audit().record(&event)
            })
            .map_err(CommandError::failed)?;
        print::print_result(context.json, line, &serde_json::json!({ "declared": action.name() }));
    }
    Ok(())
}

/// Sets the seal file aside and replaces it by a current one if the restored audit log no longer
/// contains its seal. Returns the old seal.
fn set_aside_seal(office: &CommandOffice) -> Result<Option<Value>, CommandError> {
    let seal_file = SealFile::from_settings(&office.settings);
    let Some(stored) = seal_file.read().map_err(CommandError::failed)? else { return Ok(None) };
    if office::unguarded::has_seal(office.store(), &stored.seal).map_err(CommandError::failed)? {
        return Ok(None);
    }
    let (_, newest) = office::unguarded::count_unsealed_audit(office.store(), 1).map_err(CommandError::failed)?;
    let current = StoredSeal { instance: stored.instance, seal: newest, at: office.ids.now() };
    if let Some(aside) = seal_file.replace(&current).map_err(CommandError::failed)? {
        print::print_note(&format!(
            "the audit log lacks the events sealed since the backup; its last seal is kept in {}",
            aside.display()
        ));
    }
    Ok(Some(stored.to_json()))
}
