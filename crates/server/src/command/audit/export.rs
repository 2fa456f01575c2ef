//! `audit export`: writes the audit as lines of JSON or as a table for spreadsheets, part by part, however long it is.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tillgate_domain::office::Told;

use super::super::office::Office;
use super::super::show::{self, instant};
use super::super::{Context, Stop, print};
use super::csv;
use super::which::{Lines, Which};

/// How the audit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object in each line
    Jsonl,
    /// Comma-separated values with a row of headings
    Csv,
}

/// What is said to whoever exports.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// How it is written
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Begin with a byte order mark, by which Excel knows UTF-8; so it does where the file's name ends in .csv [--bom=false to leave it out]
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    bom: Option<bool>,
    #[command(flatten)]
    which: Which,
    /// The file to write, for its owner alone; it must not exist. Without it, standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How many lines go between two words on how far it is.
const EVERY: u64 = 10_000;

/// The headings of the table.
const HEADINGS: [&str; 15] = [
    "id",
    "at",
    "tenant_id",
    "user_id",
    "user_name",
    "device_id",
    "device_name",
    "session_id",
    "address",
    "action",
    "subject",
    "subject_id",
    "outcome",
    "details",
    "approver_id",
];

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        if self.bom == Some(true) && self.format == Format::Jsonl {
            return Err(Stop::usage("--bom is for --format csv: JSON lines have no byte order mark (RFC 8259, 8.1)"));
        }
        let office = Office::open(context)?;
        let lines = Lines::of(&office, &self.which)?;
        let Some(path) = &self.output else {
            return match self.write(lines, &mut BufWriter::new(std::io::stdout().lock())) {
                Ok(_) => Ok(()),
                Err(Unwritten::Stop(stop)) => Err(stop),
                // whoever reads has read enough
                Err(Unwritten::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                Err(Unwritten::Output(error)) => Err(Stop::failed(error)),
            };
        };
        let failed = |error: std::io::Error| Stop::failed(format!("{}: {error}", path.display()));
        let mut file = BufWriter::new(create(path).map_err(failed)?);
        let written = self.write(lines, &mut file).and_then(|number| {
            file.get_ref().sync_all()?;
            Ok(number)
        });
        let number = written.map_err(|unwritten| {
            // half an audit is none
            let _ = std::fs::remove_file(path);
            match unwritten {
                Unwritten::Stop(stop) => stop,
                Unwritten::Output(error) => failed(error),
            }
        })?;
        let file = path.display().to_string();
        print::answer(context.json, &format!("{file}: {number} lines"), &json!({ "file": file, "lines": number }));
        Ok(())
    }

    /// Whether the table begins with a byte order mark.
    fn has_bom(&self) -> bool {
        let is_csv = |path: &PathBuf| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        self.bom.unwrap_or_else(|| self.output.as_ref().is_some_and(is_csv))
    }

    fn write(&self, mut lines: Lines<'_>, to: &mut dyn Write) -> Result<u64, Unwritten> {
        if self.format == Format::Csv {
            if self.has_bom() {
                to.write_all(csv::BYTE_ORDER_MARK.as_bytes())?;
            }
            to.write_all(csv::row(HEADINGS).as_bytes())?;
        }
        let mut number = 0;
        while let Some(part) = lines.part(u32::MAX)? {
            for told in &part {
                match self.format {
                    Format::Jsonl => writeln!(to, "{}", show::event(told))?,
                    Format::Csv => to.write_all(row(told).as_bytes())?,
                }
                number += 1;
                if number % EVERY == 0 {
                    print::note(&format!("{number} lines so far, down to {}", instant(told.event.at)));
                }
            }
        }
        to.flush()?;
        Ok(number)
    }
}

/// Why the audit was not written whole.
enum Unwritten {
    /// It could not be read.
    Stop(Stop),
    /// It could not be written.
    Output(std::io::Error),
}

impl From<Stop> for Unwritten {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<std::io::Error> for Unwritten {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn create(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn row(told: &Told) -> String {
    let event = &told.event;
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let cells = [
        event.id.to_string(),
        instant(event.at),
        id(event.tenant.map(|id| id.0)),
        id(event.actor.user.map(|id| id.0)),
        told.user_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        id(event.actor.device.map(|id| id.0)),
        told.device_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        id(event.actor.session.map(|id| id.0)),
        event.actor.address.map(|address| address.to_string()).unwrap_or_default(),
        event.action.name().to_owned(),
        event.subject.kind().name().to_owned(),
        id(event.subject.uuid()),
        event.outcome.name().to_owned(),
        Value::Object(event.details.clone()).to_string(),
        id(event.approver.map(|id| id.0)),
    ];
    csv::row(cells.iter().map(String::as_str))
}
