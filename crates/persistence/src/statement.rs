//! SQL statements as text, for what diesel's query builder cannot express for both databases, and
//! for frequent updates, which it would prepare again each time.
//!
//! Both databases understand the text; `$n` is the place of a value. A statement is prepared once
//! per connection and kept. This module knows no tables.

use std::borrow::Cow;

use diesel::connection::Connection;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Untyped};
use diesel::{QueryResult, RunQueryDsl};

use crate::connection::{AnyConnection, MultiBackend};

/// A value for a `$n`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bind<'a> {
    /// An id, a digest or a key.
    Bytes(&'a [u8]),
    /// A number or an instant.
    Number(i64),
    Text(&'a str),
    /// `NULL` for a column of bytes.
    NoBytes,
    /// `NULL` for a column of numbers.
    NoNumber,
    /// `NULL` for a column of texts.
    NoText,
}

impl<'a> From<&'a uuid::Uuid> for Bind<'a> {
    fn from(id: &'a uuid::Uuid) -> Self {
        Self::Bytes(id.as_bytes())
    }
}

impl<'a> From<Option<&'a uuid::Uuid>> for Bind<'a> {
    fn from(id: Option<&'a uuid::Uuid>) -> Self {
        id.map_or(Self::NoBytes, Self::from)
    }
}

impl<'a> From<&'a str> for Bind<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Bind<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::NoText, Self::Text)
    }
}

impl From<i64> for Bind<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Bind<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoNumber, Self::Number)
    }
}

impl From<tillgate_domain::Instant> for Bind<'_> {
    fn from(at: tillgate_domain::Instant) -> Self {
        Self::Number(at.millis())
    }
}

impl From<Option<tillgate_domain::Instant>> for Bind<'_> {
    fn from(at: Option<tillgate_domain::Instant>) -> Self {
        at.map_or(Self::NoNumber, Self::from)
    }
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    text: Cow<'static, str>,
    binds: Vec<Bind<'a>>,
    cached: bool,
}

impl<'a> Statement<'a> {
    /// A statement whose prepared form is kept.
    pub(crate) fn new(text: &'static str, binds: impl Into<Vec<Bind<'a>>>) -> Self {
        Self { text: Cow::Borrowed(text), binds: binds.into(), cached: true }
    }

    /// A statement whose text is composed at run time but is the same each time; its prepared form
    /// is kept.
    pub(crate) fn cached(text: String, binds: Vec<Bind<'a>>) -> Self {
        Self { text: Cow::Owned(text), binds, cached: true }
    }

    /// A statement whose text depends on the number of its values; its prepared form is not kept.
    pub(crate) fn uncached(text: String, binds: Vec<Bind<'a>>) -> Self {
        Self { text: Cow::Owned(text), binds, cached: false }
    }
}

/// The placeholders for `rows` rows of `columns` values each, numbered from `first`: `($1, $2),
/// ($3, $4)`.
pub(crate) fn placeholders(first: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let each: Vec<String> = (0..columns).map(|column| format!("${}", first + row * columns + column)).collect();
        format!("({})", each.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

impl QueryFragment<MultiBackend> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if !self.cached {
            pass.unsafe_to_cache_prepared();
        }
        let mut rest: &str = &self.text;
        while let Some((before, after)) = rest.split_once('$') {
            pass.push_sql(before);
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (number, after) = after.split_at(end);
            let bind = number.parse::<usize>().ok().and_then(|n| self.binds.get(n.checked_sub(1)?));
            match bind {
                Some(Bind::Bytes(value)) => pass.push_bind_param::<Binary, [u8]>(value)?,
                Some(Bind::Number(value)) => pass.push_bind_param::<BigInt, i64>(value)?,
                Some(Bind::Text(value)) => pass.push_bind_param::<Text, str>(value)?,
                Some(Bind::NoBytes) => pass.push_bind_param::<Nullable<Binary>, Option<Vec<u8>>>(&None)?,
                Some(Bind::NoNumber) => pass.push_bind_param::<Nullable<BigInt>, Option<i64>>(&None)?,
                Some(Bind::NoText) => pass.push_bind_param::<Nullable<Text>, Option<String>>(&None)?,
                None => return Err(Error::QueryBuilderError(format!("a statement has no value ${number}").into())),
            }
            rest = after;
        }
        pass.push_sql(rest);
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<AnyConnection> for Statement<'_> {}

/// An insert that does nothing if one of the table's unique indexes already contains the row: it
/// then inserts 0 rows.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct OnConflictDoNothing<T>(pub(crate) T);

impl<T: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for OnConflictDoNothing<T> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" ON CONFLICT DO NOTHING");
        Ok(())
    }
}

impl<T, C: Connection> RunQueryDsl<C> for OnConflictDoNothing<T> {}
