//! Measures the release build of tillgate beside roofs that are measured in the same run, prints a table and keeps it as JSON and
//! as a picture. `just bench` builds both programs first.
//!
//! `tillgate-bench [--quick] [--only NAME]... [--to FOLDER]`: a whole run is kept in `docs/bench`, a quick one or a part of one in
//! `target/bench`. What goes wrong stops it: there are no figures of a run that was not as it should be.

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

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benchmark_run::BenchmarkRun;
use machine::MachineInfo;
use report::Report;
use time::OffsetDateTime;
use time::macros::format_description;

/// What was asked for.
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
    let Some(wanted) = parse_arguments(arguments) else {
        let names: Vec<&str> = measurements::ALL_MEASUREMENTS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: tillgate-bench [--quick] [--only NAME]... [--to FOLDER]\nnames: {}", names.join(", "));
        return ExitCode::from(2);
    };
    run_measurements(&wanted);
    ExitCode::SUCCESS
}

fn parse_arguments(arguments: Vec<String>) -> Option<Arguments> {
    let mut wanted = Arguments::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => wanted.quick = true,
            "--to" => wanted.output_folder = Some(arguments.next()?.into()),
            "--only" => {
                let name = arguments.next()?;
                measurements::ALL_MEASUREMENTS.iter().find(|(known, _)| *known == name)?;
                wanted.only.push(name);
            }
            _ => return None,
        }
    }
    Some(wanted)
}

fn run_measurements(wanted: &Arguments) {
    let bench = BenchmarkRun::new(wanted.quick);
    let machine = MachineInfo::inspect(&bench.folder);
    eprintln!("{}", machine.describe());
    let chosen = measurements::ALL_MEASUREMENTS
        .iter()
        .filter(|(name, _)| wanted.only.is_empty() || wanted.only.iter().any(|only| only == name));
    let lines = chosen.flat_map(|(_, measure)| measure(&bench)).collect();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let now = OffsetDateTime::now_utc();
    let report = Report {
        date: now.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap(),
        command: format!("just bench {}", arguments.join(" ")).trim_end().to_owned(),
        machine,
        load_after: machine::load_average(),
        lines,
    };
    print!("{}", report.to_table());
    save_report(wanted, &report);
}

fn save_report(wanted: &Arguments, report: &Report) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let whole = !wanted.quick && wanted.only.is_empty();
    let folder = match &wanted.output_folder {
        Some(folder) => folder.clone(),
        None => root.join(if whole { "docs/bench" } else { "target/bench" }),
    };
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("results.json"), serde_json::to_string_pretty(report).unwrap() + "\n").unwrap();
    std::fs::write(folder.join("results.svg"), chart::render_svg(report)).unwrap();
    eprintln!("kept in {}", folder.display());
}
