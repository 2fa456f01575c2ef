//! Passwords as the back office sets them, and concurrent units of work of the back office.

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

fn find_password(harness: &StoreHarness, principal: PrincipalId) -> Option<(Secret<String>, i64)> {
    let found = run_read(&harness.auth, |tx| tx.credentials().find(principal, CredentialKind::Password));
    found.map(|found| (found.verifier, found.version))
}

/// A principal has a password once one is set. Setting another one increments the version.
pub fn password_is_set(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for principal in [PrincipalId::User(fixture.namesake.id), PrincipalId::Device(fixture.handheld.id)] {
        let has = || harness.office.read("test", |tx| tx.passwords().has(principal)).unwrap();
        assert!(!has());
        run_office_write(harness, |tx| {
            tx.passwords().set(principal, &hash_requested_password("first"), after_start(5))
        });
        assert!(has());
        let (first, version) = find_password(harness, principal).unwrap();
        assert_eq!(first, hash_requested_password("first"));
        run_office_write(harness, |tx| {
            tx.passwords().set(principal, &hash_requested_password("second"), after_start(6))
        });
        let (second, next) = find_password(harness, principal).unwrap();
        assert_eq!(second, hash_requested_password("second"));
        assert!(next > version);
    }
    let annas = find_password(harness, PrincipalId::User(fixture.anna.id)).unwrap().0;
    assert_eq!(annas, hash_requested_password("hash of Anna's"), "another's stays");
    let without = new_user(90, fixture.tenant.id, "without", None);
    assert!(run_office_write(harness, |tx| tx.users().insert(&without)));
    let with = [fixture.anna.id, fixture.namesake.id];
    let found = harness
        .office
        .read("test", |tx| tx.passwords().find_users_with_password(&with.into_iter().chain([without.id]).collect()));
    assert_eq!(found.unwrap(), with.into());
}

/// Clearing the failed logins of a principal does not affect other principals.
pub fn failed_logins_are_forgiven(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let auth = &harness.auth;
    for (number, principal) in
        [(1, fixture.anna.id.0), (2, fixture.anna.id.0), (3, fixture.ben.id.0), (4, fixture.till.id.0)]
    {
        contract_fixture::run_write(auth, |tx| {
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
            run_read(auth, |tx| tx.attempts().find_buckets(&[count_key(1), count_key(2), count_key(3), count_key(4)]));
        buckets.into_iter().map(|bucket| bucket != full_bucket()).collect::<Vec<_>>()
    };
    run_office_write(harness, |tx| tx.passwords().clear_failed_logins(PrincipalId::User(fixture.anna.id)));
    assert_eq!(stored(), [false, false, true, true]);
    run_office_write(harness, |tx| tx.passwords().clear_failed_logins(PrincipalId::Device(fixture.till.id)));
    assert_eq!(stored(), [false, false, true, false]);
}

type WriteFn = fn(&mut dyn OfficeTx, &ContractFixture) -> StoreResult<()>;

const OFFICE_WRITES: &[(&str, WriteFn)] = &[
    ("Tenants::insert", |tx, _| tx.tenants().insert(&new_tenant(9, "other", "UTC")).map(drop)),
    ("Tenants::claim", |tx, fixture| tx.tenants().claim(fixture.tenant.id).map(drop)),
    ("Tenants::update", |tx, fixture| tx.tenants().update(&fixture.tenant).map(drop)),
    ("Users::remove_device", |tx, fixture| tx.users().remove_device(fixture.till.id)),
    ("Users::insert", |tx, fixture| tx.users().insert(&new_user(9, fixture.tenant.id, "New", None)).map(drop)),
    ("Users::update", |tx, fixture| tx.users().update(&fixture.anna).map(drop)),
    ("Users::set_password_change_required", |tx, fixture| {
        tx.users().set_password_change_required(fixture.anna.id, true, after_start(5)).map(drop)
    }),
    ("Devices::insert", |tx, fixture| tx.devices().insert(&new_device(9, fixture.tenant.id, "New")).map(drop)),
    ("Devices::update", |tx, fixture| tx.devices().update(&fixture.till).map(drop)),
    ("Roles::insert", |tx, fixture| {
        tx.roles()
            .insert(&contract_fixture::new_role(10, fixture.other_tenant.id, tillgate_domain::Rank::Manager))
            .map(drop)
    }),
    ("Roles::update", |tx, fixture| tx.roles().update(&fixture.roles[0]).map(drop)),
    ("Roles::remove", |tx, fixture| tx.roles().remove(fixture.roles[1].id, 1).map(drop)),
    ("Pins::claim_key", |tx, _| tx.pins().claim_key(contract_fixture::key_id(1)).map(drop)),
    ("Pins::remove", |tx, fixture| tx.pins().remove(fixture.anna.id).map(drop)),
    ("Passwords::remove", |tx, fixture| tx.passwords().remove(PrincipalId::User(fixture.anna.id)).map(drop)),
    ("Passwords::set", |tx, fixture| {
        tx.passwords().set(PrincipalId::User(fixture.anna.id), &hash_requested_password("x"), after_start(5))
    }),
    ("Passwords::clear_failed_logins", |tx, fixture| {
        tx.passwords().clear_failed_logins(PrincipalId::User(fixture.anna.id))
    }),
];

/// A write of the back office in a unit of work with `Mode::Read` returns a `Fault` and writes
/// nothing.
pub fn read_unit_of_the_office_cannot_write(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    contract_fixture::run_write(&harness.auth, |tx| {
        tx.attempts()
            .take_token(
                count_key(1),
                Some(fixture.anna.id.0),
                &full_bucket(),
                &bucket_after_charge(&full_bucket(), 5),
                after_start(5),
            )
            .map(drop)
    });
    for (name, attempt) in OFFICE_WRITES {
        let result = harness.office.read("test", |tx| attempt(tx, &fixture));
        assert!(matches!(result, Err(StoreError::Fault(_))), "{name}: {result:?}");
    }
    for (name, attempt) in OFFICE_WRITES {
        let failed = harness.office.write("test", |tx| {
            attempt(tx, &fixture)?;
            Err::<(), _>(StoreError::Fault("on purpose".into()))
        });
        assert_eq!(
            failed,
            Err(StoreError::Fault("on purpose".into()).in_unit("test")),
            "{name} in a unit of work that writes"
        );
    }
    let tenant = harness.office.read("test", |tx| tx.tenants().find(fixture.tenant.id)).unwrap();
    assert_eq!(tenant, Some(fixture.tenant.clone()));
    assert_eq!(harness.office.read("test", |tx| tx.users().find(fixture.anna.id)).unwrap(), Some(fixture.anna.clone()));
    assert_eq!(harness.office.read("test", |tx| tx.users().find(user_id(9))).unwrap(), None);
    assert_eq!(
        harness.office.read("test", |tx| tx.devices().find(fixture.till.id)).unwrap(),
        Some(fixture.till.clone())
    );
    assert_eq!(harness.office.read("test", |tx| tx.devices().find(contract_fixture::device_id(9))).unwrap(), None);
    assert_eq!(
        find_password(harness, PrincipalId::User(fixture.anna.id)).unwrap().0,
        hash_requested_password("hash of Anna's")
    );
    assert_eq!(run_read(&harness.auth, |tx| tx.attempts().find_buckets(&[count_key(1)]))[0].open_attempts, 1);
}

/// A unit of work with the back office's ports inside one with the ports of authentication, or the
/// reverse, returns `Nested`: both belong to one store.
pub fn both_views_are_one_store(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    let inner = run_office_write(harness, |_| Ok(harness.auth.store.read("test", |tx| tx.keys().list())));
    assert_eq!(inner, Err(StoreError::Nested));
    let inner = run_read(&harness.auth, |_| Ok(harness.office.write("test", |tx| tx.users().any_exists())));
    assert_eq!(inner, Err(StoreError::Nested));
}

/// The observer also receives what the back office ends and invalidates.
pub fn observer_receives_changes_of_the_office(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let watcher = crate::recording_observer::RecordingObserver::observe(&harness.auth);
    run_office_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Suspended, after_start(9))
    });
    let raised = tillgate_domain::Change::EpochBumped { scope: Scope::User(fixture.anna.id), epoch: Epoch(1) };
    assert_eq!(watcher.changes(), [raised]);
}

/// Two claims of a tenant are serialized: the second caller reads what the first has written.
pub fn concurrent_tenant_claims_are_serialized(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let count = || {
        run_office_write(harness, |tx| {
            tx.users().find(fixture.ben.id)?;
            crossing.wait();
            assert!(tx.tenants().claim(fixture.tenant.id)?);
            let ben = tx.users().find(fixture.ben.id)?.expect("the user is stored");
            let seen: i32 = ben.display_name.parse().unwrap_or(0);
            let written = tx.users().update(&User { display_name: (seen + 1).to_string(), ..ben })?;
            assert!(written, "nobody else writes between the claim and the end");
            Ok(seen)
        })
    };
    let (one, other) = run_both(count, count);
    assert_eq!([one.min(other), one.max(other)], [0, 1]);
}

/// If two admins remove each other concurrently, each claims the tenant before counting, and one
/// admin remains.
pub fn one_admin_remains(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let admin = [fixture.roles[2].id];
    let ben = User {
        assignment: tillgate_domain::Assignment { office: admin.into(), ..tillgate_domain::Assignment::default() },
        ..fixture.ben.clone()
    };
    run_office_write(harness, |tx| {
        tx.passwords().set(PrincipalId::User(ben.id), &hash_requested_password("x"), after_start(5))?;
        tx.users().update(&ben).map(drop)
    });
    let crossing = Rendezvous::default();
    let remove = |id| {
        run_office_write(harness, |tx| {
            tx.users().find(id)?;
            crossing.wait();
            assert!(tx.tenants().claim(fixture.tenant.id)?);
            let others = RoleHolderFilter { roles: &admin, except_user: Some(id), except_device: None };
            if tx.users().count_holders(fixture.tenant.id, &others)? == 0 {
                return Ok(false);
            }
            let found = tx.users().find(id)?.expect("they are stored");
            tx.users().update(&User { status: tillgate_domain::UserStatus::Suspended, ..found })
        })
    };
    let (one, other) = run_both(|| remove(fixture.anna.id), || remove(fixture.ben.id));
    assert!(one != other, "{one} {other}: one is removed, the other stays");
}

/// Another claim of a tenant does not return before the unit of work that claimed it has ended.
pub fn tenant_claim_holds_until_the_unit_ends(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (claimed, tried) = (ThreadSignal::default(), ThreadSignal::default());
    let (early, won) = run_both(
        || {
            run_office_write(harness, |tx| {
                assert!(tx.tenants().claim(fixture.tenant.id)?);
                claimed.set();
                Ok(tried.wait_briefly())
            })
        },
        || {
            claimed.wait();
            run_office_write(harness, |tx| {
                let won = tx.tenants().claim(fixture.tenant.id)?;
                tried.set();
                Ok(won)
            })
        },
    );
    assert!(!early, "the other claim was answered before the end");
    assert!(won, "and after it");
}

/// Of two concurrent updates from the same version, exactly one succeeds.
pub fn concurrent_updates_of_one_version_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let rename = |name: &str| {
        run_office_write(harness, |tx| {
            tx.users().find(fixture.ben.id)?;
            crossing.wait();
            tx.users().update(&User { name: UserName::parse(name).unwrap(), ..fixture.ben.clone() })
        })
    };
    let (one, other) = run_both(|| rename("Benjamin"), || rename("Benedikt"));
    assert!(one != other, "{one} {other}");
    let now = harness.office.read("test", |tx| tx.users().find(fixture.ben.id)).unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.version), (if one { "Benjamin" } else { "Benedikt" }, 2));
}

/// Of two concurrent inserts with the same user name, exactly one succeeds.
pub fn concurrent_inserts_of_one_user_name_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let add = |number: u8| {
        run_office_write(harness, |tx| {
            let name = UserName::parse("New").unwrap();
            tx.users().find_by_name(fixture.tenant.id, &name.to_folded())?;
            crossing.wait();
            tx.users().insert(&new_user(number, fixture.tenant.id, "New", None))
        })
    };
    let (one, other) = run_both(|| add(10), || add(11));
    assert!(one != other, "{one} {other}");
    let there =
        [10, 11].map(|number| harness.office.read("test", |tx| tx.users().find(user_id(number))).unwrap().is_some());
    assert_eq!(there, [one, other]);
}

/// If a user is inserted while another one is renamed to the same name, exactly one of the two
/// succeeds.
pub fn concurrent_rename_and_insert_of_one_name_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (inserted, rename_ended) = (ThreadSignal::default(), ThreadSignal::default());
    let insert = || {
        run_office_write(harness, |tx| {
            let added = tx.users().insert(&new_user(10, fixture.tenant.id, "New", None))?;
            inserted.set();
            // a store may keep the rename waiting until this unit of work has ended
            rename_ended.wait_briefly();
            Ok(added)
        })
    };
    let rename = || {
        inserted.wait();
        let renamed = User { name: UserName::parse("NEW").unwrap(), ..fixture.ben.clone() };
        let done = run_office_write(harness, |tx| tx.users().update(&renamed));
        rename_ended.set();
        done
    };
    let (added, renamed) = run_both(insert, rename);
    assert!(added != renamed, "{added} {renamed}");
    let there = harness.office.read("test", |tx| tx.users().find(user_id(10))).unwrap();
    assert_eq!(there.is_some(), added);
}

/// Two passwords that are set concurrently are stored one after the other, and a login that read
/// before either of them fails to claim the credential.
pub fn concurrent_passwords_are_serialized(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let anna = PrincipalId::User(fixture.anna.id);
    let (_, version) = find_password(harness, anna).unwrap();
    let crossing = Rendezvous::default();
    let set = |text: &str| {
        run_office_write(harness, |tx| {
            tx.passwords().has(anna)?;
            crossing.wait();
            tx.passwords().set(anna, &hash_requested_password(text), after_start(9))
        });
    };
    run_both(|| set("one"), || set("other"));
    let (now, next) = find_password(harness, anna).unwrap();
    assert_eq!(next, version + 2);
    assert!(now == hash_requested_password("one") || now == hash_requested_password("other"));
    let claimed = contract_fixture::run_write(&harness.auth, |tx| {
        tx.credentials().claim(anna, CredentialKind::Password, version, None, after_start(10))
    });
    assert!(!claimed);
}

/// Two first passwords that are set concurrently leave one credential.
pub fn concurrent_first_passwords_leave_one(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let owner = PrincipalId::User(fixture.namesake.id);
    let crossing = Rendezvous::default();
    let set = |text: &str| {
        run_office_write(harness, |tx| {
            tx.passwords().has(owner)?;
            crossing.wait();
            tx.passwords().set(owner, &hash_requested_password(text), after_start(9))
        });
    };
    run_both(|| set("one"), || set("other"));
    let (now, _) = find_password(harness, owner).unwrap();
    assert!(now == hash_requested_password("one") || now == hash_requested_password("other"));
}

/// If the back office changes a password (raises the epoch, then sets the password) while a login
/// has claimed its user and its credential, no session with the old password remains.
pub fn password_change_of_the_office_leaves_no_old_session(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let anna = PrincipalId::User(fixture.anna.id);
    let (_, version) = find_password(harness, anna).unwrap();
    let (claimed, changed) = (ThreadSignal::default(), ThreadSignal::default());
    run_both(
        || {
            contract_fixture::run_write(&harness.auth, |tx| {
                let won = tx.users().claim(fixture.anna.id, Epoch(0), after_start(8))?
                    && tx.credentials().claim(anna, CredentialKind::Password, version, None, after_start(8))?;
                claimed.set();
                changed.wait_briefly();
                if won { tx.sessions().insert(&fixture.new_session(1)) } else { Ok(()) }
            });
        },
        || {
            claimed.wait();
            run_office_write(harness, |tx| {
                tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Password, after_start(9))?;
                tx.passwords().set(anna, &hash_requested_password("another"), after_start(9))
            });
            changed.set();
        },
    );
    let survives =
        contract_fixture::find_session(&harness.auth, session_id(1)).is_some_and(|session| session.ended.is_none());
    assert!(!survives, "a session created with the old password survives the change");
}
