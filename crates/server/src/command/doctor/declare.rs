//! What only a person can know: that the clock is right, and that the database is a restored one.

use serde_json::Map;
use tillgate_auth_core::ports::AuthView;
use tillgate_domain::{Action, Actor, Event, EventId, Outcome, Scope, Store, StoreExt, Subject};

use crate::command::office::Office;
use crate::command::{Context, Stop, print};

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
    if restored {
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
            details: Map::new(),
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
