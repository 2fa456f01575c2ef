use tillgate_domain::Instant;
use uuid::Uuid;

use super::*;
use crate::ports::{Bookmark, Cursor};

const USER: UserId = UserId(Uuid::from_u128(1));
const TENANT: TenantId = TenantId(Uuid::from_u128(2));
const SESSION: SessionId = SessionId(Uuid::from_u128(3));
const ABOUT: About = About { session: SESSION, user: Some(USER), device: None, tenant: TENANT };

fn look(changes: &[(i64, Change)]) -> Look {
    let found =
        |(number, change): &(i64, Change)| Found { number: *number, change: *change, at: Instant::from_millis(0) };
    let next = Bookmark::at(Cursor(0));
    Look { changes: changes.iter().map(found).collect(), next, anew: false, clock: None }
}

fn under(user: i64) -> Epochs {
    Epochs { user: Epoch(user), ..Epochs::default() }
}

fn raised(epoch: i64) -> Change {
    Change::Raised { scope: Scope::User(USER), epoch: Epoch(epoch) }
}

#[test]
fn an_older_change_after_a_newer_brings_nothing_back() {
    let changes = Changes::default();
    changes.committed(&[raised(5)]);
    changes.committed(&[raised(3)]);
    assert!(changes.judge(&ABOUT, &under(4)).over);
    assert!(!changes.judge(&ABOUT, &under(5)).over);
}

#[test]
fn a_session_that_was_made_after_the_raise_stands() {
    let changes = Changes::default();
    changes.follow(&look(&[(1, raised(2)), (2, Change::Ended(SESSION))]), Duration::from_secs(1));
    assert!(changes.judge(&ABOUT, &under(2)).over, "its own end");
    let other = About { session: SessionId(Uuid::from_u128(4)), ..ABOUT };
    assert!(!changes.judge(&other, &under(2)).over);
    assert!(changes.judge(&other, &under(1)).over);
}

#[test]
fn what_was_read_before_a_touch_is_stale_after_it() {
    let changes = Changes::default();
    let before = changes.now();
    assert!(changes.judge(&ABOUT, &under(0)).touched <= before, "nothing was touched");
    changes.committed(&[Change::Touched(Scope::Tenant(TENANT))]);
    assert!(changes.judge(&ABOUT, &under(0)).touched > before);
    changes.committed(&[Change::Touched(Scope::Device(DeviceId(Uuid::from_u128(9))))]);
    assert!(changes.judge(&ABOUT, &under(0)).touched <= changes.now(), "another's touch");
}

#[test]
fn only_a_look_makes_the_view_younger() {
    let changes = Changes::default();
    changes.committed(&[raised(1)]);
    assert_eq!(changes.age(Duration::from_secs(9)), None);
    changes.follow(&look(&[]), Duration::from_secs(5));
    changes.follow(&look(&[]), Duration::from_secs(4));
    assert_eq!(changes.age(Duration::from_secs(9)), Some(Duration::from_secs(4)));
}

#[test]
fn ended_sessions_are_forgotten_after_their_last_token() {
    let changes = Changes::default();
    changes.follow(&look(&[(1, Change::Ended(SESSION))]), Duration::from_secs(10));
    changes.follow(&look(&[]), Duration::from_secs(100));
    changes.forget(Duration::from_secs(91));
    assert!(changes.ended(SESSION));
    changes.forget(Duration::from_secs(89));
    assert!(!changes.ended(SESSION));
}

#[test]
fn what_this_process_has_committed_outdates_once_and_what_others_have_outdates_too() {
    let touched = Change::Touched(Scope::User(USER));
    let changes = Changes::default();
    changes.committed(&[touched]);
    changes.numbered(&[7]);
    let read = changes.now();
    changes.begin_look();
    changes.follow(&look(&[(7, touched)]), Duration::from_secs(1));
    assert_eq!(changes.now(), read, "its own");
    changes.begin_look();
    changes.follow(&look(&[(8, touched)]), Duration::from_secs(2));
    assert!(changes.now() > read, "another's");
}

#[test]
fn a_number_is_passed_over_by_the_first_look_that_goes_well_alone() {
    let touched = Change::Touched(Scope::User(USER));
    let changes = Changes::default();
    // the look found it before the observer was told
    changes.begin_look();
    changes.follow(&look(&[(7, touched)]), Duration::from_secs(1));
    changes.committed(&[touched]);
    changes.numbered(&[7]);
    // one that fails is none
    changes.begin_look();
    changes.begin_look();
    changes.follow(&look(&[]), Duration::from_secs(2));
    let read = changes.now();
    changes.begin_look();
    changes.follow(&look(&[(7, touched)]), Duration::from_secs(3));
    assert!(changes.now() > read, "a number that was given again");
}

#[test]
fn another_store_gives_numbers_again() {
    let touched = Change::Touched(Scope::User(USER));
    let changes = Changes::default();
    changes.committed(&[touched]);
    changes.numbered(&[7]);
    let read = changes.now();
    changes.begin_look();
    changes.follow(&Look { anew: true, ..look(&[(7, touched)]) }, Duration::from_secs(1));
    assert!(changes.now() > read);
}

#[test]
fn numbers_are_bounded() {
    let changes = Changes::default();
    changes.numbered(&(0..100_000).collect::<Vec<_>>());
    changes.begin_look();
    changes.numbered(&(100_000..200_000).collect::<Vec<_>>());
    let own = &changes.known().own;
    assert_eq!(own.fresh.len() + own.due.len(), OWN);
}
