//! Output of the commands: lines and tables, or with `--json` one JSON document. Errors and notes
//! go to standard error.

use std::io::Write;

use serde::Serialize;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::CommandError;
use super::confirmation::count_text;

/// Prints a line, or with `json` the document. A closed pipe is not an error.
pub(crate) fn print_result(json: bool, line: &str, document: &impl Serialize) {
    let text = if json { to_json_text(document) } else { line.to_owned() };
    print_line(&text);
}

fn to_json_text(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// Prints a line to standard output and flushes it.
pub(crate) fn print_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a line to standard error and flushes it.
pub(crate) fn print_note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints the error with which a command stopped, with `json` with a code for programs.
pub(crate) fn print_error(json: bool, error: &CommandError) {
    if json {
        print_note(&json!({ "error": error.to_string(), "code": error.code() }).to_string());
    } else {
        print_note(&format!("tillgate: {error}"));
    }
}

/// Prints rows with column headings, or with `json` the documents of the rows as an array.
pub(crate) fn print_table<D: Serialize>(json: bool, headings: &[&str], rows: &[(Vec<String>, D)]) {
    if json {
        print_line(&to_json_text(&rows.iter().map(|(_, document)| document).collect::<Vec<_>>()));
    } else {
        for line in align_columns(headings, rows.iter().map(|(cells, _)| cells.as_slice())) {
            print_line(&line);
        }
    }
}

/// Prints one object, a field per line, with aligned values.
pub(crate) fn print_fields(rows: &[(&str, String)]) {
    let width = rows.iter().map(|(name, _)| name.width() + 1).max().unwrap_or_default();
    for (name, value) in rows {
        print_line(format!("{:width$} {}", format!("{name}:"), escape_line(value)).trim_end());
    }
}

/// Prints how many rows `--limit` omitted, if any.
pub(crate) fn note_omitted(number: usize) {
    if number > 0 {
        print_note(&format!("{} omitted by --limit", count_text(number, "more row")));
    }
}

/// Replaces control characters and bidirectional controls by spaces, so that text chosen by a user
/// can neither add lines to the output nor change its direction.
pub(crate) fn escape_line(text: &str) -> String {
    // characters with the property Bidi_Control
    let is_bidi_control =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(|c: char| c.is_control() || is_bidi_control(c), " ")
}

/// Aligns cells in columns by their display width. The last column is not padded.
fn align_columns<'r>(headings: &[&str], rows: impl Iterator<Item = &'r [String]>) -> Vec<String> {
    let mut lines: Vec<Vec<String>> = vec![headings.iter().map(|&heading| heading.to_owned()).collect()];
    lines.extend(rows.map(|row| row.iter().map(|cell| escape_line(cell)).collect()));
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..headings.len()).map(|column| width(column).unwrap_or_default()).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| {
            let padding = width.saturating_sub(cell.width());
            format!("{cell}{:padding$}", "")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell() {
        let rows = [vec!["Ján".to_owned(), "active".to_owned()], vec!["a".to_owned(), String::new()]];
        let lines = align_columns(&["NAME", "S"], rows.iter().map(Vec::as_slice));
        assert_eq!(lines, ["NAME  S", "Ján   active", "a"]);
        // display width: two columns for each of these characters, none for a combining mark
        let rows = [["店舗", "x"], ["a\u{301}bc", "y"]].map(|cells| cells.map(str::to_owned).to_vec());
        let lines = align_columns(&["N", "S"], rows.iter().map(Vec::as_slice));
        assert_eq!(lines, ["N     S", "店舗  x", "a\u{301}bc   y"]);
        // a line break in a name does not add a row
        let rows = [["tea\nclosed".to_owned(), "\t\u{1b}[2J".to_owned()]];
        let lines = align_columns(&["N", "S"], rows.iter().map(<[String; 2]>::as_slice));
        assert_eq!(lines, ["N           S", "tea closed    [2J"]);
        assert_eq!(escape_line("\u{202e}nimda\u{2069}"), " nimda ");
    }
}
