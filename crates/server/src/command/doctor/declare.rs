//! What only a person can know: that the clock is right, and that the database is a restored one.

use serde_json::{Map, Value};
use tillgate_auth_core::ports::AuthView;
use tillgate_domain::{Action, Actor, Event, EventId, Outcome, Scope, Store, StoreExt, Subject, office};

use crate::command::office::Office;
use crate::command::{Context, Stop, print};
use crate::sealing::{Noted, Outside};
use crate::{compose, shell};

/// Writes the declaration with its audit line, and tells every running server.
pub(super) fn declare(context: &Context, clock: bool, restored: bool) -> Result<(), Stop> {
    let office = Office::open(context)?;
    let store: &dyn Store<AuthView> = &*office.database;
    let at = office.draw.now();
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
        compose::engine_beside(&office.settings, &office.database)?;
        let outside = Outside::of(&office.settings);
        if outside.read().map_err(Stop::failed)?.is_none() {
            print::note(&format!(
                "{} is missing: run this with the --data of each server over the database too, otherwise its audit stays in alarm",
                outside.path().display()
            ));
        }
        if let Some(seal) = put_aside(&office)? {
            lost.insert("seal".to_owned(), seal);
        }
        let scopes = vec![Scope::Keys, Scope::Tenant(office.id())];
        let line = "the database was restored: running servers look at it anew. What was done since the backup is undone: lock and \
                    suspend again whom you had locked or suspended since";
        said.push((Action::StoreRestored, scopes, line));
    }
    for (action, scopes, line) in said {
        let event = Event {
            id: office.draw.id(EventId::new)?,
            at,
            tenant: None,
            actor: Actor::default(),
            action,
            subject: Subject::Server,
            outcome: Outcome::Done,
            details: {
                let mut details = if action == Action::StoreRestored { std::mem::take(&mut lost) } else { Map::new() };
                details.insert(office::SHELL.to_owned(), Value::from(shell::name()));
                details
            },
            approver: None,
        };
        store
            .write(|tx| {
                scopes.iter().try_for_each(|scope| tx.endings().touch(*scope, at))?;
                tx.audit().tell(&event)
            })
            .map_err(Stop::failed)?;
        print::answer(context.json, line, &serde_json::json!({ "declared": action.name() }));
    }
    Ok(())
}

/// Puts the seal of the audit aside that was kept outside the database, where the restored audit has it no longer, and returns it.
fn put_aside(office: &Office) -> Result<Option<Value>, Stop> {
    let outside = Outside::of(&office.settings);
    let Some(noted) = outside.read().map_err(Stop::failed)? else { return Ok(None) };
    if office::has_seal(office.store(), &noted.seal).map_err(Stop::failed)? {
        return Ok(None);
    }
    let (_, newest) = office::unsealed_audit(office.store(), 1).map_err(Stop::failed)?;
    let begun = Noted { instance: noted.instance, seal: newest, at: office.draw.now() };
    if let Some(aside) = outside.replace(&begun).map_err(Stop::failed)? {
        print::note(&format!(
            "the audit lacks what was sealed since the backup; its last seal is kept in {}",
            aside.display()
        ));
    }
    Ok(Some(noted.document()))
}
