//! How commands answer: lines and tables for people, one JSON document for machines; troubles go to standard error.

use std::io::Write;

use serde::Serialize;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::CommandError;

/// Prints one line, or the document in its place. A closed pipe is no trouble of ours.
pub(crate) fn print_answer(json: bool, line: &str, document: &impl Serialize) {
    let text = if json { to_json_text(document) } else { line.to_owned() };
    print_line(&text);
}

fn to_json_text(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// Prints a line on standard output at once.
pub(crate) fn print_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a line on standard error at once.
pub(crate) fn print_note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints why a command stopped.
pub(crate) fn print_error(json: bool, stop: &CommandError) {
    if json {
        print_note(&json!({ "error": stop.to_string() }).to_string());
    } else {
        print_note(&format!("tillgate: {stop}"));
    }
}

/// Prints rows under their headings, or the documents of the rows as a JSON array.
pub(crate) fn print_table<D: Serialize>(json: bool, headings: &[&str], rows: &[(Vec<String>, D)]) {
    if json {
        print_line(&to_json_text(&rows.iter().map(|(_, document)| document).collect::<Vec<_>>()));
    } else {
        for line in align_columns(headings, rows.iter().map(|(cells, _)| cells.as_slice())) {
            print_line(&line);
        }
    }
}

/// Prints what there is to say of one thing, a line each.
pub(crate) fn print_fields(rows: &[(&str, String)]) {
    let width = rows.iter().map(|(name, _)| name.width() + 1).max().unwrap_or_default();
    for (name, value) in rows {
        print_line(format!("{:width$} {}", format!("{name}:"), escape_line(value)).trim_end());
    }
}

/// Notes how many rows of a table a limit has left out.
pub(crate) fn note_omitted(number: usize) {
    if number > 0 {
        print_note(&format!("{number} more are left out by --limit"));
    }
}

/// A text that somebody chose, on one line and in one direction: what it says is no line of the program's, and turns none round.
pub(crate) fn escape_line(text: &str) -> String {
    // those with the property Bidi_Control
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(|c: char| c.is_control() || turns(c), " ")
}

/// Lines of cells in columns that are as wide as their widest cell is on a terminal. The last column is not padded.
fn align_columns<'r>(headings: &[&str], rows: impl Iterator<Item = &'r [String]>) -> Vec<String> {
    let mut lines: Vec<Vec<String>> = vec![headings.iter().map(|&heading| heading.to_owned()).collect()];
    lines.extend(rows.map(|row| row.iter().map(|cell| escape_line(cell)).collect()));
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..headings.len()).map(|column| width(column).unwrap_or_default()).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| {
            let room = width.saturating_sub(cell.width());
            format!("{cell}{:room$}", "")
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
        // as wide as a terminal shows them: two places for each of these, none for what is put over a letter
        let rows = [["店舗", "x"], ["a\u{301}bc", "y"]].map(|cells| cells.map(str::to_owned).to_vec());
        let lines = align_columns(&["N", "S"], rows.iter().map(Vec::as_slice));
        assert_eq!(lines, ["N     S", "店舗  x", "a\u{301}bc   y"]);
        // a name with a line break in it makes no row of its own
        let rows = [["tea\nclosed".to_owned(), "\t\u{1b}[2J".to_owned()]];
        let lines = align_columns(&["N", "S"], rows.iter().map(<[String; 2]>::as_slice));
        assert_eq!(lines, ["N           S", "tea closed    [2J"]);
        assert_eq!(escape_line("\u{202e}nimda\u{2069}"), " nimda ");
    }
}
