//! Two threads that change the same row concurrently: a session, a key, an epoch, a bucket. Only
//! one change from a given state succeeds, and the other thread learns that it was late.

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{KeyKind, KeyState, TokenDisposition};
use tillgate_domain::{Change, EndReason, Epoch, Scope};

use crate::AuthStoreHarness;
use crate::contract::{bucket_after_charge, count_key, full_bucket};
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, load_session, new_key, new_rotation, run_read, run_write, session_id,
};
use crate::rendezvous::{Rendezvous, ThreadSignal, run_both};

/// Of two concurrent rotations from one generation, exactly one succeeds; the other thread then
/// finds the rotated session.
pub fn concurrent_rotations_of_one_generation_succeed_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let crossing = Rendezvous::default();
    let rotate = |seconds| {
        run_write(harness, |tx| {
            let from = tx.sessions().find(session_id(1))?.map_or(0, |found| found.session.generation);
            crossing.wait();
            // A store that serializes transactions shows the second thread the first rotation:
            // therefore both rotate from the same generation.
            let won = tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(seconds)))?;
            let now = tx.sessions().find(session_id(1))?.map(|found| found.session.generation);
            Ok((from, won, now))
        })
    };
    let (one, other) = run_both(|| rotate(60), || rotate(61));
    assert!(one.1 != other.1, "{one:?} {other:?}");
    assert_eq!((one.2, other.2), (Some(2), Some(2)));
    let winner = if one.1 { after_start(60) } else { after_start(61) };
    assert_eq!(load_session(harness, session_id(1)).rotated_at, Some(winner));
}

/// Of two concurrent first current keys of a kind, exactly one is inserted, and the other thread
/// then finds it.
pub fn concurrent_first_current_keys_leave_one(harness: &AuthStoreHarness) {
    let crossing = Rendezvous::default();
    let born = |number: u8| {
        run_write(harness, |tx| {
            let none = tx.keys().list()?.is_empty();
            crossing.wait();
            let won = tx.keys().insert(&new_key(number, KeyKind::Signing, KeyState::Current))?;
            let current: Vec<_> = tx.keys().list()?.into_iter().map(|key| key.id).collect();
            Ok((none, won, current))
        })
    };
    let (one, other) = run_both(|| born(1), || born(2));
    assert!(one.1 != other.1, "{one:?} {other:?}");
    assert!(one.0 || other.0);
    let all = run_read(harness, |tx| tx.keys().list());
    let winner = new_key(if one.1 { 1 } else { 2 }, KeyKind::Signing, KeyState::Current);
    assert_eq!((one.2, other.2), (vec![winner.id], vec![winner.id]));
    assert_eq!(all, [winner]);
}

/// If two keys are to become current after the same key, exactly one does.
pub fn concurrent_next_keys_leave_one_current(harness: &AuthStoreHarness) {
    run_write(harness, |tx| {
        tx.keys().insert(&new_key(1, KeyKind::Signing, KeyState::Next))?;
        tx.keys().insert(&new_key(2, KeyKind::Signing, KeyState::Next)).map(drop)
    });
    let crossing = Rendezvous::default();
    let turn = |number: u8| {
        run_write(harness, |tx| {
            tx.keys().list()?;
            crossing.wait();
            tx.keys().change_state(
                crate::contract_fixture::key_id(number),
                KeyState::Next,
                KeyState::Current,
                after_start(9),
            )
        })
    };
    let (one, other) = run_both(|| turn(1), || turn(2));
    assert!(one != other, "{one} {other}");
    let current =
        run_read(harness, |tx| tx.keys().list()).into_iter().filter(|key| key.state == KeyState::Current).count();
    assert_eq!(current, 1);
}

/// A session that is being ended is not rotated: the end is written, and the rotation comes before
/// its commit.
pub fn rotation_during_an_end_fails(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let (written, rotated) = (ThreadSignal::default(), ThreadSignal::default());
    let (ended, won) = run_both(
        || {
            run_write(harness, |tx| {
                let ended = tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9))?;
                written.set();
                rotated.wait_briefly();
                Ok(ended)
            })
        },
        || {
            written.wait();
            let won =
                run_write(harness, |tx| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60))));
            rotated.set();
            won
        },
    );
    assert_eq!((ended, won), (true, false));
    let now = load_session(harness, session_id(1));
    assert_eq!((now.generation, now.ended), (1, Some((after_start(9), EndReason::Admin))));
}

/// A rotation in progress does not undo an end: the rotation is written, and the end comes before
/// its commit.
pub fn end_during_a_rotation_persists(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let (written, over) = (ThreadSignal::default(), ThreadSignal::default());
    let (won, ended) = run_both(
        || {
            run_write(harness, |tx| {
                let won = tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))?;
                written.set();
                over.wait_briefly();
                Ok(won)
            })
        },
        || {
            written.wait();
            let ended =
                run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(61)));
            over.set();
            ended
        },
    );
    assert_eq!((won, ended), (true, true));
    let now = load_session(harness, session_id(1));
    assert_eq!((now.generation, now.ended), (2, Some((after_start(61), EndReason::Admin))));
}

/// Of two concurrent ends of one session, exactly one succeeds, and it is published once.
pub fn concurrent_ends_of_one_session_succeed_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let watcher = crate::recording_observer::RecordingObserver::observe(harness);
    let crossing = Rendezvous::default();
    let end = |why| {
        run_write(harness, |tx| {
            tx.sessions().find(session_id(1))?;
            crossing.wait();
            tx.revocations().end_session(session_id(1), why, after_start(9))
        })
    };
    let (one, other) = run_both(|| end(EndReason::Logout), || end(EndReason::Admin));
    assert!(one != other, "{one} {other}");
    let why = if one { EndReason::Logout } else { EndReason::Admin };
    assert_eq!(load_session(harness, session_id(1)).ended, Some((after_start(9), why)));
    assert_eq!(watcher.changes(), [Change::SessionEnded(session_id(1))]);
}

/// Raising an epoch twice concurrently returns two epochs.
pub fn concurrent_epoch_bumps_return_two_epochs(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let crossing = Rendezvous::default();
    let raise = || {
        run_write(harness, |tx| {
            tx.users().find(fixture.anna.id)?;
            crossing.wait();
            tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9))
        })
    };
    let (one, other) = run_both(raise, raise);
    let mut epochs = [one, other];
    epochs.sort();
    assert_eq!(epochs, [Some(Epoch(1)), Some(Epoch(2))]);
}

fn race_two_charges(harness: &AuthStoreHarness) {
    let crossing = Rendezvous::default();
    let from = run_read(harness, |tx| Ok(tx.attempts().find_buckets(&[count_key(1)])?[0]));
    let charge = || {
        run_write(harness, |tx| {
            tx.attempts().find_buckets(&[count_key(1)])?;
            crossing.wait();
            tx.attempts().take_token(count_key(1), None, &from, &bucket_after_charge(&from, 9), after_start(9))
        })
    };
    let (one, other) = run_both(charge, charge);
    assert!(one != other, "{one} {other}");
    let now = run_read(harness, |tx| Ok(tx.attempts().find_buckets(&[count_key(1)])?[0]));
    assert_eq!(now, bucket_after_charge(&from, 9));
}

/// Of two concurrent attempts to take a token from a full bucket, exactly one succeeds.
pub fn concurrent_first_charges_succeed_once(harness: &AuthStoreHarness) {
    race_two_charges(harness);
}

/// Of two concurrent attempts to take a token from a bucket of which one was spent, exactly one
/// succeeds.
pub fn concurrent_charges_after_a_failure_succeed_once(harness: &AuthStoreHarness) {
    run_write(harness, |tx| {
        tx.attempts().take_token(
            count_key(1),
            None,
            &full_bucket(),
            &bucket_after_charge(&full_bucket(), 5),
            after_start(5),
        )?;
        tx.attempts().settle(count_key(1), TokenDisposition::Spent, after_start(5))
    });
    race_two_charges(harness);
}

/// Two tokens that are returned concurrently are both returned.
pub fn concurrent_returns_add_both_tokens(harness: &AuthStoreHarness) {
    run_write(harness, |tx| {
        let one = bucket_after_charge(&full_bucket(), 5);
        tx.attempts().take_token(count_key(1), None, &full_bucket(), &one, after_start(5))?;
        tx.attempts().take_token(count_key(1), None, &one, &bucket_after_charge(&one, 5), after_start(5)).map(drop)
    });
    let crossing = Rendezvous::default();
    let settle = || {
        run_write(harness, |tx| {
            tx.attempts().find_buckets(&[count_key(1)])?;
            crossing.wait();
            tx.attempts().settle(
                count_key(1),
                TokenDisposition::Returned(std::time::Duration::from_secs(10)),
                after_start(9),
            )
        });
    };
    run_both(settle, settle);
    let now = run_read(harness, |tx| Ok(tx.attempts().find_buckets(&[count_key(1)])?[0]));
    assert_eq!((now.full_at, now.open_attempts), (after_start(5), 0));
}

/// Of two concurrent guesses of one wrong password, exactly one is new.
pub fn concurrent_guesses_of_one_password_count_once(harness: &AuthStoreHarness) {
    let crossing = Rendezvous::default();
    let remember = || {
        run_write(harness, |tx| {
            tx.attempts().count_guesses(count_key(1), after_start(0))?;
            crossing.wait();
            tx.attempts().record_guess(count_key(1), &count_key(2), after_start(0), after_start(9))
        })
    };
    let (one, other) = run_both(remember, remember);
    assert!(one != other, "{one} {other}");
}

/// A use that is recorded while the session is rotated loses neither the use nor the rotation.
pub fn concurrent_use_and_rotation_are_both_stored(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1)]);
    let (written, noted) = (ThreadSignal::default(), ThreadSignal::default());
    run_both(
        || {
            run_write(harness, |tx| {
                tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))?;
                written.set();
                noted.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let used =
                tillgate_auth_core::ports::SessionUse { session: session_id(1), generation: 1, at: after_start(59) };
            run_write(harness, |tx| tx.sessions().record_uses(&[used]));
            noted.set();
        },
    );
    let now = load_session(harness, session_id(1));
    assert_eq!((now.generation, now.used_generation, now.last_used_at), (2, 1, Some(after_start(59))));
}

/// A change that is committed late, by a unit of work that began earlier, is found by a reader who
/// read in between.
pub fn late_commit_is_found_in_the_feed(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let late = Change::Invalidated(Scope::User(fixture.anna.id));
    let (written, looked) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), first) = run_both(
        || {
            run_write(harness, |tx| {
                tx.revocations().invalidate(Scope::User(fixture.anna.id), after_start(9))?;
                written.set();
                looked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            run_write(harness, |tx| tx.revocations().invalidate(Scope::Device(fixture.till.id), after_start(9)));
            let first = run_read(harness, |tx| tx.feed().poll(None));
            looked.set();
            first
        },
    );
    let seen = |look: &tillgate_auth_core::ports::FeedBatch| look.entries.iter().any(|found| found.change == late);
    let second = run_read(harness, |tx| tx.feed().poll(Some(&first.next)));
    assert!(seen(&first) || seen(&second), "passed over: {first:?}, then {second:?}");
    let third = run_read(harness, |tx| tx.feed().poll(Some(&second.next)));
    let both: Vec<_> = first.entries.iter().filter(|found| second.entries.contains(found)).collect();
    assert_eq!((both, third.entries), (vec![], vec![]), "found twice");
}

/// A session that is inserted under another one, which the same unit of work has locked by an
/// extension, ends with it, also if the end of that one has begun before the commit.
pub fn child_that_is_inserted_during_an_end_ends(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let (inserted, ended) = (ThreadSignal::default(), ThreadSignal::default());
    let (early, ()) = run_both(
        || {
            run_write(harness, |tx| {
                let parent = fixture.new_session(1);
                assert!(tx.sessions().extend(parent.id, parent.generation, parent.expires_at, parent.rotated_from)?);
                tx.sessions().insert(&Session { parent: Some(parent.id), ..fixture.new_session(2) })?;
                inserted.set();
                Ok(ended.wait_briefly())
            })
        },
        || {
            inserted.wait();
            run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(9)));
            ended.set();
        },
    );
    assert!(!early, "it ended before the unit of work that had locked it");
    for number in [1, 2] {
        assert_eq!(
            load_session(harness, session_id(number)).ended,
            Some((after_start(9), EndReason::Logout)),
            "{number}"
        );
    }
}
