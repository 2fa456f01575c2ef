//! Measures the release build of tillgate against references that are measured in the same run,
//! prints a table, and stores the results as JSON and as a chart. `just bench` builds both programs
//! first.
//!
//! `tillgate-bench [--quick] [--only NAME]... [--to FOLDER]`: a complete run is stored in
//! `docs/bench`, a quick or partial one in `target/bench`. Any error stops the run, so no number
//! includes errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]
#![allow(clippy::disallowed_methods, clippy::format_push_string)]

mod benchmark_run;
mod chart;
mod cpu_share;
mod event_streams;
mod fill;
mod http_client;
mod large_dataset;
mod load_generator;
mod machine;
mod measurement;
mod measurements;
mod open_loop;
mod references;
mod report;
mod server;
mod statements;
mod store;
mod till;
mod webdriver;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benchmark_run::BenchmarkRun;
use machine::MachineInfo;
use report::Report;
use time::OffsetDateTime;
use time::macros::format_description;

/// The command line arguments.
#[derive(Default)]
struct Arguments {
    quick: bool,
    only: Vec<String>,
    output_folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, file] = arguments.as_slice()
        && first == references::handler::HANDLER_ARGUMENT
    {
        references::handler::serve_handler(&PathBuf::from(file));
        return ExitCode::SUCCESS;
    }
    let Some(arguments) = parse_arguments(arguments) else {
        let names: Vec<&str> = measurements::ALL_MEASUREMENTS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: tillgate-bench [--quick] [--only NAME]... [--to FOLDER]\nnames: {}", names.join(", "));
        return ExitCode::from(2);
    };
    run_measurements(&arguments);
    ExitCode::SUCCESS
}

fn parse_arguments(arguments: Vec<String>) -> Option<Arguments> {
    let mut parsed = Arguments::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => parsed.quick = true,
            "--to" => parsed.output_folder = Some(arguments.next()?.into()),
            "--only" => {
                let name = arguments.next()?;
                measurements::ALL_MEASUREMENTS.iter().find(|(known, _)| *known == name)?;
                parsed.only.push(name);
            }
            _ => return None,
        }
    }
    Some(parsed)
}

fn run_measurements(arguments: &Arguments) {
    let bench = BenchmarkRun::new(arguments.quick);
    let machine = MachineInfo::inspect(&bench.folder);
    eprintln!("{}", machine.describe());
    let selected = measurements::ALL_MEASUREMENTS
        .iter()
        .filter(|(name, _)| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name));
    let lines = selected.flat_map(|(_, measure)| measure(&bench)).collect();
    let command_line: Vec<String> = std::env::args().skip(1).collect();
    let now = OffsetDateTime::now_utc();
    let report = Report {
        date: now.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap(),
        command: format!("just bench {}", command_line.join(" ")).trim_end().to_owned(),
        machine,
        load_after: machine::load_average(),
        lines,
    };
    print!("{}", report.to_table());
    save_report(arguments, &report);
}

fn save_report(arguments: &Arguments, report: &Report) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let whole = !arguments.quick && arguments.only.is_empty();
    let folder = match &arguments.output_folder {
        Some(folder) => folder.clone(),
        None => root.join(if whole { "docs/bench" } else { "target/bench" }),
    };
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("results.json"), serde_json::to_string_pretty(report).unwrap() + "\n").unwrap();
    std::fs::write(folder.join("results.svg"), chart::render_svg(report)).unwrap();
    eprintln!("stored in {}", folder.display());
}
