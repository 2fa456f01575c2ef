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

mod bench;
mod fill;
mod line;
mod lines;
mod load;
mod machine;
mod many;
mod once;
mod open;
mod picture;
mod report;
mod roofs;
mod server;
mod share;
mod statements;
mod store;
mod till;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::Bench;
use machine::Machine;
use report::Report;
use time::OffsetDateTime;
use time::macros::format_description;

/// What was asked for.
#[derive(Default)]
struct Wanted {
    quick: bool,
    only: Vec<String>,
    to: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, file] = arguments.as_slice()
        && first == roofs::handler::ARGUMENT
    {
        roofs::handler::serve(&PathBuf::from(file));
        return ExitCode::SUCCESS;
    }
    let Some(wanted) = wanted(arguments) else {
        let names: Vec<&str> = lines::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: tillgate-bench [--quick] [--only NAME]... [--to FOLDER]\nnames: {}", names.join(", "));
        return ExitCode::from(2);
    };
    run(&wanted);
    ExitCode::SUCCESS
}

fn wanted(arguments: Vec<String>) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => wanted.quick = true,
            "--to" => wanted.to = Some(arguments.next()?.into()),
            "--only" => {
                let name = arguments.next()?;
                lines::ALL.iter().find(|(known, _)| *known == name)?;
                wanted.only.push(name);
            }
            _ => return None,
        }
    }
    Some(wanted)
}

fn run(wanted: &Wanted) {
    let bench = Bench::new(wanted.quick);
    let machine = Machine::look(&bench.folder);
    eprintln!("{}", machine.sentence());
    let chosen =
        lines::ALL.iter().filter(|(name, _)| wanted.only.is_empty() || wanted.only.iter().any(|only| only == name));
    let lines = chosen.flat_map(|(_, measure)| measure(&bench)).collect();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let now = OffsetDateTime::now_utc();
    let report = Report {
        date: now.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap(),
        command: format!("just bench {}", arguments.join(" ")).trim_end().to_owned(),
        machine,
        load_after: machine::load(),
        lines,
    };
    print!("{}", report.table());
    keep(wanted, &report);
}

fn keep(wanted: &Wanted, report: &Report) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let whole = !wanted.quick && wanted.only.is_empty();
    let folder = match &wanted.to {
        Some(folder) => folder.clone(),
        None => root.join(if whole { "docs/bench" } else { "target/bench" }),
    };
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("results.json"), serde_json::to_string_pretty(report).unwrap() + "\n").unwrap();
    std::fs::write(folder.join("results.svg"), picture::svg(report)).unwrap();
    eprintln!("kept in {}", folder.display());
}
