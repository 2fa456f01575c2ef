//! The directory as the back office writes it: tenants, users, devices and roles.

use tillgate_domain::office::ports::PageRequest;
use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceName, DeviceStatus, Email, EndReason, Environment, Epoch, ExactJson,
    FoldedText, Instant, JsonObject, Rank, RoleId, RoleName, Scope, SessionLimits, Slug, Tenant, TenantId, User,
    UserId, UserName, UserStatus,
};

use crate::contract_fixture::{
    self, ContractFixture, after_start, new_device, new_role, new_tenant, new_user, run_office_read, run_office_write,
    session_id,
};
use crate::{AuthStoreHarness, StoreHarness};

fn insert_fixture(whole: &StoreHarness) -> (ContractFixture, &AuthStoreHarness) {
    (ContractFixture::insert_into(&whole.auth), &whole.auth)
}

fn new_page<K>(after: Option<K>, limit: u32) -> PageRequest<K> {
    PageRequest { after, limit }
}

/// What the back office writes is what it finds, by id and by name, and what authentication finds.
pub fn both_views_find_the_same(whole: &StoreHarness) {
    let (shop, bench) = insert_fixture(whole);
    for tenant in [&shop.tenant, &shop.other_tenant] {
        assert_eq!(run_office_read(whole, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
        assert_eq!(run_office_read(whole, |tx| tx.tenants().find_by_slug(&tenant.slug)).as_ref(), Some(tenant));
        assert_eq!(contract_fixture::run_read(bench, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
    }
    for user in [&shop.anna, &shop.ben, &shop.namesake, &shop.deleted_user] {
        assert_eq!(run_office_read(whole, |tx| tx.users().find(user.id)).as_ref(), Some(user));
        assert_eq!(contract_fixture::run_read(bench, |tx| tx.users().find(user.id)).as_ref(), Some(user));
    }
    for device in [&shop.till, &shop.handheld, &shop.retired_device, &shop.foreign_device] {
        assert_eq!(run_office_read(whole, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
        assert_eq!(
            run_office_read(whole, |tx| tx.devices().find_by_name(device.tenant, &device.name.to_folded())).as_ref(),
            Some(device)
        );
        assert_eq!(contract_fixture::run_read(bench, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
    }
    for role in &shop.roles {
        assert_eq!(
            run_office_read(whole, |tx| tx.roles().find_by_name(shop.tenant.id, &role.name)).as_ref(),
            Some(role)
        );
    }
    let shouted = RoleName::parse("CASHIER").unwrap();
    assert_eq!(
        run_office_read(whole, |tx| tx.roles().find_by_name(shop.tenant.id, &shouted)),
        Some(shop.roles[0].clone())
    );
    assert_eq!(
        run_office_read(whole, |tx| tx.roles().find_by_name(shop.other_tenant.id, &RoleName::parse("admin").unwrap())),
        None
    );
}

/// A deleted user is found by id alone, not by name or e-mail address.
pub fn deleted_user_is_found_by_id_only(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let named = |name: &str| {
        run_office_read(whole, |tx| tx.users().find_by_name(shop.tenant.id, &FoldedText::of(name))).map(|user| user.id)
    };
    let mailed =
        |email: &str| run_office_read(whole, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id);
    assert_eq!((named("ANNA"), mailed("anna@example.com")), (Some(shop.anna.id), Some(shop.anna.id)));
    assert_eq!((named("gone"), mailed("gone@example.com")), (None, None));
    assert!(run_office_read(whole, |tx| tx.users().find(shop.deleted_user.id)).is_some());
}

/// A slug is taken once over the whole server.
pub fn slug_is_unique(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let again = Tenant { slug: Slug::parse("corner").unwrap(), ..new_tenant(9, "other", "UTC") };
    assert!(!run_office_write(whole, |tx| tx.tenants().insert(&again)));
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(again.id)), None);
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)), Some(shop.tenant));
    assert!(run_office_write(whole, |tx| tx.tenants().insert(&new_tenant(9, "other", "UTC"))));
}

/// The claim of a tenant is won by whoever asks, changes nothing of it, and is lost where there is no such tenant.
pub fn tenant_claim_changes_nothing(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let claim = |id| run_office_write(whole, |tx| tx.tenants().claim(id));
    assert!(claim(shop.tenant.id));
    assert!(claim(shop.tenant.id), "again, by the next unit of work");
    assert!(!claim(TenantId(uuid::Uuid::from_u128(77))));
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)), Some(shop.tenant));
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.other_tenant.id)), Some(shop.other_tenant));
}

/// A tenant is written at the version of now, which is raised; its short name and epoch stay.
pub fn tenant_update_requires_its_version(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let zone = tillgate_domain::Zone::parse("Asia/Kuala_Lumpur").unwrap();
    let locale = tillgate_domain::Locale::parse("ms-MY").unwrap();
    let minutes = |minutes| Some(std::time::Duration::from_mins(minutes));
    let limits = SessionLimits { access: minutes(5), idle: None, absolute: minutes(720), overlap: minutes(1) };
    let after = Tenant { name: "Kedai".into(), zone, locale, limits, ..shop.tenant.clone() };
    let sent = Tenant { epoch: Epoch(9), slug: shop.other_tenant.slug.clone(), ..after.clone() };
    let update = |tenant: &Tenant| run_office_write(whole, |tx| tx.tenants().update(tenant));
    assert!(!update(&Tenant { version: 0, ..sent.clone() }));
    assert!(update(&sent));
    assert!(!update(&sent), "it was raised");
    assert_eq!(
        run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)).unwrap(),
        Tenant { version: 2, ..after.clone() }
    );
    let none = SessionLimits { overlap: minutes(1), ..SessionLimits::default() };
    assert!(update(&Tenant { limits: none, version: 2, ..after }), "a limit goes again");
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)).unwrap().limits, none);
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.other_tenant.id)).unwrap(), shop.other_tenant);
}

/// A tenant is written with its stores: those that are new, those with another name, and without those that it has no more. Those
/// of another tenant stay.
pub fn tenant_update_writes_its_stores(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let store = |number: u8, name: &str| Branch { id: BranchId::new(after_start(1), [number; 10]), name: name.into() };
    let first = shop.tenant.branches[0].clone();
    let mut version = shop.tenant.version;
    let mut write = |branches: &[Branch]| {
        let tenant = Tenant { branches: branches.to_vec(), version, ..shop.tenant.clone() };
        assert!(run_office_write(whole, |tx| tx.tenants().update(&tenant)));
        version += 1;
        assert_eq!(
            run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)).unwrap(),
            Tenant { version, ..tenant }
        );
    };
    write(&[first.clone(), store(1, "Station")]);
    write(&[Branch { name: "Old town".into(), ..first.clone() }, store(1, "Station"), store(2, "Airport")]);
    write(&[store(2, "Airport")]);
    let lost = Tenant { branches: vec![first], version: 1, ..shop.tenant.clone() };
    assert!(!run_office_write(whole, |tx| tx.tenants().update(&lost)), "the version has moved on");
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.tenant.id)).unwrap().branches, [store(2, "Airport")]);
    assert_eq!(run_office_read(whole, |tx| tx.tenants().find(shop.other_tenant.id)).unwrap(), shop.other_tenant);
}

/// Lists come in the order of ids, those after `after` only, `limit` at most, and those of a tenant are its own.
pub fn lists_are_returned_in_pages(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let tenants = |after, limit| run_office_read(whole, |tx| tx.tenants().list(&new_page(after, limit)));
    assert_eq!(tenants(None, 9), [shop.tenant.clone(), shop.other_tenant.clone()]);
    assert_eq!(tenants(None, 1), std::slice::from_ref(&shop.tenant));
    assert_eq!(tenants(Some(shop.tenant.id), 9), std::slice::from_ref(&shop.other_tenant));
    let users = |after, limit| run_office_read(whole, |tx| tx.users().list(shop.tenant.id, &new_page(after, limit)));
    assert_eq!(users(None, 9), [shop.anna.clone(), shop.ben.clone(), shop.deleted_user.clone()], "deleted ones too");
    assert_eq!(users(Some(shop.anna.id), 1), std::slice::from_ref(&shop.ben));
    assert_eq!(users(Some(shop.deleted_user.id), 9), []);
    let devices =
        |after, limit| run_office_read(whole, |tx| tx.devices().list(shop.tenant.id, &new_page(after, limit)));
    assert_eq!(devices(None, 9), [shop.till.clone(), shop.handheld.clone(), shop.retired_device.clone()]);
    assert_eq!(devices(Some(shop.till.id), 1), std::slice::from_ref(&shop.handheld));
    let among = [shop.retired_device.id, contract_fixture::device_id(99), shop.till.id].into();
    assert_eq!(
        run_office_read(whole, |tx| tx.devices().find_many(&among)),
        [shop.till.clone(), shop.retired_device.clone()]
    );
    assert_eq!(run_office_read(whole, |tx| tx.devices().find_many(&[].into())), []);
    assert_eq!(devices(None, 0), []);
    assert_eq!(run_office_read(whole, |tx| tx.roles().list(shop.tenant.id)), shop.roles);
    assert_eq!(run_office_read(whole, |tx| tx.roles().list(shop.other_tenant.id)), [shop.foreign_role]);
}

/// A user's name is taken once in a tenant, however it is spelt, and an e-mail address once over the server.
pub fn user_name_is_unique(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let add = |user: &User| run_office_write(whole, |tx| tx.users().insert(user));
    let same_name = new_user(9, shop.tenant.id, "ANNA", None);
    assert!(!add(&same_name));
    let same_mail = new_user(9, shop.other_tenant.id, "Else", Some("ANNA@example.com"));
    assert!(!add(&same_mail));
    assert_eq!(run_office_read(whole, |tx| tx.users().find(same_name.id)), None);
    assert!(add(&new_user(9, shop.other_tenant.id, "Ben", Some("ben@example.com"))), "the same name elsewhere");
    assert!(add(&new_user(10, shop.tenant.id, "Gone", Some("gone@example.com"))), "a deleted name is free again");
}

/// An update stores every field with the assignment, and raises the version.
pub fn user_update_stores_every_field(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let changed = User {
        name: UserName::parse("Anna-Mária").unwrap(),
        email: Some(Email::parse("am@example.com").unwrap()),
        display_name: "Anna Mária".into(),
        status: UserStatus::Suspended,
        feature: Some("kiosk".into()),
        assignment: Assignment {
            office: [role_id(2)].into(),
            devices: [(shop.till.id, [].into()), (shop.retired_device.id, [role_id(3), role_id(1)].into())].into(),
        },
        password_change_required: true,
        updated_at: after_start(50),
        ..shop.anna.clone()
    };
    assert!(run_office_write(whole, |tx| tx.users().update(&changed)));
    let expected = User { version: shop.anna.version + 1, ..changed };
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.anna.id)), Some(expected));
    let named = |name: &str| {
        run_office_read(whole, |tx| tx.users().find_by_name(shop.tenant.id, &FoldedText::of(name))).map(|user| user.id)
    };
    assert_eq!((named("anna"), named("anna-mária")), (None, Some(shop.anna.id)));
    let mailed =
        |email: &str| run_office_read(whole, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id);
    assert_eq!((mailed("anna@example.com"), mailed("AM@example.com")), (None, Some(shop.anna.id)));
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.ben.id)), Some(shop.ben), "another user stays");
}

fn role_id(number: u8) -> RoleId {
    contract_fixture::role_id(number)
}

/// Whether a password must be changed is kept as it was added, is written alone, and raises the version where it changes. A change
/// of the office and one of the user's own write the same.
pub fn password_change_is_required_and_cleared(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let new = User { password_change_required: true, ..new_user(9, shop.tenant.id, "New", None) };
    assert!(run_office_write(whole, |tx| tx.users().insert(&new)));
    assert_eq!(run_office_read(whole, |tx| tx.users().find(new.id)), Some(new.clone()));
    let found = contract_fixture::run_read(&whole.auth, |tx| tx.users().find(new.id)).unwrap();
    assert!(found.password_change_required, "a login reads it with the user");
    let set = |id, required| {
        run_office_write(whole, |tx| tx.users().set_password_change_required(id, required, after_start(20)))
    };
    let clear = |id| {
        contract_fixture::run_write(&whole.auth, |tx| tx.users().clear_password_change_required(id, after_start(30)))
    };
    assert!(!set(new.id, true), "it is so already");
    assert!(!clear(shop.anna.id), "they need not");
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.anna.id)), Some(shop.anna.clone()));
    assert!(set(shop.anna.id, true));
    let expected =
        User { password_change_required: true, updated_at: after_start(20), version: 2, ..shop.anna.clone() };
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.anna.id)), Some(expected.clone()));
    assert!(!run_office_write(whole, |tx| tx.users().update(&shop.anna)), "who read it before meets the change");
    assert!(clear(shop.anna.id));
    let expected = User { password_change_required: false, updated_at: after_start(30), version: 3, ..expected };
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.anna.id)), Some(expected));
    let still = run_office_read(whole, |tx| tx.users().find(new.id)).unwrap();
    assert!(still.password_change_required, "another user stays");
    assert!(set(new.id, false) && !clear(new.id));
    assert!(!set(UserId(uuid::Uuid::from_u128(77)), true), "nobody");
}

/// An update leaves the epoch to what raises it.
pub fn user_update_keeps_the_epoch(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    run_office_write(whole, |tx| {
        tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(9))
    });
    let read = run_office_read(whole, |tx| tx.users().find(shop.anna.id)).unwrap();
    for epoch in [0, 99] {
        let version = run_office_read(whole, |tx| tx.users().find(shop.anna.id)).unwrap().version;
        assert!(run_office_write(whole, |tx| tx.users().update(&User {
            epoch: Epoch(epoch),
            version,
            ..read.clone()
        })));
        assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.anna.id)).unwrap().epoch, Epoch(1));
    }
}

/// An update is lost where the version has moved on, where the new name or address is taken, and where there is no such user.
pub fn user_update_fails_on_a_conflict(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let update = |user: &User| run_office_write(whole, |tx| tx.users().update(user));
    let renamed = |name: &str| User { name: UserName::parse(name).unwrap(), ..shop.ben.clone() };
    assert!(!update(&User { version: 0, ..shop.ben.clone() }));
    assert!(!update(&User { version: 2, ..shop.ben.clone() }));
    assert!(!update(&renamed("ANNA")), "taken");
    assert!(
        !update(&User { email: Some(Email::parse("other.ANNA@example.com").unwrap()), ..shop.ben.clone() }),
        "taken"
    );
    assert!(!update(&User { id: UserId(uuid::Uuid::from_u128(77)), ..renamed("Nobody") }));
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.ben.id)), Some(shop.ben.clone()));
    assert!(update(&renamed("BEN")), "one's own name in another spelling");
    assert!(!update(&renamed("Benjamin")), "the version that was read has moved on");
    assert_eq!(run_office_read(whole, |tx| tx.users().find(shop.ben.id)).unwrap().name.as_str(), "BEN");
}

/// A user who is deleted gives the name back; who took it keeps it.
pub fn deletion_frees_the_name(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let deleted = User { status: UserStatus::Deleted, ..shop.anna.clone() };
    assert!(run_office_write(whole, |tx| tx.users().update(&deleted)));
    let successor = new_user(9, shop.tenant.id, "Anna", Some("anna@example.com"));
    assert!(run_office_write(whole, |tx| tx.users().insert(&successor)));
    let noted = User { version: 2, display_name: "Anna who left".into(), ..deleted };
    assert!(run_office_write(whole, |tx| tx.users().update(&noted)), "who is deleted needs no name");
    let back = User { version: 3, ..shop.anna.clone() };
    assert!(!run_office_write(whole, |tx| tx.users().update(&back)), "the name is taken by now");
    let named = run_office_read(whole, |tx| tx.users().find_by_name(shop.tenant.id, &FoldedText::of("anna")));
    assert_eq!(named.map(|user| user.id), Some(successor.id));
    let still = run_office_read(whole, |tx| tx.users().find(shop.anna.id)).unwrap();
    assert_eq!(
        (still.status, still.name),
        (UserStatus::Deleted, shop.anna.name),
        "a deleted user keeps how they were called"
    );
}

/// Whether anybody is there who is not deleted.
pub fn presence_of_any_user_is_reported(whole: &StoreHarness) {
    let any = || run_office_read(whole, |tx| tx.users().any_exists());
    assert!(!any(), "the store is empty");
    let shop = ContractFixture::build();
    let mut roster = shop.to_roster();
    roster.users = vec![shop.deleted_user.clone()];
    roster.passwords.clear();
    whole.auth.enroll(&roster);
    assert!(!any(), "a deleted one is nobody");
    run_office_write(whole, |tx| {
        tx.users().insert(&User { status: UserStatus::Pending, ..new_user(9, shop.other_tenant.id, "New", None) })
    });
    assert!(any());
}

/// A device's name is taken once in a tenant; that of a retired one is free.
pub fn device_name_is_unique(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let add = |device: &Device| run_office_write(whole, |tx| tx.devices().insert(device));
    assert!(!add(&new_device(9, shop.tenant.id, "p01")));
    assert_eq!(run_office_read(whole, |tx| tx.devices().find(contract_fixture::device_id(9))), None);
    assert!(add(&new_device(9, shop.other_tenant.id, "PDA1")), "the same name elsewhere");
}

/// An update of a device stores every field but those that others write, and raises the version.
pub fn device_update_stores_every_field(whole: &StoreHarness) {
    let (shop, bench) = insert_fixture(whole);
    contract_fixture::insert_sessions(bench, &[shop.new_till_session(1)]);
    contract_fixture::run_write(bench, |tx| {
        tx.devices().seat(shop.till.id, None, Some(session_id(1)))?;
        tx.sessions().record_uses(&[tillgate_auth_core::ports::SessionUse {
            session: session_id(1),
            generation: 1,
            at: after_start(60),
        }])
    });
    run_office_write(whole, |tx| {
        tx.revocations().bump_epoch(Scope::Device(shop.till.id), EndReason::Admin, after_start(9))
    });
    let read = run_office_read(whole, |tx| tx.devices().find(shop.till.id)).unwrap();
    let changed = Device {
        name: DeviceName::parse("Kasa 1").unwrap(),
        environment: Environment::Tool,
        status: DeviceStatus::Locked,
        description: "In the cellar".into(),
        preferences: JsonObject::new(vec![
            ("sound".to_owned(), ExactJson::Null),
            ("so\0und".to_owned(), ExactJson::string("\0")),
            ("level".to_owned(), ExactJson::Number("1.10".to_owned())),
            ("far".to_owned(), ExactJson::Number("123456789012345678901234567890".to_owned())),
        ]),
        settings: [("Ž".to_owned(), "\"\\\n".to_owned())].into(),
        roles: [role_id(3)].into(),
        epoch: Epoch(99),
        seat: None,
        pairing: Some(session_id(1)),
        last_seen_at: None,
        updated_at: after_start(70),
        ..read.clone()
    };
    assert!(run_office_write(whole, |tx| tx.devices().update(&changed)));
    let expected = Device {
        epoch: Epoch(1),
        seat: Some(session_id(1)),
        pairing: None,
        last_seen_at: Some(after_start(60)),
        version: read.version + 1,
        ..changed
    };
    assert_eq!(run_office_read(whole, |tx| tx.devices().find(shop.till.id)), Some(expected));
    let named = |name: &str| {
        run_office_read(whole, |tx| tx.devices().find_by_name(shop.tenant.id, &FoldedText::of(name)))
            .map(|found| found.id)
    };
    assert_eq!((named("p01"), named("kasa 1")), (None, Some(shop.till.id)));
    assert_eq!(
        run_office_read(whole, |tx| tx.devices().find(shop.handheld.id)),
        Some(shop.handheld),
        "another device stays"
    );
}

/// An update of a device is lost where the version has moved on or the new name is taken.
pub fn device_update_fails_on_a_conflict(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let update = |device: &Device| run_office_write(whole, |tx| tx.devices().update(device));
    let renamed = |name: &str| Device { name: DeviceName::parse(name).unwrap(), ..shop.handheld.clone() };
    assert!(!update(&Device { version: 0, ..shop.handheld.clone() }));
    assert!(!update(&Device { version: 2, ..shop.handheld.clone() }));
    assert!(!update(&renamed("p01")), "taken");
    assert!(!update(&Device { id: contract_fixture::device_id(77), ..renamed("Nowhere") }));
    assert_eq!(run_office_read(whole, |tx| tx.devices().find(shop.handheld.id)), Some(shop.handheld.clone()));
    assert!(update(&renamed("pda1")), "its own name in another spelling");
    assert!(!update(&renamed("PDA2")), "the version that was read has moved on");
}

/// A role's name is taken once in a tenant.
pub fn role_name_is_unique(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let add = |role: &tillgate_domain::Role| run_office_write(whole, |tx| tx.roles().insert(role));
    assert!(!add(&new_role(10, shop.tenant.id, Rank::Cashier)));
    assert!(add(&new_role(10, shop.other_tenant.id, Rank::Admin)), "the same name elsewhere");
    let narrow = tillgate_domain::Role {
        name: RoleName::parse("Waiter").unwrap(),
        label: "Čašník".into(),
        description: "Serves".into(),
        environments: [Environment::Pda].into(),
        built_in: false,
        ..new_role(11, shop.tenant.id, Rank::Cashier)
    };
    assert!(add(&narrow));
    assert_eq!(run_office_read(whole, |tx| tx.roles().find_by_name(shop.tenant.id, &narrow.name)), Some(narrow));
    assert_eq!(run_office_read(whole, |tx| tx.roles().list(shop.tenant.id)).len(), 4);
}

/// Instants and versions are kept as they are, far from today too.
pub fn instants_have_millisecond_precision(whole: &StoreHarness) {
    let (shop, _) = insert_fixture(whole);
    let old = User {
        created_at: Instant::from_millis(1),
        updated_at: Instant::from_millis(253_402_300_799_999),
        ..new_user(9, shop.tenant.id, "Old", None)
    };
    run_office_write(whole, |tx| tx.users().insert(&old));
    assert_eq!(run_office_read(whole, |tx| tx.users().find(old.id)), Some(old));
}
