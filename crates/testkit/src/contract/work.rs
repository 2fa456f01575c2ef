//! The unit of work: all of its changes are committed together, or none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tillgate_auth_core::AuthTx;
use tillgate_auth_core::ports::{
    FeedCursor, InstanceState, KeyKind, KeyState, Node, SessionRecord, SessionUse, TokenDisposition,
};
use tillgate_domain::{
    Change, EndReason, Epoch, Mode, PrincipalId, Scope, StoreError, StoreExt, StoreResult, StoredPin, UnitOfWork,
};

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    self, ContractFixture, after_start, hash_requested_password, load_session, new_event, new_key, new_rotation,
    node_id, run_read, run_write, session_id,
};
use crate::recording_observer::RecordingObserver;
use crate::rendezvous::{ThreadSignal, run_both};

const PASSWORD_KIND: tillgate_auth_core::ports::CredentialKind = tillgate_auth_core::ports::CredentialKind::Password;

/// Writes to many tables; [`read_traces`] reads everything that it writes.
pub(super) fn write_everywhere(tx: &mut dyn AuthTx, fixture: &ContractFixture) -> StoreResult<()> {
    tx.sessions().insert(&fixture.new_till_session(5))?;
    tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))?;
    tx.sessions().record_uses(&[SessionUse { session: session_id(1), generation: 1, at: after_start(61) }])?;
    tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(62))?;
    tx.revocations().bump_epoch(Scope::User(fixture.ben.id), EndReason::Admin, after_start(62))?;
    tx.devices().seat(fixture.till.id, None, Some(session_id(5)))?;
    let anna = PrincipalId::User(fixture.anna.id);
    tx.credentials().claim(anna, PASSWORD_KIND, 1, Some(&hash_requested_password("new hash")), after_start(62))?;
    tx.pins().set(fixture.anna.id, &sample_pin("new PIN", 3), after_start(62))?;
    tx.attempts().take_token(
        super::count_key(1),
        None,
        &super::full_bucket(),
        &super::bucket_after_charge(&super::full_bucket(), 62),
        after_start(62),
    )?;
    tx.attempts().settle(super::count_key(1), TokenDisposition::Spent, after_start(62))?;
    tx.attempts().record_guess(super::count_key(1), &super::count_key(3), after_start(0), after_start(62))?;
    tx.known_networks().record_success(fixture.anna.id.0, &super::count_key(2), after_start(62))?;
    tx.keys().insert(&new_key(7, KeyKind::Signing, KeyState::Current))?;
    tx.nodes().upsert(&Node { id: node_id(1), applied: FeedCursor(0), seen_at: after_start(62), clock: None })?;
    tx.audit().record(&new_event(1, after_start(1_000_000)))
}

/// Everything that [`write_everywhere`] writes, as text.
fn read_traces(harness: &AuthStoreHarness, fixture: &ContractFixture) -> Vec<String> {
    run_read(harness, |tx| {
        let mut seen = Vec::new();
        for number in [1, 2, 5] {
            // the age by the store's clock is not part of the stored state
            let found = tx.sessions().find(session_id(number))?;
            seen.push(format!("session {:?}", found.map(|found| SessionRecord { clock: None, ..found })));
        }
        seen.push(format!("ben {:?}", tx.users().find(fixture.ben.id)?));
        seen.push(format!("till {:?}", tx.devices().find(fixture.till.id)?));
        let credential = tx.credentials().find(PrincipalId::User(fixture.anna.id), PASSWORD_KIND)?;
        seen.push(format!("credential {:?}", credential.map(|found| found.verifier.expose().clone())));
        let pin = tx.pins().find(fixture.anna.id)?;
        seen.push(format!("pin {:?}", pin.map(|pin| (pin.verifier.expose().clone(), pin.key))));
        seen.push(format!("buckets {:?}", tx.attempts().find_buckets(&[super::count_key(1)])?));
        seen.push(format!("remembered {:?}", tx.attempts().count_guesses(super::count_key(1), after_start(0))?));
        seen.push(format!("place {:?}", tx.known_networks().find(fixture.anna.id.0, &super::count_key(2))?));
        seen.push(format!("keys {:?}", tx.keys().list()?));
        seen.push(format!("changes {:?}", tx.feed().poll(None)?.entries));
        seen.push(format!("nodes {:?}", tx.nodes().list_live(after_start(0))?));
        seen.push(format!("newest {:?}", tx.instances().newest_instant()?));
        Ok(seen)
    })
}

pub(super) fn insert_fixture(harness: &AuthStoreHarness) -> ContractFixture {
    let fixture = ContractFixture::insert_into(harness);
    contract_fixture::insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    fixture
}

/// An `Err` from the closure rolls everything back and is returned unchanged.
pub fn error_rolls_everything_back(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let (before, lines) = (read_traces(harness, &fixture), harness.read_events());
    for error in [
        StoreError::Fault("the work has failed".into()),
        StoreError::Unavailable("gone".into()),
        StoreError::Corrupt { table: "sessions", column: "kind", detail: "unknown".into() },
    ] {
        let result = harness.store.write("test", |tx| {
            write_everywhere(tx, &fixture)?;
            Err::<(), _>(error.clone())
        });
        assert_eq!(result, Err(error.in_unit("test")));
        assert_eq!(read_traces(harness, &fixture), before);
        assert_eq!(harness.read_events(), lines);
    }
}

/// Everything that is written in a unit of work that returns `Ok` is committed together, in every
/// table.
pub fn everything_is_committed_together(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let before = read_traces(harness, &fixture);
    run_write(harness, |tx| write_everywhere(tx, &fixture));
    for (before, after) in before.iter().zip(read_traces(harness, &fixture)) {
        assert_ne!(*before, after, "this was not written");
    }
}

/// A refusal is a value: what was written before it is committed.
pub fn refusal_is_committed(harness: &AuthStoreHarness) {
    insert_fixture(harness);
    let refused: Result<(), &str> = run_write(harness, |tx| {
        tx.revocations().end_session(session_id(1), EndReason::Replay, after_start(9))?;
        Ok(Err("stolen"))
    });
    assert_eq!(refused, Err("stolen"));
    assert_eq!(load_session(harness, session_id(1)).ended, Some((after_start(9), EndReason::Replay)));
}

/// A panic rolls everything back like an error, and the store stays usable.
pub fn panic_rolls_everything_back(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let before = read_traces(harness, &fixture);
    let result = catch_unwind(AssertUnwindSafe(|| {
        harness.store.write("test", |tx| -> StoreResult<()> {
            write_everywhere(tx, &fixture)?;
            panic!("on purpose: the contract's case of a panic in a unit of work")
        })
    }));
    assert!(!matches!(result, Ok(Ok(()))), "a panicked unit of work has not succeeded");
    assert_eq!(read_traces(harness, &fixture), before);
    run_write(harness, |tx| write_everywhere(tx, &fixture));
    assert_ne!(read_traces(harness, &fixture), before);
}

/// A unit of work reads its own writes.
pub fn unit_of_work_reads_its_own_writes(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    run_write(harness, |tx| {
        tx.sessions().insert(&fixture.new_session(5))?;
        assert_eq!(tx.sessions().find(session_id(5))?.map(|found| found.session), Some(fixture.new_session(5)));
        tx.revocations().end_session(session_id(5), EndReason::Logout, after_start(9))?;
        assert!(tx.sessions().find(session_id(5))?.is_some_and(|found| found.session.ended.is_some()));
        Ok(())
    });
}

/// After a conflict the closure runs again, and the writes of its first run are undone.
pub fn conflict_runs_the_closure_again(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let watcher = RecordingObserver::observe(harness);
    let mut runs = 0;
    let result = run_write(harness, |tx| {
        runs += 1;
        let number = if runs == 1 { 5 } else { 6 };
        tx.sessions().insert(&fixture.new_session(number))?;
        tx.revocations().end_session(session_id(number), EndReason::Logout, after_start(9))?;
        if runs == 1 { Err(StoreError::Conflict("on purpose".into())) } else { Ok(number) }
    });
    assert_eq!((result, runs), (6, 2));
    assert_eq!(contract_fixture::find_session(harness, session_id(5)), None, "the first run was undone");
    assert!(contract_fixture::find_session(harness, session_id(6)).is_some());
    assert_eq!(
        watcher.changes(),
        [Change::SessionEnded(session_id(6))],
        "the observer is not notified of the first run"
    );
}

/// If every run meets a conflict, the result is `Unavailable`. A caller never receives a conflict.
pub fn endless_conflict_is_unavailable(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let before = read_traces(harness, &fixture);
    let result = harness.store.write("test", |tx| {
        write_everywhere(tx, &fixture)?;
        Err::<(), _>(StoreError::Conflict("on purpose".into()))
    });
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    assert_eq!(read_traces(harness, &fixture), before);
}

type WriteFn = fn(&mut dyn AuthTx, &ContractFixture) -> StoreResult<()>;

fn sample_pin(text: &str, key: u8) -> StoredPin {
    StoredPin { verifier: hash_requested_password(text), key: contract_fixture::key_id(key), due: true }
}

/// Every method of every port that writes, called so that it has something to write.
const AUTH_WRITES: &[(&str, WriteFn)] = &[
    ("Sessions::insert", |tx, fixture| tx.sessions().insert(&fixture.new_session(5))),
    ("Sessions::rotate", |tx, _| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(9))).map(drop)),
    ("Sessions::record_uses", |tx, _| {
        tx.sessions().record_uses(&[SessionUse { session: session_id(1), generation: 1, at: after_start(9) }])
    }),
    ("Sessions::sweep", |tx, _| tx.sessions().sweep(after_start(10_000_000), 9).map(drop)),
    ("Credentials::claim", |tx, fixture| {
        let anna = PrincipalId::User(fixture.anna.id);
        tx.credentials()
            .claim(anna, PASSWORD_KIND, 1, Some(&hash_requested_password("new hash")), after_start(9))
            .map(drop)
    }),
    ("Pins::set", |tx, fixture| tx.pins().set(fixture.anna.id, &sample_pin("another", 2), after_start(9))),
    ("Pins::claim", |tx, fixture| {
        let (pin, rehashed) = (sample_pin("pin", 1), sample_pin("rehashed", 2));
        tx.pins().claim(fixture.anna.id, &pin.verifier, Some(&rehashed), after_start(9)).map(drop)
    }),
    ("Pins::claim_key", |tx, _| tx.pins().claim_key(contract_fixture::key_id(8)).map(drop)),
    ("Pins::remove", |tx, fixture| tx.pins().remove(fixture.anna.id).map(drop)),
    ("Users::claim", |tx, fixture| tx.users().claim(fixture.anna.id, Epoch(0), after_start(9)).map(drop)),
    ("Users::clear_password_change_required", |tx, fixture| {
        tx.users().clear_password_change_required(fixture.anna.id, after_start(9)).map(drop)
    }),
    ("Devices::claim", |tx, fixture| tx.devices().claim(fixture.till.id, Epoch(0), after_start(9)).map(drop)),
    ("Devices::seat", |tx, fixture| tx.devices().seat(fixture.till.id, None, Some(session_id(1))).map(drop)),
    ("Attempts::take_token", |tx, _| {
        tx.attempts()
            .take_token(
                super::count_key(3),
                None,
                &super::full_bucket(),
                &super::bucket_after_charge(&super::full_bucket(), 9),
                after_start(9),
            )
            .map(drop)
    }),
    ("Attempts::settle", |tx, _| tx.attempts().settle(super::count_key(1), TokenDisposition::Spent, after_start(9))),
    ("Attempts::block", |tx, _| tx.attempts().block(super::count_key(1), after_start(9))),
    ("Attempts::record_guess", |tx, _| {
        tx.attempts().record_guess(super::count_key(1), &super::count_key(9), after_start(0), after_start(9)).map(drop)
    }),
    ("Attempts::clear_failed_logins", |tx, fixture| tx.attempts().clear_failed_logins(fixture.anna.id.0).map(drop)),
    ("Attempts::sweep", |tx, _| tx.attempts().sweep(after_start(10_000_000), 9).map(drop)),
    ("Attempts::sweep_guesses", |tx, _| tx.attempts().sweep_guesses(after_start(10_000_000), 9).map(drop)),
    ("KnownNetworks::record_success", |tx, fixture| {
        tx.known_networks().record_success(fixture.anna.id.0, &super::count_key(4), after_start(9))
    }),
    ("KnownNetworks::trim", |tx, fixture| tx.known_networks().trim(fixture.anna.id.0, 0)),
    ("KnownNetworks::sweep", |tx, _| tx.known_networks().sweep(after_start(10_000_000), 9).map(drop)),
    ("Keys::insert", |tx, _| tx.keys().insert(&new_key(9, KeyKind::Refresh, KeyState::Next)).map(drop)),
    ("Keys::change_state", |tx, _| {
        tx.keys().change_state(contract_fixture::key_id(7), KeyState::Next, KeyState::Current, after_start(9)).map(drop)
    }),
    ("Keys::remove", |tx, _| tx.keys().remove(contract_fixture::key_id(7))),
    ("Feed::sweep", |tx, _| tx.feed().sweep(after_start(10_000_000), 9).map(drop)),
    ("Nodes::upsert", |tx, _| {
        tx.nodes().upsert(&Node { id: node_id(2), applied: FeedCursor(0), seen_at: after_start(9), clock: None })
    }),
    ("Nodes::mark_left", |tx, _| tx.nodes().mark_left(node_id(1), after_start(400))),
    ("Nodes::sweep", |tx, _| tx.nodes().sweep(after_start(10_000_000)).map(drop)),
    ("Revocations::end_session", |tx, _| {
        tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)).map(drop)
    }),
    ("Revocations::bump_epoch", |tx, fixture| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9)).map(drop)
    }),
    ("Revocations::invalidate", |tx, fixture| {
        tx.revocations().invalidate(Scope::User(fixture.anna.id), after_start(9))
    }),
    ("Audit::record", |tx, _| tx.audit().record(&new_event(2, after_start(9)))),
];

/// Inserts a record of every kind, so that each of [`AUTH_WRITES`] has something to write to.
fn insert_everything(harness: &AuthStoreHarness) -> ContractFixture {
    let fixture = insert_fixture(harness);
    run_write(harness, |tx| {
        let to = super::bucket_after_charge(&super::full_bucket(), 2);
        tx.attempts().take_token(
            super::count_key(1),
            Some(fixture.anna.id.0),
            &super::full_bucket(),
            &to,
            after_start(2),
        )?;
        tx.attempts().record_guess(super::count_key(1), &super::count_key(2), after_start(0), after_start(2))?;
        tx.known_networks().record_success(fixture.anna.id.0, &super::count_key(2), after_start(2))?;
        tx.keys().insert(&new_key(7, KeyKind::Signing, KeyState::Next))?;
        tx.pins().set(fixture.anna.id, &sample_pin("pin", 1), after_start(2))?;
        tx.revocations().invalidate(Scope::Keys, after_start(2))?;
        tx.nodes().upsert(&Node { id: node_id(1), applied: FeedCursor(0), seen_at: after_start(2), clock: None })
    });
    fixture
}

/// A write in a unit of work with `Mode::Read` returns a `Fault` and writes nothing, even if the
/// closure ignores the error.
pub fn read_unit_cannot_write(harness: &AuthStoreHarness) {
    let fixture = insert_everything(harness);
    let (before, lines) = (read_traces(harness, &fixture), harness.read_events());
    for (name, attempt) in AUTH_WRITES {
        let result = harness.store.read("test", |tx| attempt(tx, &fixture));
        assert!(matches!(result, Err(StoreError::Fault(_))), "{name}: {result:?}");
        let mut tried = None;
        let hidden = harness.store.run(UnitOfWork::read("test"), &mut |tx| {
            tried = Some(attempt(tx, &fixture));
            Ok(())
        });
        assert!(matches!(tried, Some(Err(StoreError::Fault(_)))), "{name}: {tried:?}, then {hidden:?}");
        assert_eq!(read_traces(harness, &fixture), before, "{name}");
        assert_eq!(harness.read_events(), lines, "{name}");
    }
}

/// A unit of work that reads sees one state of the store from its first read to its last.
pub fn read_unit_sees_one_snapshot(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let (looked, written) = (ThreadSignal::default(), ThreadSignal::default());
    let (seen, ()) = run_both(
        || {
            run_read(harness, |tx| {
                let first = tx.sessions().find(session_id(1))?.map(|found| found.session);
                looked.set();
                written.wait_briefly();
                let again = tx.sessions().find(session_id(1))?.map(|found| found.session);
                let new = tx.sessions().find(session_id(5))?;
                Ok((first == again, new.is_none()))
            })
        },
        || {
            looked.wait();
            run_write(harness, |tx| {
                tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9))?;
                tx.sessions().insert(&fixture.new_session(5))
            });
            written.set();
        },
    );
    assert_eq!(seen, (true, true));
    assert!(load_session(harness, session_id(1)).ended.is_some());
}

/// When `run` returns, all other threads read what was written.
pub fn committed_writes_are_visible_to_other_threads(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    for number in 10..20 {
        run_write(harness, |tx| tx.sessions().insert(&fixture.new_session(number)));
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| contract_fixture::find_session(harness, session_id(number))).join().unwrap()
        });
        assert!(seen.is_some());
    }
}

/// A `run` inside a closure of the same store returns `Nested`, whatever the mode of either, and
/// the outer unit of work continues.
pub fn nested_unit_of_work_is_refused(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    for (number, outer, inner) in [
        (10, Mode::Write, Mode::Write),
        (11, Mode::Write, Mode::Read),
        (12, Mode::Read, Mode::Write),
        (13, Mode::Read, Mode::Read),
    ] {
        let mut result = None;
        let mut entered = false;
        let outcome = harness.store.run(UnitOfWork { name: "test", mode: outer }, &mut |tx| {
            if outer == Mode::Write {
                tx.sessions().insert(&fixture.new_session(number))?;
            }
            result = Some(harness.store.run(UnitOfWork { name: "test", mode: inner }, &mut |_| {
                entered = true;
                Ok(())
            }));
            Ok(())
        });
        assert_eq!((result, entered), (Some(Err(StoreError::Nested)), false), "{inner:?} in {outer:?}");
        assert_eq!(outcome, Ok(()), "{inner:?} in {outer:?}");
        assert_eq!(contract_fixture::find_session(harness, session_id(number)).is_some(), outer == Mode::Write);
    }
    run_write(harness, |tx| tx.sessions().insert(&fixture.new_session(20)));
}

/// Waiting for another unit of work has a deadline, in these cases of less than ten seconds: then
/// the result is `Unavailable`, and nothing is written.
pub fn waiting_has_a_deadline(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let (holds, gave_up) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), result) = run_both(
        || {
            run_write(harness, |tx| {
                tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9))?;
                holds.set();
                gave_up.wait();
                Ok(())
            });
        },
        || {
            holds.wait();
            let result = harness.store.write("test", |tx| {
                tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9))
            });
            gave_up.set();
            result
        },
    );
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    let now = run_read(harness, |tx| Ok(tx.users().find(fixture.anna.id)?.map(|anna| anna.epoch)));
    assert_eq!(now, Some(Epoch(1)), "the first raised, the second did not");
}

/// A store that is being moved, or has been moved, returns `Unavailable` for writes and stays
/// readable.
pub fn draining_store_refuses_writes(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    for state in [InstanceState::Draining, InstanceState::Moved] {
        if !harness.set_instance_state(state) {
            let found = run_read(harness, |tx| tx.instances().find());
            assert_eq!(found.state, InstanceState::Open, "a store without `with_state_setter` is never closed");
            return;
        }
        let result = harness.store.write("test", |tx| tx.sessions().insert(&fixture.new_session(5)));
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{state:?}: {result:?}");
        assert_eq!(run_read(harness, |tx| tx.instances().find()).state, state);
        assert_eq!(contract_fixture::find_session(harness, session_id(5)), None);
    }
    harness.set_instance_state(InstanceState::Open);
    run_write(harness, |tx| tx.sessions().insert(&fixture.new_session(5)));
}
