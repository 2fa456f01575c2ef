//! Passwords as the back office sets them, and where two of its units of work meet.

use tillgate_auth_core::ports::{CredentialKind, TokenDisposition};
use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::RoleHolderFilter;
use tillgate_domain::{
    EndReason, Epoch, PrincipalId, Scope, Secret, StoreError, StoreExt, StoreResult, User, UserName,
};

use crate::StoreHarness;
use crate::contract::{bucket_after_charge, count_key, full_bucket};
use crate::contract_fixture::{
    self, ContractFixture, after_start, hash_requested_password, new_device, new_tenant, new_user, run_office_write,
    run_read, session_id, user_id,
};
use crate::rendezvous::{Rendezvous, ThreadSignal, run_both};

fn find_password(whole: &StoreHarness, principal: PrincipalId) -> Option<(Secret<String>, i64)> {
    let found = run_read(&whole.auth, |tx| tx.credentials().find(principal, CredentialKind::Password));
    found.map(|found| (found.verifier, found.version))
}

/// A principal has a password once it is set; another in its place has a new version.
pub fn password_is_set(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    for principal in [PrincipalId::User(shop.namesake.id), PrincipalId::Device(shop.handheld.id)] {
        let has = || whole.office.read(|tx| tx.passwords().has(principal)).unwrap();
        assert!(!has());
        run_office_write(whole, |tx| tx.passwords().set(principal, &hash_requested_password("first"), after_start(5)));
        assert!(has());
        let (first, version) = find_password(whole, principal).unwrap();
        assert_eq!(first, hash_requested_password("first"));
        run_office_write(whole, |tx| tx.passwords().set(principal, &hash_requested_password("second"), after_start(6)));
        let (second, next) = find_password(whole, principal).unwrap();
        assert_eq!(second, hash_requested_password("second"));
        assert!(next > version);
    }
    let annas = find_password(whole, PrincipalId::User(shop.anna.id)).unwrap().0;
    assert_eq!(annas, hash_requested_password("hash of Anna's"), "another's stays");
}

/// The failed logins of a principal are forgotten, and theirs alone.
pub fn failed_logins_are_forgiven(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let bench = &whole.auth;
    for (number, principal) in [(1, shop.anna.id.0), (2, shop.anna.id.0), (3, shop.ben.id.0), (4, shop.till.id.0)] {
        contract_fixture::run_write(bench, |tx| {
            tx.attempts().take_token(
                count_key(number),
                Some(principal),
                &full_bucket(),
                &bucket_after_charge(&full_bucket(), 5),
                after_start(5),
            )?;
            tx.attempts().settle(count_key(number), TokenDisposition::Spent, after_start(5))
        });
    }
    let stored = || {
        let buckets =
            run_read(bench, |tx| tx.attempts().find_buckets(&[count_key(1), count_key(2), count_key(3), count_key(4)]));
        buckets.into_iter().map(|bucket| bucket != full_bucket()).collect::<Vec<_>>()
    };
    run_office_write(whole, |tx| tx.passwords().clear_failed_logins(PrincipalId::User(shop.anna.id)));
    assert_eq!(stored(), [false, false, true, true]);
    run_office_write(whole, |tx| tx.passwords().clear_failed_logins(PrincipalId::Device(shop.till.id)));
    assert_eq!(stored(), [false, false, true, false]);
}

type WriteFn = fn(&mut dyn OfficeTx, &ContractFixture) -> StoreResult<()>;

const OFFICE_WRITES: &[(&str, WriteFn)] = &[
    ("Tenants::insert", |tx, _| tx.tenants().insert(&new_tenant(9, "other", "UTC")).map(drop)),
    ("Tenants::claim", |tx, shop| tx.tenants().claim(shop.tenant.id).map(drop)),
    ("Tenants::update", |tx, shop| tx.tenants().update(&shop.tenant).map(drop)),
    ("Users::unlist", |tx, shop| tx.users().remove_device(shop.till.id)),
    ("Users::insert", |tx, shop| tx.users().insert(&new_user(9, shop.tenant.id, "New", None)).map(drop)),
    ("Users::update", |tx, shop| tx.users().update(&shop.anna).map(drop)),
    ("Users::set_password_change_required", |tx, shop| {
        tx.users().set_password_change_required(shop.anna.id, true, after_start(5)).map(drop)
    }),
    ("Devices::insert", |tx, shop| tx.devices().insert(&new_device(9, shop.tenant.id, "New")).map(drop)),
    ("Devices::update", |tx, shop| tx.devices().update(&shop.till).map(drop)),
    ("Roles::insert", |tx, shop| {
        tx.roles()
            .insert(&contract_fixture::new_role(10, shop.other_tenant.id, tillgate_domain::Rank::Manager))
            .map(drop)
    }),
    ("Roles::update", |tx, shop| tx.roles().update(&shop.roles[0]).map(drop)),
    ("Roles::remove", |tx, shop| tx.roles().remove(shop.roles[1].id, 1).map(drop)),
    ("Passwords::remove", |tx, shop| tx.passwords().remove(PrincipalId::User(shop.anna.id)).map(drop)),
    ("Passwords::set", |tx, shop| {
        tx.passwords().set(PrincipalId::User(shop.anna.id), &hash_requested_password("x"), after_start(5))
    }),
    ("Passwords::forgive", |tx, shop| tx.passwords().clear_failed_logins(PrincipalId::User(shop.anna.id))),
];

/// A write of the back office in a unit of work that reads is a `Fault` and writes nothing.
pub fn read_unit_of_the_office_cannot_write(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    contract_fixture::run_write(&whole.auth, |tx| {
        tx.attempts()
            .take_token(
                count_key(1),
                Some(shop.anna.id.0),
                &full_bucket(),
                &bucket_after_charge(&full_bucket(), 5),
                after_start(5),
            )
            .map(drop)
    });
    for (name, attempt) in OFFICE_WRITES {
        let answer = whole.office.read(|tx| attempt(tx, &shop));
        assert!(matches!(answer, Err(StoreError::Fault(_))), "{name}: {answer:?}");
    }
    for (name, attempt) in OFFICE_WRITES {
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
    assert_eq!(whole.office.read(|tx| tx.devices().find(contract_fixture::device_id(9))).unwrap(), None);
    assert_eq!(
        find_password(whole, PrincipalId::User(shop.anna.id)).unwrap().0,
        hash_requested_password("hash of Anna's")
    );
    assert_eq!(run_read(&whole.auth, |tx| tx.attempts().find_buckets(&[count_key(1)]))[0].open_attempts, 1);
}

/// A unit of work of one view inside one of the other is `Nested`: they are the same store.
pub fn both_views_are_one_store(whole: &StoreHarness) {
    ContractFixture::insert_into(&whole.auth);
    let inner = run_office_write(whole, |_| Ok(whole.auth.store.read(|tx| tx.keys().list())));
    assert_eq!(inner, Err(StoreError::Nested));
    let inner = run_read(&whole.auth, |_| Ok(whole.office.write(|tx| tx.users().any_exists())));
    assert_eq!(inner, Err(StoreError::Nested));
}

/// What the back office ends and touches, the observer is told of too.
pub fn observer_receives_changes_of_the_office(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let watcher = crate::recording_observer::RecordingObserver::observe(&whole.auth);
    run_office_write(whole, |tx| {
        tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, after_start(9))
    });
    let raised = tillgate_domain::Change::EpochBumped { scope: Scope::User(shop.anna.id), epoch: Epoch(1) };
    assert_eq!(watcher.changes(), [raised]);
}

/// Two claims of a tenant come one after the other: whoever has the second reads what the first has written.
pub fn concurrent_tenant_claims_are_serialized(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let crossing = Rendezvous::default();
    let count = || {
        run_office_write(whole, |tx| {
            tx.users().find(shop.ben.id)?;
            crossing.wait();
            assert!(tx.tenants().claim(shop.tenant.id)?);
            let ben = tx.users().find(shop.ben.id)?.expect("he is there");
            let seen: i32 = ben.display_name.parse().unwrap_or(0);
            let written = tx.users().update(&User { display_name: (seen + 1).to_string(), ..ben })?;
            assert!(written, "nobody else writes between the claim and the end");
            Ok(seen)
        })
    };
    let (one, other) = run_both(count, count);
    assert_eq!([one.min(other), one.max(other)], [0, 1]);
}

/// Two admins who remove each other at once: each claims first and counts afterwards, and one is left.
pub fn one_admin_remains(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let admin = [shop.roles[2].id];
    let ben = User {
        assignment: tillgate_domain::Assignment { office: admin.into(), ..tillgate_domain::Assignment::default() },
        ..shop.ben.clone()
    };
    run_office_write(whole, |tx| {
        tx.passwords().set(PrincipalId::User(ben.id), &hash_requested_password("x"), after_start(5))?;
        tx.users().update(&ben).map(drop)
    });
    let crossing = Rendezvous::default();
    let remove = |id| {
        run_office_write(whole, |tx| {
            tx.users().find(id)?;
            crossing.wait();
            assert!(tx.tenants().claim(shop.tenant.id)?);
            let others = RoleHolderFilter { roles: &admin, except_user: Some(id), except_device: None };
            if tx.users().count_holders(shop.tenant.id, &others)? == 0 {
                return Ok(false);
            }
            let found = tx.users().find(id)?.expect("they are there");
            tx.users().update(&User { status: tillgate_domain::UserStatus::Suspended, ..found })
        })
    };
    let (one, other) = run_both(|| remove(shop.anna.id), || remove(shop.ben.id));
    assert!(one != other, "{one} {other}: one is removed, the other stays");
}

/// No other claim of a tenant is answered before the unit of work that claimed it ends.
pub fn tenant_claim_holds_until_the_unit_ends(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let (claimed, tried) = (ThreadSignal::default(), ThreadSignal::default());
    let (early, won) = run_both(
        || {
            run_office_write(whole, |tx| {
                assert!(tx.tenants().claim(shop.tenant.id)?);
                claimed.set();
                Ok(tried.wait_briefly())
            })
        },
        || {
            claimed.wait();
            run_office_write(whole, |tx| {
                let won = tx.tenants().claim(shop.tenant.id)?;
                tried.set();
                Ok(won)
            })
        },
    );
    assert!(!early, "the other claim was answered before the end");
    assert!(won, "and after it");
}

/// Of two updates of one version one is won.
pub fn concurrent_updates_of_one_version_succeed_once(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let crossing = Rendezvous::default();
    let rename = |name: &str| {
        run_office_write(whole, |tx| {
            tx.users().find(shop.ben.id)?;
            crossing.wait();
            tx.users().update(&User { name: UserName::parse(name).unwrap(), ..shop.ben.clone() })
        })
    };
    let (one, other) = run_both(|| rename("Benjamin"), || rename("Benedikt"));
    assert!(one != other, "{one} {other}");
    let now = whole.office.read(|tx| tx.users().find(shop.ben.id)).unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.version), (if one { "Benjamin" } else { "Benedikt" }, 2));
}

/// Of two users of one name one is added.
pub fn concurrent_inserts_of_one_user_name_succeed_once(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let crossing = Rendezvous::default();
    let add = |number: u8| {
        run_office_write(whole, |tx| {
            let name = UserName::parse("New").unwrap();
            tx.users().find_by_name(shop.tenant.id, &name.to_folded())?;
            crossing.wait();
            tx.users().insert(&new_user(number, shop.tenant.id, "New", None))
        })
    };
    let (one, other) = run_both(|| add(10), || add(11));
    assert!(one != other, "{one} {other}");
    let there = [10, 11].map(|number| whole.office.read(|tx| tx.users().find(user_id(number))).unwrap().is_some());
    assert_eq!(there, [one, other]);
}

/// Two who set a password at once: both are stored, one after the other, and a login that read before either loses its claim.
pub fn concurrent_passwords_are_serialized(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let anna = PrincipalId::User(shop.anna.id);
    let (_, version) = find_password(whole, anna).unwrap();
    let crossing = Rendezvous::default();
    let set = |text: &str| {
        run_office_write(whole, |tx| {
            tx.passwords().has(anna)?;
            crossing.wait();
            tx.passwords().set(anna, &hash_requested_password(text), after_start(9))
        });
    };
    run_both(|| set("one"), || set("other"));
    let (now, next) = find_password(whole, anna).unwrap();
    assert_eq!(next, version + 2);
    assert!(now == hash_requested_password("one") || now == hash_requested_password("other"));
    let claimed = contract_fixture::run_write(&whole.auth, |tx| {
        tx.credentials().claim(anna, CredentialKind::Password, version, None, after_start(10))
    });
    assert!(!claimed);
}

/// Two first passwords at once: one principal has one password.
pub fn concurrent_first_passwords_leave_one(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let owner = PrincipalId::User(shop.namesake.id);
    let crossing = Rendezvous::default();
    let set = |text: &str| {
        run_office_write(whole, |tx| {
            tx.passwords().has(owner)?;
            crossing.wait();
            tx.passwords().set(owner, &hash_requested_password(text), after_start(9))
        });
    };
    run_both(|| set("one"), || set("other"));
    let (now, _) = find_password(whole, owner).unwrap();
    assert!(now == hash_requested_password("one") || now == hash_requested_password("other"));
}

/// The password change of the back office, whole (the epoch raised, then the password set), meets a login that has claimed its user
/// and its credential: no session of the old password is left.
pub fn password_change_of_the_office_leaves_no_old_session(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let anna = PrincipalId::User(shop.anna.id);
    let (_, version) = find_password(whole, anna).unwrap();
    let (claimed, changed) = (ThreadSignal::default(), ThreadSignal::default());
    run_both(
        || {
            contract_fixture::run_write(&whole.auth, |tx| {
                let won = tx.users().claim(shop.anna.id, Epoch(0), after_start(8))?
                    && tx.credentials().claim(anna, CredentialKind::Password, version, None, after_start(8))?;
                claimed.set();
                changed.wait_briefly();
                if won { tx.sessions().insert(&shop.new_session(1)) } else { Ok(()) }
            });
        },
        || {
            claimed.wait();
            run_office_write(whole, |tx| {
                tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Password, after_start(9))?;
                tx.passwords().set(anna, &hash_requested_password("another"), after_start(9))
            });
            changed.set();
        },
    );
    let survives =
        contract_fixture::find_session(&whole.auth, session_id(1)).is_some_and(|session| session.ended.is_none());
    assert!(!survives, "a session made with the old password survives the change");
}
