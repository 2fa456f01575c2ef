//! How SQLite goes about each statement. It plans without knowing how much there is, so what it says here holds for a store of any
//! size.

use std::collections::BTreeSet;

use super::{SENT, SMALL, VERBS, WHOLE, everything, watch};
use crate::stores::{Fresh, Shop, Step};

/// Indexes that hold nothing but what is looked for: to read one whole is to read what a SELECT asked for. A change that goes by one
/// of them would go through all that waits for each batch.
const EXACT: &[&str] = &["audit_unsealed"];

/// Lists that sort what they have found, by a part of their statement, and why they may.
const SORTED: &[(&str, &str)] = &[
    ("FROM keys ORDER BY", "a server has few keys"),
    ("LEFT JOIN changes ON changes.position >= ?", "what has come since the last look, all of which is read"),
    ("SELECT name, device FROM (", "who holds a role: they are counted beside, which reads all of them too"),
    ("tickets.opened_at >= ? ORDER BY tickets.updated_at", SPAN),
    ("tickets.opened_at >= ? ORDER BY tickets.payable", SPAN),
    ("tickets.opened_at < ? ORDER BY tickets.updated_at", SPAN),
    ("tickets.opened_at < ? ORDER BY tickets.payable", SPAN),
    ("FROM audit WHERE audit.action IN (?, ?)", "several actions of all tenants, asked by hand: from the index alone"),
];

/// Why tickets that were opened in a span of time are sorted.
const SPAN: &str = "they lie scattered in another order: by its index all the others would be passed over";

/// Which index finds what a list is narrowed to and has it in the list's order: a part of the statement, and the index.
const IN_ORDER: &[(&str, &str)] = &[
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
    ("FROM audit WHERE audit.tenant_id = ? ORDER BY audit.id", "audit_tenant"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.user_id = ? ORDER BY audit.id", "audit_user"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.device_id = ? ORDER BY audit.id", "audit_device"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.session_id = ? ORDER BY audit.id", "audit_session"),
    ("audit.subject = ? AND audit.subject_id = ? ORDER BY audit.id", "audit_subject"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.outcome = 'refused' ORDER BY audit.id", "audit_refused"),
    ("FROM audit WHERE audit.tenant_id = ? AND audit.action IN (?) ORDER BY audit.id", "audit_tenant_action"),
    ("FROM audit WHERE audit.action IN (?) ORDER BY audit.id", "audit_action"),
    ("FROM audit WHERE sequence IS NULL ORDER BY id", "audit_unsealed"),
    ("FROM audit WHERE sequence >= ? ORDER BY sequence", "audit_sequence"),
    ("WHERE (sessions.tenant_id = ?) ORDER BY sessions.id", "sessions_tenant"),
    ("WHERE (sessions.user_id = ?) ORDER BY sessions.id", "sessions_user"),
    ("WHERE (sessions.device_id = ?) ORDER BY sessions.id", "sessions_device"),
    ("FROM users WHERE users.tenant_id = ? ORDER BY users.id", "users_tenant"),
    ("FROM users WHERE users.tenant_id = ? ORDER BY lower(users.name)", "users_in_order"),
    ("(devices.folded = ?)) ORDER BY devices.id", "devices_named"),
];

/// A database, what was sent to it, and how it goes about that.
fn planned() -> (Fresh, Vec<(String, Vec<Step>)>) {
    // connections are watched that are opened afterwards
    watch();
    let fresh = Fresh::sqlite().with_shop();
    SENT.with_borrow_mut(BTreeSet::clear);
    everything(&fresh, &Shop::default());
    let sent = SENT.take().into_iter().filter(|text| VERBS.iter().any(|verb| text.starts_with(verb)));
    let sent: Vec<_> = sent.map(|text| (text.replace('`', ""), fresh.raw().plan(&text))).collect();
    assert!(sent.len() >= 150, "{} statements were seen", sent.len());
    (fresh, sent)
}

/// The table that a step of a statement reads from its beginning to its end.
fn read_whole<'s>(text: &str, step: &'s Step) -> Option<&'s str> {
    let table = step.detail.strip_prefix("SCAN ")?;
    let exact = text.starts_with("SELECT") && EXACT.iter().any(|index| table.ends_with(&format!("INDEX {index}")));
    (!table.contains("CONSTANT ROW") && !exact).then(|| table.split(' ').next().unwrap_or_default())
}

/// Whether a plan goes by this index.
fn goes_by(plan: &[Step], index: &str) -> bool {
    let by = format!(" INDEX {index} ");
    plan.iter().any(|step| format!("{} ", step.detail).contains(&by))
}

/// Whether a step sorts what its level of the plan has found.
fn sorts(step: &Step) -> bool {
    step.detail.starts_with("USE TEMP B-TREE") && step.detail.contains("ORDER BY")
}

/// Whether the level that a step is in has few rows, however many there are: those of a part that was found before, or the rows of
/// ids that were asked for.
fn few(plan: &[Step], step: &Step) -> bool {
    let first = plan.iter().find(|other| {
        other.parent == step.parent && (other.detail.starts_with("SCAN ") || other.detail.starts_with("SEARCH "))
    });
    first.is_some_and(|first| {
        let by_id = first.detail.contains(" USING INDEX sqlite_autoindex_") && first.detail.ends_with(" (id=?)");
        first.detail == "SCAN part" || by_id
    })
}

#[test]
fn no_statement_reads_a_whole_table_that_grows() {
    let mut reading = Vec::new();
    for (text, plan) in planned().1 {
        if WHOLE.iter().any(|start| text.starts_with(start)) {
            continue;
        }
        // The first rows in the order of a key, whatever they hold: no more is read than is asked for.
        let ordered = text.contains(" ORDER BY ") && text.contains(" LIMIT ") && !text.contains(" WHERE ");
        if ordered && !plan.iter().any(|step| step.detail.contains("TEMP B-TREE")) {
            continue;
        }
        for step in &plan {
            if read_whole(&text, step).is_some_and(|table| !SMALL.contains(&table)) || step.detail.contains("AUTOMATIC")
            {
                reading.push(format!("{}: {text}", step.detail));
            }
        }
    }
    assert!(reading.is_empty(), "{}", reading.join("\n"));
}

#[test]
fn no_list_is_sorted() {
    let (_, plans) = planned();
    let sorted: Vec<&String> = plans
        .iter()
        .filter(|(_, plan)| plan.iter().any(|step| sorts(step) && !few(plan, step)))
        .map(|(text, _)| text)
        .collect();
    let excused = |text: &&&String| SORTED.iter().any(|(part, _)| text.contains(part));
    let faults: Vec<String> = sorted.iter().filter(|text| !excused(text)).map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (part, why) in SORTED {
        assert!(sorted.iter().any(|text| text.contains(part)), "nothing is excused any more: {part} ({why})");
    }
}

#[test]
fn what_a_list_is_narrowed_to_is_found_in_its_order() {
    let (_, plans) = planned();
    let mut faults = Vec::new();
    for (part, index) in IN_ORDER {
        let mut lists = plans.iter().filter(|(text, _)| text.contains(part)).peekable();
        assert!(lists.peek().is_some(), "no list is narrowed so: {part}");
        let others = lists.filter(|(_, plan)| !goes_by(plan, index));
        faults.extend(others.map(|(text, plan)| format!("not by {index} but {plan:?}: {text}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each index costs every write of its table something.
#[test]
fn no_index_is_idle() {
    let (fresh, plans) = planned();
    let indexes = fresh.raw().texts(
        "SELECT name AS text FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE '%UNIQUE%'",
    );
    let idle: Vec<&String> =
        indexes.iter().filter(|index| !plans.iter().any(|(_, plan)| goes_by(plan, index))).collect();
    assert_eq!(idle, [""; 0], "no statement is answered by these");
}
