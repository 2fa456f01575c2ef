use tillgate_domain::Instant;
use uuid::Uuid;

use super::*;
use crate::ports::{Bookmark, FeedCursor};

const USER: UserId = UserId(Uuid::from_u128(1));
const TENANT: TenantId = TenantId(Uuid::from_u128(2));
const SESSION: SessionId = SessionId(Uuid::from_u128(3));
const ABOUT: SessionScopes = SessionScopes { session: SESSION, user: Some(USER), device: None, tenant: TENANT };

fn look(changes: &[(i64, Change)]) -> FeedBatch {
    let found =
        |(number, change): &(i64, Change)| FeedEntry { number: *number, change: *change, at: Instant::from_millis(0) };
    let next = Bookmark::from_cursor(FeedCursor(0));
    FeedBatch { entries: changes.iter().map(found).collect(), next, restarted: false, clock: None }
}

fn epochs_with_user(user: i64) -> Epochs {
    Epochs { user: Epoch(user), ..Epochs::default() }
}

fn epoch_bumped(epoch: i64) -> Change {
    Change::EpochBumped { scope: Scope::User(USER), epoch: Epoch(epoch) }
}

#[test]
fn older_change_after_newer_restores_nothing() {
    let changes = RevocationCache::default();
    changes.on_commit(&[epoch_bumped(5)]);
    changes.on_commit(&[epoch_bumped(3)]);
    assert!(changes.check_session(&ABOUT, &epochs_with_user(4)).over);
    assert!(!changes.check_session(&ABOUT, &epochs_with_user(5)).over);
}

#[test]
fn session_created_after_epoch_bump_is_live() {
    let changes = RevocationCache::default();
    changes.apply_poll(&look(&[(1, epoch_bumped(2)), (2, Change::SessionEnded(SESSION))]), Duration::from_secs(1));
    assert!(changes.check_session(&ABOUT, &epochs_with_user(2)).over, "its own end");
    let other = SessionScopes { session: SessionId(Uuid::from_u128(4)), ..ABOUT };
    assert!(!changes.check_session(&other, &epochs_with_user(2)).over);
    assert!(changes.check_session(&other, &epochs_with_user(1)).over);
}

#[test]
fn value_read_before_invalidation_is_stale() {
    let changes = RevocationCache::default();
    let before = changes.current_version();
    assert!(changes.check_session(&ABOUT, &epochs_with_user(0)).invalidated <= before, "nothing was touched");
    changes.on_commit(&[Change::Invalidated(Scope::Tenant(TENANT))]);
    assert!(changes.check_session(&ABOUT, &epochs_with_user(0)).invalidated > before);
    changes.on_commit(&[Change::Invalidated(Scope::Device(DeviceId(Uuid::from_u128(9))))]);
    assert!(
        changes.check_session(&ABOUT, &epochs_with_user(0)).invalidated <= changes.current_version(),
        "another's touch"
    );
}

#[test]
fn only_poll_refreshes_feed_age() {
    let changes = RevocationCache::default();
    changes.on_commit(&[epoch_bumped(1)]);
    assert_eq!(changes.age(Duration::from_secs(9)), None);
    changes.apply_poll(&look(&[]), Duration::from_secs(5));
    changes.apply_poll(&look(&[]), Duration::from_secs(4));
    assert_eq!(changes.age(Duration::from_secs(9)), Some(Duration::from_secs(4)));
}

#[test]
fn ended_sessions_are_forgotten_after_last_token() {
    let changes = RevocationCache::default();
    changes.apply_poll(&look(&[(1, Change::SessionEnded(SESSION))]), Duration::from_secs(10));
    changes.apply_poll(&look(&[]), Duration::from_secs(100));
    changes.forget_older_than(Duration::from_secs(91));
    assert!(changes.is_ended(SESSION));
    changes.forget_older_than(Duration::from_secs(89));
    assert!(!changes.is_ended(SESSION));
}

#[test]
fn own_changes_invalidate_once_and_foreign_changes_too() {
    let touched = Change::Invalidated(Scope::User(USER));
    let changes = RevocationCache::default();
    changes.on_commit(&[touched]);
    changes.on_feed_numbers(&[7]);
    let read = changes.current_version();
    changes.begin_poll();
    changes.apply_poll(&look(&[(7, touched)]), Duration::from_secs(1));
    assert_eq!(changes.current_version(), read, "its own");
    changes.begin_poll();
    changes.apply_poll(&look(&[(8, touched)]), Duration::from_secs(2));
    assert!(changes.current_version() > read, "another's");
}

#[test]
fn own_number_is_skipped_by_first_successful_poll_only() {
    let touched = Change::Invalidated(Scope::User(USER));
    let changes = RevocationCache::default();
    // The poll found it before the observer was notified.
    changes.begin_poll();
    changes.apply_poll(&look(&[(7, touched)]), Duration::from_secs(1));
    changes.on_commit(&[touched]);
    changes.on_feed_numbers(&[7]);
    // A failed poll does not count.
    changes.begin_poll();
    changes.begin_poll();
    changes.apply_poll(&look(&[]), Duration::from_secs(2));
    let read = changes.current_version();
    changes.begin_poll();
    changes.apply_poll(&look(&[(7, touched)]), Duration::from_secs(3));
    assert!(changes.current_version() > read, "a number that was given again");
}

#[test]
fn own_numbers_are_dropped_when_store_changes() {
    let touched = Change::Invalidated(Scope::User(USER));
    let changes = RevocationCache::default();
    changes.on_commit(&[touched]);
    changes.on_feed_numbers(&[7]);
    let read = changes.current_version();
    changes.begin_poll();
    changes.apply_poll(&FeedBatch { restarted: true, ..look(&[(7, touched)]) }, Duration::from_secs(1));
    assert!(changes.current_version() > read);
}

#[test]
fn own_numbers_are_bounded() {
    let changes = RevocationCache::default();
    changes.on_feed_numbers(&(0..100_000).collect::<Vec<_>>());
    changes.begin_poll();
    changes.on_feed_numbers(&(100_000..200_000).collect::<Vec<_>>());
    let own = &changes.read_state().own_changes;
    assert_eq!(own.fresh.len() + own.due.len(), MAX_OWN_CHANGES);
}
