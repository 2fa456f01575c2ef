//! Lists of enrollment codes as CSV, to print and to hand out.

use tillgate_domain::{DeviceName, Instant, Secret};

use crate::api::native::audit::export::format_time_cell;
use crate::api::native::csv;

/// The names of the columns.
const CSV_HEADINGS: [&str; 3] = ["device", "code", "expires_at"];

/// The first row of a list of codes. `has_bom` is whether it begins with a byte order mark, by
/// which Excel recognizes UTF-8.
pub fn format_code_headings(has_bom: bool) -> String {
    let mark = if has_bom { csv::BYTE_ORDER_MARK } else { "" };
    format!("{mark}{}", csv::format_row(CSV_HEADINGS))
}

/// The row of the code of a device.
pub fn format_code_row(device: &DeviceName, code: &Secret<String>, expires_at: Instant) -> Secret<String> {
    Secret::new(csv::format_row([&*device.to_string(), code.expose(), &format_time_cell(expires_at)]))
}
