//! Two threads meet at a row: a session, a key, an epoch, a count. Of two that want the same of it one is told that it was late.

use tillgate_auth_core::ports::{KeyKind, KeyState, Settled};
use tillgate_domain::{Change, EndedWhy, Epoch, Scope};

use crate::Bench;
use crate::contract::{digest, full, taken};
use crate::meeting::{Crossing, Signal, both};
use crate::shop::{Shop, add, at, key, read, rotation, session_id, stored, write};

/// Of two rotations of one generation one is won; who lost finds the session where the other has moved it.
pub fn two_rotations_of_one_generation(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let crossing = Crossing::default();
    let rotate = |seconds| {
        write(bench, |tx| {
            let from = tx.sessions().find(session_id(1))?.map_or(0, |found| found.session.generation);
            crossing.meet();
            // a serial store shows the second of the two the first's rotation: both are then asked of the same generation
            let won = tx.sessions().rotate(session_id(1), 1, &rotation(2, at(seconds)))?;
            let now = tx.sessions().find(session_id(1))?.map(|found| found.session.generation);
            Ok((from, won, now))
        })
    };
    let (one, other) = both(|| rotate(60), || rotate(61));
    assert!(one.1 != other.1, "{one:?} {other:?}");
    assert_eq!((one.2, other.2), (Some(2), Some(2)));
    let winner = if one.1 { at(60) } else { at(61) };
    assert_eq!(stored(bench, session_id(1)).rotated_at, Some(winner));
}

/// Of two first current keys of a kind one is born, and who lost finds it.
pub fn two_first_current_keys(bench: &Bench) {
    let crossing = Crossing::default();
    let born = |number: u8| {
        write(bench, |tx| {
            let none = tx.keys().all()?.is_empty();
            crossing.meet();
            let won = tx.keys().insert(&key(number, KeyKind::Signing, KeyState::Current))?;
            let current: Vec<_> = tx.keys().all()?.into_iter().map(|key| key.id).collect();
            Ok((none, won, current))
        })
    };
    let (one, other) = both(|| born(1), || born(2));
    assert!(one.1 != other.1, "{one:?} {other:?}");
    assert!(one.0 || other.0);
    let all = read(bench, |tx| tx.keys().all());
    let winner = key(if one.1 { 1 } else { 2 }, KeyKind::Signing, KeyState::Current);
    assert_eq!((one.2, other.2), (vec![winner.id], vec![winner.id]));
    assert_eq!(all, [winner]);
}

/// Of two keys that are to be current after one another one is.
pub fn two_next_keys_become_current(bench: &Bench) {
    write(bench, |tx| {
        tx.keys().insert(&key(1, KeyKind::Signing, KeyState::Next))?;
        tx.keys().insert(&key(2, KeyKind::Signing, KeyState::Next)).map(drop)
    });
    let crossing = Crossing::default();
    let turn = |number: u8| {
        write(bench, |tx| {
            tx.keys().all()?;
            crossing.meet();
            tx.keys().turn(crate::shop::key_id(number), KeyState::Next, KeyState::Current, at(9))
        })
    };
    let (one, other) = both(|| turn(1), || turn(2));
    assert!(one != other, "{one} {other}");
    let current = read(bench, |tx| tx.keys().all()).into_iter().filter(|key| key.state == KeyState::Current).count();
    assert_eq!(current, 1);
}

/// A session that is being ended is not rotated: the end is written, the rotation comes before its commit.
pub fn a_rotation_loses_to_an_end(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let (written, rotated) = (Signal::default(), Signal::default());
    let (ended, won) = both(
        || {
            write(bench, |tx| {
                let ended = tx.endings().end(session_id(1), EndedWhy::Admin, at(9))?;
                written.give();
                rotated.wait_briefly();
                Ok(ended)
            })
        },
        || {
            written.wait();
            let won = write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &rotation(2, at(60))));
            rotated.give();
            won
        },
    );
    assert_eq!((ended, won), (true, false));
    let now = stored(bench, session_id(1));
    assert_eq!((now.generation, now.ended), (1, Some((at(9), EndedWhy::Admin))));
}

/// A rotation that is under way does not undo an end: the rotation is written, the end comes before its commit.
pub fn an_end_outlasts_a_rotation(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let (written, over) = (Signal::default(), Signal::default());
    let (won, ended) = both(
        || {
            write(bench, |tx| {
                let won = tx.sessions().rotate(session_id(1), 1, &rotation(2, at(60)))?;
                written.give();
                over.wait_briefly();
                Ok(won)
            })
        },
        || {
            written.wait();
            let ended = write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(61)));
            over.give();
            ended
        },
    );
    assert_eq!((won, ended), (true, true));
    let now = stored(bench, session_id(1));
    assert_eq!((now.generation, now.ended), (2, Some((at(61), EndedWhy::Admin))));
}

/// Of two ends of one session one is won, and it is told once.
pub fn two_ends_of_one_session(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let watcher = crate::watcher::Watcher::over(bench);
    let crossing = Crossing::default();
    let end = |why| {
        write(bench, |tx| {
            tx.sessions().find(session_id(1))?;
            crossing.meet();
            tx.endings().end(session_id(1), why, at(9))
        })
    };
    let (one, other) = both(|| end(EndedWhy::Logout), || end(EndedWhy::Admin));
    assert!(one != other, "{one} {other}");
    let why = if one { EndedWhy::Logout } else { EndedWhy::Admin };
    assert_eq!(stored(bench, session_id(1)).ended, Some((at(9), why)));
    assert_eq!(watcher.changes(), [Change::Ended(session_id(1))]);
}

/// Two raises that meet give two epochs.
pub fn two_raises_give_two_epochs(bench: &Bench) {
    let shop = Shop::open(bench);
    let crossing = Crossing::default();
    let raise = || {
        write(bench, |tx| {
            tx.users().find(shop.anna.id)?;
            crossing.meet();
            tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(9))
        })
    };
    let (one, other) = both(raise, raise);
    let mut epochs = [one, other];
    epochs.sort();
    assert_eq!(epochs, [Some(Epoch(1)), Some(Epoch(2))]);
}

fn two_charges(bench: &Bench) {
    let crossing = Crossing::default();
    let from = read(bench, |tx| Ok(tx.attempts().buckets(&[digest(1)])?[0]));
    let charge = || {
        write(bench, |tx| {
            tx.attempts().buckets(&[digest(1)])?;
            crossing.meet();
            tx.attempts().charge(digest(1), None, &from, &taken(&from, 9), at(9))
        })
    };
    let (one, other) = both(charge, charge);
    assert!(one != other, "{one} {other}");
    let now = read(bench, |tx| Ok(tx.attempts().buckets(&[digest(1)])?[0]));
    assert_eq!(now, taken(&from, 9));
}

/// Of two that take a token of the same bucket one gets it, where nothing was taken before.
pub fn two_first_charges(bench: &Bench) {
    two_charges(bench);
}

/// Of two that take a token of the same bucket one gets it, where one was spent before.
pub fn two_charges_after_a_failure(bench: &Bench) {
    write(bench, |tx| {
        tx.attempts().charge(digest(1), None, &full(), &taken(&full(), 5), at(5))?;
        tx.attempts().settle(digest(1), Settled::Spent, at(5))
    });
    two_charges(bench);
}

/// Two tokens that are returned at once are both returned.
pub fn two_tokens_are_both_returned(bench: &Bench) {
    write(bench, |tx| {
        let one = taken(&full(), 5);
        tx.attempts().charge(digest(1), None, &full(), &one, at(5))?;
        tx.attempts().charge(digest(1), None, &one, &taken(&one, 5), at(5)).map(drop)
    });
    let crossing = Crossing::default();
    let settle = || {
        write(bench, |tx| {
            tx.attempts().buckets(&[digest(1)])?;
            crossing.meet();
            tx.attempts().settle(digest(1), Settled::Returned(std::time::Duration::from_secs(10)), at(9))
        });
    };
    both(settle, settle);
    let now = read(bench, |tx| Ok(tx.attempts().buckets(&[digest(1)])?[0]));
    assert_eq!((now.full_at, now.open), (at(5), 0));
}

/// Of two that try one wrong password at once, one is the first.
pub fn two_with_one_wrong_password(bench: &Bench) {
    let crossing = Crossing::default();
    let remember = || {
        write(bench, |tx| {
            tx.attempts().remembered(digest(1), at(0))?;
            crossing.meet();
            tx.attempts().remember(digest(1), &digest(2), at(0), at(9))
        })
    };
    let (one, other) = both(remember, remember);
    assert!(one != other, "{one} {other}");
}

/// A use that is noted while the session rotates loses neither.
pub fn a_use_and_a_rotation_are_both_kept(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1)]);
    let (written, noted) = (Signal::default(), Signal::default());
    both(
        || {
            write(bench, |tx| {
                tx.sessions().rotate(session_id(1), 1, &rotation(2, at(60)))?;
                written.give();
                noted.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let used = tillgate_auth_core::ports::Use { session: session_id(1), generation: 1, at: at(59) };
            write(bench, |tx| tx.sessions().note(&[used]));
            noted.give();
        },
    );
    let now = stored(bench, session_id(1));
    assert_eq!((now.generation, now.used, now.last_used_at), (2, 1, Some(at(59))));
}

/// A change that is committed late by a unit of work that began earlier is not passed over by one who looked in between.
pub fn a_late_commit_is_not_passed_over(bench: &Bench) {
    let shop = Shop::open(bench);
    let late = Change::Touched(Scope::User(shop.anna.id));
    let (written, looked) = (Signal::default(), Signal::default());
    let ((), first) = both(
        || {
            write(bench, |tx| {
                tx.endings().touch(Scope::User(shop.anna.id), at(9))?;
                written.give();
                looked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            write(bench, |tx| tx.endings().touch(Scope::Device(shop.till.id), at(9)));
            let first = read(bench, |tx| tx.feed().look(None));
            looked.give();
            first
        },
    );
    let seen = |look: &tillgate_auth_core::ports::Look| look.changes.iter().any(|found| found.change == late);
    let second = read(bench, |tx| tx.feed().look(Some(&first.next)));
    assert!(seen(&first) || seen(&second), "passed over: {first:?}, then {second:?}");
    let third = read(bench, |tx| tx.feed().look(Some(&second.next)));
    let both: Vec<_> = first.changes.iter().filter(|found| second.changes.contains(found)).collect();
    assert_eq!((both, third.changes), (vec![], vec![]), "found twice");
}
