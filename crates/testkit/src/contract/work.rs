//! The unit of work: what happens together or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tillgate_auth_core::AuthTx;
use tillgate_auth_core::ports::{
    Cursor, InstanceState, KeyKind, KeyState, Node, SessionRecord, SessionUse, TokenDisposition,
};
use tillgate_domain::{Change, EndReason, Epoch, Mode, PrincipalId, Scope, StoreError, StoreExt, StoreResult};

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    self, ContractFixture, after_start, hash_requested_password, load_session, new_event, new_key, new_rotation,
    node_id, run_read, run_write, session_id,
};
use crate::recording_observer::RecordingObserver;
use crate::rendezvous::{ThreadSignal, run_both};

const PASSWORD_KIND: tillgate_auth_core::ports::CredentialKind = tillgate_auth_core::ports::CredentialKind::Password;

/// A write to many tables at once; all that it writes is seen by [`read_traces`].
fn write_everywhere(tx: &mut dyn AuthTx, shop: &ContractFixture) -> StoreResult<()> {
    tx.sessions().insert(&shop.new_till_session(5))?;
    tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))?;
    tx.sessions().record_uses(&[SessionUse { session: session_id(1), generation: 1, at: after_start(61) }])?;
    tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(62))?;
    tx.revocations().bump_epoch(Scope::User(shop.ben.id), EndReason::Admin, after_start(62))?;
    tx.devices().seat(shop.till.id, None, Some(session_id(5)))?;
    let anna = PrincipalId::User(shop.anna.id);
    tx.credentials().claim(anna, PASSWORD_KIND, 1, Some(&hash_requested_password("new hash")), after_start(62))?;
    tx.attempts().take_token(
        super::count_key(1),
        None,
        &super::full_bucket(),
        &super::bucket_after_charge(&super::full_bucket(), 62),
        after_start(62),
    )?;
    tx.attempts().settle(super::count_key(1), TokenDisposition::Spent, after_start(62))?;
    tx.attempts().record_guess(super::count_key(1), &super::count_key(3), after_start(0), after_start(62))?;
    tx.known_networks().record_success(shop.anna.id.0, &super::count_key(2), after_start(62))?;
    tx.keys().insert(&new_key(7, KeyKind::Signing, KeyState::Current))?;
    tx.nodes().upsert(&Node { id: node_id(1), applied: Cursor(0), seen_at: after_start(62), clock: None })?;
    tx.audit().record(&new_event(1, after_start(1_000_000)))
}

/// Everything that [`write_everywhere`] touches, as text.
fn read_traces(bench: &AuthStoreHarness, shop: &ContractFixture) -> Vec<String> {
    run_read(bench, |tx| {
        let mut seen = Vec::new();
        for number in [1, 2, 5] {
            // what its clock says is no state of the store
            let found = tx.sessions().find(session_id(number))?;
            seen.push(format!("session {:?}", found.map(|found| SessionRecord { clock: None, ..found })));
        }
        seen.push(format!("ben {:?}", tx.users().find(shop.ben.id)?));
        seen.push(format!("till {:?}", tx.devices().find(shop.till.id)?));
        let credential = tx.credentials().find(PrincipalId::User(shop.anna.id), PASSWORD_KIND)?;
        seen.push(format!("credential {:?}", credential.map(|found| found.verifier.expose().clone())));
        seen.push(format!("buckets {:?}", tx.attempts().find_buckets(&[super::count_key(1)])?));
        seen.push(format!("remembered {:?}", tx.attempts().count_guesses(super::count_key(1), after_start(0))?));
        seen.push(format!("place {:?}", tx.known_networks().find(shop.anna.id.0, &super::count_key(2))?));
        seen.push(format!("keys {:?}", tx.keys().list()?));
        seen.push(format!("changes {:?}", tx.feed().poll(None)?.entries));
        seen.push(format!("nodes {:?}", tx.nodes().list_live(after_start(0))?));
        seen.push(format!("newest {:?}", tx.instances().newest_instant()?));
        Ok(seen)
    })
}

fn insert_fixture(bench: &AuthStoreHarness) -> ContractFixture {
    let shop = ContractFixture::insert_into(bench);
    contract_fixture::insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    shop
}

/// `Err` from the closure rolls everything back, and comes back as it was.
pub fn error_rolls_everything_back(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let (before, lines) = (read_traces(bench, &shop), bench.read_events());
    for error in [
        StoreError::Fault("the work has failed".into()),
        StoreError::Unavailable("gone".into()),
        StoreError::Corrupt { table: "sessions", column: "kind", detail: "unknown".into() },
    ] {
        let answer = bench.store.write(|tx| {
            write_everywhere(tx, &shop)?;
            Err::<(), _>(error.clone())
        });
        assert_eq!(answer, Err(error));
        assert_eq!(read_traces(bench, &shop), before);
        assert_eq!(bench.read_events(), lines);
    }
}

/// What is written in a unit of work that returns `Ok` is there together: every table of it.
pub fn everything_is_committed_together(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let before = read_traces(bench, &shop);
    run_write(bench, |tx| write_everywhere(tx, &shop));
    for (before, after) in before.iter().zip(read_traces(bench, &shop)) {
        assert_ne!(*before, after, "this was not written");
    }
}

/// A refusal is a value: what it decided is committed with it.
pub fn refusal_is_committed(bench: &AuthStoreHarness) {
    insert_fixture(bench);
    let refused: Result<(), &str> = run_write(bench, |tx| {
        tx.revocations().end_session(session_id(1), EndReason::Replay, after_start(9))?;
        Ok(Err("stolen"))
    });
    assert_eq!(refused, Err("stolen"));
    assert_eq!(load_session(bench, session_id(1)).ended, Some((after_start(9), EndReason::Replay)));
}

/// A panic rolls back like an error, and the store goes on serving.
pub fn panic_rolls_everything_back(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let before = read_traces(bench, &shop);
    let answer = catch_unwind(AssertUnwindSafe(|| {
        bench.store.write(|tx| -> StoreResult<()> {
            write_everywhere(tx, &shop)?;
            panic!("on purpose: the contract's case of a panic in a unit of work")
        })
    }));
    assert!(!matches!(answer, Ok(Ok(()))), "a panic is no success");
    assert_eq!(read_traces(bench, &shop), before);
    run_write(bench, |tx| write_everywhere(tx, &shop));
    assert_ne!(read_traces(bench, &shop), before);
}

/// A unit of work sees what it has written itself.
pub fn unit_of_work_reads_its_own_writes(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    run_write(bench, |tx| {
        tx.sessions().insert(&shop.new_session(5))?;
        assert_eq!(tx.sessions().find(session_id(5))?.map(|found| found.session), Some(shop.new_session(5)));
        tx.revocations().end_session(session_id(5), EndReason::Logout, after_start(9))?;
        assert!(tx.sessions().find(session_id(5))?.is_some_and(|found| found.session.ended.is_some()));
        Ok(())
    });
}

/// A conflict runs the closure again; what it wrote before is undone.
pub fn conflict_runs_the_closure_again(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let watcher = RecordingObserver::observe(bench);
    let mut runs = 0;
    let answer = run_write(bench, |tx| {
        runs += 1;
        let number = if runs == 1 { 5 } else { 6 };
        tx.sessions().insert(&shop.new_session(number))?;
        tx.revocations().end_session(session_id(number), EndReason::Logout, after_start(9))?;
        if runs == 1 { Err(StoreError::Conflict("on purpose".into())) } else { Ok(number) }
    });
    assert_eq!((answer, runs), (6, 2));
    assert_eq!(contract_fixture::find_session(bench, session_id(5)), None, "the first run was undone");
    assert!(contract_fixture::find_session(bench, session_id(6)).is_some());
    assert_eq!(watcher.changes(), [Change::SessionEnded(session_id(6))], "nobody is told of the first run");
}

/// A conflict without end is `Unavailable` in the end; a caller never sees a conflict.
pub fn endless_conflict_is_unavailable(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let before = read_traces(bench, &shop);
    let answer = bench.store.write(|tx| {
        write_everywhere(tx, &shop)?;
        Err::<(), _>(StoreError::Conflict("on purpose".into()))
    });
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(read_traces(bench, &shop), before);
}

type WriteFn = fn(&mut dyn AuthTx, &ContractFixture) -> StoreResult<()>;

/// Every method of every port that writes, each so that there is something to write.
const AUTH_WRITES: &[(&str, WriteFn)] = &[
    ("Sessions::insert", |tx, shop| tx.sessions().insert(&shop.new_session(5))),
    ("Sessions::rotate", |tx, _| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(9))).map(drop)),
    ("Sessions::note", |tx, _| {
        tx.sessions().record_uses(&[SessionUse { session: session_id(1), generation: 1, at: after_start(9) }])
    }),
    ("Sessions::sweep", |tx, _| tx.sessions().sweep(after_start(10_000_000), 9).map(drop)),
    ("Credentials::claim", |tx, shop| {
        let anna = PrincipalId::User(shop.anna.id);
        tx.credentials()
            .claim(anna, PASSWORD_KIND, 1, Some(&hash_requested_password("new hash")), after_start(9))
            .map(drop)
    }),
    ("Users::claim", |tx, shop| tx.users().claim(shop.anna.id, Epoch(0), after_start(9)).map(drop)),
    ("Users::clear_password_change_required", |tx, shop| {
        tx.users().clear_password_change_required(shop.anna.id, after_start(9)).map(drop)
    }),
    ("Devices::claim", |tx, shop| tx.devices().claim(shop.till.id, Epoch(0), after_start(9)).map(drop)),
    ("Devices::seat", |tx, shop| tx.devices().seat(shop.till.id, None, Some(session_id(1))).map(drop)),
    ("Attempts::charge", |tx, _| {
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
    ("Attempts::bar", |tx, _| tx.attempts().block(super::count_key(1), after_start(9))),
    ("Attempts::remember", |tx, _| {
        tx.attempts().record_guess(super::count_key(1), &super::count_key(9), after_start(0), after_start(9)).map(drop)
    }),
    ("Attempts::forgive", |tx, shop| tx.attempts().clear_failed_logins(shop.anna.id.0).map(drop)),
    ("Attempts::sweep", |tx, _| tx.attempts().sweep(after_start(10_000_000), 9).map(drop)),
    ("Attempts::sweep_guesses", |tx, _| tx.attempts().sweep_guesses(after_start(10_000_000), 9).map(drop)),
    ("Places::note", |tx, shop| {
        tx.known_networks().record_success(shop.anna.id.0, &super::count_key(4), after_start(9))
    }),
    ("Places::trim", |tx, shop| tx.known_networks().trim(shop.anna.id.0, 0)),
    ("Places::sweep", |tx, _| tx.known_networks().sweep(after_start(10_000_000), 9).map(drop)),
    ("Keys::insert", |tx, _| tx.keys().insert(&new_key(9, KeyKind::Refresh, KeyState::Next)).map(drop)),
    ("Keys::turn", |tx, _| {
        tx.keys().change_state(contract_fixture::key_id(7), KeyState::Next, KeyState::Current, after_start(9)).map(drop)
    }),
    ("Keys::remove", |tx, _| tx.keys().remove(contract_fixture::key_id(7))),
    ("Feed::sweep", |tx, _| tx.feed().sweep(after_start(10_000_000), 9).map(drop)),
    ("Nodes::note", |tx, _| {
        tx.nodes().upsert(&Node { id: node_id(2), applied: Cursor(0), seen_at: after_start(9), clock: None })
    }),
    ("Nodes::leave", |tx, _| tx.nodes().mark_left(node_id(1), after_start(400))),
    ("Nodes::sweep", |tx, _| tx.nodes().sweep(after_start(10_000_000)).map(drop)),
    ("Endings::end", |tx, _| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)).map(drop)),
    ("Endings::raise", |tx, shop| {
        tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(9)).map(drop)
    }),
    ("Endings::touch", |tx, shop| tx.revocations().invalidate(Scope::User(shop.anna.id), after_start(9))),
    ("Audit::tell", |tx, _| tx.audit().record(&new_event(2, after_start(9)))),
];

/// Something of every kind, so that every write of [`WRITES`] has something to write to.
fn insert_everything(bench: &AuthStoreHarness) -> ContractFixture {
    let shop = insert_fixture(bench);
    run_write(bench, |tx| {
        let to = super::bucket_after_charge(&super::full_bucket(), 2);
        tx.attempts().take_token(
            super::count_key(1),
            Some(shop.anna.id.0),
            &super::full_bucket(),
            &to,
            after_start(2),
        )?;
        tx.attempts().record_guess(super::count_key(1), &super::count_key(2), after_start(0), after_start(2))?;
        tx.known_networks().record_success(shop.anna.id.0, &super::count_key(2), after_start(2))?;
        tx.keys().insert(&new_key(7, KeyKind::Signing, KeyState::Next))?;
        tx.revocations().invalidate(Scope::Keys, after_start(2))?;
        tx.nodes().upsert(&Node { id: node_id(1), applied: Cursor(0), seen_at: after_start(2), clock: None })
    });
    shop
}

/// A write in a unit of work that reads is a `Fault`, and writes nothing even where the closure hides it.
pub fn read_unit_cannot_write(bench: &AuthStoreHarness) {
    let shop = insert_everything(bench);
    let (before, lines) = (read_traces(bench, &shop), bench.read_events());
    for (name, attempt) in AUTH_WRITES {
        let answer = bench.store.read(|tx| attempt(tx, &shop));
        assert!(matches!(answer, Err(StoreError::Fault(_))), "{name}: {answer:?}");
        let mut tried = None;
        let hidden = bench.store.run(Mode::Read, &mut |tx| {
            tried = Some(attempt(tx, &shop));
            Ok(())
        });
        assert!(matches!(tried, Some(Err(StoreError::Fault(_)))), "{name}: {tried:?}, then {hidden:?}");
        assert_eq!(read_traces(bench, &shop), before, "{name}");
        assert_eq!(bench.read_events(), lines, "{name}");
    }
}

/// A unit of work that reads sees one state of the store from its first look to its last.
pub fn read_unit_sees_one_snapshot(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let (looked, written) = (ThreadSignal::default(), ThreadSignal::default());
    let (seen, ()) = run_both(
        || {
            run_read(bench, |tx| {
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
            run_write(bench, |tx| {
                tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9))?;
                tx.sessions().insert(&shop.new_session(5))
            });
            written.set();
        },
    );
    assert_eq!(seen, (true, true));
    assert!(load_session(bench, session_id(1)).ended.is_some());
}

/// When `run` returns, every other thread finds what was written.
pub fn committed_writes_are_visible_to_other_threads(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    for number in 10..20 {
        run_write(bench, |tx| tx.sessions().insert(&shop.new_session(number)));
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| contract_fixture::find_session(bench, session_id(number))).join().unwrap()
        });
        assert!(seen.is_some());
    }
}

/// The observer has been told when `run` returns, in the order of the writes, on the thread that ran.
pub fn observer_is_notified_before_run_returns(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let watcher = RecordingObserver::observe(bench);
    run_write(bench, |tx| {
        tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(9))?;
        tx.revocations().invalidate(Scope::Device(shop.till.id), after_start(9))?;
        tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)).map(drop)
    });
    let expected = [
        Change::SessionEnded(session_id(2)),
        Change::Invalidated(Scope::Device(shop.till.id)),
        Change::SessionEnded(session_id(1)),
    ];
    assert_eq!(watcher.changes(), expected);
    assert_eq!(watcher.threads(), [std::thread::current().id()]);
}

/// What the observer is told is committed: whoever reads finds it at that moment.
pub fn observer_is_notified_after_the_commit(bench: &AuthStoreHarness) {
    insert_fixture(bench);
    let store = bench.store.clone();
    let watcher = RecordingObserver::observe_with_probe(bench, move || {
        let store = store.clone();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let found = store.read(|tx| tx.sessions().find(session_id(1)));
            let _ = tell.send(found.is_ok_and(|found| found.is_some_and(|found| found.session.ended.is_some())));
        });
        told.recv_timeout(std::time::Duration::from_secs(5)).unwrap_or(false)
    });
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert_eq!(watcher.probes(), [true]);
}

/// The observer is never told of what was rolled back.
pub fn observer_is_not_notified_of_rolled_back_changes(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let watcher = RecordingObserver::observe(bench);
    let failed = bench.store.write(|tx| {
        write_everywhere(tx, &shop)?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(watcher.changes(), []);
    run_write(bench, |tx| tx.revocations().invalidate(Scope::Clock, after_start(9)));
    assert_eq!(watcher.changes(), [Change::Invalidated(Scope::Clock)], "nor later, with the next");
}

/// A `run` inside a closure of the same store is `Nested`, whichever of the two reads or writes, and the outer one goes on.
pub fn nested_unit_of_work_is_refused(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    for (number, outer, inner) in [
        (10, Mode::Write, Mode::Write),
        (11, Mode::Write, Mode::Read),
        (12, Mode::Read, Mode::Write),
        (13, Mode::Read, Mode::Read),
    ] {
        let mut answer = None;
        let mut entered = false;
        let outcome = bench.store.run(outer, &mut |tx| {
            if outer == Mode::Write {
                tx.sessions().insert(&shop.new_session(number))?;
            }
            answer = Some(bench.store.run(inner, &mut |_| {
                entered = true;
                Ok(())
            }));
            Ok(())
        });
        assert_eq!((answer, entered), (Some(Err(StoreError::Nested)), false), "{inner:?} in {outer:?}");
        assert_eq!(outcome, Ok(()), "{inner:?} in {outer:?}");
        assert_eq!(contract_fixture::find_session(bench, session_id(number)).is_some(), outer == Mode::Write);
    }
    run_write(bench, |tx| tx.sessions().insert(&shop.new_session(20)));
}

/// Who waits for another unit of work waits for a bounded time, then it is `Unavailable` and nothing of it is written.
pub fn waiting_has_a_deadline(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    let (holds, gave_up) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), answer) = run_both(
        || {
            run_write(bench, |tx| {
                tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(9))?;
                holds.set();
                gave_up.wait();
                Ok(())
            });
        },
        || {
            holds.wait();
            let answer = bench
                .store
                .write(|tx| tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(9)));
            gave_up.set();
            answer
        },
    );
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let now = run_read(bench, |tx| Ok(tx.users().find(shop.anna.id)?.map(|anna| anna.epoch)));
    assert_eq!(now, Some(Epoch(1)), "the first raised, the second did not");
}

/// A store that is being moved, or has been, takes no writes: `Unavailable`. It goes on being read.
pub fn draining_store_refuses_writes(bench: &AuthStoreHarness) {
    let shop = insert_fixture(bench);
    for state in [InstanceState::Draining, InstanceState::Moved] {
        if !bench.set_instance_state(state) {
            let found = run_read(bench, |tx| tx.instances().find());
            assert_eq!(found.state, InstanceState::Open, "a store without `turned_by` is never closed");
            return;
        }
        let answer = bench.store.write(|tx| tx.sessions().insert(&shop.new_session(5)));
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{state:?}: {answer:?}");
        assert_eq!(run_read(bench, |tx| tx.instances().find()).state, state);
        assert_eq!(contract_fixture::find_session(bench, session_id(5)), None);
    }
    bench.set_instance_state(InstanceState::Open);
    run_write(bench, |tx| tx.sessions().insert(&shop.new_session(5)));
}
