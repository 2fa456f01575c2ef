//! Computes the keys by which names are compared and the columns that are searched, which SQL
//! cannot do. A name whose new key already belongs to another row keeps its earlier key and is
//! found by it as before.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Binary, Bool, Nullable, Text};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tillgate_domain::office::ports::search_text;
use tillgate_domain::{Email, FoldedText};

/// How many rows are read at once.
const READ_BATCH_SIZE: usize = 1_000;
/// How many rows are written at once.
const WRITE_BATCH_SIZE: usize = 250;

/// A name and its key.
#[derive(QueryableByName)]
struct NameKeyRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    tenant_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    key: String,
    /// Whether another row may have the same key.
    #[diesel(sql_type = Bool)]
    shared: bool,
}

/// A row and the texts by which it is searched.
#[derive(QueryableByName)]
struct SearchTextRow {
    #[diesel(sql_type = Binary)]
    tenant_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Text)]
    first: String,
    #[diesel(sql_type = Text)]
    second: String,
    #[diesel(sql_type = Text)]
    third: String,
}

/// The details of an audit event.
#[derive(QueryableByName)]
struct EventDetailsRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Text)]
    details: String,
}

/// A trigger of SQLite.
#[derive(QueryableByName)]
struct TriggerRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

/// A key by which names are compared.
struct NameKeyColumn {
    table: &'static str,
    name: &'static str,
    column: &'static str,
    /// A condition for rows that may share their key with others.
    shared: &'static str,
    /// Whether the key is unique within a tenant; otherwise it is unique across tenants.
    of_tenant: bool,
    /// Computes the key of a name.
    of: fn(&str) -> FoldedText,
}

const NAME_KEY_COLUMNS: [NameKeyColumn; 4] = [
    NameKeyColumn {
        table: "users",
        name: "name",
        column: "folded",
        shared: "FALSE",
        of_tenant: true,
        of: FoldedText::of,
    },
    NameKeyColumn {
        table: "users",
        name: "email",
        column: "email_folded",
        shared: "FALSE",
        of_tenant: false,
        of: Email::lookup_key_of,
    },
    NameKeyColumn {
        table: "devices",
        name: "name",
        column: "folded",
        shared: "(status = 'retired')",
        of_tenant: true,
        of: FoldedText::of,
    },
    NameKeyColumn {
        table: "roles",
        name: "name",
        column: "folded",
        shared: "FALSE",
        of_tenant: true,
        of: FoldedText::of,
    },
];

impl NameKeyColumn {
    fn select_sql(&self) -> String {
        let Self { table, name, column, shared, .. } = self;
        format!(
            "SELECT id, tenant_id, {name} AS name, {column} AS key, {shared} AS shared FROM {table} \
             WHERE id > $1 AND {name} IS NOT NULL AND {column} IS NOT NULL ORDER BY id LIMIT {READ_BATCH_SIZE}"
        )
    }

    fn select_holder_sql(&self) -> String {
        let Self { table, column, shared, of_tenant, .. } = self;
        let tenant = if *of_tenant { "tenant_id = $2" } else { "$2 = $2" };
        format!(
            "SELECT id, tenant_id, {column} AS name, {column} AS key, {shared} AS shared FROM {table} \
             WHERE {column} = $1 AND NOT {shared} AND {tenant}"
        )
    }

    fn update_sql(&self) -> String {
        format!("UPDATE {} SET {} = $1 WHERE id = $2", self.table, self.column)
    }
}

/// Composes the search text of a row.
type SearchTextFn = fn(&SearchTextRow) -> String;

/// A searched table, its columns, and how the search text is composed.
type SearchedTable = (&'static str, &'static str, SearchTextFn);

const SEARCHED_USERS: SearchedTable =
    ("users", "tenant_id, id, name AS first, coalesce(email, '') AS second, display_name AS third", |row| {
        search_text::from_user_texts(&row.first, &row.second, &row.third)
    });

const SEARCHED_TABLES: [SearchedTable; 3] = [
    SEARCHED_USERS,
    ("devices", "tenant_id, id, name AS first, description AS second, '' AS third", |row| {
        search_text::from_device_texts(&row.first, &row.second)
    }),
    ("tickets", "tenant_id, id, name AS first, external_id AS second, customer AS third", |row| {
        search_text::from_ticket_texts(&row.first, &row.second, &row.third)
    }),
];

/// The search text of an audit event, if its JSON alone is not sufficient.
fn event_search_text(line: EventDetailsRow) -> Option<(Vec<u8>, String)> {
    let details = serde_json::from_str(&line.details).ok()?;
    search_text::from_details(&details).map(|text| (line.id, text))
}

/// Placeholders for rows: `($1, $2), ($3, $4)`.
fn row_placeholders(rows: usize, columns: usize) -> String {
    crate::statement::placeholders(1, rows, columns)
}

macro_rules! steps {
    ($module:ident, $connection:ty, $backend:ty) => {
        pub(super) mod $module {
            use super::*;

            /// Fills all of these columns.
            pub(in crate::migration) fn fill(connection: &mut $connection) -> QueryResult<()> {
                for key in &NAME_KEY_COLUMNS {
                    rekey(connection, key)?;
                }
                for (table, columns, text) in SEARCHED_TABLES {
                    // the trigger that keeps closed tickets immutable is suspended: the search text
                    // only repeats the ticket's content
                    let triggers = connection.suspend_triggers(table)?;
                    fill_searched(connection, table, columns, text)?;
                    connection.resume_triggers(table, &triggers)?;
                }
                let triggers = connection.suspend_triggers("audit")?;
                fill_lines(connection)?;
                connection.resume_triggers("audit", &triggers)
            }

            /// Composes the search text of every user again.
            pub(in crate::migration) fn fill_users(connection: &mut $connection) -> QueryResult<()> {
                let (table, columns, text) = SEARCHED_USERS;
                fill_searched(connection, table, columns, text)
            }

            fn rekey(connection: &mut $connection, key: &NameKeyColumn) -> QueryResult<()> {
                let mut changed: Vec<(NameKeyRow, String)> = Vec::new();
                let mut after = Vec::new();
                loop {
                    let rows: Vec<NameKeyRow> = sql_query(key.select_sql()).bind::<Binary, _>(&after).load(connection)?;
                    let Some(last) = rows.last() else { break };
                    after.clone_from(&last.id);
                    for row in rows {
                        let newer = (key.of)(&row.name).as_str().to_owned();
                        if newer != row.key {
                            changed.push((row, newer));
                        }
                    }
                }
                let scope = |row: &NameKeyRow| if key.of_tenant { row.tenant_id.clone() } else { Vec::new() };
                let mut wanted = BTreeMap::<(Vec<u8>, String), usize>::new();
                for (row, newer) in changed.iter().filter(|(row, _)| !row.shared) {
                    *wanted.entry((scope(row), newer.clone())).or_default() += 1;
                }
                for (row, newer) in changed {
                    let alone = row.shared || wanted.get(&(scope(&row), newer.clone())).is_none_or(|count| *count < 2);
                    let mut taken = || -> QueryResult<bool> {
                        let query = sql_query(key.select_holder_sql()).bind::<Text, _>(&newer).bind::<Binary, _>(&row.tenant_id);
                        let others: Vec<NameKeyRow> = query.load(connection)?;
                        Ok(others.iter().any(|other| other.id != row.id))
                    };
                    if alone && (row.shared || !taken()?) {
                        let query = sql_query(key.update_sql()).bind::<Text, _>(&newer).bind::<Binary, _>(&row.id);
                        query.execute(connection)?;
                    }
                }
                Ok(())
            }

            fn fill_searched(
                connection: &mut $connection,
                table: &str,
                columns: &str,
                text: SearchTextFn,
            ) -> QueryResult<()> {
                let (mut tenant, mut id) = (Vec::new(), Vec::new());
                loop {
                    let select_sql = format!(
                        "SELECT {columns} FROM {table} WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT {READ_BATCH_SIZE}"
                    );
                    let rows: Vec<SearchTextRow> =
                        sql_query(select_sql).bind::<Binary, _>(&tenant).bind::<Binary, _>(&id).load(connection)?;
                    let Some(last) = rows.last() else { return Ok(()) };
                    (tenant, id) = (last.tenant_id.clone(), last.id.clone());
                    let filled: Vec<(&SearchTextRow, String)> =
                        rows.iter().map(|row| (row, text(row))).filter(|(_, text)| !text.is_empty()).collect();
                    for part in filled.chunks(WRITE_BATCH_SIZE) {
                        let update_sql = format!(
                            "UPDATE {table} SET searched = filled.column3 FROM (VALUES {}) filled \
                             WHERE {table}.tenant_id = filled.column1 AND {table}.id = filled.column2",
                            row_placeholders(part.len(), 3)
                        );
                        let mut query = sql_query(update_sql).into_boxed::<$backend>();
                        for (row, text) in part {
                            query = query
                                .bind::<Binary, _>(&row.tenant_id)
                                .bind::<Binary, _>(&row.id)
                                .bind::<Text, _>(text);
                        }
                        query.execute(connection)?;
                    }
                }
            }

            fn fill_lines(connection: &mut $connection) -> QueryResult<()> {
                let mut after = Vec::new();
                loop {
                    let select_sql = format!("SELECT id, details FROM audit WHERE id > $1 ORDER BY id LIMIT {READ_BATCH_SIZE}");
                    let rows: Vec<EventDetailsRow> = sql_query(select_sql).bind::<Binary, _>(&after).load(connection)?;
                    let Some(last) = rows.last() else { return Ok(()) };
                    after.clone_from(&last.id);
                    let filled: Vec<(Vec<u8>, String)> = rows.into_iter().filter_map(event_search_text).collect();
                    for part in filled.chunks(WRITE_BATCH_SIZE) {
                        let update_sql = format!(
                            "UPDATE audit SET searched = filled.column2 FROM (VALUES {}) filled WHERE audit.id = filled.column1",
                            row_placeholders(part.len(), 2)
                        );
                        let mut query = sql_query(update_sql).into_boxed::<$backend>();
                        for (id, text) in part {
                            query = query.bind::<Binary, _>(id).bind::<Text, _>(text);
                        }
                        query.execute(connection)?;
                    }
                }
            }
        }
    };
}

/// Suspends the triggers of a table while its rows are filled. A failed transaction restores them.
trait TriggerControl {
    fn suspend_triggers(&mut self, table: &str) -> QueryResult<Vec<String>>;
    fn resume_triggers(&mut self, table: &str, triggers: &[String]) -> QueryResult<()>;
}

impl TriggerControl for SqliteConnection {
    fn suspend_triggers(&mut self, table: &str) -> QueryResult<Vec<String>> {
        let read = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1";
        let triggers: Vec<TriggerRow> = sql_query(read).bind::<Text, _>(table).load(self)?;
        for TriggerRow { name, .. } in &triggers {
            self.batch_execute(&format!("DROP TRIGGER \"{name}\""))?;
        }
        Ok(triggers.into_iter().filter_map(|trigger| trigger.sql).collect())
    }

    fn resume_triggers(&mut self, _: &str, triggers: &[String]) -> QueryResult<()> {
        triggers.iter().try_for_each(|text| self.batch_execute(text))
    }
}

impl TriggerControl for PgConnection {
    fn suspend_triggers(&mut self, table: &str) -> QueryResult<Vec<String>> {
        self.batch_execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).map(|()| Vec::new())
    }

    fn resume_triggers(&mut self, table: &str, _: &[String]) -> QueryResult<()> {
        self.batch_execute(&format!("ALTER TABLE {table} ENABLE TRIGGER USER"))
    }
}

steps!(sqlite, SqliteConnection, diesel::sqlite::Sqlite);
steps!(postgres, PgConnection, diesel::pg::Pg);

#[cfg(test)]
mod tests;
