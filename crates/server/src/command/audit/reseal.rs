//! `audit reseal`: creates a new seal file outside the database and records it in the audit log.

use clap::Args;
use serde_json::{Map, Value, json};
use tillgate_domain::{Action, Actor, Event, EventId, EventOutcome, StoreExt, Subject, office};

use super::super::office::CommandOffice;
use super::super::{CommandError, Context, print};
use crate::audit_sealing::{SealFile, StoredSeal, read_instance_id};
use crate::shell;

/// The arguments of `audit reseal`.
#[derive(Debug, Args)]
pub(crate) struct ResealArgs {
    /// Confirm: events removed from the end of the audit log until now can no longer be detected
    #[arg(long)]
    yes: bool,
}

impl ResealArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        let outside = SealFile::from_settings(&office.settings);
        let instance = read_instance_id(&office.database).map_err(CommandError::failed)?;
        let path = outside.path().display().to_string();
        let before = outside.read().map_err(CommandError::failed)?;
        if let Some(stored) = before.as_ref().filter(|stored| stored.instance == instance) {
            if !office::unguarded::has_seal(office.store(), &stored.seal).map_err(CommandError::failed)? {
                return Err(CommandError::failed(outside.broken_text(stored)));
            }
            print::print_result(
                context.json,
                &format!("the seal in {path} matches the audit log: nothing to do"),
                &json!({ "file": path }),
            );
            return Ok(());
        }
        let (_, newest) = office::unguarded::count_unsealed_audit(office.store(), 1).map_err(CommandError::failed)?;
        let lines = newest.sequence;
        if !self.yes {
            return Err(CommandError::usage(format!(
                "this creates a new seal of event {lines} in {path}. Events removed after it until now can no longer \
                 be detected: run tillgate audit verify first, then repeat with --yes"
            )));
        }
        let created = StoredSeal { instance, seal: newest, at: office.ids.now() };
        let details = Map::from_iter([
            ("file".to_owned(), Value::from(path.clone())),
            ("seal".to_owned(), created.to_json()),
            (office::OS_USER_DETAIL.to_owned(), Value::from(shell::shell_user())),
            ("before".to_owned(), before.as_ref().map_or(Value::Null, StoredSeal::to_json)),
        ]);
        let event = Event {
            id: office.ids.new_id(EventId::new)?,
            at: created.at,
            tenant: None,
            actor: Actor::default(),
            action: Action::AuditReseal,
            subject: Subject::Server,
            outcome: EventOutcome::Done,
            details,
            approver: None,
        };
        office.store().write("reseal_audit", |tx| tx.audit().record(&event)).map_err(CommandError::failed)?;
        let aside = outside.replace(&created).map_err(CommandError::failed)?;
        if let Some(aside) = &aside {
            print::print_note(&format!("the previous seal is kept in {}", aside.display()));
        }
        print::print_result(
            context.json,
            &format!("new seal of event {lines} created in {path}"),
            &json!({ "file": path, "seal": created.to_document() }),
        );
        Ok(())
    }
}
