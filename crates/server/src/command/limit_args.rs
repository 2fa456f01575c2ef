//! The `--limit` option of lists.

use clap::Args;
use serde::Serialize;

use super::{parse, print};

/// The maximum number of rows of a list.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LimitArgs {
    /// Maximum number of rows
    #[arg(long, value_name = "NUMBER", value_parser = parse::limit::<usize>())]
    limit: Option<usize>,
}

impl LimitArgs {
    /// Prints the first rows, and how many were omitted.
    pub(super) fn print_table<D: Serialize>(self, json: bool, headings: &[&str], rows: &[(Vec<String>, D)]) {
        let shown = rows.get(..self.limit.unwrap_or(usize::MAX)).unwrap_or(rows);
        print::print_table(json, headings, shown);
        print::note_omitted(rows.len() - shown.len());
    }
}
