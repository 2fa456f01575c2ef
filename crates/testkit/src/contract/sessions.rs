//! Sessions: born, found, rotated, noted, swept.

use std::time::Duration;

use tillgate_auth_core::ports::{FirstUse, SessionFilter, Standing, Use};
use tillgate_auth_core::{Epochs, Refresh, Session, SessionKind, Terms};
use tillgate_domain::{DeviceStatus, EndedWhy, Epoch, Instant, Scope, SessionId, UserStatus};

use super::session_lists::{ids, listed};
use crate::Bench;
use crate::shop::{Shop, add, at, device_id, found, key_id, read, rotation, session_id, stored, write};

/// A session comes back as it was added: every field, set or not.
pub fn a_session_comes_back_as_it_was_added(bench: &Bench) {
    let shop = Shop::open(bench);
    let full = Session {
        parent: Some(session_id(1)),
        terms: Terms {
            access: Duration::from_millis(900_001),
            refresh: Some(Refresh { idle: None, overlap: None, first_reusable: true }),
            absolute: Some(Duration::from_hours(2160)),
            midnight: true,
            exchange_overlap: None,
        },
        generation: 7,
        previous_key: key_id(3),
        used: 6,
        epochs: Epochs { user: Epoch(3), device: Epoch(4), tenant: Epoch(5) },
        address: "2001:db8::1".parse().ok(),
        rotated_from: "::ffff:192.0.2.1".parse().ok(),
        thumbprint: Some(vec![0, 1, 254, 255]),
        rotated_at: Some(at(50)),
        last_used_at: Some(at(51)),
        ended: Some((at(52), EndedWhy::Replaced)),
        ..shop.session_on_till(2)
    };
    let bare = Session {
        kind: SessionKind::Permanent,
        terms: Terms { refresh: None, ..shop.session(3).terms },
        address: None,
        rotated_from: None,
        expires_at: None,
        ..shop.session(3)
    };
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(shop.till.id),
        dialect: tillgate_auth_core::Dialect::new("fiuu"),
        ..shop.session(4)
    };
    let reasons = EndedWhy::ALL.into_iter().zip(10..);
    let ended = reasons.map(|(why, number)| Session { ended: Some((at(99), why)), ..shop.session(number) });
    let all: Vec<Session> = [shop.session(1), full, bare, own].into_iter().chain(ended).collect();
    add(bench, &all);
    for session in all {
        assert_eq!(found(bench, session.id), Some(session));
    }
}

/// A session that was never added is absent, not a failure.
pub fn an_unknown_session_is_absent(bench: &Bench) {
    Shop::open(bench);
    assert_eq!(found(bench, session_id(1)), None);
}

/// An id is new: the second session of one id is refused and changes nothing.
pub fn an_id_is_used_once(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let again = bench.store.run(tillgate_domain::Mode::Write, &mut |tx| {
        tx.sessions().insert(&Session { generation: 9, ..shop.session(1) })
    });
    assert!(again.is_err());
    assert_eq!(stored(bench, session_id(1)), shop.session(1));
}

/// A session is found with the epochs and statuses of now and the zone of its tenant.
pub fn a_session_is_found_with_what_it_stands_on(bench: &Bench) {
    let shop = Shop::open(bench);
    let on_retired = Session { device: Some(shop.retired.id), ..shop.session(2) };
    add(bench, &[shop.session_on_till(1), on_retired.clone()]);
    write(bench, |tx| {
        for (scope, times) in
            [(Scope::User(shop.anna.id), 1), (Scope::Device(shop.till.id), 2), (Scope::Tenant(shop.tenant.id), 3)]
        {
            for _ in 0..times {
                tx.endings().raise(scope, EndedWhy::Admin, at(5))?;
            }
        }
        Ok(())
    });
    let standing = |id: SessionId| read(bench, |tx| tx.sessions().find(id)).expect("it is there");
    let first = standing(session_id(1));
    let expected = Standing {
        session: first.session.clone(),
        epochs: Epochs { user: Epoch(1), device: Epoch(2), tenant: Epoch(3) },
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: shop.tenant.zone.clone(),
        clock: first.clock,
    };
    assert_eq!(first, expected);
    assert_eq!(first.session.epochs, Epochs::default(), "those that it was made under stay");
    assert_eq!(standing(session_id(2)).device, Some(DeviceStatus::Retired));
}

/// Where a session has no user or no device, their epochs are zero and their statuses absent.
pub fn what_a_session_has_not_counts_as_zero(bench: &Bench) {
    let shop = Shop::open(bench);
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(shop.far.id),
        tenant: shop.other.id,
        ..shop.session(2)
    };
    add(bench, &[shop.session(1), own]);
    let first = read(bench, |tx| tx.sessions().find(session_id(1))).unwrap();
    assert_eq!((first.device, first.epochs), (None, Epochs::default()));
    let second = read(bench, |tx| tx.sessions().find(session_id(2))).unwrap();
    assert_eq!((second.user, second.epochs), (None, Epochs::default()));
    assert_eq!(second.zone, shop.other.zone);
}

/// A rotation moves the session on: generation, keys, instants and address, and nothing else.
pub fn a_rotation_moves_the_session_on(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1), shop.session(2)]);
    let to = rotation(2, at(60));
    assert!(write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &to)));
    let expected = Session {
        generation: 2,
        key: to.key,
        previous_key: to.previous_key,
        rotated_at: Some(to.at),
        rotated_from: to.from,
        expires_at: to.expires_at,
        ..shop.session_on_till(1)
    };
    assert_eq!(stored(bench, session_id(1)), expected);
    assert_eq!(stored(bench, session_id(2)), shop.session(2), "another session stays");
    let forever = tillgate_auth_core::ports::Rotation { expires_at: None, from: None, ..rotation(9, at(70)) };
    assert!(write(bench, |tx| tx.sessions().rotate(session_id(1), 2, &forever)), "generations may be passed over");
    let now = stored(bench, session_id(1));
    assert_eq!((now.generation, now.expires_at, now.rotated_from), (9, None, None));
}

/// A store that has a clock of its own says by it how long ago a session was rotated, whatever instant the process wrote.
pub fn a_rotation_is_dated_by_the_stores_own_clock(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1), shop.session(2)]);
    let clock = |number| read(bench, |tx| tx.sessions().find(session_id(number))).expect("it is there").clock;
    let before = clock(1);
    assert!(write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &rotation(2, at(60)))));
    match (before, clock(1)) {
        (None, None) => assert_eq!(read(bench, |tx| tx.feed().look(None)).clock, None),
        (Some(before), Some(after)) => {
            assert_eq!((before.rotated, before.server), (None, after.server));
            assert!(after.rotated.is_some_and(|ago| ago < Duration::from_mins(1)), "{after:?}");
            assert_eq!(clock(2).map(|clock| clock.rotated), Some(None), "another session was not rotated");
            let look = read(bench, |tx| tx.feed().look(None)).clock.expect("the feed shows the same clock");
            let times = [before.server_time(), after.server_time(), look];
            assert!(times.iter().all(|time| time.server == look.server), "{times:?}");
            assert!(times.is_sorted_by_key(|time| time.now), "{times:?}");
        }
        other => panic!("it has a clock, or it has none: {other:?}"),
    }
}

/// A rotation from another generation than the session stands at is false and changes nothing.
pub fn a_rotation_from_another_generation_is_lost(bench: &Bench) {
    let shop = Shop::open(bench);
    let session = Session { generation: 5, ..shop.session(1) };
    add(bench, std::slice::from_ref(&session));
    for from in [4, 6, 0] {
        assert!(!write(bench, |tx| tx.sessions().rotate(session_id(1), from, &rotation(from + 1, at(60)))), "{from}");
    }
    assert!(!write(bench, |tx| tx.sessions().rotate(session_id(2), 1, &rotation(2, at(60)))), "no such session");
    assert_eq!(stored(bench, session_id(1)), session);
}

/// A rotation may leave the generation where it is: the overlap of the newest refresh token begins anew. One that skips generations
/// is a store's that went back.
pub fn a_rotation_goes_to_any_generation(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[Session { generation: 3, ..shop.session(1) }]);
    for (from, to) in [(3, 3), (3, 9)] {
        assert!(write(bench, |tx| tx.sessions().rotate(
            session_id(1),
            from,
            &rotation(to, at(60 + to.unsigned_abs()))
        )));
        let stored = stored(bench, session_id(1));
        assert_eq!((stored.generation, stored.rotated_at), (to, Some(at(60 + to.unsigned_abs()))), "{from} to {to}");
    }
}

/// A session that has been ended is not rotated.
pub fn an_ended_session_is_not_rotated(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1), shop.session(2)]);
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(9)));
    write(bench, |tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(9)));
    for number in [1, 2] {
        assert!(!write(bench, |tx| tx.sessions().rotate(session_id(number), 1, &rotation(2, at(60)))), "{number}");
        assert_eq!(stored(bench, session_id(number)).generation, 1);
    }
}

/// An extension sets the end of an open session and where its client is, and nothing else; one of another generation, or of a
/// session that has been ended, is false and changes nothing.
pub fn an_extension_sets_the_end_of_an_open_session(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1), shop.session(2)]);
    let from = "2001:db8::5".parse().ok();
    let extend = |number: u8, generation, expires_at, from| {
        write(bench, |tx| tx.sessions().extend(session_id(number), generation, expires_at, from))
    };
    assert!(extend(1, 1, Some(at(500_000)), from));
    let expected = Session { expires_at: Some(at(500_000)), rotated_from: from, ..shop.session_on_till(1) };
    assert_eq!(stored(bench, session_id(1)), expected);
    assert_eq!(stored(bench, session_id(2)), shop.session(2), "another session stays");
    assert!(!extend(1, 2, Some(at(600_000)), None) && !extend(1, 0, Some(at(600_000)), None));
    assert!(!extend(9, 1, Some(at(600_000)), None), "no such session");
    assert_eq!(stored(bench, session_id(1)), expected);
    assert_eq!(write(bench, |tx| tx.sessions().sweep(at(400_000), 10)), 1, "the other one, by its own end");
    assert!(extend(1, 1, None, None));
    let forever = Session { expires_at: None, rotated_from: None, ..expected };
    assert_eq!(stored(bench, session_id(1)), forever);
    assert_eq!(write(bench, |tx| tx.sessions().sweep(at(10_000_000), 10)), 0);
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(9)));
    assert!(!extend(1, 1, Some(at(600_000)), None));
}

fn used(number: u8, generation: i64, when: Instant) -> Use {
    Use { session: session_id(number), generation, at: when }
}

fn seen(bench: &Bench, number: u8) -> Option<Instant> {
    read(bench, |tx| tx.devices().find(device_id(number))).and_then(|device| device.last_seen_at)
}

/// A use raises `used` and `last_used_at` of its session and `last_seen_at` of its device, and touches no other.
pub fn a_use_is_noted(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1), shop.session(2), shop.session(3)]);
    write(bench, |tx| tx.sessions().note(&[used(1, 4, at(60)), used(2, 2, at(61))]));
    let expected = Session { used: 4, last_used_at: Some(at(60)), ..shop.session_on_till(1) };
    assert_eq!(stored(bench, session_id(1)), expected);
    let second = stored(bench, session_id(2));
    assert_eq!((second.used, second.last_used_at), (2, Some(at(61))));
    assert_eq!(stored(bench, session_id(3)), shop.session(3));
    assert_eq!((seen(bench, 1), seen(bench, 2)), (Some(at(60)), None));
}

/// What a use says never falls: each of the three keeps the highest that was said of it.
pub fn a_use_never_lowers_anything(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1), shop.session_on_till(2)]);
    write(bench, |tx| tx.sessions().note(&[used(1, 4, at(60))]));
    write(bench, |tx| tx.sessions().note(&[used(1, 3, at(70))]));
    let now = stored(bench, session_id(1));
    assert_eq!((now.used, now.last_used_at, seen(bench, 1)), (4, Some(at(70)), Some(at(70))));
    write(bench, |tx| tx.sessions().note(&[used(1, 5, at(65)), used(2, 1, at(50))]));
    let now = stored(bench, session_id(1));
    assert_eq!((now.used, now.last_used_at, seen(bench, 1)), (5, Some(at(70)), Some(at(70))));
    assert_eq!(stored(bench, session_id(2)).last_used_at, Some(at(50)));
}

/// Uses of one session twice in a batch count like one after the other.
pub fn a_session_may_be_used_twice_in_a_batch(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session_on_till(1)]);
    write(bench, |tx| tx.sessions().note(&[used(1, 2, at(80)), used(1, 3, at(70))]));
    let now = stored(bench, session_id(1));
    assert_eq!((now.used, now.last_used_at, seen(bench, 1)), (3, Some(at(80)), Some(at(80))));
}

/// A use that names no session is passed over; the others of its batch are noted. So is a batch of none.
pub fn a_use_of_no_session_is_passed_over(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(2)]);
    write(bench, |tx| tx.sessions().note(&[used(1, 1, at(60)), used(2, 1, at(60)), used(3, 1, at(60))]));
    assert_eq!(stored(bench, session_id(2)).used, 1);
    assert_eq!(found(bench, session_id(1)), None);
    write(bench, |tx| tx.sessions().note(&[]));
}

fn first_uses(bench: &Bench, number: u8) -> Vec<(i64, Instant)> {
    let uses = read(bench, |tx| tx.sessions().first_uses(session_id(number)));
    uses.iter().map(|first| (first.generation, first.at)).collect()
}

/// The first use of a generation is noted once: the later one is false and changes nothing. They are told by generation.
pub fn a_first_use_is_noted_once(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1), shop.session(2)]);
    let note = |number: u8, generation, when| {
        let first = FirstUse { generation, at: at(when) };
        write(bench, |tx| tx.sessions().note_first_use(session_id(number), first, at(0)))
    };
    assert!(note(1, 3, 70) && note(1, 2, 60) && note(2, 2, 65));
    assert!(!note(1, 3, 50) && !note(1, 3, 90));
    assert_eq!(first_uses(bench, 1), [(2, at(60)), (3, at(70))]);
    assert_eq!(first_uses(bench, 2), [(2, at(65))], "another session's");
    assert_eq!(first_uses(bench, 3), [], "no such session");
}

/// With a note first uses are forgotten of generations that a later one, first used at that instant or before, makes needless.
pub fn needless_first_uses_are_forgotten(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1), shop.session(2)]);
    let note = |number: u8, generation, when, settled| {
        let first = FirstUse { generation, at: at(when) };
        write(bench, |tx| tx.sessions().note_first_use(session_id(number), first, at(settled)))
    };
    assert!(note(2, 2, 60, 0) && note(1, 2, 60, 0) && note(1, 3, 70, 59) && note(1, 4, 80, 69));
    assert_eq!(first_uses(bench, 1), [(2, at(60)), (3, at(70)), (4, at(80))]);
    assert!(note(1, 5, 90, 70));
    assert_eq!(first_uses(bench, 1), [(3, at(70)), (4, at(80)), (5, at(90))]);
    assert!(!note(1, 5, 90, 90));
    assert_eq!(first_uses(bench, 1), [(5, at(90))]);
    assert_eq!(first_uses(bench, 2), [(2, at(60))], "another session's");
}

/// First uses go with their session.
pub fn first_uses_are_swept_with_their_session(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[Session { expires_at: Some(at(100)), ..shop.session(1) }]);
    let first = FirstUse { generation: 2, at: at(60) };
    assert!(write(bench, |tx| tx.sessions().note_first_use(session_id(1), first, at(0))));
    assert_eq!(write(bench, |tx| tx.sessions().sweep(at(200), 10)), 1);
    assert_eq!(first_uses(bench, 1), []);
}

/// The contracts of live sessions are told once each, by their labels; those of ended and expired ones are not.
pub fn the_contracts_of_live_sessions_are_told(bench: &Bench) {
    let shop = Shop::open(bench);
    let of = |number: u8, label: &str, expires_at| Session {
        dialect: tillgate_auth_core::Dialect::new(label),
        expires_at,
        ..shop.session(number)
    };
    let (soon, later) = (Some(at(100)), Some(at(200)));
    add(bench, &[of(1, "portos", later), of(2, "portos", None), of(3, "kasir", None), of(4, "fiuu", soon)]);
    add(bench, &[of(5, "posstar", later)]);
    write(bench, |tx| tx.endings().end(session_id(5), EndedWhy::Admin, at(9)));
    let told = |now| {
        let dialects = read(bench, |tx| tx.sessions().dialects(now));
        dialects.iter().map(|dialect| dialect.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(at(99)), ["fiuu", "kasir", "portos"]);
    assert_eq!(told(at(100)), ["kasir", "portos"]);
}

fn with_keys(shop: &Shop, number: u8, key: u8, previous: u8) -> Session {
    Session { key: key_id(key), previous_key: key_id(previous), ..shop.session(number) }
}

/// A live session names its newest key and the one before; what is ended or expired names none.
pub fn a_live_session_names_two_keys(bench: &Bench) {
    let shop = Shop::open(bench);
    let expired = |number, key| Session { expires_at: Some(at(100)), ..with_keys(&shop, number, key, key) };
    let forever = Session { expires_at: None, ..with_keys(&shop, 5, 7, 7) };
    add(bench, &[with_keys(&shop, 1, 2, 1), with_keys(&shop, 2, 3, 3), expired(3, 4), expired(4, 5), forever]);
    write(bench, |tx| tx.endings().end(session_id(2), EndedWhy::Admin, at(9)));
    let names = |key: u8, now| read(bench, |tx| tx.sessions().names(key_id(key), now));
    assert!(names(2, at(100)), "the newest");
    assert!(names(1, at(100)), "the one before");
    assert!(!names(3, at(100)), "of an ended session");
    assert!(!names(4, at(100)), "of one that expires at that instant");
    assert!(names(4, at(99)), "of one that expires later");
    assert!(names(7, at(1_000_000_000)), "of one that never expires");
    assert!(!names(6, at(100)), "a key that nobody names");
}

/// The ids of those that name a key, `limit` at most.
pub fn the_sessions_under_a_key_are_told(bench: &Bench) {
    let shop = Shop::open(bench);
    let expired = Session { expires_at: Some(at(100)), ..with_keys(&shop, 4, 1, 1) };
    add(bench, &[with_keys(&shop, 1, 1, 1), with_keys(&shop, 2, 2, 1), with_keys(&shop, 3, 2, 2), expired]);
    add(bench, &[with_keys(&shop, 5, 1, 3), with_keys(&shop, 6, 1, 1)]);
    write(bench, |tx| tx.endings().end(session_id(6), EndedWhy::Admin, at(9)));
    let under = |limit| {
        let mut under = read(bench, |tx| tx.sessions().under(key_id(1), at(100), limit));
        under.sort();
        under
    };
    assert_eq!(under(10), ids(&[1, 2, 5]));
    let two = under(2);
    assert_eq!(two.len(), 2);
    assert!(two.iter().all(|id| ids(&[1, 2, 5]).contains(id)), "{two:?}");
}

/// A sweep removes what was over before the instant and nothing else, and says how many.
pub fn a_sweep_removes_what_was_over(bench: &Bench) {
    let shop = Shop::open(bench);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..shop.session(number) };
    let (day, week) = (at(86_400), at(604_800));
    add(bench, &[until(1, Some(day)), until(2, Some(week)), until(3, None), until(4, Some(week)), until(5, None)]);
    write(bench, |tx| {
        tx.endings().end(session_id(4), EndedWhy::Logout, at(60))?;
        tx.endings().end(session_id(5), EndedWhy::Logout, week).map(drop)
    });
    let sweep = |before| write(bench, |tx| tx.sessions().sweep(before, 10));
    assert_eq!(sweep(at(60)), 0, "ended at that instant, not before");
    assert_eq!(sweep(day), 1, "the one that was ended; the other expires at that instant");
    assert_eq!(sweep(day.after(Duration::from_millis(1))), 1);
    let there: Vec<bool> = (1..=5).map(|number| found(bench, session_id(number)).is_some()).collect();
    assert_eq!(there, [false, true, true, false, true], "expired a millisecond ago, and ended though it had a week");
    let list = listed(bench, &SessionFilter { user: Some(shop.anna.id), ..SessionFilter::default() }, None, 10);
    assert_eq!(list, ids(&[5, 3, 2]));
}

/// A sweep removes `limit` at most; the next goes on.
pub fn a_sweep_has_a_limit(bench: &Bench) {
    let shop = Shop::open(bench);
    let over = |number: u8| Session { expires_at: Some(at(50)), ..shop.session(number) };
    add(bench, &[over(1), over(2), over(3), shop.session(4)]);
    let sweeps: Vec<u32> = (0..3).map(|_| write(bench, |tx| tx.sessions().sweep(at(10_000), 2))).collect();
    assert_eq!(sweeps, [2, 1, 0]);
    assert!(found(bench, session_id(4)).is_some());
}

/// A rotated session is swept by its new end, not by the old one.
pub fn a_rotation_puts_the_sweep_off(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[Session { expires_at: Some(at(100)), ..shop.session(1) }]);
    write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &rotation(2, at(90))));
    assert_eq!(write(bench, |tx| tx.sessions().sweep(at(200), 10)), 0);
    assert!(found(bench, session_id(1)).is_some());
}
