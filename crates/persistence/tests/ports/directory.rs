//! Tenants, users, devices, roles and passwords on a database.

use std::collections::{BTreeMap, BTreeSet};

use tillgate_auth_core::ports::CredentialKind;
use tillgate_domain::office::ports::PageRequest;
use tillgate_domain::{
    DeviceName, Email, Environment, Epoch, FoldedText, PrincipalId, RoleName, Secret, SessionId, User, UserId,
    UserName, UserStatus,
};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

tillgate_testkit::on_both_databases!(
    users_are_found_by_id_and_any_spelling_of_the_name,
    deleted_name_is_free_and_taken_name_is_not,
    update_preserves_other_fields_and_fails_on_a_later_version,
    lists_are_ordered_by_id_with_all_details,
    claim_requires_the_epoch_and_version_read
);

fn users_are_found_by_id_and_any_spelling_of_the_name(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let tenant = fixture.tenant.id;
    assert_eq!(fresh.read(|tx| tx.tenants().find_by_slug(&fixture.tenant.slug)), Some(fixture.tenant.clone()));
    assert_eq!(fresh.read(|tx| tx.tenants().find(tenant)), Some(fixture.tenant.clone()));
    assert_eq!(fresh.read(|tx| tx.users().find_by_name(tenant, &FoldedText::of(" ANNA "))), Some(fixture.anna.clone()));
    assert_eq!(
        fresh.read(|tx| tx.users().find_by_email(&FoldedText::of("anna@example.COM"))),
        Some(fixture.anna.clone())
    );
    assert_eq!(fresh.read(|tx| tx.users().find(fixture.anna.id)), Some(fixture.anna.clone()));
    assert_eq!(fresh.read(|tx| tx.devices().find_by_name(tenant, &FoldedText::of("p01"))), Some(fixture.till.clone()));
    assert_eq!(fresh.read(|tx| tx.devices().find(fixture.till.id)), Some(fixture.till.clone()));
    let ids = [fixture.role.id, tillgate_domain::RoleId(uuid(21))];
    assert_eq!(fresh.read(|tx| tx.roles().find_many(tenant, &ids)), std::slice::from_ref(&fixture.role));
    let manager = RoleName::parse("CASHIER").unwrap();
    assert_eq!(fresh.write_office(|tx| tx.roles().find_by_name(tenant, &manager)), Some(fixture.role.clone()));
}

fn deleted_name_is_free_and_taken_name_is_not(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let other = User { id: UserId(uuid(41)), ..fixture.anna.clone() };
    assert!(!fresh.write_office(|tx| tx.users().insert(&other)));
    let renamed = User { name: UserName::parse("Other").unwrap(), ..other.clone() };
    assert!(!fresh.write_office(|tx| tx.users().insert(&renamed)), "the e-mail address");
    let renamed = User { email: None, ..renamed };
    assert!(fresh.write_office(|tx| tx.users().insert(&renamed)));
    assert!(
        !fresh.write_office(|tx| tx.users().update(&User { version: 1, ..other.clone() })),
        "renamed to a taken name"
    );
    let mailed = User { email: Email::parse("ANNA@example.com").ok(), ..renamed.clone() };
    assert!(!fresh.write_office(|tx| tx.users().update(&mailed)), "given a taken address");
    let deleted = User { status: UserStatus::Deleted, ..fixture.anna.clone() };
    assert!(fresh.write_office(|tx| tx.users().update(&deleted)));
    assert_eq!(fresh.read(|tx| tx.users().find_by_name(fixture.tenant.id, &fixture.anna.name.to_folded())), None);
    assert_eq!(fresh.read(|tx| tx.users().find_by_email(&FoldedText::of("anna@example.com"))), None);
    assert_eq!(fresh.read(|tx| tx.users().find(fixture.anna.id)), Some(User { version: 2, ..deleted }));
    assert!(fresh.write_office(|tx| tx.users().update(&other)), "both are free now");
    let found = fresh.read(|tx| tx.users().find_by_email(&FoldedText::of("anna@example.com"))).unwrap();
    assert_eq!((found.id, found.version), (other.id, 2));
}

fn update_preserves_other_fields_and_fails_on_a_later_version(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let seat = Some(SessionId(uuid(1001)));
    assert!(fresh.write(|tx| tx.devices().seat(fixture.till.id, None, seat)));
    assert!(!fresh.write(|tx| tx.devices().seat(fixture.till.id, None, seat)));
    let device = tillgate_domain::Device {
        name: DeviceName::parse("P02").unwrap(),
        environment: Environment::Pda,
        settings: BTreeMap::new(),
        roles: BTreeSet::new(),
        updated_at: at(1),
        epoch: Epoch(99),
        ..fixture.till.clone()
    };
    assert!(fresh.write_office(|tx| tx.devices().update(&device)));
    assert!(!fresh.write_office(|tx| tx.devices().update(&device)), "its version has moved on");
    let stored = fresh.read(|tx| tx.devices().find(fixture.till.id)).unwrap();
    assert_eq!(stored, tillgate_domain::Device { epoch: Epoch(0), seat, version: 2, ..device });
    assert!(fresh.write(|tx| tx.devices().seat(fixture.till.id, seat, None)));

    let user = User { assignment: tillgate_domain::Assignment::default(), ..fixture.anna.clone() };
    assert!(fresh.write_office(|tx| tx.users().update(&user)));
    let stored = fresh.read(|tx| tx.users().find(fixture.anna.id)).unwrap();
    assert_eq!(stored, User { version: 2, ..user });
}

fn lists_are_ordered_by_id_with_all_details(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let people: Vec<User> = (1..=4_u64)
        .map(|number| {
            let mut user = User {
                id: UserId(uuid(40 + number)),
                name: UserName::parse(&format!("user {number}")).unwrap(),
                email: None,
                ..fixture.anna.clone()
            };
            if number % 2 == 0 {
                user.assignment.office.clear();
                user.assignment.devices.values_mut().for_each(BTreeSet::clear);
            }
            user
        })
        .collect();
    for user in &people {
        assert!(fresh.write_office(|tx| tx.users().insert(user)));
    }
    let first = fresh.write_office(|tx| tx.users().list(fixture.tenant.id, &PageRequest { after: None, limit: 3 }));
    assert_eq!(first, [fixture.anna.clone(), people[0].clone(), people[1].clone()]);
    let rest = fresh
        .write_office(|tx| tx.users().list(fixture.tenant.id, &PageRequest { after: Some(first[2].id), limit: 3 }));
    assert_eq!(rest, people[2..]);
    let devices = fresh.write_office(|tx| tx.devices().list(fixture.tenant.id, &PageRequest { after: None, limit: 3 }));
    assert_eq!(devices, std::slice::from_ref(&fixture.till));
    let tenants = fresh.write_office(|tx| tx.tenants().list(&PageRequest { after: None, limit: 3 }));
    assert_eq!(tenants, std::slice::from_ref(&fixture.tenant));
    assert!(fresh.write_office(|tx| tx.users().any_exists()));
}

fn claim_requires_the_epoch_and_version_read(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let principal = PrincipalId::User(fixture.anna.id);
    let kind = CredentialKind::Password;
    assert!(!fresh.write_office(|tx| tx.passwords().has(principal)));
    fresh.write_office(|tx| tx.passwords().set(principal, &Secret::new("first".into()), at(1)));
    assert!(fresh.write_office(|tx| tx.passwords().has(principal)));
    let found = |version: i64, verifier: &str| {
        let stored = fresh.read(|tx| tx.credentials().find(principal, kind)).unwrap();
        assert_eq!((stored.version, stored.verifier.expose().as_str()), (version, verifier));
    };
    found(1, "first");
    let rehashed = Secret::new("first, dearer".to_owned());
    assert!(fresh.write(|tx| tx.credentials().claim(principal, kind, 1, Some(&rehashed), at(2))));
    found(1, "first, dearer");
    fresh.write_office(|tx| tx.passwords().set(principal, &Secret::new("second".into()), at(3)));
    found(2, "second");
    assert!(!fresh.write(|tx| tx.credentials().claim(principal, kind, 1, Some(&rehashed), at(4))));
    assert!(fresh.write(|tx| tx.credentials().claim(principal, kind, 2, None, at(4))));
    found(2, "second");

    assert!(fresh.write(|tx| tx.users().claim(fixture.anna.id, Epoch(0), at(5))));
    assert!(!fresh.write(|tx| tx.users().claim(fixture.anna.id, Epoch(1), at(5))));
    assert!(fresh.write(|tx| tx.devices().claim(fixture.till.id, Epoch(0), at(5))));
    assert_eq!(fresh.read(|tx| tx.devices().find(fixture.till.id)).unwrap().last_seen_at, None);
    let suspended = User { status: UserStatus::Suspended, ..fixture.anna.clone() };
    assert!(fresh.write_office(|tx| tx.users().update(&suspended)));
    assert!(!fresh.write(|tx| tx.users().claim(fixture.anna.id, Epoch(0), at(6))));
    assert!(fresh.write_office(|tx| tx.tenants().claim(fixture.tenant.id)));
}
