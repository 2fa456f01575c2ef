//! Schemas that many operations share: texts, enumerations, booleans, ids and timestamps.

use serde_json::json;
use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

/// The schema of a text.
pub(crate) fn text_schema() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

/// The schema of an enumeration of these values.
pub(crate) fn enum_schema(words: impl IntoIterator<Item = &'static str>) -> Schema {
    enum_builder(words).into()
}

/// The schema of a list's `sort` parameter; the first value is the default.
pub(crate) fn order_schema<const N: usize>(words: [&'static str; N]) -> Schema {
    let usual = words.first().copied();
    enum_builder(words).default(usual.map(|usual| json!(usual))).into()
}

fn enum_builder(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    let words: Vec<&str> = words.into_iter().collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// The schema of a boolean.
pub(crate) fn bool_schema() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).into()
}

/// The schema of an id (UUID).
pub(crate) fn id_schema() -> Schema {
    formatted_schema(Type::String, KnownFormat::Uuid)
}

/// The schema of a text that may be null.
pub(super) fn nullable_text_schema() -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::String, Type::Null])).into()
}

/// The schema of a timestamp (RFC 3339).
pub(crate) fn instant_schema() -> Schema {
    formatted_schema(Type::String, KnownFormat::DateTime)
}

fn formatted_schema(kind: impl Into<SchemaType>, format: KnownFormat) -> Schema {
    ObjectBuilder::new().schema_type(kind).format(Some(SchemaFormat::KnownFormat(format))).into()
}
