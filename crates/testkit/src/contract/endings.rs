//! Endings and the audit: what is over, what is stale, what was told.

use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{Change, DeviceId, EndedWhy, Epoch, Scope, StoreError, StoreExt, TenantId, UserId};

use crate::Bench;
use crate::shop::{Shop, add, at, line, read, session_id, stored, write};
use crate::watcher::Watcher;

fn feed(bench: &Bench) -> Vec<Change> {
    read(bench, |tx| Ok(tx.feed().look(None)?.changes)).into_iter().map(|found| found.change).collect()
}

/// The numbers of those among the sessions that have been ended.
fn ended(bench: &Bench, numbers: &[u8]) -> Vec<u8> {
    numbers.iter().copied().filter(|number| stored(bench, session_id(*number)).ended.is_some()).collect()
}

/// The end of a session is kept with its instant and reason and told to everybody; other sessions go on.
pub fn an_end_is_kept_and_told(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1), shop.session(2)]);
    let watcher = Watcher::over(bench);
    assert!(write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Replay, at(9))));
    let expected = Session { ended: Some((at(9), EndedWhy::Replay)), ..shop.session(1) };
    assert_eq!(stored(bench, session_id(1)), expected);
    assert_eq!(stored(bench, session_id(2)), shop.session(2));
    assert_eq!(watcher.changes(), [Change::Ended(session_id(1))]);
    assert!(feed(bench).contains(&Change::Ended(session_id(1))));
}

/// A session ends once: a second end is false, keeps the first reason, and tells nobody. So is the end of one that never was.
pub fn a_session_ends_once(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Logout, at(9)));
    let watcher = Watcher::over(bench);
    assert!(!write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(10))));
    assert!(!write(bench, |tx| tx.endings().end(session_id(2), EndedWhy::Admin, at(10))));
    assert_eq!(stored(bench, session_id(1)).ended, Some((at(9), EndedWhy::Logout)));
    assert_eq!(watcher.changes(), []);
}

/// With a session ends every session that stands on it, however far up, each told by itself.
pub fn what_stands_on_a_session_ends_with_it(bench: &Bench) {
    let shop = Shop::open(bench);
    let on = |number: u8, parent: u8| Session { parent: Some(session_id(parent)), ..shop.session(number) };
    add(bench, &[shop.session(1), on(2, 1), on(3, 2), on(4, 1), shop.session(5), on(6, 5)]);
    let earlier = write(bench, |tx| tx.endings().end(session_id(4), EndedWhy::Logout, at(7)));
    assert!(earlier);
    let watcher = Watcher::over(bench);
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Admin, at(9)));
    assert_eq!(ended(bench, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4]);
    assert_eq!(stored(bench, session_id(3)).ended.map(|(when, _)| when), Some(at(9)));
    assert_eq!(stored(bench, session_id(4)).ended, Some((at(7), EndedWhy::Logout)), "it was over already");
    let mut told = watcher.changes();
    told.sort_by_key(|change| format!("{change:?}"));
    let mut expected = [1, 2, 3].map(|number| Change::Ended(session_id(number)));
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(told, expected);
}

/// Sessions of every kind, of Anna and Ben, in the office, on the till and far away; number 8 has been ended before.
fn crowd(bench: &Bench) -> Shop {
    let shop = Shop::open(bench);
    let far =
        Session { tenant: shop.other.id, user: Some(shop.namesake.id), device: Some(shop.far.id), ..shop.session(7) };
    add(
        bench,
        &[
            shop.session(1),
            shop.session_on_till(2),
            Session { kind: SessionKind::Permanent, ..shop.session_on_till(3) },
            Session { user: Some(shop.ben.id), ..shop.session_on_till(4) },
            Session { kind: SessionKind::Device, user: None, ..shop.session_on_till(5) },
            Session { device: Some(shop.handheld.id), user: Some(shop.ben.id), ..shop.session(6) },
            far,
            shop.session_on_till(8),
        ],
    );
    write(bench, |tx| tx.endings().end(session_id(8), EndedWhy::Logout, at(9)));
    shop
}

const ALL: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// A raise ends every session of its scope but the permanent ones, with its instant and reason, and no other session.
pub fn a_raise_ends_all_of_its_scope(bench: &Bench) {
    let shop = crowd(bench);
    write(bench, |tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(20)));
    assert_eq!(ended(bench, &ALL), [1, 2], "Anna's");
    assert_eq!(stored(bench, session_id(1)).ended, Some((at(20), EndedWhy::Suspended)));
    write(bench, |tx| tx.endings().raise(Scope::Device(shop.till.id), EndedWhy::Locked, at(21)));
    assert_eq!(ended(bench, &ALL), [1, 2, 4, 5], "and those on the till");
    assert_eq!(
        stored(bench, session_id(2)).ended,
        Some((at(20), EndedWhy::Suspended)),
        "those before stay as they are"
    );
    write(bench, |tx| tx.endings().raise(Scope::Tenant(shop.tenant.id), EndedWhy::Admin, at(22)));
    assert_eq!(ended(bench, &ALL), [1, 2, 4, 5, 6], "and the rest of the vendor's");
    assert_eq!(stored(bench, session_id(8)).ended, Some((at(9), EndedWhy::Logout)));
}

/// With the sessions that a raise ends ends what stands on them. What the epoch does not tell of is told by itself: a session of
/// somebody else, a permanent one.
pub fn what_stands_on_a_raised_session_ends_with_it(bench: &Bench) {
    let shop = Shop::open(bench);
    let on = |number: u8, parent: u8, session: Session| Session {
        id: session_id(number),
        parent: Some(session_id(parent)),
        ..session
    };
    let bens = Session { user: Some(shop.ben.id), ..shop.session_on_till(1) };
    let permanent = Session { kind: SessionKind::Permanent, ..shop.session_on_till(1) };
    add(
        bench,
        &[
            shop.session_on_till(1),
            on(2, 1, shop.session(2)),
            on(3, 1, bens.clone()),
            on(4, 3, bens.clone()),
            on(5, 2, permanent),
            Session { id: session_id(6), ..bens },
        ],
    );
    let watcher = Watcher::over(bench);
    write(bench, |tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(9)));
    assert_eq!(ended(bench, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5]);
    assert_eq!(stored(bench, session_id(4)).ended, Some((at(9), EndedWhy::Suspended)));
    let raised = Change::Raised { scope: Scope::User(shop.anna.id), epoch: Epoch(1) };
    let told = watcher.changes();
    let apart = [3, 4, 5].map(|number| Change::Ended(session_id(number)));
    assert!(told.contains(&raised) && apart.iter().all(|change| told.contains(change)), "{told:?}");
    assert_eq!(told.len(), 4, "each once, and no other: {told:?}");
}

/// What is severed of a scope are its permanent sessions and what stands on them, each told by itself; no epoch is raised and no
/// other session ends.
pub fn what_is_severed_is_permanent_and_told(bench: &Bench) {
    let shop = crowd(bench);
    let permanent =
        |number: u8, session: Session| Session { id: session_id(number), kind: SessionKind::Permanent, ..session };
    add(
        bench,
        &[
            permanent(9, Session { user: Some(shop.ben.id), ..shop.session_on_till(9) }),
            Session { parent: Some(session_id(3)), user: Some(shop.ben.id), ..shop.session(10) },
            permanent(11, Session { user: Some(shop.ben.id), device: Some(shop.handheld.id), ..shop.session(11) }),
        ],
    );
    let numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11];
    let watcher = Watcher::over(bench);
    write(bench, |tx| tx.endings().sever(Scope::User(shop.anna.id), EndedWhy::Password, at(20)));
    assert_eq!(ended(bench, &numbers), [3, 10], "Anna's, and what stands on it");
    assert_eq!(stored(bench, session_id(3)).ended, Some((at(20), EndedWhy::Password)));
    let mut told = watcher.changes();
    told.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(told, [3, 10].map(|number| Change::Ended(session_id(number))));
    write(bench, |tx| tx.endings().sever(Scope::Device(shop.till.id), EndedWhy::Locked, at(21)));
    assert_eq!(ended(bench, &numbers), [3, 9, 10], "those on the till");
    write(bench, |tx| tx.endings().sever(Scope::Tenant(shop.other.id), EndedWhy::Admin, at(22)));
    assert_eq!(ended(bench, &numbers), [3, 9, 10], "another vendor's");
    write(bench, |tx| tx.endings().sever(Scope::Tenant(shop.tenant.id), EndedWhy::Admin, at(23)));
    assert_eq!(ended(bench, &numbers), [3, 9, 10, 11], "the vendor's");
    let epoch = read(bench, |tx| tx.users().find(shop.anna.id)).map(|anna| anna.epoch);
    assert_eq!(epoch, Some(Epoch(0)));
}

/// A raise returns the new epoch, one more each time, and raises no other's.
pub fn a_raise_returns_the_new_epoch(bench: &Bench) {
    let shop = Shop::open(bench);
    let scopes = [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Tenant(shop.tenant.id)];
    for (scope, times) in scopes.into_iter().zip([1, 2, 3]) {
        for time in 1..=times {
            let raised = write(bench, |tx| tx.endings().raise(scope, EndedWhy::Admin, at(9)));
            assert_eq!(raised, Some(Epoch(time)), "{scope:?}");
        }
    }
    let epochs = read(bench, |tx| {
        Ok([
            tx.users().find(shop.anna.id)?.map(|found| found.epoch),
            tx.users().find(shop.ben.id)?.map(|found| found.epoch),
            tx.devices().find(shop.till.id)?.map(|found| found.epoch),
            tx.devices().find(shop.handheld.id)?.map(|found| found.epoch),
            tx.tenants().find(shop.tenant.id)?.map(|found| found.epoch),
            tx.tenants().find(shop.other.id)?.map(|found| found.epoch),
        ])
    });
    assert_eq!(epochs, [1, 0, 2, 0, 3, 0].map(|epoch| Some(Epoch(epoch))));
}

/// A raise is told once, as the epoch below which all is over.
pub fn a_raise_is_told_once(bench: &Bench) {
    let shop = crowd(bench);
    for scope in [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Tenant(shop.tenant.id)] {
        let watcher = Watcher::over(bench);
        write(bench, |tx| tx.endings().raise(scope, EndedWhy::Admin, at(9)));
        let raised = Change::Raised { scope, epoch: Epoch(1) };
        assert_eq!(watcher.changes(), [raised]);
        assert_eq!(feed(bench).iter().filter(|change| **change == raised).count(), 1);
    }
}

/// Where there is nobody to raise, and of keys and the clock, which have no epoch, a raise is `None` and tells nobody.
pub fn a_raise_of_nobody_is_none(bench: &Bench) {
    Shop::open(bench);
    let watcher = Watcher::over(bench);
    let nobody = uuid::Uuid::from_u128(77);
    for scope in [
        Scope::User(UserId(nobody)),
        Scope::Device(DeviceId(nobody)),
        Scope::Tenant(TenantId(nobody)),
        Scope::Keys,
        Scope::Clock,
    ] {
        assert_eq!(write(bench, |tx| tx.endings().raise(scope, EndedWhy::Admin, at(9))), None, "{scope:?}");
    }
    assert_eq!(watcher.changes(), []);
}

/// A touch is told, and ends nothing.
pub fn a_touch_is_told_and_ends_nothing(bench: &Bench) {
    let shop = crowd(bench);
    let scopes = [
        Scope::User(shop.anna.id),
        Scope::Device(shop.till.id),
        Scope::Tenant(shop.tenant.id),
        Scope::Keys,
        Scope::Clock,
    ];
    let watcher = Watcher::over(bench);
    write(bench, |tx| scopes.iter().try_for_each(|scope| tx.endings().touch(*scope, at(9))));
    let expected = scopes.map(Change::Touched);
    assert_eq!(watcher.changes(), expected);
    let feed = feed(bench);
    assert!(expected.iter().all(|change| feed.contains(change)), "{feed:?}");
    assert_eq!(ended(bench, &ALL), Vec::<u8>::new());
    let anna = read(bench, |tx| tx.users().find(shop.anna.id));
    assert_eq!(anna.map(|anna| anna.epoch), Some(Epoch(0)));
}

/// A line of the audit is kept as it was told, after those before it.
pub fn a_line_of_the_audit_is_kept(bench: &Bench) {
    Shop::open(bench);
    let earlier = bench.lines().map_or(0, |lines| lines.len());
    let bare = tillgate_domain::Event {
        tenant: None,
        actor: tillgate_domain::Actor::default(),
        subject: tillgate_domain::Subject::Server,
        outcome: tillgate_domain::Outcome::Refused,
        details: serde_json::Map::new(),
        approver: Some(crate::shop::user_id(2)),
        ..line(2, at(2_000_001))
    };
    write(bench, |tx| tx.audit().tell(&line(1, at(2_000_000))));
    write(bench, |tx| tx.audit().tell(&bare));
    assert_eq!(read(bench, |tx| tx.instances().newest()), Some(at(2_000_001)), "the store bears the line");
    if let Some(lines) = bench.lines() {
        assert_eq!(lines.get(earlier..), Some(&[line(1, at(2_000_000)), bare][..]));
    }
}

/// Lines are never changed: a second line of one id is refused.
pub fn a_line_of_the_audit_is_never_changed(bench: &Bench) {
    Shop::open(bench);
    write(bench, |tx| tx.audit().tell(&line(1, at(9))));
    let before = bench.lines();
    let changed = tillgate_domain::Event { outcome: tillgate_domain::Outcome::Refused, ..line(1, at(9)) };
    let again = bench.store.write(|tx| tx.audit().tell(&changed));
    assert!(matches!(again, Err(StoreError::Fault(_))), "{again:?}");
    assert_eq!(bench.lines(), before);
}
