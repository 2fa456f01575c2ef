//! CSV files that commands write.

use std::path::Path;

/// Whether a CSV file begins with a byte order mark, by which Excel recognizes UTF-8: as the
/// command line says, otherwise if the name of the file ends in `.csv`.
pub(super) fn begins_with_bom(argument: Option<bool>, file: Option<&Path>) -> bool {
    let is_csv = |file: &Path| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    argument.unwrap_or_else(|| file.is_some_and(is_csv))
}
