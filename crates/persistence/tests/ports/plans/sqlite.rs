//! The query plans of SQLite. It plans without knowing the number of rows, so these plans apply to
//! a store of any size.

use std::collections::BTreeSet;

use super::{FULL_SCAN_STATEMENTS, PLANNED_VERBS, SENT_STATEMENTS, SMALL_TABLES, install_instrumentation, statements};
use crate::test_database::{PlanStepRow, StoreFixture, TestDatabase};

/// Indexes that contain only the rows that a SELECT requests, so that it may read all of such an
/// index. A change that used one of them would read everything that waits for each batch.
const EXACT_INDEXES: &[&str] = &["audit_unsealed"];

/// Lists that may sort their result, identified by a part of the statement, with the reason.
const SORTED_STATEMENTS: &[(&str, &str)] = &[
    ("FROM keys ORDER BY", "a server has few keys"),
    ("ORDER BY COALESCE(sessions.last_used_at, 0)", "an index would be written at every recorded use"),
    ("LEFT JOIN changes ON changes.position >= ?", "what has come since the last look, all of which is read"),
    ("ROW_NUMBER() OVER (PARTITION BY due.tenant_id", TURNS_REASON),
    ("SELECT name, device FROM (", "who holds a role: they are counted beside, which reads all of them too"),
    ("tickets.opened_at >= ? ORDER BY tickets.updated_at", SCATTERED_REASON),
    ("tickets.opened_at >= ? ORDER BY tickets.payable", SCATTERED_REASON),
    ("tickets.opened_at < ? ORDER BY tickets.updated_at", SCATTERED_REASON),
    ("tickets.opened_at < ? ORDER BY tickets.payable", SCATTERED_REASON),
    ("FROM audit WHERE audit.action IN (?, ?)", "several actions of all tenants, asked by hand: from the index alone"),
];

/// Why the mails that are due are sorted.
const TURNS_REASON: &str = "tenants take turns, and only the mails that wait to be sent are read";

/// Why tickets that were opened in a time range are sorted.
const SCATTERED_REASON: &str = "they lie scattered in another order: by its index all the others would be passed over";

/// The index that finds the rows of a filtered list in the list's order, by a part of the
/// statement.
const ORDERED_STATEMENTS: &[(&str, &str)] = &[
    ("FROM tickets WHERE tickets.tenant_id = ? ORDER BY tickets.opened_at ", "tickets_opened"),
    ("FROM tickets WHERE tickets.tenant_id = ? ORDER BY tickets.updated_at ", "tickets_updated"),
    ("FROM tickets WHERE tickets.tenant_id = ? ORDER BY tickets.payable ", "tickets_payable"),
    ("FROM tickets WHERE tickets.tenant_id = ? AND tickets.state = ? ORDER BY tickets.opened_at ", "tickets_state"),
    ("FROM tickets WHERE tickets.tenant_id = ? AND tickets.owner_id = ? ORDER BY tickets.opened_at ", "tickets_owner"),
    (
        "FROM tickets WHERE tickets.tenant_id = ? AND tickets.device_id = ? ORDER BY tickets.opened_at ",
        "tickets_device",
    ),
    (
        "FROM tickets WHERE tickets.tenant_id = ? AND tickets.refund_of = ? ORDER BY tickets.opened_at ",
        "tickets_refunds",
    ),
    ("FROM tickets WHERE tickets.tenant_id = ? AND tickets.number = ? ORDER BY tickets.opened_at ", "tickets_number"),
    ("FROM audit WHERE audit.tenant_id = ? ORDER BY audit.id", "audit_tenant"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.user_id = ? ORDER BY audit.id", "audit_user"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.device_id = ? ORDER BY audit.id", "audit_device"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.session_id = ? ORDER BY audit.id", "audit_session"),
    ("audit.subject = ? AND audit.subject_id = ? ORDER BY audit.id", "audit_subject"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.outcome = 'refused' ORDER BY audit.id", "audit_refused"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.action IN (?) ORDER BY audit.id", "audit_tenant_action"),
    ("FROM audit WHERE audit.action IN (?) ORDER BY audit.id", "audit_action"),
    ("FROM audit WHERE sequence IS NULL ORDER BY id", "audit_unsealed"),
    ("SELECT 1 AS one FROM live_events", "live_events_changed"),
    ("users.id IN (SELECT live_events.subject_id FROM live_events", "live_events_changed"),
    ("tickets.id IN (SELECT live_events.subject_id FROM live_events", "live_events_changed"),
    ("FROM audit WHERE sequence >= ? ORDER BY sequence", "audit_sequence"),
    ("WHERE (sessions.tenant_id = ?) ORDER BY sessions.id", "sessions_tenant"),
    ("WHERE (sessions.user_id = ?) ORDER BY sessions.id", "sessions_user"),
    ("WHERE (sessions.device_id = ?) ORDER BY sessions.id", "sessions_device"),
    ("FROM users WHERE users.tenant_id = ? ORDER BY users.id", "users_tenant"),
    ("FROM users WHERE users.tenant_id = ? ORDER BY lower(users.name)", "users_in_order"),
    ("FROM (SELECT 1 AS one FROM audit WHERE audit.tenant_id = ? AND audit.outcome = 'refused'", "audit_refused"),
    ("AND attempts.full_at > ?", "attempts_full"),
    ("(devices.folded = ?)) ORDER BY devices.id", "devices_named"),
];

/// A database, and the plans of all statements that were sent to it.
fn explain_all() -> (TestDatabase, Vec<(String, Vec<PlanStepRow>)>) {
    // only connections opened afterwards are instrumented
    install_instrumentation();
    let fresh = TestDatabase::sqlite().with_fixture();
    SENT_STATEMENTS.with_borrow_mut(BTreeSet::clear);
    statements::call_every_method(&fresh, &StoreFixture::default());
    let sent =
        SENT_STATEMENTS.take().into_iter().filter(|text| PLANNED_VERBS.iter().any(|verb| text.starts_with(verb)));
    let sent: Vec<_> = sent.map(|text| (text.replace('`', ""), fresh.raw().explain(&text))).collect();
    assert!(sent.len() >= 150, "{} statements were seen", sent.len());
    (fresh, sent)
}

/// The table that a step scans.
fn scanned_table<'s>(text: &str, step: &'s PlanStepRow) -> Option<&'s str> {
    let table = step.detail.strip_prefix("SCAN ")?;
    let exact =
        text.starts_with("SELECT") && EXACT_INDEXES.iter().any(|index| table.ends_with(&format!("INDEX {index}")));
    // the steps that find the rows of a subquery are checked themselves
    let is_subquery = table.starts_with("(subquery-");
    (!table.contains("CONSTANT ROW") && !is_subquery && !exact).then(|| table.split(' ').next().unwrap_or_default())
}

/// Whether a plan uses this index.
fn uses_index(plan: &[PlanStepRow], index: &str) -> bool {
    let by = format!(" INDEX {index} ");
    plan.iter().any(|step| format!("{} ", step.detail).contains(&by))
}

/// Whether a step sorts the rows of its level of the plan.
fn sorts(step: &PlanStepRow) -> bool {
    step.detail.starts_with("USE TEMP B-TREE") && step.detail.contains("ORDER BY")
}

/// Whether the level of a step has few rows, however large the table is: those of a page that was
/// found before, or those of given ids.
fn reads_few_rows(plan: &[PlanStepRow], step: &PlanStepRow) -> bool {
    let first = plan.iter().find(|other| {
        other.parent == step.parent && (other.detail.starts_with("SCAN ") || other.detail.starts_with("SEARCH "))
    });
    first.is_some_and(|first| {
        let by_id = first.detail.contains(" USING INDEX sqlite_autoindex_") && first.detail.ends_with(" (id=?)");
        first.detail == "SCAN part" || by_id
    })
}

#[test]
fn statements_scan_no_growing_table_on_sqlite() {
    let mut reading = Vec::new();
    for (text, plan) in explain_all().1 {
        if FULL_SCAN_STATEMENTS.iter().any(|start| text.starts_with(start)) {
            continue;
        }
        // The first rows in the order of a key: no more is read than is requested.
        let ordered = text.contains(" ORDER BY ") && text.contains(" LIMIT ") && !text.contains(" WHERE ");
        if ordered && !plan.iter().any(|step| step.detail.contains("TEMP B-TREE")) {
            continue;
        }
        for step in &plan {
            if scanned_table(&text, step).is_some_and(|table| !SMALL_TABLES.contains(&table))
                || step.detail.contains("AUTOMATIC")
            {
                reading.push(format!("{}: {text}", step.detail));
            }
        }
    }
    assert!(reading.is_empty(), "{}", reading.join("\n"));
}

#[test]
fn lists_are_not_sorted_on_sqlite() {
    let (_, plans) = explain_all();
    let sorted: Vec<&String> = plans
        .iter()
        .filter(|(_, plan)| plan.iter().any(|step| sorts(step) && !reads_few_rows(plan, step)))
        .map(|(text, _)| text)
        .collect();
    let excused = |text: &&&String| SORTED_STATEMENTS.iter().any(|(part, _)| text.contains(part));
    let faults: Vec<String> = sorted.iter().filter(|text| !excused(text)).map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (part, why) in SORTED_STATEMENTS {
        assert!(sorted.iter().any(|text| text.contains(part)), "nothing is excused any more: {part} ({why})");
    }
}

#[test]
fn filtered_lists_use_an_index_in_list_order() {
    let (_, plans) = explain_all();
    let mut faults = Vec::new();
    for (part, index) in ORDERED_STATEMENTS {
        let mut lists = plans.iter().filter(|(text, _)| text.contains(part)).peekable();
        assert!(lists.peek().is_some(), "no list is narrowed so: {part}");
        let others = lists.filter(|(_, plan)| !uses_index(plan, index));
        faults.extend(others.map(|(text, plan)| format!("not by {index} but {plan:?}: {text}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each index makes every write to its table more expensive.
#[test]
fn every_index_is_used() {
    let (fresh, plans) = explain_all();
    let indexes = fresh.raw().query_texts(
        "SELECT name AS text FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE '%UNIQUE%'",
    );
    let idle: Vec<&String> =
        indexes.iter().filter(|index| !plans.iter().any(|(_, plan)| uses_index(plan, index))).collect();
    assert_eq!(idle, [""; 0], "no statement is answered by these");
}
