//! The feed on a database: no change is skipped, whatever the order in which transactions commit.

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use tillgate_auth_core::ports::{Bookmark, FeedCursor, FeedEntry};
use tillgate_domain::{Change, Scope, SessionId, UserId};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{RawConnection, TestDatabase, at, uuid};

fn record_touch(fresh: &TestDatabase, number: u64) -> Change {
    let scope = Scope::User(UserId(uuid(number)));
    fresh.write(|tx| tx.revocations().invalidate(scope, at(number)));
    Change::Invalidated(scope)
}

fn poll_feed(fresh: &TestDatabase, from: Option<&Bookmark>) -> (Vec<Change>, Bookmark) {
    let look = fresh.read(|tx| tx.feed().poll(from));
    (look.entries.into_iter().map(|found| found.change).collect(), look.next)
}

fn check_continues(fresh: &TestDatabase) {
    let (nothing, start) = poll_feed(fresh, None);
    assert_eq!(nothing, []);
    let changes: Vec<Change> = (1..=3).map(|number| record_touch(fresh, number)).collect();
    let (all, next) = poll_feed(fresh, Some(&start));
    assert_eq!(all, changes);
    assert_eq!(poll_feed(fresh, None).0, changes);
    assert_eq!(poll_feed(fresh, Some(&next)), (vec![], next.clone()));
    let last = record_touch(fresh, 4);
    let (new, next) = poll_feed(fresh, Some(&next));
    assert_eq!(new, [last]);
    for scope in [Scope::Keys, Scope::Clock] {
        fresh.write(|tx| tx.revocations().invalidate(scope, at(5)));
    }
    assert_eq!(poll_feed(fresh, Some(&next)).0, [Change::Invalidated(Scope::Keys), Change::Invalidated(Scope::Clock)]);
}

#[test]
fn feed_continues_after_the_last_read_on_sqlite() {
    check_continues(&TestDatabase::sqlite().with_fixture());
}

#[test]
#[ignore = "requires PostgreSQL"]
fn feed_continues_after_the_last_read_on_postgres() {
    // transactions in other databases of the server would make changes appear again
    check_continues(&TestDatabase::postgres_on_own_server().with_fixture());
}

tillgate_testkit::on_both_databases!(
    cursor_beyond_the_end_reads_everything,
    positions_are_not_reused_after_a_sweep,
    rolled_back_changes_are_not_in_the_feed
);

fn cursor_beyond_the_end_reads_everything(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let change = record_touch(fresh, 1);
    let (_, next) = poll_feed(fresh, None);
    let (all, _) = poll_feed(fresh, Some(&Bookmark::from_cursor(FeedCursor(next.cursor.0 + 1_000_000))));
    assert_eq!(all, [change]);
}

fn positions_are_not_reused_after_a_sweep(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    record_touch(fresh, 1);
    record_touch(fresh, 2);
    let (_, next) = poll_feed(fresh, None);
    assert_eq!(fresh.write(|tx| tx.feed().sweep(at(2), 9)), 1);
    assert_eq!(fresh.write(|tx| tx.feed().sweep(at(3), 1)), 1);
    assert_eq!(fresh.write(|tx| tx.feed().sweep(at(3), 1)), 0);
    let change = record_touch(fresh, 3);
    assert_eq!(poll_feed(fresh, Some(&next)).0, [change]);
}

fn rolled_back_changes_are_not_in_the_feed(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let failed: tillgate_domain::StoreResult<()> = fresh.try_write(|tx| {
        tx.revocations().invalidate(Scope::Keys, at(1))?;
        Err(tillgate_domain::StoreError::Fault("no".into()))
    });
    assert!(failed.is_err());
    assert_eq!(poll_feed(fresh, None).0, []);
}

fn connect_again(fresh: &TestDatabase) -> PgConnection {
    match fresh.raw() {
        RawConnection::Postgres(url) => PgConnection::establish(url).unwrap(),
        RawConnection::Sqlite(_) => unreachable!("asked of PostgreSQL only"),
    }
}

fn insert_ended_sql(number: u64) -> (String, Change) {
    let id = uuid(number);
    let insert = format!(
        "INSERT INTO changes (kind, scope, subject_id, written_at) VALUES ('ended', 'session', '\\x{}', 1)",
        id.simple()
    );
    (insert, Change::SessionEnded(SessionId(id)))
}

#[test]
#[ignore = "requires PostgreSQL"]
fn late_commit_is_not_skipped() {
    let fresh = TestDatabase::postgres().with_fixture();
    let (_, start) = poll_feed(&fresh, None);
    let mut slow = connect_again(&fresh);
    let (insert, late) = insert_ended_sql(77);
    slow.batch_execute(&format!("BEGIN; {insert}")).unwrap();
    // began later, committed earlier
    let early = record_touch(&fresh, 1);
    let (seen, next) = poll_feed(&fresh, Some(&start));
    assert!(seen.contains(&early) && !seen.contains(&late), "{seen:?}");
    slow.batch_execute("COMMIT").unwrap();
    let (seen, _) = poll_feed(&fresh, Some(&next));
    assert!(seen.contains(&late), "{seen:?}");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn another_server_is_read_from_the_start() {
    // a promoted standby assigns the numbers of lost transactions again; it was started at another
    // time
    let fresh = TestDatabase::postgres_on_own_server().with_fixture();
    let change = record_touch(&fresh, 1);
    let (_, next) = poll_feed(&fresh, None);
    assert_eq!(poll_feed(&fresh, Some(&next)).0, []);
    let elsewhere = Bookmark::from_cursor(FeedCursor(next.cursor.0 ^ (1 << 50)));
    assert_eq!(poll_feed(&fresh, Some(&elsewhere)), (vec![change], next.clone()));
    assert!(next.cursor.0 > 0);
}

/// A transaction that has written and stays open in another database of the server, and its number.
fn open_transaction_elsewhere() -> (PgConnection, i64) {
    #[derive(QueryableByName)]
    struct NumberRow {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let mut elsewhere = PgConnection::establish(&tillgate_testkit::postgres::create_database()).unwrap();
    elsewhere.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    let number = sql_query("SELECT pg_current_xact_id()::text::bigint AS number");
    let NumberRow { number } = number.get_result(&mut elsewhere).unwrap();
    (elsewhere, number)
}

/// Ends every other connection to the database, as a network failure does.
fn end_other_transactions(fresh: &TestDatabase) {
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND datname = current_database()";
    connect_again(fresh).batch_execute(all).unwrap();
}

/// Reads until a read returns nothing, and collects the changes.
fn read_found(fresh: &TestDatabase, next: &mut Bookmark, into: &mut Vec<FeedEntry>) {
    loop {
        let look = fresh.read(|tx| tx.feed().poll(Some(next)));
        assert!(!look.restarted);
        *next = look.next;
        if look.entries.is_empty() {
            return;
        }
        into.extend(look.entries);
    }
}

#[test]
#[ignore = "requires PostgreSQL"]
fn long_open_transaction_repeats_no_change() {
    let fresh = TestDatabase::postgres().with_fixture();
    let (elsewhere, number) = open_transaction_elsewhere();
    // the upper bits of a cursor identify the server
    let open = |next: &Bookmark| next.open.iter().any(|open| open.0 & 0xffff_ffff_ffff == number);
    let mut next = poll_feed(&fresh, None).1;
    let mut seen = Vec::new();
    for round in 0..10 {
        let scopes: Vec<Scope> = (0..100).map(|number| Scope::User(UserId(uuid(round * 100 + number)))).collect();
        fresh.write(|tx| tx.revocations().invalidate_all(&scopes, at(round)));
        if round == 5 {
            end_other_transactions(&fresh);
        }
        read_found(&fresh, &mut next, &mut seen);
        assert!(open(&next), "it is open all the time: {number} {next:?}");
    }
    let changes: Vec<Change> = (0..1000).map(|number| Change::Invalidated(Scope::User(UserId(uuid(number))))).collect();
    assert_eq!(seen.iter().map(|found| found.change).collect::<Vec<_>>(), changes, "each once");
    drop(elsewhere);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn change_committed_after_many_reads_is_found_once() {
    let fresh = TestDatabase::postgres().with_fixture();
    let _elsewhere = open_transaction_elsewhere();
    let mut next = poll_feed(&fresh, None).1;
    let (mut slow, mut lost) = (connect_again(&fresh), connect_again(&fresh));
    let ((insert, late), (undone, never)) = (insert_ended_sql(77), insert_ended_sql(78));
    slow.batch_execute(&format!("BEGIN; {insert}")).unwrap();
    lost.batch_execute(&format!("BEGIN; {undone}")).unwrap();
    let mut seen = Vec::new();
    for number in 0..5 {
        record_touch(&fresh, number);
        read_found(&fresh, &mut next, &mut seen);
    }
    assert_eq!(seen.len(), 5);
    lost.batch_execute("ROLLBACK").unwrap();
    slow.batch_execute("COMMIT").unwrap();
    // the connection of the earlier reads is gone; the bookmark is not
    drop((slow, lost));
    end_other_transactions(&fresh);
    record_touch(&fresh, 6);
    read_found(&fresh, &mut next, &mut seen);
    let count = |change| seen.iter().filter(|found| found.change == change).count();
    assert_eq!((count(late), count(never), seen.len()), (1, 0, 7), "{seen:?}");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn crashed_server_is_read_from_the_start_without_loss() {
    let fresh = TestDatabase::postgres_on_own_server().with_fixture();
    let first = record_touch(&fresh, 1);
    let (_, next) = poll_feed(&fresh, None);
    let mut open = connect_again(&fresh);
    open.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    let second = record_touch(&fresh, 2);
    let (found, next) = poll_feed(&fresh, Some(&next));
    assert_eq!(found, [second]);
    // the start time has a resolution of one second
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fresh.crash_server();
    let third = record_touch(&fresh, 3);
    let look_again = fresh.read(|tx| tx.feed().poll(Some(&next)));
    assert!(look_again.restarted);
    let all: Vec<Change> = look_again.entries.iter().map(|found| found.change).collect();
    assert_eq!(all, [first, second, third]);
    assert_eq!(poll_feed(&fresh, Some(&look_again.next)).0, []);
}
