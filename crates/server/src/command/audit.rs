//! `audit`: what was done, by whom, how it went, and whether the record of it is whole.

mod csv;
mod export;
mod reseal;
mod verify;
mod which;

use clap::Subcommand;
use tillgate_domain::office::{SHELL, Told};

use super::office::Office;
use super::show::{self, instant};
use super::{Context, Stop, print};
use which::{Lines, Which};

/// What is done with the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List what was done, the newest first
    List {
        #[command(flatten)]
        which: Which,
        /// How many lines at most
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: u32,
    },
    /// Write what was done into a file or to standard output, the newest first
    Export(export::Export),
    /// Seal what has no seal yet, and look whether every line is as it was sealed
    Verify(verify::Verify),
    /// Begin a new seal outside the database where the file is missing or another database's
    Reseal(reseal::Reseal),
}

impl Audit {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        match self {
            Self::List { which, limit } => list(context, which, *limit),
            Self::Export(export) => export.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Reseal(reseal) => reseal.run(context),
        }
    }
}

fn list(context: &Context, which: &Which, limit: u32) -> Result<(), Stop> {
    let office = Office::open(context)?;
    let mut lines = Lines::of(&office, which)?;
    let mut rows = Vec::new();
    while let Some(part) = lines.part(limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX)))? {
        rows.extend(part.iter().map(|told| (cells(told), show::event(told))));
    }
    print::table(context.json, &["AT", "USER", "DEVICE", "ACTION", "SUBJECT", "OUTCOME", "DETAILS"], &rows);
    Ok(())
}

fn cells(told: &Told) -> Vec<String> {
    let event = &told.event;
    let name = |name: Option<String>, id: Option<String>| name.or(id).unwrap_or_else(|| "-".to_owned());
    let shell = || event.details.get(SHELL).and_then(|shell| shell.as_str()).map(str::to_owned);
    let subject = event.subject.uuid().map_or_else(String::new, |id| format!(" {id}"));
    vec![
        instant(event.at),
        name(
            told.user_name.as_ref().map(ToString::to_string),
            event.actor.user.map(|id| id.to_string()).or_else(shell),
        ),
        name(told.device_name.as_ref().map(ToString::to_string), event.actor.device.map(|id| id.to_string())),
        event.action.name().to_owned(),
        format!("{}{subject}", event.subject.kind().name()),
        event.outcome.name().to_owned(),
        serde_json::Value::Object(event.details.clone()).to_string(),
    ]
}
