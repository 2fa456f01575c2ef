//! The feed on a database: nothing is passed over, whatever the order in which transactions commit.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tillgate_auth_core::ports::Cursor;
use tillgate_domain::{Change, Scope, SessionId, UserId};

use crate::on_both;
use crate::stores::{Fresh, Raw, at, uuid};

fn touch(fresh: &Fresh, number: u64) -> Change {
    let scope = Scope::User(UserId(uuid(number)));
    fresh.write(|tx| tx.endings().touch(scope, at(number)));
    Change::Touched(scope)
}

fn look(fresh: &Fresh, from: Option<Cursor>) -> (Vec<Change>, Cursor) {
    let look = fresh.read(|tx| tx.feed().look(from));
    (look.changes.into_iter().map(|(change, _)| change).collect(), look.next)
}

fn goes_on_where_the_last_one_ended(fresh: &Fresh) {
    let (nothing, start) = look(fresh, None);
    assert_eq!(nothing, []);
    let changes: Vec<Change> = (1..=3).map(|number| touch(fresh, number)).collect();
    let (all, next) = look(fresh, Some(start));
    assert_eq!(all, changes);
    assert_eq!(look(fresh, None).0, changes);
    assert_eq!(look(fresh, Some(next)), (vec![], next));
    let last = touch(fresh, 4);
    let (new, next) = look(fresh, Some(next));
    assert_eq!(new, [last]);
    for scope in [Scope::Keys, Scope::Clock] {
        fresh.write(|tx| tx.endings().touch(scope, at(5)));
    }
    assert_eq!(look(fresh, Some(next)).0, [Change::Touched(Scope::Keys), Change::Touched(Scope::Clock)]);
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
        let (all, _) = look(fresh, Some(Cursor(next.0 + 1_000_000)));
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
        assert_eq!(look(fresh, Some(next)).0, [change]);
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
    let (seen, next) = look(&fresh, Some(start));
    assert!(seen.contains(&early) && !seen.contains(&late), "{seen:?}");
    slow.batch_execute("COMMIT").unwrap();
    let (seen, _) = look(&fresh, Some(next));
    assert!(seen.contains(&late), "{seen:?}");
}

#[test]
fn another_server_is_read_from_the_start() {
    // the numbers of lost transactions are given again by a standby that was promoted; it was started at another moment
    let fresh = Fresh::postgres_alone().with_shop();
    let change = touch(&fresh, 1);
    let (_, next) = look(&fresh, None);
    assert_eq!(look(&fresh, Some(next)).0, []);
    let elsewhere = Cursor(next.0 ^ (1 << 50));
    assert_eq!(look(&fresh, Some(elsewhere)), (vec![change], next));
    assert!(next.0 > 0);
}
