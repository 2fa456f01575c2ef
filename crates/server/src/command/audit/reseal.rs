//! `audit reseal`: begins a new seal outside the database, and records in the audit that it was begun.

use clap::Args;
use serde_json::{Map, Value, json};
use tillgate_domain::{Action, Actor, Event, EventId, Outcome, StoreExt, Subject, office};

use super::super::office::Office;
use super::super::{Context, Stop, print};
use crate::sealing::{Noted, Outside, instance};
use crate::shell;

/// The arguments of `audit reseal`.
#[derive(Debug, Args)]
pub(crate) struct Reseal {
    /// Do it: lines that were cut off the end of the audit before now will not show any more
    #[arg(long)]
    yes: bool,
}

impl Reseal {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let outside = Outside::of(&office.settings);
        let instance = instance(&office.database).map_err(Stop::failed)?;
        let path = outside.path().display().to_string();
        let before = outside.read().map_err(Stop::failed)?;
        if let Some(noted) = before.as_ref().filter(|noted| noted.instance == instance) {
            if !office::has_seal(office.store(), &noted.seal).map_err(Stop::failed)? {
                return Err(Stop::failed(outside.broken(noted)));
            }
            print::answer(context.json, &format!("{path} is in the audit: nothing to do"), &json!({ "file": path }));
            return Ok(());
        }
        let (_, newest) = office::unsealed_audit(office.store(), 1).map_err(Stop::failed)?;
        let lines = newest.sequence;
        if !self.yes {
            return Err(Stop::usage(format!(
                "this begins a new seal in {path} at line {lines}. Lines that were cut off after it before now will not show any \
                 more: run tillgate audit verify first, then repeat with --yes"
            )));
        }
        let begun = Noted { instance, seal: newest, at: office.draw.now() };
        let details = Map::from_iter([
            ("file".to_owned(), Value::from(path.clone())),
            ("seal".to_owned(), begun.document()),
            (office::SHELL.to_owned(), Value::from(shell::name())),
            ("before".to_owned(), before.as_ref().map_or(Value::Null, Noted::document)),
        ]);
        let event = Event {
            id: office.draw.id(EventId::new)?,
            at: begun.at,
            tenant: None,
            actor: Actor::default(),
            action: Action::AuditReseal,
            subject: Subject::Server,
            outcome: Outcome::Done,
            details,
            approver: None,
        };
        office.store().write(|tx| tx.audit().tell(&event)).map_err(Stop::failed)?;
        let aside = outside.replace(&begun).map_err(Stop::failed)?;
        if let Some(aside) = &aside {
            print::note(&format!("the seal that was there is kept in {}", aside.display()));
        }
        print::answer(
            context.json,
            &format!("a new seal was begun in {path} at line {lines}"),
            &json!({ "file": path, "seal": begun.document() }),
        );
        Ok(())
    }
}
