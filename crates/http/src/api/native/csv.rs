//! CSV rows (RFC 4180) that are safe to open in a spreadsheet.
//!
//! Text that a spreadsheet would take for a formula gets a leading apostrophe, so that it is shown
//! as text and never evaluated: names are chosen by users.
//!
//! A spreadsheet may use another separator than the comma, often a semicolon, depending on its
//! locale; quotation marks then protect nothing. Every position at which a cell might begin is
//! therefore checked.

/// The byte order mark by which Excel recognizes UTF-8.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The characters with which a formula begins, including the full-width forms, which Excel treats
/// alike.
const FORMULA_PREFIXES: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The characters other than the comma that may end a cell.
const SEPARATOR_CHARS: [char; 5] = [';', '|', '\t', '\r', '\n'];

/// Formats cells as a row with its line ending.
pub(super) fn format_row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    join_cells(cells.into_iter().map(format_cell))
}

/// Joins formatted cells to a row with its line ending.
pub(super) fn join_cells(cells: impl Iterator<Item = String>) -> String {
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// Formats a decimal such as `-8.60`, which a spreadsheet takes for a number; other text as any.
pub(super) fn format_decimal(text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_decimal { text.to_owned() } else { format_cell(text) }
}

/// Formats text as a cell.
pub(super) fn format_cell(text: &str) -> String {
    let text = escape_formula(text);
    if text.contains([',', '"', '\r', '\n', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Inserts an apostrophe wherever a cell might begin with a formula, after optional blanks and
/// quotation marks.
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
    fn decimals_are_numbers_and_nothing_else_is() {
        for (text, expected) in
            [("-8.60", "-8.60"), ("12", "12"), ("", ""), ("-", "'-"), ("-1+2", "'-1+2"), ("=1", "'=1")]
        {
            assert_eq!(format_decimal(text), expected);
        }
    }

    #[test]
    fn formulas_are_escaped_behind_any_separator() {
        // splits the line at each separator and drops quotation marks, as a spreadsheet with that
        // separator does
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
                    // with a comma as separator, a quoted cell continues after a line break
                    assert!(!shown.starts_with(FORMULA_PREFIXES), "{text:?} by {separator:?}: {line:?}");
                }
            }
        }
    }
}
