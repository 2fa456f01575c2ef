//! Tenants and users as the back office writes them, and the lists of all entities.

use tillgate_domain::office::ports::PageRequest;
use tillgate_domain::{
    AccentColor, Assignment, Branch, BranchId, Email, EndReason, Epoch, FoldedText, Instant, RoleId, RoleName, Scope,
    SessionLimits, Slug, Tenant, TenantId, User, UserId, UserName, UserStatus, Zone,
};

use crate::contract_fixture::{
    self, ContractFixture, after_start, new_tenant, new_user, run_office_read, run_office_write,
};
use crate::{AuthStoreHarness, StoreHarness};

fn insert_fixture(harness: &StoreHarness) -> (ContractFixture, &AuthStoreHarness) {
    (ContractFixture::insert_into(&harness.auth), &harness.auth)
}

fn new_page<K>(after: Option<K>, limit: u32) -> PageRequest<K> {
    PageRequest { after, limit }
}

/// Records written by the back office are found by it, by id and by name, and by authentication.
pub fn both_views_find_the_same(harness: &StoreHarness) {
    let (fixture, auth) = insert_fixture(harness);
    for tenant in [&fixture.tenant, &fixture.other_tenant] {
        assert_eq!(run_office_read(harness, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
        assert_eq!(run_office_read(harness, |tx| tx.tenants().find_by_slug(&tenant.slug)).as_ref(), Some(tenant));
        assert_eq!(contract_fixture::run_read(auth, |tx| tx.tenants().find(tenant.id)).as_ref(), Some(tenant));
    }
    for user in [&fixture.anna, &fixture.ben, &fixture.namesake, &fixture.deleted_user] {
        assert_eq!(run_office_read(harness, |tx| tx.users().find(user.id)).as_ref(), Some(user));
        assert_eq!(contract_fixture::run_read(auth, |tx| tx.users().find(user.id)).as_ref(), Some(user));
    }
    for device in [&fixture.till, &fixture.handheld, &fixture.retired_device, &fixture.foreign_device] {
        assert_eq!(run_office_read(harness, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
        assert_eq!(
            run_office_read(harness, |tx| tx.devices().find_by_name(device.tenant, &device.name.to_folded())).as_ref(),
            Some(device)
        );
        assert_eq!(contract_fixture::run_read(auth, |tx| tx.devices().find(device.id)).as_ref(), Some(device));
    }
    for role in &fixture.roles {
        assert_eq!(
            run_office_read(harness, |tx| tx.roles().find_by_name(fixture.tenant.id, &role.name)).as_ref(),
            Some(role)
        );
    }
    let shouted = RoleName::parse("CASHIER").unwrap();
    assert_eq!(
        run_office_read(harness, |tx| tx.roles().find_by_name(fixture.tenant.id, &shouted)),
        Some(fixture.roles[0].clone())
    );
    assert_eq!(
        run_office_read(harness, |tx| tx
            .roles()
            .find_by_name(fixture.other_tenant.id, &RoleName::parse("admin").unwrap())),
        None
    );
}

/// A deleted user is found by id only, not by name or e-mail address.
pub fn deleted_user_is_found_by_id_only(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let named = |name: &str| {
        run_office_read(harness, |tx| tx.users().find_by_name(fixture.tenant.id, &FoldedText::of(name)))
            .map(|user| user.id)
    };
    let mailed = |email: &str| {
        run_office_read(harness, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id)
    };
    assert_eq!((named("ANNA"), mailed("anna@example.com")), (Some(fixture.anna.id), Some(fixture.anna.id)));
    assert_eq!((named("gone"), mailed("gone@example.com")), (None, None));
    assert!(run_office_read(harness, |tx| tx.users().find(fixture.deleted_user.id)).is_some());
}

/// A slug is unique across all tenants.
pub fn slug_is_unique(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let again = Tenant { slug: Slug::parse("corner").unwrap(), ..new_tenant(9, "other", "UTC") };
    assert!(!run_office_write(harness, |tx| tx.tenants().insert(&again)));
    assert_eq!(run_office_read(harness, |tx| tx.tenants().find(again.id)), None);
    assert_eq!(run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)), Some(fixture.tenant));
    assert!(run_office_write(harness, |tx| tx.tenants().insert(&new_tenant(9, "other", "UTC"))));
}

/// The claim of a tenant succeeds for every caller and changes nothing in it. It fails if the
/// tenant does not exist.
pub fn tenant_claim_changes_nothing(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let claim = |id| run_office_write(harness, |tx| tx.tenants().claim(id));
    assert!(claim(fixture.tenant.id));
    assert!(claim(fixture.tenant.id), "again, by the next unit of work");
    assert!(!claim(TenantId(uuid::Uuid::from_u128(77))));
    assert_eq!(run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)), Some(fixture.tenant));
    assert_eq!(run_office_read(harness, |tx| tx.tenants().find(fixture.other_tenant.id)), Some(fixture.other_tenant));
}

/// A tenant is updated at its current version, which is incremented. Its slug and epoch stay.
pub fn tenant_update_requires_its_version(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let zone = tillgate_domain::Zone::parse("Asia/Kuala_Lumpur").unwrap();
    let locale = tillgate_domain::Locale::parse("ms-MY").unwrap();
    let minutes = |minutes| Some(std::time::Duration::from_mins(minutes));
    let limits = SessionLimits { access: minutes(5), idle: None, absolute: minutes(720), overlap: minutes(1) };
    let accent_color = AccentColor::parse("#7c2d12").ok();
    let machine_codes = false;
    let after =
        Tenant { name: "Kedai".into(), zone, locale, accent_color, machine_codes, limits, ..fixture.tenant.clone() };
    let sent = Tenant { epoch: Epoch(9), slug: fixture.other_tenant.slug.clone(), ..after.clone() };
    let update = |tenant: &Tenant| run_office_write(harness, |tx| tx.tenants().update(tenant));
    assert!(!update(&Tenant { version: 0, ..sent.clone() }));
    assert!(update(&sent));
    assert!(!update(&sent), "it was raised");
    assert_eq!(
        run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)).unwrap(),
        Tenant { version: 2, ..after.clone() }
    );
    let none = SessionLimits { overlap: minutes(1), ..SessionLimits::default() };
    assert!(update(&Tenant { limits: none, accent_color: None, version: 2, ..after }), "a limit can be removed");
    let removed = run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)).unwrap();
    assert_eq!((removed.limits, removed.accent_color), (none, None));
    assert_eq!(
        run_office_read(harness, |tx| tx.tenants().find(fixture.other_tenant.id)).unwrap(),
        fixture.other_tenant
    );
}

/// An update of a tenant writes its branches too: it adds new ones, renames others, and removes
/// those that are missing. The branches of another tenant stay. They are read in the order of their
/// ids, however they were written.
pub fn tenant_update_writes_its_stores(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let store = |number: u8, name: &str| Branch {
        id: BranchId::new(after_start(1), [number; 10]),
        name: name.into(),
        zone: None,
    };
    let first = fixture.tenant.branches[0].clone();
    let mut version = fixture.tenant.version;
    let mut write = |branches: &[Branch]| {
        let tenant = Tenant { branches: branches.to_vec(), version, ..fixture.tenant.clone() };
        assert!(run_office_write(harness, |tx| tx.tenants().update(&tenant)));
        version += 1;
        assert_eq!(
            run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)).unwrap(),
            Tenant { version, branches: sort_branches(branches), ..tenant }
        );
    };
    write(&[first.clone(), store(1, "Station")]);
    let abroad =
        Branch { zone: Some(Zone::parse("Asia/Jakarta").expect("it is in the database")), ..store(1, "Station") };
    write(&[Branch { name: "Old town".into(), ..first.clone() }, abroad, store(2, "Airport")]);
    write(&[store(2, "Airport"), store(1, "Station")]);
    write(&[store(2, "Airport")]);
    let lost = Tenant { branches: vec![first], version: 1, ..fixture.tenant.clone() };
    assert!(!run_office_write(harness, |tx| tx.tenants().update(&lost)), "the version has changed");
    assert_eq!(
        run_office_read(harness, |tx| tx.tenants().find(fixture.tenant.id)).unwrap().branches,
        [store(2, "Airport")]
    );
    assert_eq!(
        run_office_read(harness, |tx| tx.tenants().find(fixture.other_tenant.id)).unwrap(),
        fixture.other_tenant
    );
}

/// The branches in the order of their ids.
fn sort_branches(branches: &[Branch]) -> Vec<Branch> {
    let mut sorted = branches.to_vec();
    sorted.sort_by_key(|branch| branch.id);
    sorted
}

/// A list is in the order of ids, starts behind `after` and has at most `limit` records. A tenant's
/// list contains its own records only.
pub fn lists_are_returned_in_pages(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let tenants = |after, limit| run_office_read(harness, |tx| tx.tenants().list(&new_page(after, limit)));
    assert_eq!(tenants(None, 9), [fixture.tenant.clone(), fixture.other_tenant.clone()]);
    assert_eq!(tenants(None, 1), std::slice::from_ref(&fixture.tenant));
    assert_eq!(tenants(Some(fixture.tenant.id), 9), std::slice::from_ref(&fixture.other_tenant));
    let users =
        |after, limit| run_office_read(harness, |tx| tx.users().list(fixture.tenant.id, &new_page(after, limit)));
    assert_eq!(
        users(None, 9),
        [fixture.anna.clone(), fixture.ben.clone(), fixture.deleted_user.clone()],
        "also if deleted"
    );
    assert_eq!(users(Some(fixture.anna.id), 1), std::slice::from_ref(&fixture.ben));
    assert_eq!(users(Some(fixture.deleted_user.id), 9), []);
    let devices =
        |after, limit| run_office_read(harness, |tx| tx.devices().list(fixture.tenant.id, &new_page(after, limit)));
    assert_eq!(devices(None, 9), [fixture.till.clone(), fixture.handheld.clone(), fixture.retired_device.clone()]);
    assert_eq!(devices(Some(fixture.till.id), 1), std::slice::from_ref(&fixture.handheld));
    let among = [fixture.retired_device.id, contract_fixture::device_id(99), fixture.till.id].into();
    assert_eq!(
        run_office_read(harness, |tx| tx.devices().find_many(&among)),
        [fixture.till.clone(), fixture.retired_device.clone()]
    );
    assert_eq!(run_office_read(harness, |tx| tx.devices().find_many(&[].into())), []);
    assert_eq!(devices(None, 0), []);
    assert_eq!(run_office_read(harness, |tx| tx.roles().list(fixture.tenant.id)), fixture.roles);
    assert_eq!(run_office_read(harness, |tx| tx.roles().list(fixture.other_tenant.id)), [fixture.foreign_role]);
}

/// A user's name is unique in its tenant, in every spelling that folds to the same text, and an
/// e-mail address is unique across all tenants.
pub fn user_name_is_unique(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let add = |user: &User| run_office_write(harness, |tx| tx.users().insert(user));
    let same_name = new_user(9, fixture.tenant.id, "ANNA", None);
    assert!(!add(&same_name));
    let same_mail = new_user(9, fixture.other_tenant.id, "Else", Some("ANNA@example.com"));
    assert!(!add(&same_mail));
    assert_eq!(run_office_read(harness, |tx| tx.users().find(same_name.id)), None);
    assert!(add(&new_user(9, fixture.other_tenant.id, "Ben", Some("ben@example.com"))), "the same name elsewhere");
    assert!(add(&new_user(10, fixture.tenant.id, "Gone", Some("gone@example.com"))), "a deleted name is free again");
}

/// An update stores every field and the assignment, and increments the version.
pub fn user_update_stores_every_field(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let changed = User {
        name: UserName::parse("Anna-Mária").unwrap(),
        email: Some(Email::parse("am@example.com").unwrap()),
        display_name: "Anna Mária".into(),
        status: UserStatus::Suspended,
        feature: Some("kiosk".into()),
        assignment: Assignment {
            office: [role_id(2)].into(),
            devices: [(fixture.till.id, [].into()), (fixture.retired_device.id, [role_id(3), role_id(1)].into())]
                .into(),
        },
        password_change_required: true,
        locale: tillgate_domain::Locale::parse("sk-SK").ok(),
        last_login_at: None,
        email_verified_at: Some(after_start(40)),
        updated_at: after_start(50),
        ..fixture.anna.clone()
    };
    assert!(run_office_write(harness, |tx| tx.users().update(&changed)));
    let expected = User { version: fixture.anna.version + 1, ..changed };
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.anna.id)), Some(expected));
    let named = |name: &str| {
        run_office_read(harness, |tx| tx.users().find_by_name(fixture.tenant.id, &FoldedText::of(name)))
            .map(|user| user.id)
    };
    assert_eq!((named("anna"), named("anna-mária")), (None, Some(fixture.anna.id)));
    let mailed = |email: &str| {
        run_office_read(harness, |tx| tx.users().find_by_email(&FoldedText::of(email))).map(|user| user.id)
    };
    assert_eq!((mailed("anna@example.com"), mailed("AM@example.com")), (None, Some(fixture.anna.id)));
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.ben.id)), Some(fixture.ben), "another user stays");
}

fn role_id(number: u8) -> RoleId {
    contract_fixture::role_id(number)
}

/// Whether a password must be changed is stored with the user, can be changed alone, and increments
/// the version if it changes. An update by the back office and one by the user write the same
/// field.
pub fn password_change_is_required_and_cleared(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let new = User { password_change_required: true, ..new_user(9, fixture.tenant.id, "New", None) };
    assert!(run_office_write(harness, |tx| tx.users().insert(&new)));
    assert_eq!(run_office_read(harness, |tx| tx.users().find(new.id)), Some(new.clone()));
    let found = contract_fixture::run_read(&harness.auth, |tx| tx.users().find(new.id)).unwrap();
    assert!(found.password_change_required, "a login reads it with the user");
    let set = |id, required| {
        run_office_write(harness, |tx| tx.users().set_password_change_required(id, required, after_start(20)))
    };
    let clear = |id| {
        contract_fixture::run_write(&harness.auth, |tx| tx.users().clear_password_change_required(id, after_start(30)))
    };
    assert!(!set(new.id, true), "it already has this value");
    assert!(!clear(fixture.anna.id), "the password need not be changed");
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.anna.id)), Some(fixture.anna.clone()));
    assert!(set(fixture.anna.id, true));
    let expected =
        User { password_change_required: true, updated_at: after_start(20), version: 2, ..fixture.anna.clone() };
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.anna.id)), Some(expected.clone()));
    assert!(
        !run_office_write(harness, |tx| tx.users().update(&fixture.anna)),
        "a reader of the earlier version fails to update"
    );
    assert!(clear(fixture.anna.id));
    let expected = User { password_change_required: false, updated_at: after_start(30), version: 3, ..expected };
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.anna.id)), Some(expected));
    let still = run_office_read(harness, |tx| tx.users().find(new.id)).unwrap();
    assert!(still.password_change_required, "another user stays");
    assert!(set(new.id, false) && !clear(new.id));
    assert!(!set(UserId(uuid::Uuid::from_u128(77)), true), "nobody");
}

/// An update does not change the epoch.
pub fn user_update_keeps_the_epoch(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    run_office_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(9))
    });
    let read = run_office_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap();
    for epoch in [0, 99] {
        let version = run_office_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap().version;
        assert!(run_office_write(harness, |tx| tx.users().update(&User {
            epoch: Epoch(epoch),
            version,
            ..read.clone()
        })));
        assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap().epoch, Epoch(1));
    }
}

/// An update fails if the version is not the current one, if the new name or address is taken, and
/// if there is no such user.
pub fn user_update_fails_on_a_conflict(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let update = |user: &User| run_office_write(harness, |tx| tx.users().update(user));
    let renamed = |name: &str| User { name: UserName::parse(name).unwrap(), ..fixture.ben.clone() };
    assert!(!update(&User { version: 0, ..fixture.ben.clone() }));
    assert!(!update(&User { version: 2, ..fixture.ben.clone() }));
    assert!(!update(&renamed("ANNA")), "taken");
    assert!(
        !update(&User { email: Some(Email::parse("other.ANNA@example.com").unwrap()), ..fixture.ben.clone() }),
        "taken"
    );
    assert!(!update(&User { id: UserId(uuid::Uuid::from_u128(77)), ..renamed("Nobody") }));
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.ben.id)), Some(fixture.ben.clone()));
    assert!(update(&renamed("BEN")), "one's own name in another spelling");
    assert!(!update(&renamed("Benjamin")), "the version has changed since it was read");
    assert_eq!(run_office_read(harness, |tx| tx.users().find(fixture.ben.id)).unwrap().name.as_str(), "BEN");
}

/// Deleting a user frees the name. A user who has taken it keeps it.
pub fn deletion_frees_the_name(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let deleted = User { status: UserStatus::Deleted, ..fixture.anna.clone() };
    assert!(run_office_write(harness, |tx| tx.users().update(&deleted)));
    let successor = new_user(9, fixture.tenant.id, "Anna", Some("anna@example.com"));
    assert!(run_office_write(harness, |tx| tx.users().insert(&successor)));
    let noted = User { version: 2, display_name: "Anna who left".into(), ..deleted };
    assert!(run_office_write(harness, |tx| tx.users().update(&noted)), "a deleted user does not occupy a name");
    let back = User { version: 3, ..fixture.anna.clone() };
    assert!(!run_office_write(harness, |tx| tx.users().update(&back)), "the name is taken meanwhile");
    let named = run_office_read(harness, |tx| tx.users().find_by_name(fixture.tenant.id, &FoldedText::of("anna")));
    assert_eq!(named.map(|user| user.id), Some(successor.id));
    let still = run_office_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap();
    assert_eq!(
        (still.status, still.name),
        (UserStatus::Deleted, fixture.anna.name),
        "a deleted user keeps how they were called"
    );
}

/// Reports whether there is any user who is not deleted.
pub fn presence_of_any_user_is_reported(harness: &StoreHarness) {
    let any = || run_office_read(harness, |tx| tx.users().any_exists());
    assert!(!any(), "the store is empty");
    let fixture = ContractFixture::build();
    let mut roster = fixture.to_roster();
    roster.users = vec![fixture.deleted_user.clone()];
    roster.passwords.clear();
    harness.auth.insert_roster(&roster);
    assert!(!any(), "a deleted user is not found");
    run_office_write(harness, |tx| {
        tx.users().insert(&User { status: UserStatus::Pending, ..new_user(9, fixture.other_tenant.id, "New", None) })
    });
    assert!(any());
}

/// Instants keep their milliseconds, and versions their value, also far from today.
pub fn instants_have_millisecond_precision(harness: &StoreHarness) {
    let (fixture, _) = insert_fixture(harness);
    let old = User {
        created_at: Instant::from_millis(1),
        updated_at: Instant::from_millis(253_402_300_799_999),
        ..new_user(9, fixture.tenant.id, "Old", None)
    };
    run_office_write(harness, |tx| tx.users().insert(&old));
    assert_eq!(run_office_read(harness, |tx| tx.users().find(old.id)), Some(old));
}
