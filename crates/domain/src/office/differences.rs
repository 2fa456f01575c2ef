//! The changed fields of an audit event.

use serde_json::{Map, Value, json};

/// The changed fields by name, with the values before and after.
pub(super) fn diff_fields<const FIELDS: usize>(fields: [(&str, Value, Value); FIELDS]) -> Map<String, Value> {
    let moved = fields.into_iter().filter(|(_, from, to)| from != to);
    moved.map(|(name, from, to)| (name.to_owned(), json!({ "from": from, "to": to }))).collect()
}
