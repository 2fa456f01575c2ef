//! The unit of work: what happens together or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tillgate_auth_core::AuthTx;
use tillgate_auth_core::ports::{Cursor, InstanceState, KeyKind, KeyState, Node, Settled, Standing, Use};
use tillgate_domain::{Change, EndedWhy, Epoch, Mode, PrincipalId, Scope, StoreError, StoreExt, Stored};

use crate::Bench;
use crate::meeting::{Signal, both};
use crate::shop::{self, Shop, at, key, line, node_id, read, rotation, session_id, stored, verifier, write};
use crate::watcher::Watcher;

const CREDENTIAL: tillgate_auth_core::ports::CredentialKind = tillgate_auth_core::ports::CredentialKind::Password;

/// A write to many tables at once; all that it writes is seen by [`traces`].
fn write_everywhere(tx: &mut dyn AuthTx, shop: &Shop) -> Stored<()> {
    tx.sessions().insert(&shop.session_on_till(5))?;
    tx.sessions().rotate(session_id(1), 1, &rotation(2, at(60)))?;
    tx.sessions().note(&[Use { session: session_id(1), generation: 1, at: at(61) }])?;
    tx.endings().end(session_id(2), EndedWhy::Admin, at(62))?;
    tx.endings().raise(Scope::User(shop.ben.id), EndedWhy::Admin, at(62))?;
    tx.devices().seat(shop.till.id, None, Some(session_id(5)))?;
    let anna = PrincipalId::User(shop.anna.id);
    tx.credentials().claim(anna, CREDENTIAL, 1, Some(&verifier("new hash")), at(62))?;
    tx.attempts().charge(super::digest(1), None, &super::full(), &super::taken(&super::full(), 62), at(62))?;
    tx.attempts().settle(super::digest(1), Settled::Spent, at(62))?;
    tx.attempts().remember(super::digest(1), &super::digest(3), at(0), at(62))?;
    tx.places().note(shop.anna.id.0, &super::digest(2), at(62))?;
    tx.keys().insert(&key(7, KeyKind::Signing, KeyState::Current))?;
    tx.nodes().note(&Node { id: node_id(1), applied: Cursor(0), seen_at: at(62), clock: None })?;
    tx.audit().tell(&line(1, at(1_000_000)))
}

/// Everything that [`write_everywhere`] touches, as text.
fn traces(bench: &Bench, shop: &Shop) -> Vec<String> {
    read(bench, |tx| {
        let mut seen = Vec::new();
        for number in [1, 2, 5] {
            // what its clock says is no state of the store
            let found = tx.sessions().find(session_id(number))?;
            seen.push(format!("session {:?}", found.map(|found| Standing { clock: None, ..found })));
        }
        seen.push(format!("ben {:?}", tx.users().find(shop.ben.id)?));
        seen.push(format!("till {:?}", tx.devices().find(shop.till.id)?));
        let credential = tx.credentials().find(PrincipalId::User(shop.anna.id), CREDENTIAL)?;
        seen.push(format!("credential {:?}", credential.map(|found| found.verifier.expose().clone())));
        seen.push(format!("buckets {:?}", tx.attempts().buckets(&[super::digest(1)])?));
        seen.push(format!("remembered {:?}", tx.attempts().remembered(super::digest(1), at(0))?));
        seen.push(format!("place {:?}", tx.places().find(shop.anna.id.0, &super::digest(2))?));
        seen.push(format!("keys {:?}", tx.keys().all()?));
        seen.push(format!("changes {:?}", tx.feed().look(None)?.changes));
        seen.push(format!("nodes {:?}", tx.nodes().live(at(0))?));
        seen.push(format!("newest {:?}", tx.instances().newest()?));
        Ok(seen)
    })
}

fn opened(bench: &Bench) -> Shop {
    let shop = Shop::open(bench);
    shop::add(bench, &[shop.session(1), shop.session(2)]);
    shop
}

/// `Err` from the closure rolls everything back, and comes back as it was.
pub fn an_error_rolls_everything_back(bench: &Bench) {
    let shop = opened(bench);
    let (before, lines) = (traces(bench, &shop), bench.lines());
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
        assert_eq!(traces(bench, &shop), before);
        assert_eq!(bench.lines(), lines);
    }
}

/// What is written in a unit of work that returns `Ok` is there together: every table of it.
pub fn everything_is_committed_together(bench: &Bench) {
    let shop = opened(bench);
    let before = traces(bench, &shop);
    write(bench, |tx| write_everywhere(tx, &shop));
    for (before, after) in before.iter().zip(traces(bench, &shop)) {
        assert_ne!(*before, after, "this was not written");
    }
}

/// A refusal is a value: what it decided is committed with it.
pub fn a_refusal_is_committed(bench: &Bench) {
    opened(bench);
    let refused: Result<(), &str> = write(bench, |tx| {
        tx.endings().end(session_id(1), EndedWhy::Replay, at(9))?;
        Ok(Err("stolen"))
    });
    assert_eq!(refused, Err("stolen"));
    assert_eq!(stored(bench, session_id(1)).ended, Some((at(9), EndedWhy::Replay)));
}

/// A panic rolls back like an error, and the store goes on serving.
pub fn a_panic_rolls_everything_back(bench: &Bench) {
    let shop = opened(bench);
    let before = traces(bench, &shop);
    let answer = catch_unwind(AssertUnwindSafe(|| {
        bench.store.write(|tx| -> Stored<()> {
            write_everywhere(tx, &shop)?;
            panic!("on purpose: the contract's case of a panic in a unit of work")
        })
    }));
    assert!(!matches!(answer, Ok(Ok(()))), "a panic is no success");
    assert_eq!(traces(bench, &shop), before);
    write(bench, |tx| write_everywhere(tx, &shop));
    assert_ne!(traces(bench, &shop), before);
}

/// A unit of work sees what it has written itself.
pub fn a_unit_of_work_sees_its_own_writes(bench: &Bench) {
    let shop = opened(bench);
    write(bench, |tx| {
        tx.sessions().insert(&shop.session(5))?;
        assert_eq!(tx.sessions().find(session_id(5))?.map(|found| found.session), Some(shop.session(5)));
        tx.endings().end(session_id(5), EndedWhy::Logout, at(9))?;
        assert!(tx.sessions().find(session_id(5))?.is_some_and(|found| found.session.ended.is_some()));
        Ok(())
    });
}

/// A conflict runs the closure again; what it wrote before is undone.
pub fn a_conflict_runs_the_closure_again(bench: &Bench) {
    let shop = opened(bench);
    let watcher = Watcher::over(bench);
    let mut runs = 0;
    let answer = write(bench, |tx| {
        runs += 1;
        let number = if runs == 1 { 5 } else { 6 };
        tx.sessions().insert(&shop.session(number))?;
        tx.endings().end(session_id(number), EndedWhy::Logout, at(9))?;
        if runs == 1 { Err(StoreError::Conflict("on purpose".into())) } else { Ok(number) }
    });
    assert_eq!((answer, runs), (6, 2));
    assert_eq!(shop::found(bench, session_id(5)), None, "the first run was undone");
    assert!(shop::found(bench, session_id(6)).is_some());
    assert_eq!(watcher.changes(), [Change::Ended(session_id(6))], "nobody is told of the first run");
}

/// A conflict without end is `Unavailable` in the end; a caller never sees a conflict.
pub fn an_endless_conflict_is_unavailable(bench: &Bench) {
    let shop = opened(bench);
    let before = traces(bench, &shop);
    let answer = bench.store.write(|tx| {
        write_everywhere(tx, &shop)?;
        Err::<(), _>(StoreError::Conflict("on purpose".into()))
    });
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(traces(bench, &shop), before);
}

type Write = fn(&mut dyn AuthTx, &Shop) -> Stored<()>;

/// Every method of every port that writes, each so that there is something to write.
const WRITES: &[(&str, Write)] = &[
    ("Sessions::insert", |tx, shop| tx.sessions().insert(&shop.session(5))),
    ("Sessions::rotate", |tx, _| tx.sessions().rotate(session_id(1), 1, &rotation(2, at(9))).map(drop)),
    ("Sessions::note", |tx, _| tx.sessions().note(&[Use { session: session_id(1), generation: 1, at: at(9) }])),
    ("Sessions::sweep", |tx, _| tx.sessions().sweep(at(10_000_000), 9).map(drop)),
    ("Credentials::claim", |tx, shop| {
        let anna = PrincipalId::User(shop.anna.id);
        tx.credentials().claim(anna, CREDENTIAL, 1, Some(&verifier("new hash")), at(9)).map(drop)
    }),
    ("Users::claim", |tx, shop| tx.users().claim(shop.anna.id, Epoch(0), at(9)).map(drop)),
    ("Users::clear_password_change_required", |tx, shop| {
        tx.users().clear_password_change_required(shop.anna.id, at(9)).map(drop)
    }),
    ("Devices::claim", |tx, shop| tx.devices().claim(shop.till.id, Epoch(0), at(9)).map(drop)),
    ("Devices::seat", |tx, shop| tx.devices().seat(shop.till.id, None, Some(session_id(1))).map(drop)),
    ("Attempts::charge", |tx, _| {
        tx.attempts().charge(super::digest(3), None, &super::full(), &super::taken(&super::full(), 9), at(9)).map(drop)
    }),
    ("Attempts::settle", |tx, _| tx.attempts().settle(super::digest(1), Settled::Spent, at(9))),
    ("Attempts::bar", |tx, _| tx.attempts().bar(super::digest(1), at(9))),
    ("Attempts::remember", |tx, _| tx.attempts().remember(super::digest(1), &super::digest(9), at(0), at(9)).map(drop)),
    ("Attempts::forgive", |tx, shop| tx.attempts().forgive(shop.anna.id.0).map(drop)),
    ("Attempts::sweep", |tx, _| tx.attempts().sweep(at(10_000_000), 9).map(drop)),
    ("Attempts::sweep_remembered", |tx, _| tx.attempts().sweep_remembered(at(10_000_000), 9).map(drop)),
    ("Places::note", |tx, shop| tx.places().note(shop.anna.id.0, &super::digest(4), at(9))),
    ("Places::trim", |tx, shop| tx.places().trim(shop.anna.id.0, 0)),
    ("Places::sweep", |tx, _| tx.places().sweep(at(10_000_000), 9).map(drop)),
    ("Keys::insert", |tx, _| tx.keys().insert(&key(9, KeyKind::Refresh, KeyState::Next)).map(drop)),
    ("Keys::turn", |tx, _| tx.keys().turn(shop::key_id(7), KeyState::Next, KeyState::Current, at(9)).map(drop)),
    ("Keys::remove", |tx, _| tx.keys().remove(shop::key_id(7))),
    ("Feed::sweep", |tx, _| tx.feed().sweep(at(10_000_000), 9).map(drop)),
    ("Nodes::note", |tx, _| tx.nodes().note(&Node { id: node_id(2), applied: Cursor(0), seen_at: at(9), clock: None })),
    ("Nodes::leave", |tx, _| tx.nodes().leave(node_id(1), at(400))),
    ("Nodes::sweep", |tx, _| tx.nodes().sweep(at(10_000_000)).map(drop)),
    ("Endings::end", |tx, _| tx.endings().end(session_id(1), EndedWhy::Admin, at(9)).map(drop)),
    ("Endings::raise", |tx, shop| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(9)).map(drop)),
    ("Endings::touch", |tx, shop| tx.endings().touch(Scope::User(shop.anna.id), at(9))),
    ("Audit::tell", |tx, _| tx.audit().tell(&line(2, at(9)))),
];

/// Something of every kind, so that every write of [`WRITES`] has something to write to.
fn furnished(bench: &Bench) -> Shop {
    let shop = opened(bench);
    write(bench, |tx| {
        let to = super::taken(&super::full(), 2);
        tx.attempts().charge(super::digest(1), Some(shop.anna.id.0), &super::full(), &to, at(2))?;
        tx.attempts().remember(super::digest(1), &super::digest(2), at(0), at(2))?;
        tx.places().note(shop.anna.id.0, &super::digest(2), at(2))?;
        tx.keys().insert(&key(7, KeyKind::Signing, KeyState::Next))?;
        tx.endings().touch(Scope::Keys, at(2))?;
        tx.nodes().note(&Node { id: node_id(1), applied: Cursor(0), seen_at: at(2), clock: None })
    });
    shop
}

/// A write in a unit of work that reads is a `Fault`, and writes nothing even where the closure hides it.
pub fn a_reader_cannot_write(bench: &Bench) {
    let shop = furnished(bench);
    let (before, lines) = (traces(bench, &shop), bench.lines());
    for (name, attempt) in WRITES {
        let answer = bench.store.read(|tx| attempt(tx, &shop));
        assert!(matches!(answer, Err(StoreError::Fault(_))), "{name}: {answer:?}");
        let mut tried = None;
        let hidden = bench.store.run(Mode::Read, &mut |tx| {
            tried = Some(attempt(tx, &shop));
            Ok(())
        });
        assert!(matches!(tried, Some(Err(StoreError::Fault(_)))), "{name}: {tried:?}, then {hidden:?}");
        assert_eq!(traces(bench, &shop), before, "{name}");
        assert_eq!(bench.lines(), lines, "{name}");
    }
}

/// A unit of work that reads sees one state of the store from its first look to its last.
pub fn a_reader_sees_one_state(bench: &Bench) {
    let shop = opened(bench);
    let (looked, written) = (Signal::default(), Signal::default());
    let (seen, ()) = both(
        || {
            read(bench, |tx| {
                let first = tx.sessions().find(session_id(1))?.map(|found| found.session);
                looked.give();
                written.wait_briefly();
                let again = tx.sessions().find(session_id(1))?.map(|found| found.session);
                let new = tx.sessions().find(session_id(5))?;
                Ok((first == again, new.is_none()))
            })
        },
        || {
            looked.wait();
            write(bench, |tx| {
                tx.endings().end(session_id(1), EndedWhy::Admin, at(9))?;
                tx.sessions().insert(&shop.session(5))
            });
            written.give();
        },
    );
    assert_eq!(seen, (true, true));
    assert!(stored(bench, session_id(1)).ended.is_some());
}

/// When `run` returns, every other thread finds what was written.
pub fn what_is_committed_is_there_for_others(bench: &Bench) {
    let shop = opened(bench);
    for number in 10..20 {
        write(bench, |tx| tx.sessions().insert(&shop.session(number)));
        let seen = std::thread::scope(|scope| scope.spawn(|| shop::found(bench, session_id(number))).join().unwrap());
        assert!(seen.is_some());
    }
}

/// The observer has been told when `run` returns, in the order of the writes, on the thread that ran.
pub fn the_observer_is_told_before_the_answer(bench: &Bench) {
    let shop = opened(bench);
    let watcher = Watcher::over(bench);
    write(bench, |tx| {
        tx.endings().end(session_id(2), EndedWhy::Admin, at(9))?;
        tx.endings().touch(Scope::Device(shop.till.id), at(9))?;
        tx.endings().end(session_id(1), EndedWhy::Admin, at(9)).map(drop)
    });
    let expected =
        [Change::Ended(session_id(2)), Change::Touched(Scope::Device(shop.till.id)), Change::Ended(session_id(1))];
    assert_eq!(watcher.changes(), expected);
    assert_eq!(watcher.threads(), [std::thread::current().id()]);
}

/// What the observer is told is committed: whoever reads finds it at that moment.
pub fn the_observer_is_told_after_the_commit(bench: &Bench) {
    opened(bench);
    let store = bench.store.clone();
    let watcher = Watcher::looking(bench, move || {
        let store = store.clone();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let found = store.read(|tx| tx.sessions().find(session_id(1)));
            let _ = tell.send(found.is_ok_and(|found| found.is_some_and(|found| found.session.ended.is_some())));
        });
        told.recv_timeout(std::time::Duration::from_secs(5)).unwrap_or(false)
    });
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(9)));
    assert_eq!(watcher.looks(), [true]);
}

/// The observer is never told of what was rolled back.
pub fn the_observer_is_not_told_of_what_was_rolled_back(bench: &Bench) {
    let shop = opened(bench);
    let watcher = Watcher::over(bench);
    let failed = bench.store.write(|tx| {
        write_everywhere(tx, &shop)?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(watcher.changes(), []);
    write(bench, |tx| tx.endings().touch(Scope::Clock, at(9)));
    assert_eq!(watcher.changes(), [Change::Touched(Scope::Clock)], "nor later, with the next");
}

/// A `run` inside a closure of the same store is `Nested`, whichever of the two reads or writes, and the outer one goes on.
pub fn a_unit_of_work_inside_another_is_nested(bench: &Bench) {
    let shop = opened(bench);
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
                tx.sessions().insert(&shop.session(number))?;
            }
            answer = Some(bench.store.run(inner, &mut |_| {
                entered = true;
                Ok(())
            }));
            Ok(())
        });
        assert_eq!((answer, entered), (Some(Err(StoreError::Nested)), false), "{inner:?} in {outer:?}");
        assert_eq!(outcome, Ok(()), "{inner:?} in {outer:?}");
        assert_eq!(shop::found(bench, session_id(number)).is_some(), outer == Mode::Write);
    }
    write(bench, |tx| tx.sessions().insert(&shop.session(20)));
}

/// Who waits for another unit of work waits for a bounded time, then it is `Unavailable` and nothing of it is written.
pub fn waiting_has_a_deadline(bench: &Bench) {
    let shop = opened(bench);
    let (holds, gave_up) = (Signal::default(), Signal::default());
    let ((), answer) = both(
        || {
            write(bench, |tx| {
                tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(9))?;
                holds.give();
                gave_up.wait();
                Ok(())
            });
        },
        || {
            holds.wait();
            let answer = bench.store.write(|tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(9)));
            gave_up.give();
            answer
        },
    );
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let now = read(bench, |tx| Ok(tx.users().find(shop.anna.id)?.map(|anna| anna.epoch)));
    assert_eq!(now, Some(Epoch(1)), "the first raised, the second did not");
}

/// A store that is being moved, or has been, takes no writes: `Unavailable`. It goes on being read.
pub fn a_store_that_is_being_moved_takes_no_writes(bench: &Bench) {
    let shop = opened(bench);
    for state in [InstanceState::Draining, InstanceState::Moved] {
        if !bench.turn(state) {
            let found = read(bench, |tx| tx.instances().find());
            assert_eq!(found.state, InstanceState::Open, "a store without `turned_by` is never closed");
            return;
        }
        let answer = bench.store.write(|tx| tx.sessions().insert(&shop.session(5)));
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{state:?}: {answer:?}");
        assert_eq!(read(bench, |tx| tx.instances().find()).state, state);
        assert_eq!(shop::found(bench, session_id(5)), None);
    }
    bench.turn(InstanceState::Open);
    write(bench, |tx| tx.sessions().insert(&shop.session(5)));
}
