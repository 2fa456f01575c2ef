//! Rows of comma-separated values (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it, by which the
//! spreadsheet shows it as text: a name that somebody chose is never run.

/// The row of these cells, with its line's end.
pub(super) fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        assert_eq!(
            row(["a", "", "b c", "1,5", "say \"yes\"", "two\nlines"]),
            "a,,b c,\"1,5\",\"say \"\"yes\"\"\",\"two\nlines\"\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(row([text]), format!("'{text}\r\n"));
        }
        assert_eq!(row(["=HYPERLINK(\"x\",\"y\")"]), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\r\n");
        assert_eq!(row(["\r=1"]), "\"'\r=1\"\r\n");
    }
}
