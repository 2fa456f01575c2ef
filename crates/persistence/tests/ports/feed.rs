//! The feed on a database: nothing is passed over, whatever the order in which transactions commit.

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use tillgate_auth_core::ports::{Bookmark, Cursor, Found};
use tillgate_domain::{Change, Scope, SessionId, UserId};

use crate::on_both;
use crate::stores::{Fresh, Raw, at, uuid};

fn touch(fresh: &Fresh, number: u64) -> Change {
    let scope = Scope::User(UserId(uuid(number)));
    fresh.write(|tx| tx.endings().touch(scope, at(number)));
    Change::Touched(scope)
}

fn look(fresh: &Fresh, from: Option<&Bookmark>) -> (Vec<Change>, Bookmark) {
    let look = fresh.read(|tx| tx.feed().look(from));
    (look.changes.into_iter().map(|found| found.change).collect(), look.next)
}

fn goes_on_where_the_last_one_ended(fresh: &Fresh) {
    let (nothing, start) = look(fresh, None);
    assert_eq!(nothing, []);
    let changes: Vec<Change> = (1..=3).map(|number| touch(fresh, number)).collect();
    let (all, next) = look(fresh, Some(&start));
    assert_eq!(all, changes);
    assert_eq!(look(fresh, None).0, changes);
    assert_eq!(look(fresh, Some(&next)), (vec![], next.clone()));
    let last = touch(fresh, 4);
    let (new, next) = look(fresh, Some(&next));
    assert_eq!(new, [last]);
    for scope in [Scope::Keys, Scope::Clock] {
        fresh.write(|tx| tx.endings().touch(scope, at(5)));
    }
    assert_eq!(look(fresh, Some(&next)).0, [Change::Touched(Scope::Keys), Change::Touched(Scope::Clock)]);
}

#[test]
fn a_look_at_sqlite_goes_on_where_the_last_one_ended() {
    goes_on_where_the_last_one_ended(&Fresh::sqlite().with_shop());
}

#[test]
fn a_look_at_postgres_goes_on_where_the_last_one_ended() {
    // what runs in another database of the server makes changes come again
    goes_on_where_the_last_one_ended(&Fresh::postgres_alone().with_shop());
}

on_both! {
    fn a_cursor_from_beyond_the_end_reads_everything(fresh) {
        let change = touch(fresh, 1);
        let (_, next) = look(fresh, None);
        let (all, _) = look(fresh, Some(&Bookmark::at(Cursor(next.cursor.0 + 1_000_000))));
        assert_eq!(all, [change]);
    }

    fn positions_are_not_given_again_after_a_sweep(fresh) {
        touch(fresh, 1);
        touch(fresh, 2);
        let (_, next) = look(fresh, None);
        assert_eq!(fresh.write(|tx| tx.feed().sweep(at(2), 9)), 1);
        assert_eq!(fresh.write(|tx| tx.feed().sweep(at(3), 1)), 1);
        assert_eq!(fresh.write(|tx| tx.feed().sweep(at(3), 1)), 0);
        let change = touch(fresh, 3);
        assert_eq!(look(fresh, Some(&next)).0, [change]);
    }

    fn what_was_rolled_back_was_never_told(fresh) {
        let failed: tillgate_domain::Stored<()> = fresh.try_write(|tx| {
            tx.endings().touch(Scope::Keys, at(1))?;
            Err(tillgate_domain::StoreError::Fault("no".into()))
        });
        assert!(failed.is_err());
        assert_eq!(look(fresh, None).0, []);
    }
}

fn other(fresh: &Fresh) -> PgConnection {
    match fresh.raw() {
        Raw::Postgres(url) => PgConnection::establish(url).unwrap(),
        Raw::Sqlite(_) => unreachable!("asked of PostgreSQL only"),
    }
}

fn ended_by_hand(number: u64) -> (String, Change) {
    let id = uuid(number);
    let insert = format!(
        "INSERT INTO changes (kind, scope, subject_id, written_at) VALUES ('ended', 'session', '\\x{}', 1)",
        id.simple()
    );
    (insert, Change::Ended(SessionId(id)))
}

#[test]
fn a_change_that_is_committed_late_is_not_passed_over() {
    let fresh = Fresh::postgres().with_shop();
    let (_, start) = look(&fresh, None);
    let mut slow = other(&fresh);
    let (insert, late) = ended_by_hand(77);
    slow.batch_execute(&format!("BEGIN; {insert}")).unwrap();
    // begun later, committed earlier
    let early = touch(&fresh, 1);
    let (seen, next) = look(&fresh, Some(&start));
    assert!(seen.contains(&early) && !seen.contains(&late), "{seen:?}");
    slow.batch_execute("COMMIT").unwrap();
    let (seen, _) = look(&fresh, Some(&next));
    assert!(seen.contains(&late), "{seen:?}");
}

#[test]
fn another_server_is_read_from_the_start() {
    // the numbers of lost transactions are given again by a standby that was promoted; it was started at another moment
    let fresh = Fresh::postgres_alone().with_shop();
    let change = touch(&fresh, 1);
    let (_, next) = look(&fresh, None);
    assert_eq!(look(&fresh, Some(&next)).0, []);
    let elsewhere = Bookmark::at(Cursor(next.cursor.0 ^ (1 << 50)));
    assert_eq!(look(&fresh, Some(&elsewhere)), (vec![change], next.clone()));
    assert!(next.cursor.0 > 0);
}

/// A transaction that has written and stays open in another database of the server, and its number.
fn open_elsewhere() -> (PgConnection, i64) {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let mut elsewhere = PgConnection::establish(&tillgate_testkit::postgres::create_database()).unwrap();
    elsewhere.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    let number = sql_query("SELECT pg_current_xact_id()::text::bigint AS number");
    let Number { number } = number.get_result(&mut elsewhere).unwrap();
    (elsewhere, number)
}

/// Ends every other connection to the database, as a restart of the network does.
fn cut(fresh: &Fresh) {
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND datname = current_database()";
    other(fresh).batch_execute(all).unwrap();
}

/// What looks find from here on, until one finds nothing.
fn found(fresh: &Fresh, next: &mut Bookmark, into: &mut Vec<Found>) {
    loop {
        let look = fresh.read(|tx| tx.feed().look(Some(next)));
        assert!(!look.anew);
        *next = look.next;
        if look.changes.is_empty() {
            return;
        }
        into.extend(look.changes);
    }
}

#[test]
fn a_transaction_that_stays_open_on_the_server_makes_nothing_come_again() {
    let fresh = Fresh::postgres().with_shop();
    let (elsewhere, number) = open_elsewhere();
    // the upper bits of a cursor say which server it is of
    let open = |next: &Bookmark| next.open.iter().any(|open| open.0 & 0xffff_ffff_ffff == number);
    let mut next = look(&fresh, None).1;
    let mut seen = Vec::new();
    for round in 0..10 {
        let scopes: Vec<Scope> = (0..100).map(|number| Scope::User(UserId(uuid(round * 100 + number)))).collect();
        fresh.write(|tx| tx.endings().touch_each(&scopes, at(round)));
        if round == 5 {
            cut(&fresh);
        }
        found(&fresh, &mut next, &mut seen);
        assert!(open(&next), "it is open all the time: {number} {next:?}");
    }
    let told: Vec<Change> = (0..1000).map(|number| Change::Touched(Scope::User(UserId(uuid(number))))).collect();
    assert_eq!(seen.iter().map(|found| found.change).collect::<Vec<_>>(), told, "each once");
    drop(elsewhere);
}

#[test]
fn what_began_before_many_looks_and_is_committed_after_them_is_found_once() {
    let fresh = Fresh::postgres().with_shop();
    let _elsewhere = open_elsewhere();
    let mut next = look(&fresh, None).1;
    let (mut slow, mut lost) = (other(&fresh), other(&fresh));
    let ((insert, late), (undone, never)) = (ended_by_hand(77), ended_by_hand(78));
    slow.batch_execute(&format!("BEGIN; {insert}")).unwrap();
    lost.batch_execute(&format!("BEGIN; {undone}")).unwrap();
    let mut seen = Vec::new();
    for number in 0..5 {
        touch(&fresh, number);
        found(&fresh, &mut next, &mut seen);
    }
    assert_eq!(seen.len(), 5);
    lost.batch_execute("ROLLBACK").unwrap();
    slow.batch_execute("COMMIT").unwrap();
    // the connection that the looks went over is gone; the bookmark is not
    drop((slow, lost));
    cut(&fresh);
    touch(&fresh, 6);
    found(&fresh, &mut next, &mut seen);
    let count = |change| seen.iter().filter(|found| found.change == change).count();
    assert_eq!((count(late), count(never), seen.len()), (1, 0, 7), "{seen:?}");
}

#[test]
fn a_server_that_crashed_is_read_from_the_start_and_loses_nothing() {
    let fresh = Fresh::postgres_alone().with_shop();
    let first = touch(&fresh, 1);
    let (_, next) = look(&fresh, None);
    let mut open = other(&fresh);
    open.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    let second = touch(&fresh, 2);
    let (found, next) = look(&fresh, Some(&next));
    assert_eq!(found, [second]);
    // its start is told to the second
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fresh.crash_server();
    let third = touch(&fresh, 3);
    let look_again = fresh.read(|tx| tx.feed().look(Some(&next)));
    assert!(look_again.anew);
    let all: Vec<Change> = look_again.changes.iter().map(|found| found.change).collect();
    assert_eq!(all, [first, second, third]);
    assert_eq!(look(&fresh, Some(&look_again.next)).0, []);
}
