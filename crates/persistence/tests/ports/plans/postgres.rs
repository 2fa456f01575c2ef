//! The query plans of PostgreSQL. Its planner scans a small table whatever indexes exist; with
//! scans disabled, it shows which statements have no index.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use serde_json::Value;

use super::{BIND_VALUES, FULL_SCAN_STATEMENTS, PLANNED_VERBS, SMALL_TABLES, install_instrumentation, statements};
use crate::test_database::{RawConnection, StoreFixture, TestDatabase};

#[derive(QueryableByName)]
struct PlanRow {
    // JSON as text
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[diesel(column_name = "QUERY PLAN")]
    plan: String,
}

/// The type of a value, derived from its displayed form.
fn bind_type(value: &str) -> &'static str {
    let value = value.trim_start_matches("Some(");
    if value.starts_with("[[") || value.starts_with("[\"") {
        return if value.starts_with("[[") { "bytea[]" } else { "text[]" };
    }
    match value.chars().next() {
        Some('[') => "bytea",
        Some('"') => "text",
        Some('t' | 'f') => "boolean",
        Some('-' | '0'..='9') => "bigint",
        // null: the statement determines its type
        _ => "unknown",
    }
}

/// The displayed values of a list, one by one.
fn parse_values(shown: &str) -> Vec<String> {
    let (mut values, mut depth, mut text, mut value, mut before) = (Vec::new(), 0_u32, false, String::new(), ' ');
    for c in shown.trim().strip_prefix('[').unwrap_or_default().chars() {
        if values.is_empty() && value.is_empty() && c == ' ' {
            continue;
        }
        match c {
            '"' if before != '\\' => text = !text,
            '[' | '(' if !text => depth += 1,
            ']' | ')' if !text && depth > 0 => depth -= 1,
            ',' | ']' if !text && depth == 0 => values.push(std::mem::take(&mut value)),
            _ => {}
        }
        if !(matches!(c, ',' | ']') && !text && depth == 0 && value.is_empty()) {
            value.push(c);
        }
        before = c;
    }
    values.iter().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

/// A statement that may read many rows: the end of every session of a tenant, of which PostgreSQL
/// expects more than there are.
const RECURSIVE_END: &str = "WITH RECURSIVE over (id) AS (SELECT id FROM sessions WHERE tenant_id = $1";

/// Lists that may sort their result, identified by a part of the statement, with the reason.
const SORTED_STATEMENTS: &[(&str, &str)] = &[
    ("FROM keys ORDER BY", "a server has few keys"),
    ("ORDER BY COALESCE(sessions.last_used_at, 0)", "an index would be written at every recorded use"),
    ("WITH feed AS MATERIALIZED", "what has changed since the look before, or once at a start"),
    ("SELECT DISTINCT sessions.dialect", "once at a start, and there are few dialects"),
    (
        "ROW_NUMBER() OVER (PARTITION BY due.tenant_id",
        "tenants take turns, and only the mails that wait to be sent are read",
    ),
    ("SELECT name, device FROM (", "who holds a role: they are counted beside, which reads all of them too"),
];

/// The query plan of a statement for any values.
fn explain_statement(connection: &mut PgConnection, text: &str, binds: &str) -> Result<Value, String> {
    let values = parse_values(binds);
    let kinds: Vec<&str> = values.iter().map(|value| bind_type(value)).collect();
    let typed = if kinds.is_empty() { String::new() } else { format!("({})", kinds.join(", ")) };
    let nothing = if kinds.is_empty() { String::new() } else { format!("({})", vec!["NULL"; kinds.len()].join(", ")) };
    let describe = |error: diesel::result::Error| format!("{error}: {typed} {text}");
    connection.batch_execute(&format!("PREPARE asked {typed} AS {text}")).map_err(describe)?;
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked {nothing}");
    let plan = diesel::sql_query(explain).get_result::<PlanRow>(connection).map_err(describe);
    connection.batch_execute("DEALLOCATE asked").unwrap();
    Ok(serde_json::from_str(&plan?.plan).unwrap())
}

/// Collects the steps that scan a table that grows. `first` says that only the first few rows of
/// the step are used.
fn collect_scans(step: &Value, first: bool, found: &mut Vec<String>) {
    let kind = step["Node Type"].as_str().unwrap_or_default();
    let table = step["Relation Name"].as_str().unwrap_or_default();
    let grows = !table.is_empty() && !SMALL_TABLES.contains(&table);
    let whole = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" => step["Index Cond"].is_null(),
        _ => false,
    };
    if grows && whole && !(first && kind != "Seq Scan") {
        found.push(format!("{kind} of {table}"));
    }
    // a sort or an aggregate reads everything below it
    let first = match kind {
        "Limit" => true,
        "Sort" | "Aggregate" | "Hash" | "WindowAgg" | "Unique" => false,
        _ => first,
    };
    for below in step["Plans"].as_array().into_iter().flatten() {
        collect_scans(below, first, found);
    }
}

/// Inserts sessions of many tenants, so that a scan costs more than a search: otherwise an index
/// that contains few of the columns would be read completely.
const INSERT_MANY_ROWS: &str = "\
    INSERT INTO tenants SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'shop-' || n, name, zone, locale, epoch, created_at, version \
        FROM generate_series(1, 5000) n, tenants WHERE slug = 'corner'; \
    CREATE TEMP TABLE crowd AS SELECT one.*, row_number() OVER () AS n \
        FROM (SELECT * FROM sessions LIMIT 1) one, generate_series(1, 20000); \
    UPDATE crowd SET id = decode(lpad(to_hex(100000 + n), 32, '0'), 'hex'), user_id = NULL, device_id = NULL, parent_id = NULL, \
        tenant_id = decode(lpad(to_hex(1 + n % 5000), 32, '0'), 'hex'), ended_at = NULL, ended_why = NULL; \
    ALTER TABLE crowd DROP COLUMN n; INSERT INTO sessions SELECT * FROM crowd; \
    ANALYZE sessions; ANALYZE tenants";

/// The query plans of all statements on a database with many rows. Scans are disabled if possible,
/// and so are sorts if `unsorted` is set.
fn explain_all(unsorted: bool) -> Vec<(String, Value)> {
    install_instrumentation();
    let fresh = TestDatabase::postgres().with_fixture();
    BIND_VALUES.with_borrow_mut(BTreeMap::clear);
    statements::call_every_method(&fresh, &StoreFixture::default());
    let sent = BIND_VALUES.take();
    // (the others have been swept)
    fresh.write(|tx| tx.sessions().insert(&StoreFixture::default().new_session(9)));
    fresh.raw().execute(INSERT_MANY_ROWS);
    let RawConnection::Postgres(url) = fresh.raw() else { panic!("not on PostgreSQL") };
    let mut connection = PgConnection::establish(url).unwrap();
    connection.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").unwrap();
    if unsorted {
        connection.batch_execute("SET enable_sort = off; SET enable_incremental_sort = off").unwrap();
    }
    let sent = sent.iter().filter(|(text, _)| PLANNED_VERBS.iter().any(|verb| text.starts_with(verb)));
    let plans: Vec<_> = sent
        .map(|(text, binds)| (text.replace('"', ""), explain_statement(&mut connection, text, binds).unwrap()))
        .collect();
    assert!(plans.len() >= 150, "{} statements were seen", plans.len());
    plans
}

#[test]
#[ignore = "requires PostgreSQL"]
fn statements_scan_no_growing_table_on_postgres() {
    let mut faults = Vec::new();
    for (text, plan) in explain_all(false) {
        if text.starts_with(RECURSIVE_END) || FULL_SCAN_STATEMENTS.iter().any(|start| text.starts_with(start)) {
            continue;
        }
        let mut found = Vec::new();
        collect_scans(&plan[0]["Plan"], false, &mut found);
        faults.extend(found.into_iter().map(|step| format!("{step}: {text}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a step has few rows, however large the table is: at most those of a page, or those of
/// given ids.
fn reads_few_rows(step: &Value) -> bool {
    let below = step["Plans"].as_array().and_then(|below| below.first());
    match step["Node Type"].as_str().unwrap_or_default() {
        "Limit" | "Values Scan" | "Result" => true,
        // as many as its outer side, each joined with one row of the inner side
        _ => below.is_some_and(reads_few_rows),
    }
}

/// Collects the steps that sort their complete input.
fn collect_sorts(step: &Value, found: &mut Vec<String>) {
    let kind = step["Node Type"].as_str().unwrap_or_default();
    let below: Vec<&Value> = step["Plans"].as_array().into_iter().flatten().collect();
    if kind.ends_with("Sort") && !below.iter().all(|step| reads_few_rows(step)) {
        found.push(format!("{kind} by {}", step["Sort Key"]));
    }
    for step in below {
        collect_sorts(step, found);
    }
}

#[test]
#[ignore = "requires PostgreSQL"]
fn lists_are_not_sorted_on_postgres() {
    let (mut faults, mut excused) = (Vec::new(), BTreeSet::new());
    for (text, plan) in explain_all(true).into_iter().filter(|(text, _)| text.contains(" ORDER BY ")) {
        let mut found = Vec::new();
        collect_sorts(&plan[0]["Plan"], &mut found);
        let why = SORTED_STATEMENTS.iter().find(|(part, _)| text.contains(part));
        excused.extend(why.filter(|_| !found.is_empty()));
        faults.extend(found.into_iter().filter(|_| why.is_none()).map(|step| format!("{step}: {text}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(excused, SORTED_STATEMENTS.iter().collect(), "nothing else is excused");
}

#[test]
fn bind_values_are_parsed_from_debug_output() {
    let shown = "[[1, 2], 5, -7, \"a, \\\"b]\", None, Some([3]), true]";
    assert_eq!(
        parse_values(shown).iter().map(|value| bind_type(value)).collect::<Vec<_>>(),
        ["bytea", "bigint", "bigint", "text", "unknown", "bytea", "boolean"]
    );
    assert_eq!(parse_values("[]"), [""; 0]);
}
