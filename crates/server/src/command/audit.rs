//! `audit`: lists, exports, verifies and reseals the audit log.

mod export;
mod filter;
mod reseal;
mod subject_names;
mod verify;

use clap::Subcommand;
use tillgate_domain::office::{EventView, OS_USER_DETAIL};
use tillgate_http::native_bodies::TenantAuditEventBody;

use super::json::format_instant;
use super::office::CommandOffice;
use super::{CommandError, Context, parse, print};
use filter::{AuditFilterArgs, EventPages};
use subject_names::SubjectNames;

/// The subcommands of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List audit events, newest first
    #[command(after_help = "Example:\n  tillgate audit list --user anna --outcome refused --from 2026-11-21")]
    List {
        #[command(flatten)]
        which: AuditFilterArgs,
        /// Maximum number of events
        #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = parse::limit::<u32>())]
        limit: u32,
    },
    /// Write audit events to a file or to standard output, newest first
    #[command(
        after_help = "Example:\n  tillgate audit export --format csv --output november.csv --from 2026-11-01 --until 2026-11-30"
    )]
    Export(export::ExportArgs),
    /// Seal events that have no seal yet, and verify every event against its seal
    #[command(after_help = "Example:\n  tillgate audit verify")]
    Verify(verify::VerifyArgs),
    /// Create a new seal file if it is missing or belongs to another database
    #[command(after_help = "Example:\n  tillgate audit reseal --yes")]
    Reseal(reseal::ResealArgs),
}

impl AuditCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        match self {
            Self::List { which, limit } => list_events(context, which, *limit),
            Self::Export(export) => export.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Reseal(reseal) => reseal.run(context),
        }
    }
}

fn list_events(context: &Context, which: &AuditFilterArgs, limit: u32) -> Result<(), CommandError> {
    let office = CommandOffice::open(context)?;
    let mut pages = EventPages::open(&office, which)?;
    let mut found = Vec::new();
    while let Some(page) = pages.next_page(limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX)))? {
        found.extend(page);
    }
    let mut names = SubjectNames::new(&office);
    let mut rows = Vec::with_capacity(found.len());
    for view in &found {
        // JSON has the id instead
        let subject = if context.json { String::new() } else { names.describe_subject(&view.event)? };
        rows.push((event_cells(view, subject), TenantAuditEventBody::from_view(view)));
    }
    print::print_table(context.json, &["AT", "USER", "DEVICE", "ACTION", "SUBJECT", "OUTCOME", "DETAILS"], &rows);
    Ok(())
}

fn event_cells(view: &EventView, subject: String) -> Vec<String> {
    let event = &view.event;
    let name = |name: Option<String>, id: Option<String>| name.or(id).unwrap_or_else(|| "-".to_owned());
    let shell = || event.details.get(OS_USER_DETAIL).and_then(|shell| shell.as_str()).map(str::to_owned);
    vec![
        format_instant(event.at),
        name(
            view.user_name.as_ref().map(ToString::to_string),
            event.actor.user.map(|id| id.to_string()).or_else(shell),
        ),
        name(view.device_name.as_ref().map(ToString::to_string), event.actor.device.map(|id| id.to_string())),
        event.action.name().to_owned(),
        subject,
        event.outcome.name().to_owned(),
        serde_json::Value::Object(event.details.clone()).to_string(),
    ]
}
