//! Passwords as the back office sets them, and where two of its units of work meet.

use tillgate_auth_core::ports::{CredentialKind, Settled};
use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::HoldersOf;
use tillgate_domain::{EndedWhy, Epoch, PrincipalId, Scope, Secret, StoreError, StoreExt, Stored, User, UserName};

use crate::Whole;
use crate::contract::{digest, full, taken};
use crate::meeting::{Crossing, Signal, both};
use crate::shop::{self, Shop, at, device, office, read, session_id, tenant, user, user_id, verifier};

fn password(whole: &Whole, principal: PrincipalId) -> Option<(Secret<String>, i64)> {
    let found = read(&whole.bench, |tx| tx.credentials().find(principal, CredentialKind::Password));
    found.map(|found| (found.verifier, found.version))
}

/// A principal has a password once it is set; another in its place has a new version.
pub fn a_password_is_set(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    for principal in [PrincipalId::User(shop.namesake.id), PrincipalId::Device(shop.handheld.id)] {
        let has = || whole.office.read(|tx| tx.passwords().has(principal)).unwrap();
        assert!(!has());
        office(whole, |tx| tx.passwords().set(principal, &verifier("first"), at(5)));
        assert!(has());
        let (first, version) = password(whole, principal).unwrap();
        assert_eq!(first, verifier("first"));
        office(whole, |tx| tx.passwords().set(principal, &verifier("second"), at(6)));
        let (second, next) = password(whole, principal).unwrap();
        assert_eq!(second, verifier("second"));
        assert!(next > version);
    }
    let annas = password(whole, PrincipalId::User(shop.anna.id)).unwrap().0;
    assert_eq!(annas, verifier("hash of Anna's"), "another's stays");
}

/// The failed logins of a principal are forgotten, and theirs alone.
pub fn failed_logins_are_forgotten(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let bench = &whole.bench;
    for (number, principal) in [(1, shop.anna.id.0), (2, shop.anna.id.0), (3, shop.ben.id.0), (4, shop.till.id.0)] {
        shop::write(bench, |tx| {
            tx.attempts().charge(digest(number), Some(principal), &full(), &taken(&full(), 5), at(5))?;
            tx.attempts().settle(digest(number), Settled::Spent, at(5))
        });
    }
    let stored = || {
        let buckets = read(bench, |tx| tx.attempts().buckets(&[digest(1), digest(2), digest(3), digest(4)]));
        buckets.into_iter().map(|bucket| bucket != full()).collect::<Vec<_>>()
    };
    office(whole, |tx| tx.passwords().forgive(PrincipalId::User(shop.anna.id)));
    assert_eq!(stored(), [false, false, true, true]);
    office(whole, |tx| tx.passwords().forgive(PrincipalId::Device(shop.till.id)));
    assert_eq!(stored(), [false, false, true, false]);
}

type Write = fn(&mut dyn OfficeTx, &Shop) -> Stored<()>;

const WRITES: &[(&str, Write)] = &[
    ("Tenants::insert", |tx, _| tx.tenants().insert(&tenant(9, "other", "UTC")).map(drop)),
    ("Tenants::claim", |tx, shop| tx.tenants().claim(shop.tenant.id).map(drop)),
    ("Tenants::update", |tx, shop| tx.tenants().update(&shop.tenant).map(drop)),
    ("Users::unlist", |tx, shop| tx.users().unlist(shop.till.id)),
    ("Users::insert", |tx, shop| tx.users().insert(&user(9, shop.tenant.id, "New", None)).map(drop)),
    ("Users::update", |tx, shop| tx.users().update(&shop.anna).map(drop)),
    ("Users::set_password_change_required", |tx, shop| {
        tx.users().set_password_change_required(shop.anna.id, true, at(5)).map(drop)
    }),
    ("Devices::insert", |tx, shop| tx.devices().insert(&device(9, shop.tenant.id, "New")).map(drop)),
    ("Devices::update", |tx, shop| tx.devices().update(&shop.till).map(drop)),
    ("Roles::insert", |tx, shop| {
        tx.roles().insert(&shop::role(10, shop.other.id, tillgate_domain::Rank::Manager)).map(drop)
    }),
    ("Roles::update", |tx, shop| tx.roles().update(&shop.roles[0]).map(drop)),
    ("Roles::remove", |tx, shop| tx.roles().remove(shop.roles[1].id, 1).map(drop)),
    ("Passwords::remove", |tx, shop| tx.passwords().remove(PrincipalId::User(shop.anna.id)).map(drop)),
    ("Passwords::set", |tx, shop| tx.passwords().set(PrincipalId::User(shop.anna.id), &verifier("x"), at(5))),
    ("Passwords::forgive", |tx, shop| tx.passwords().forgive(PrincipalId::User(shop.anna.id))),
];

/// A write of the back office in a unit of work that reads is a `Fault` and writes nothing.
pub fn a_reader_of_the_office_cannot_write(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    shop::write(&whole.bench, |tx| {
        tx.attempts().charge(digest(1), Some(shop.anna.id.0), &full(), &taken(&full(), 5), at(5)).map(drop)
    });
    for (name, attempt) in WRITES {
        let answer = whole.office.read(|tx| attempt(tx, &shop));
        assert!(matches!(answer, Err(StoreError::Fault(_))), "{name}: {answer:?}");
    }
    for (name, attempt) in WRITES {
        let failed = whole.office.write(|tx| {
            attempt(tx, &shop)?;
            Err::<(), _>(StoreError::Fault("on purpose".into()))
        });
        assert_eq!(failed, Err(StoreError::Fault("on purpose".into())), "{name} in a unit of work that writes");
    }
    let tenant = whole.office.read(|tx| tx.tenants().find(shop.tenant.id)).unwrap();
    assert_eq!(tenant, Some(shop.tenant.clone()));
    assert_eq!(whole.office.read(|tx| tx.users().find(shop.anna.id)).unwrap(), Some(shop.anna.clone()));
    assert_eq!(whole.office.read(|tx| tx.users().find(user_id(9))).unwrap(), None);
    assert_eq!(whole.office.read(|tx| tx.devices().find(shop.till.id)).unwrap(), Some(shop.till.clone()));
    assert_eq!(whole.office.read(|tx| tx.devices().find(shop::device_id(9))).unwrap(), None);
    assert_eq!(password(whole, PrincipalId::User(shop.anna.id)).unwrap().0, verifier("hash of Anna's"));
    assert_eq!(read(&whole.bench, |tx| tx.attempts().buckets(&[digest(1)]))[0].open, 1);
}

/// A unit of work of one view inside one of the other is `Nested`: they are the same store.
pub fn the_views_are_one_store(whole: &Whole) {
    Shop::open(&whole.bench);
    let inner = office(whole, |_| Ok(whole.bench.store.read(|tx| tx.keys().all())));
    assert_eq!(inner, Err(StoreError::Nested));
    let inner = read(&whole.bench, |_| Ok(whole.office.write(|tx| tx.users().any())));
    assert_eq!(inner, Err(StoreError::Nested));
}

/// What the back office ends and touches, the observer is told of too.
pub fn the_observer_is_told_of_the_office(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let watcher = crate::watcher::Watcher::over(&whole.bench);
    office(whole, |tx| tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Suspended, at(9)));
    let raised = tillgate_domain::Change::Raised { scope: Scope::User(shop.anna.id), epoch: Epoch(1) };
    assert_eq!(watcher.changes(), [raised]);
}

/// Two claims of a tenant come one after the other: whoever has the second reads what the first has written.
pub fn two_claims_of_a_tenant(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let crossing = Crossing::default();
    let count = || {
        office(whole, |tx| {
            tx.users().find(shop.ben.id)?;
            crossing.meet();
            assert!(tx.tenants().claim(shop.tenant.id)?);
            let ben = tx.users().find(shop.ben.id)?.expect("he is there");
            let seen: i32 = ben.display_name.parse().unwrap_or(0);
            let written = tx.users().update(&User { display_name: (seen + 1).to_string(), ..ben })?;
            assert!(written, "nobody else writes between the claim and the end");
            Ok(seen)
        })
    };
    let (one, other) = both(count, count);
    assert_eq!([one.min(other), one.max(other)], [0, 1]);
}

/// Two admins who remove each other at once: each claims first and counts afterwards, and one is left.
pub fn an_admin_is_left(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let admin = [shop.roles[2].id];
    let ben = User {
        assignment: tillgate_domain::Assignment { office: admin.into(), ..tillgate_domain::Assignment::default() },
        ..shop.ben.clone()
    };
    office(whole, |tx| {
        tx.passwords().set(PrincipalId::User(ben.id), &verifier("x"), at(5))?;
        tx.users().update(&ben).map(drop)
    });
    let crossing = Crossing::default();
    let remove = |id| {
        office(whole, |tx| {
            tx.users().find(id)?;
            crossing.meet();
            assert!(tx.tenants().claim(shop.tenant.id)?);
            let others = HoldersOf { roles: &admin, but_user: Some(id), but_device: None };
            if tx.users().holders(shop.tenant.id, &others)? == 0 {
                return Ok(false);
            }
            let found = tx.users().find(id)?.expect("they are there");
            tx.users().update(&User { status: tillgate_domain::UserStatus::Suspended, ..found })
        })
    };
    let (one, other) = both(|| remove(shop.anna.id), || remove(shop.ben.id));
    assert!(one != other, "{one} {other}: one is removed, the other stays");
}

/// No other claim of a tenant is answered before the unit of work that claimed it ends.
pub fn a_claim_holds_until_its_end(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let (claimed, tried) = (Signal::default(), Signal::default());
    let (early, won) = both(
        || {
            office(whole, |tx| {
                assert!(tx.tenants().claim(shop.tenant.id)?);
                claimed.give();
                Ok(tried.wait_briefly())
            })
        },
        || {
            claimed.wait();
            office(whole, |tx| {
                let won = tx.tenants().claim(shop.tenant.id)?;
                tried.give();
                Ok(won)
            })
        },
    );
    assert!(!early, "the other claim was answered before the end");
    assert!(won, "and after it");
}

/// Of two updates of one version one is won.
pub fn two_updates_of_one_version(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let crossing = Crossing::default();
    let rename = |name: &str| {
        office(whole, |tx| {
            tx.users().find(shop.ben.id)?;
            crossing.meet();
            tx.users().update(&User { name: UserName::parse(name).unwrap(), ..shop.ben.clone() })
        })
    };
    let (one, other) = both(|| rename("Benjamin"), || rename("Benedikt"));
    assert!(one != other, "{one} {other}");
    let now = whole.office.read(|tx| tx.users().find(shop.ben.id)).unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.version), (if one { "Benjamin" } else { "Benedikt" }, 2));
}

/// Of two users of one name one is added.
pub fn two_users_of_one_name(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let crossing = Crossing::default();
    let add = |number: u8| {
        office(whole, |tx| {
            let name = UserName::parse("New").unwrap();
            tx.users().named(shop.tenant.id, &name.folded())?;
            crossing.meet();
            tx.users().insert(&user(number, shop.tenant.id, "New", None))
        })
    };
    let (one, other) = both(|| add(10), || add(11));
    assert!(one != other, "{one} {other}");
    let there = [10, 11].map(|number| whole.office.read(|tx| tx.users().find(user_id(number))).unwrap().is_some());
    assert_eq!(there, [one, other]);
}

/// Two who set a password at once: both are stored, one after the other, and a login that read before either loses its claim.
pub fn two_passwords_at_once(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let anna = PrincipalId::User(shop.anna.id);
    let (_, version) = password(whole, anna).unwrap();
    let crossing = Crossing::default();
    let set = |text: &str| {
        office(whole, |tx| {
            tx.passwords().has(anna)?;
            crossing.meet();
            tx.passwords().set(anna, &verifier(text), at(9))
        });
    };
    both(|| set("one"), || set("other"));
    let (now, next) = password(whole, anna).unwrap();
    assert_eq!(next, version + 2);
    assert!(now == verifier("one") || now == verifier("other"));
    let claimed =
        shop::write(&whole.bench, |tx| tx.credentials().claim(anna, CredentialKind::Password, version, None, at(10)));
    assert!(!claimed);
}

/// Two first passwords at once: one principal has one password.
pub fn two_first_passwords(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let owner = PrincipalId::User(shop.namesake.id);
    let crossing = Crossing::default();
    let set = |text: &str| {
        office(whole, |tx| {
            tx.passwords().has(owner)?;
            crossing.meet();
            tx.passwords().set(owner, &verifier(text), at(9))
        });
    };
    both(|| set("one"), || set("other"));
    let (now, _) = password(whole, owner).unwrap();
    assert!(now == verifier("one") || now == verifier("other"));
}

/// The password change of the back office, whole (the epoch raised, then the password set), meets a login that has claimed its user
/// and its credential: no session of the old password is left.
pub fn a_password_change_of_the_office_leaves_no_old_session(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let anna = PrincipalId::User(shop.anna.id);
    let (_, version) = password(whole, anna).unwrap();
    let (claimed, changed) = (Signal::default(), Signal::default());
    both(
        || {
            shop::write(&whole.bench, |tx| {
                let won = tx.users().claim(shop.anna.id, Epoch(0), at(8))?
                    && tx.credentials().claim(anna, CredentialKind::Password, version, None, at(8))?;
                claimed.give();
                changed.wait_briefly();
                if won { tx.sessions().insert(&shop.session(1)) } else { Ok(()) }
            });
        },
        || {
            claimed.wait();
            office(whole, |tx| {
                tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Password, at(9))?;
                tx.passwords().set(anna, &verifier("another"), at(9))
            });
            changed.give();
        },
    );
    let survives = shop::found(&whole.bench, session_id(1)).is_some_and(|session| session.ended.is_none());
    assert!(!survives, "a session made with the old password survives the change");
}
