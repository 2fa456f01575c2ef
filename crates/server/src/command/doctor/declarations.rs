//! What only a person can know: that the clock is right, and that the database is a restored one.

use serde_json::{Map, Value};
use tillgate_auth_core::ports::AuthPorts;
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, Scope, Store, StoreExt, Subject, office};

use crate::audit_sealing::{SealFile, StoredSeal};
use crate::command::office::CommandOffice;
use crate::command::{CommandError, Context, print};
use crate::{composition, shell};

/// Writes the declaration with its audit line, and tells every running server.
pub(super) fn declare(context: &Context, clock: bool, restored: bool) -> Result<(), CommandError> {
    let office = CommandOffice::open(context)?;
    let store: &dyn Store<AuthPorts> = &*office.database;
    let at = office.ids.now();
    let mut said = Vec::new();
    if clock {
        said.push((
            Action::ClockAccept,
            vec![Scope::Clock],
            "the clock is right: running servers believe it within a second",
        ));
    }
    let mut lost = Map::new();
    if restored {
        // the seal that is put aside must be that of a server of this database: its folder has the key that opens it
        composition::build_command_engine(&office.settings, &office.database)?;
        let outside = SealFile::from_settings(&office.settings);
        if outside.read().map_err(CommandError::failed)?.is_none() {
            print::print_note(&format!(
                "{} is missing: run this with the --data of each server over the database too, otherwise its audit stays in alarm",
                outside.path().display()
            ));
        }
        if let Some(seal) = set_aside_seal(&office)? {
            lost.insert("seal".to_owned(), seal);
        }
        let scopes = vec![Scope::Keys, Scope::Tenant(office.tenant_id())];
        let line = "the database was restored: running servers look at it anew. What was done since the backup is undone: lock and \
                    suspend again whom you had locked or suspended since";
        said.push((Action::StoreRestored, scopes, line));
    }
    for (action, scopes, line) in said {
        let event = Event {
            id: office.ids.new_id(EventId::new)?,
            at,
            tenant: None,
            actor: Actor::default(),
            action,
            subject: Subject::Server,
            outcome: EventOutcome::Done,
            details: {
                let mut details = if action == Action::StoreRestored { std::mem::take(&mut lost) } else { Map::new() };
                details.insert(office::OS_USER_DETAIL.to_owned(), Value::from(shell::shell_user()));
                details
            },
            approver: None,
        };
        store
            .write(|tx| {
                scopes.iter().try_for_each(|scope| tx.revocations().invalidate(*scope, at))?;
                tx.audit().record(&event)
            })
            .map_err(CommandError::failed)?;
        print::print_answer(context.json, line, &serde_json::json!({ "declared": action.name() }));
    }
    Ok(())
}

/// Puts the seal of the audit aside that was kept outside the database, where the restored audit has it no longer, and returns it.
fn set_aside_seal(office: &CommandOffice) -> Result<Option<Value>, CommandError> {
    let outside = SealFile::from_settings(&office.settings);
    let Some(noted) = outside.read().map_err(CommandError::failed)? else { return Ok(None) };
    if office::has_seal(office.store(), &noted.seal).map_err(CommandError::failed)? {
        return Ok(None);
    }
    let (_, newest) = office::count_unsealed_audit(office.store(), 1).map_err(CommandError::failed)?;
    let begun = StoredSeal { instance: noted.instance, seal: newest, at: office.ids.now() };
    if let Some(aside) = outside.replace(&begun).map_err(CommandError::failed)? {
        print::print_note(&format!(
            "the audit lacks what was sealed since the backup; its last seal is kept in {}",
            aside.display()
        ));
    }
    Ok(Some(noted.to_json()))
}
