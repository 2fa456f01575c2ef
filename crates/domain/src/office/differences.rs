//! What the audit says of a change.

use serde_json::{Map, Value, json};

/// Each field that moved, by its name, with what it held and what it holds.
pub(super) fn diff_fields<const FIELDS: usize>(fields: [(&str, Value, Value); FIELDS]) -> Map<String, Value> {
    let moved = fields.into_iter().filter(|(_, from, to)| from != to);
    moved.map(|(name, from, to)| (name.to_owned(), json!({ "from": from, "to": to }))).collect()
}
