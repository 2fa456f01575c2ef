//! `audit export`: writes audit events as JSON lines or as CSV for spreadsheets. Events are read
//! page by page, so memory use does not depend on their number.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use tillgate_http::native_bodies::{AuditExportWriter, ExportFormat};

use super::super::csv_file::begins_with_bom;
use super::super::json::format_instant;
use super::super::office::CommandOffice;
use super::super::{CommandError, Context, print};
use super::filter::{AuditFilterArgs, EventPages};
use crate::file_access::describe_open_error;

/// The file format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values with a header row
    Csv,
}

impl FormatArg {
    const fn to_export_format(self) -> ExportFormat {
        match self {
            Self::Jsonl => ExportFormat::JsonLines,
            Self::Csv => ExportFormat::Csv,
        }
    }
}

/// The arguments of `audit export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File format
    #[arg(long, value_enum, default_value = "jsonl")]
    format: FormatArg,
    /// Begin with a byte order mark, by which Excel recognizes UTF-8 [default: true if the file
    /// name ends in .csv]
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    bom: Option<bool>,
    #[command(flatten)]
    filter: AuditFilterArgs,
    /// File to write, readable by you alone; it must not exist [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The number of written events between two progress messages.
const PROGRESS_INTERVAL_ROWS: u64 = 10_000;

impl ExportArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        if self.bom == Some(true) && self.format == FormatArg::Jsonl {
            return Err(CommandError::usage(
                "--bom is for --format csv: JSON lines have no byte order mark (RFC 8259, 8.1)",
            ));
        }
        let office = CommandOffice::open(context)?;
        let pages = EventPages::open(&office, &self.filter)?;
        let Some(path) = &self.output else {
            return match self.write_events(pages, &mut BufWriter::new(std::io::stdout().lock())) {
                Ok(_) => Ok(()),
                Err(ExportError::Stop(stop)) => Err(stop),
                // the reader has closed the pipe: it has read enough
                Err(ExportError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                Err(ExportError::Output(error)) => Err(CommandError::failed(error)),
            };
        };
        let failed = |error: std::io::Error| {
            let why = match error.kind() {
                ErrorKind::AlreadyExists => "the file exists: choose another name, or remove it".to_owned(),
                _ => describe_open_error(path, &error),
            };
            CommandError::failed(format!("{}: {why}", path.display()))
        };
        let mut file = BufWriter::new(create_file(path).map_err(failed)?);
        let result = self.write_events(pages, &mut file).and_then(|number| {
            file.get_ref().sync_all()?;
            Ok(number)
        });
        let number = result.map_err(|error| {
            // an incomplete export must not be taken for a complete one
            let _ = std::fs::remove_file(path);
            match error {
                ExportError::Stop(stop) => stop,
                ExportError::Output(error) => failed(error),
            }
        })?;
        let file = path.display().to_string();
        print::print_result(
            context.json,
            &format!("{file}: {number} events"),
            &json!({ "file": file, "lines": number }),
        );
        Ok(())
    }

    /// Whether a CSV export begins with a byte order mark.
    fn has_bom(&self) -> bool {
        begins_with_bom(self.bom, self.output.as_deref())
    }

    fn write_events(&self, pages: EventPages<'_>, to: &mut dyn Write) -> Result<u64, ExportError> {
        let mut pages = pages.record_export(self.format.to_export_format())?;
        let writer = AuditExportWriter::new(self.format.to_export_format(), self.has_bom());
        let mut text = Vec::new();
        writer.write_start(&mut text);
        let mut number = 0;
        while let Some(page) = pages.next_page(u32::MAX)? {
            for view in &page {
                writer.write_event(view, &mut text).map_err(std::io::Error::from)?;
                to.write_all(&text)?;
                text.clear();
                number += 1;
                if number % PROGRESS_INTERVAL_ROWS == 0 {
                    print::print_note(&format!("{number} events written, back to {}", format_instant(view.event.at)));
                }
            }
        }
        to.write_all(&text)?;
        to.flush()?;
        Ok(number)
    }
}

/// Why an export failed.
enum ExportError {
    /// The events cannot be read.
    Stop(CommandError),
    /// The output cannot be written.
    Output(std::io::Error),
}

impl From<CommandError> for ExportError {
    fn from(stop: CommandError) -> Self {
        Self::Stop(stop)
    }
}

impl From<std::io::Error> for ExportError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn create_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
