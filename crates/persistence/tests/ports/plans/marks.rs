//! A client can send any mark with which a list continues with what has changed. However much has
//! changed since, a page costs the same.

use tillgate_domain::Authority;
use tillgate_domain::office::ports::{ChangeMark, MAX_CHANGES_SINCE_MARK, TicketFilter, TicketOrder};
use tillgate_domain::office::{
    OfficeReader, OffsetPageRequest, TicketSearch, UnguardedOffice, UserOrder, UserViewQuery,
};
use tillgate_testkit::DatabaseEngine;

use super::{STATEMENT_COUNT, install_instrumentation};
use crate::test_database::{StoreFixture, TestDatabase, at};

/// Records that this number of resources have changed, none of which exists any more.
fn record_changes(fresh: &TestDatabase, engine: DatabaseEngine, count: u32) {
    for kind in ["user", "ticket"] {
        let insert = "INSERT INTO live_events (tenant_id, kind, subject_id, written_at) SELECT tenants.id";
        fresh.raw().execute(&match engine {
            DatabaseEngine::Sqlite => format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
                 {insert}, '{kind}', randomblob(16), 0 FROM tenants, numbers"
            ),
            DatabaseEngine::Postgres => {
                format!("{insert}, '{kind}', uuid_send(gen_random_uuid()), 0 FROM tenants, generate_series(1, {count})")
            }
        });
    }
}

fn count_statements(work: impl FnOnce()) -> usize {
    STATEMENT_COUNT.set(0);
    work();
    STATEMENT_COUNT.get()
}

fn page_sends_as_many_statements_however_much_has_changed(engine: DatabaseEngine) {
    install_instrumentation();
    let (fresh, fixture) = (TestDatabase::on(engine).with_fixture(), StoreFixture::default());
    let store = &*fresh.database;
    let tenant = fixture.tenant.id;
    let reader = OfficeReader::new(store, tenant, at(0), Authority::Host);
    let users = UserViewQuery {
        text: None,
        statuses: Vec::new(),
        role: None,
        branch: None,
        order: UserOrder::Name,
        after: None,
        limit: 201,
    };
    let page = OffsetPageRequest::first(201);
    let tickets = TicketSearch { filter: TicketFilter::default(), order: TicketOrder::default(), page };
    let unguarded = UnguardedOffice::new(store, tenant);
    let first = unguarded.find_change_mark().unwrap();
    let read_pages = |since: ChangeMark| {
        let mut found = 0;
        let sent = count_statements(|| {
            found += reader.list_changed_user_views(&users, since).unwrap().unwrap().len();
            found += unguarded.list_changed_tickets_while(&tickets, since, |_| true).unwrap().len();
        });
        (sent, found)
    };
    record_changes(&fresh, engine, 1);
    let (one, none_found) = read_pages(first);
    assert_eq!(none_found, 0);
    record_changes(&fresh, engine, MAX_CHANGES_SINCE_MARK - 1);
    assert_eq!(read_pages(first), (one, 0), "of thousands of changes");
    record_changes(&fresh, engine, 1);
    let (all, found) = read_pages(first);
    assert_eq!(found, 1, "too many are known to have changed: anna may have");
    // what is shown of anna
    assert!(all <= one + 9, "{all} statements instead of {one}");
    for forged in [ChangeMark(0), ChangeMark(1), ChangeMark::UNKNOWN, ChangeMark(i64::MAX)] {
        let (sent, _) = read_pages(forged);
        assert!(sent <= all, "{sent} statements instead of {all}: {forged:?}");
    }
}

#[test]
fn page_sends_as_many_statements_however_much_has_changed_sqlite() {
    page_sends_as_many_statements_however_much_has_changed(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn page_sends_as_many_statements_however_much_has_changed_postgres() {
    page_sends_as_many_statements_however_much_has_changed(DatabaseEngine::Postgres);
}
