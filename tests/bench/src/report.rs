//! The report of a run: a table for the terminal, and JSON.

use serde::Serialize;

use crate::machine::MachineInfo;
use crate::measurement::{Measurement, format_figure};

/// The report of a complete run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) command: String,
    pub(crate) machine: MachineInfo,
    pub(crate) load_after: f64,
    pub(crate) lines: Vec<Measurement>,
}

impl Report {
    /// The report as a table.
    pub(crate) fn to_table(&self) -> String {
        let rows: Vec<[String; 6]> = self
            .lines
            .iter()
            .map(|line| {
                [
                    line.what.clone(),
                    format!("{} {}", format_figure(line.value), line.unit),
                    format!("{} {}", format_figure(line.reference), line.unit),
                    format_figure(line.ratio),
                    line.target.clone(),
                    line.verdict().to_owned(),
                ]
            })
            .collect();
        let heads = ["", "measured", "beside", "ratio", "target", "met"].map(str::to_owned);
        let widths: Vec<usize> = (0..6)
            .map(|column| rows.iter().chain([&heads]).map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        let row = |row: &[String; 6]| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| match column {
                    1..=3 => format!("{cell:>width$}"),
                    _ => format!("{cell:<width$}"),
                })
                .collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        let mut text = row(&heads);
        text.extend(rows.iter().map(row));
        text.push('\n');
        for line in &self.lines {
            text.push_str(&format!("{}: beside {}\n", line.name, line.reference_name));
            text.extend(line.notes.iter().map(|note| format!("    {note}\n")));
        }
        text.push_str(&format!("\n{}\n{}\n{}\n", self.machine.describe(), self.date, self.command));
        text
    }
}
