//! The same statements on PostgreSQL. Its planner reads a small table whole, whatever indexes there are; told not to where it can
//! help it, it shows which statements have none.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use serde_json::Value;

use super::{BIND_VALUES, FULL_SCAN_STATEMENTS, PLANNED_VERBS, SMALL_TABLES, install_instrumentation, statements};
use crate::test_database::{RawConnection, StoreFixture, TestDatabase};

#[derive(QueryableByName)]
struct PlanRow {
    // JSON, as it is sent
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[diesel(column_name = "QUERY PLAN")]
    plan: String,
}

/// The type of a value, from the way that it is shown.
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
        // nothing: the statement says of what
        _ => "unknown",
    }
}

/// The values of a list as it is shown, one by one.
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

/// What reads much knowingly: the end of every session of a tenant, of which PostgreSQL expects more than there are.
const RECURSIVE_END: &str = "WITH RECURSIVE over (id) AS (SELECT id FROM sessions WHERE tenant_id = $1";

/// Lists that sort what they have found, by a part of their statement, and why they may.
const SORTED_STATEMENTS: &[(&str, &str)] = &[
    ("FROM keys ORDER BY", "a server has few keys"),
    ("WITH feed AS MATERIALIZED", "what has changed since the look before, or once at a start"),
    ("SELECT DISTINCT sessions.dialect", "once at a start, and there are few dialects"),
    ("SELECT name, device FROM (", "who holds a role: they are counted beside, which reads all of them too"),
];

/// How PostgreSQL goes about a statement whatever its values are.
fn explain_statement(connection: &mut PgConnection, text: &str, binds: &str) -> Result<Value, String> {
    let values = parse_values(binds);
    let kinds: Vec<&str> = values.iter().map(|value| bind_type(value)).collect();
    let typed = if kinds.is_empty() { String::new() } else { format!("({})", kinds.join(", ")) };
    let nothing = if kinds.is_empty() { String::new() } else { format!("({})", vec!["NULL"; kinds.len()].join(", ")) };
    let said = |error: diesel::result::Error| format!("{error}: {typed} {text}");
    connection.batch_execute(&format!("PREPARE asked {typed} AS {text}")).map_err(said)?;
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked {nothing}");
    let plan = diesel::sql_query(explain).get_result::<PlanRow>(connection).map_err(said);
    connection.batch_execute("DEALLOCATE asked").unwrap();
    Ok(serde_json::from_str(&plan?.plan).unwrap())
}

/// What reads all of a table that grows, step by step. `first` tells that above it no more is asked for than the first few rows.
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
    // a sort or a count asks for everything below it
    let first = match kind {
        "Limit" => true,
        "Sort" | "Aggregate" | "Hash" | "WindowAgg" | "Unique" => false,
        _ => first,
    };
    for below in step["Plans"].as_array().into_iter().flatten() {
        collect_scans(below, first, found);
    }
}

/// Sessions of many tenants, so that it costs more to read all of them than to look for one: else an index that holds few of their
/// columns is read from end to end.
const INSERT_MANY_ROWS: &str = "\
    INSERT INTO tenants SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'shop-' || n, name, zone, locale, epoch, created_at, version \
        FROM generate_series(1, 5000) n, tenants WHERE slug = 'corner'; \
    CREATE TEMP TABLE crowd AS SELECT one.*, row_number() OVER () AS n \
        FROM (SELECT * FROM sessions LIMIT 1) one, generate_series(1, 20000); \
    UPDATE crowd SET id = decode(lpad(to_hex(100000 + n), 32, '0'), 'hex'), user_id = NULL, device_id = NULL, parent_id = NULL, \
        tenant_id = decode(lpad(to_hex(1 + n % 5000), 32, '0'), 'hex'), ended_at = NULL, ended_why = NULL; \
    ALTER TABLE crowd DROP COLUMN n; INSERT INTO sessions SELECT * FROM crowd; \
    ANALYZE sessions; ANALYZE tenants";

/// The plans of what was sent, on a database with a crowd in it where no table is read whole if that can be helped, and no table is
/// sorted if that can be helped and `unsorted` says so; each with its statement.
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

/// Whether a step has few rows, however many there are: at most as many as a part of a list, or as are given.
fn reads_few_rows(step: &Value) -> bool {
    let below = step["Plans"].as_array().and_then(|below| below.first());
    match step["Node Type"].as_str().unwrap_or_default() {
        "Limit" | "Values Scan" | "Result" => true,
        // as many as its first side has, each with one row of the other
        _ => below.is_some_and(reads_few_rows),
    }
}

/// What sorts all that it has found, step by step.
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
