//! Rows of comma-separated values (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it, by which the
//! spreadsheet shows it as text: a name that somebody chose is never run.
//!
//! A spreadsheet may cut the lines at another separator than the comma: that of its country's lists is often a semicolon, and then no
//! quotation mark protects what follows one. So a cell is looked at wherever one might begin.

/// What Excel knows a file of UTF-8 by.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a formula begins with, the full-width forms too, which Excel takes for the same.
const FORMULA_PREFIXES: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What may end a cell where the comma does not.
const SEPARATOR_CHARS: [char; 5] = [';', '|', '\t', '\r', '\n'];

/// The row of these cells, with its line's end.
pub(super) fn format_row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(format_cell).collect();
    format!("{}\r\n", cells.join(","))
}

fn format_cell(text: &str) -> String {
    let text = escape_formula(text);
    if text.contains([',', '"', '\r', '\n', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The text with an apostrophe wherever a cell might begin with a formula, blanks and quotation marks passed over.
fn escape_formula(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if text.starts_with(['\t', '\r', '\n']) {
        out.push('\'');
    }
    let mut begun = Some(out.len());
    for character in text.chars() {
        if let Some(start) = begun {
            if FORMULA_PREFIXES.contains(&character) {
                out.insert(start, '\'');
            }
            if !(character.is_whitespace() || character == '"') {
                begun = None;
            }
        }
        out.push(character);
        if SEPARATOR_CHARS.contains(&character) {
            begun = Some(out.len());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_when_necessary() {
        assert_eq!(
            format_row(["a", "", "b c", "1,5", "say \"yes\"", "two\nlines", "a;b", "a\r\nb"]),
            "a,,b c,\"1,5\",\"say \"\"yes\"\"\",\"two\nlines\",\"a;b\",\"a\r\nb\"\r\n"
        );
    }

    #[test]
    fn spreadsheet_formulas_are_escaped() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u{ff1d}1+1", "\u{ff0b}1", "\u{ff0d}1", "\u{ff20}SUM(A1)"]
        {
            assert_eq!(format_row([text]), format!("'{text}\r\n"));
        }
        assert_eq!(format_row(["=HYPERLINK(\"x\",\"y\")"]), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\r\n");
        assert_eq!(format_row(["\tx"]), "'\tx\r\n");
        assert_eq!(format_row(["\r=1"]), "\"'\r'=1\"\r\n");
        assert_eq!(format_row(["a-b=c"]), "a-b=c\r\n");
    }

    #[test]
    fn formulas_are_escaped_behind_any_separator() {
        // as a spreadsheet cuts the line whose lists are separated so, with the quotation marks that it takes away
        let hostile = [
            "x;=1+1",
            "x; =1",
            "x;\"=1\"",
            ";;=1",
            "x\t=1",
            "x|@SUM(A1)",
            "a\n=1",
            "a\r\n+1",
            "a;\u{ff1d}1",
            "\";-1",
            "a;\t-1",
        ];
        for text in hostile {
            let line = format_row(["0192", text, text]);
            for separator in [';', '|', '\t', ','] {
                for cell in line.split([separator, '\r', '\n']) {
                    let shown = cell.trim_start_matches([' ', '"', '\t']);
                    // where the comma separates, a cell that is quoted goes on behind a line's end
                    assert!(!shown.starts_with(FORMULA_PREFIXES), "{text:?} by {separator:?}: {line:?}");
                }
            }
        }
    }
}
