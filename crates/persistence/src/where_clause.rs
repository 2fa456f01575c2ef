//! Composes the `WHERE` clause of a list from the criteria of a filter, for both databases.

use std::fmt::Write as _;

use tillgate_domain::office::ports::OffsetPageRequest;
use tillgate_domain::office::ports::search_text::ADDRESS_MARK;

use crate::connection::AnyConnection;
use crate::statement::{Bind, placeholders};

/// Conditions that are joined by `AND`.
#[derive(Debug, Default)]
pub(crate) struct WhereClause<'a> {
    text: String,
    binds: Vec<Bind<'a>>,
}

impl<'a> WhereClause<'a> {
    /// Conditions of a statement whose head has these values.
    pub(crate) fn after(head: &[Bind<'a>]) -> Self {
        Self { text: String::new(), binds: head.to_vec() }
    }

    /// Adds a condition. Each `?` in `clause` is the next of the values.
    pub(crate) fn and(&mut self, clause: &str, values: &[Bind<'a>]) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        let mut rest = clause;
        for value in values {
            let Some((before, after)) = rest.split_once('?') else { break };
            self.text.push_str(before);
            self.binds.push(*value);
            // writing to a string cannot fail
            let _ = write!(self.text, "${}", self.binds.len());
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Adds a condition if there is a value.
    pub(crate) fn and_if_some(&mut self, clause: &str, value: Option<Bind<'a>>) {
        if let Some(value) = value {
            self.and(clause, &[value]);
        }
    }

    /// Adds the condition that `column` has one of the values, or none if there are no values.
    pub(crate) fn and_in(&mut self, column: &str, values: &[Bind<'a>]) {
        if !values.is_empty() {
            let among = placeholders(self.binds.len() + 1, 1, values.len());
            self.binds.extend_from_slice(values);
            self.and(&format!("{column} IN {among}"), &[]);
        }
    }

    /// A statement that begins with `head` and has these conditions.
    pub(crate) fn build_statement(&self, head: &str) -> (String, Vec<Bind<'a>>) {
        (format!("{head}{}", self.text), self.binds.clone())
    }

    /// A statement for one page of a list in this order. The start of the page is a condition that
    /// the caller adds.
    pub(crate) fn build_page<K>(
        &self,
        head: &str,
        order: &str,
        part: &OffsetPageRequest<K>,
    ) -> (String, Vec<Bind<'a>>) {
        let (text, mut binds) = self.build_statement(head);
        let skip = i64::try_from(part.skip).unwrap_or(i64::MAX);
        binds.extend([Bind::Number(i64::from(part.limit)), Bind::Number(skip)]);
        (format!("{text} ORDER BY {order} LIMIT ${} OFFSET ${}", binds.len() - 1, binds.len()), binds)
    }
}

/// A condition that an expression contains a text, with a `?` for the text.
pub(crate) fn contains_condition(connection: &AnyConnection, expression: &str) -> String {
    match connection {
        AnyConnection::Sqlite(_) => format!("instr({expression}, ?) > 0"),
        AnyConnection::Postgres(_) => format!("strpos({expression} COLLATE \"C\", ?) > 0"),
    }
}

/// The column with the letters A to Z in lower case.
pub(crate) fn lowercase_expression(connection: &AnyConnection, column: &str) -> String {
    match connection {
        // SQLite's own `lower` changes only these letters
        AnyConnection::Sqlite(_) => format!("lower({column})"),
        AnyConnection::Postgres(_) => format!("lower({column} COLLATE \"C\")"),
    }
}

/// The first of the texts by which a row is searched.
pub(crate) fn first_searched_expression(connection: &AnyConnection, column: &str) -> String {
    part_before(connection, column, 31)
}

/// The texts by which a user is searched, without the forms of the e-mail address.
pub(crate) fn searched_names_expression(connection: &AnyConnection, column: &str) -> String {
    part_before(connection, column, u32::from(ADDRESS_MARK))
}

/// The column up to the first of these characters.
fn part_before(connection: &AnyConnection, column: &str, code: u32) -> String {
    match connection {
        AnyConnection::Sqlite(_) => format!("substr({column}, 1, instr({column} || char({code}), char({code})) - 1)"),
        AnyConnection::Postgres(_) => format!("split_part({column}, chr({code}), 1)"),
    }
}

/// A column to sort by, compared by bytes, with the letters A to Z in lower case.
pub(crate) fn bytewise_order_expression(connection: &AnyConnection, column: &str) -> String {
    match connection {
        AnyConnection::Sqlite(_) => format!("lower({column})"),
        AnyConnection::Postgres(_) => format!("lower({column} COLLATE \"C\") COLLATE \"C\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_in_order() {
        let mut all = WhereClause::default();
        assert_eq!(all.build_statement("SELECT 1 FROM t").0, "SELECT 1 FROM t");
        all.and_if_some("a = ?", None);
        all.and_in("b", &[]);
        all.and_if_some("a = ?", Some(Bind::Number(1)));
        all.and_in("b", &[Bind::Text("x"), Bind::Text("y")]);
        all.and("(c > ? OR d > ?)", &[Bind::Number(2), Bind::Number(3)]);
        let (text, binds) = all.build_statement("SELECT 1 FROM t");
        assert_eq!(text, "SELECT 1 FROM t WHERE a = $1 AND b IN ($2, $3) AND (c > $4 OR d > $5)");
        assert_eq!(binds.len(), 5);
        let (text, binds) = all.build_page(
            "SELECT 1 FROM t",
            "a DESC",
            &OffsetPageRequest { after: None::<u8>, skip: u64::MAX, limit: 3 },
        );
        assert!(text.ends_with("d > $5) ORDER BY a DESC LIMIT $6 OFFSET $7"), "{text}");
        assert!(matches!(binds[5..], [Bind::Number(3), Bind::Number(i64::MAX)]), "{binds:?}");
    }
}
