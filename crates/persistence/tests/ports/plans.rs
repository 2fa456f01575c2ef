//! No query scans a table that grows, and no list sorts one: both databases explain every statement
//! that the ports send. Frequent statements are prepared once.

mod marks;
mod methods;
mod postgres;
mod sqlite;
mod statements;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::{InstrumentationEvent, set_default_instrumentation};
use tillgate_auth_core::AuthTx;
use tillgate_auth_core::ports::Rotation;
use tillgate_domain::{Action, Actor, Event, KeyId, LiveEvent, StoreResult};

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};
use statements::call_every_method;

thread_local! {
    static SENT_STATEMENTS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The statements sent, each with its latest values.
    static BIND_VALUES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    static CACHED_STATEMENTS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    static STATEMENT_COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Names in query plans that are not tables, and tables that stay small: a server has few keys,
/// processes and tenants.
const SMALL_TABLES: &[&str] = &[
    "over",
    "given",
    "who",
    "mine",
    "seen",
    "found",
    "feed",
    "open",
    "keys",
    "rival",
    "nodes",
    "waiting",
    "part",
    "sqlite_sequence",
];

/// Statements that may scan a table, without the quotes of a dialect: up to the first match, or
/// once at a start.
const FULL_SCAN_STATEMENTS: &[&str] = &["SELECT EXISTS (SELECT users", "SELECT DISTINCT sessions.dialect"];

/// The verbs of statements that have a query plan.
const PLANNED_VERBS: &[&str] = &["SELECT", "UPDATE", "DELETE", "INSERT", "WITH"];

#[expect(clippy::needless_pass_by_value, reason = "the type that diesel calls")]
fn record_statement(event: InstrumentationEvent<'_>) {
    match event {
        InstrumentationEvent::StartQuery { query, .. } => {
            let text = query.to_string();
            let (text, binds) = text.split_once(" -- binds: ").unwrap_or((&text, ""));
            STATEMENT_COUNT.set(STATEMENT_COUNT.get() + 1);
            SENT_STATEMENTS.with_borrow_mut(|sent| sent.insert(text.to_owned()));
            BIND_VALUES.with_borrow_mut(|sent| sent.insert(text.to_owned(), binds.to_owned()));
        }
        InstrumentationEvent::CacheQuery { sql, .. } => {
            CACHED_STATEMENTS.with_borrow_mut(|kept| kept.insert(sql.to_owned()));
        }
        _ => {}
    }
}

fn install_instrumentation() {
    set_default_instrumentation(|| Some(Box::new(record_statement as fn(InstrumentationEvent<'_>)))).unwrap();
}

/// The statements of logins, refreshes and revocations are prepared once per connection.
#[test]
fn hot_statements_are_prepared_once() {
    install_instrumentation();
    let fresh = TestDatabase::sqlite().with_fixture();
    call_every_method(&fresh, &StoreFixture::default());
    let kept: Vec<String> = CACHED_STATEMENTS.take().iter().map(|text| text.replace('`', "")).collect();
    for start in [
        "SELECT meta.state",
        "SELECT sessions.id",
        "INSERT INTO sessions",
        "UPDATE sessions SET generation",
        "UPDATE sessions SET expires_at",
        "UPDATE users SET last_login_at",
        "UPDATE devices SET last_login_at",
        "UPDATE devices SET seat_id",
        "UPDATE credentials SET used_at",
        "UPDATE attempts SET",
        "SELECT credentials.verifier",
        "SELECT users.id",
        "SELECT user_id, NULL AS device_id",
        "SELECT devices.id",
        "SELECT roles.id",
        "INSERT INTO attempts",
        "INSERT INTO places",
        "INSERT INTO changes",
        "INSERT INTO audit",
        "INSERT INTO live_events",
        "INSERT INTO tickets",
        "UPDATE tickets SET",
        "SELECT tickets.tenant_id",
        "WITH RECURSIVE over",
    ] {
        assert!(kept.iter().any(|text| text.starts_with(start)), "{start} is prepared again each time");
    }
    let lists = |text: &&String| text.contains("VALUES (?, ?, ?), (");
    assert_eq!(kept.iter().find(lists), None, "a text that changes with its length fills the memory of the connection");
}

/// The tables into which the statements of a unit of work insert, in alphabetical order.
fn inserted_tables(fresh: &TestDatabase, work: impl FnMut(&mut (dyn AuthTx + '_)) -> StoreResult<()>) -> Vec<String> {
    SENT_STATEMENTS.take();
    fresh.write(work);
    let sent = SENT_STATEMENTS.take();
    let table = |text: &String| Some(text.strip_prefix("INSERT INTO ")?.split(' ').next()?.replace('`', ""));
    sent.iter().filter_map(table).collect()
}

/// The audit event of a login costs one more statement for all of its live events, and a rotation
/// costs none.
#[test]
fn live_events_cost_a_login_one_insert_and_a_refresh_none() {
    install_instrumentation();
    let (fresh, fixture) = (TestDatabase::sqlite().with_fixture(), StoreFixture::default());
    let session = fixture.new_session(1);
    fresh.write(|tx| tx.sessions().insert(&session));
    let event = crate::store::test_event(7);
    let actor = Actor { session: Some(session.id), ..event.actor };
    let details = serde_json::Map::from_iter([("replaced".to_owned(), serde_json::json!(session.id))]);
    let login = Event { tenant: Some(fixture.tenant.id), actor, details, action: Action::Login, ..event };
    assert_eq!(LiveEvent::list_for(&login).len(), 3);
    assert_eq!(inserted_tables(&fresh, |tx| tx.audit().record(&login)), ["audit", "live_events"]);
    assert_eq!(
        inserted_tables(&fresh, |tx| tx.sessions().rotate(session.id, 1, &sample_rotation()).map(drop)),
        [""; 0]
    );
}

/// A rotation of the first session.
fn sample_rotation() -> Rotation {
    Rotation {
        generation: 2,
        key: KeyId(uuid(51)),
        previous_key: KeyId(uuid(50)),
        at: at(2),
        expires_at: Some(at(99)),
        from: None,
        proved_at: None,
    }
}
