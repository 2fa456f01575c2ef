//! Users as the back office searches for them.

use std::collections::BTreeSet;

use tillgate_auth_core::Session;
use tillgate_auth_core::ports::SessionFilter;
use tillgate_domain::UserStatus::{Active, Deleted, Pending, Suspended};
use tillgate_domain::office::ports::{EventFilter, OffsetPageRequest, UserCursor, UserFilter, UserOrder};
use tillgate_domain::office::{AuditContext, Office};
use tillgate_domain::{
    Action, Actor, Assignment, Authority, BranchId, Email, EventId, StoreError, StoreExt, User, UserName,
};

use crate::StoreHarness;
use crate::contract::session_lists::listed_ids;
use crate::contract_fixture::{ContractFixture, after_start, insert_sessions, new_user, role_id, user_id};

/// The fixture's users and a few more: Anna (1), Ben (2), Gone (4, deleted), Žofia (5, suspended,
/// manager), ben.jr (6, cashier), Čeněk (7, deleted).
fn insert_fixture(harness: &StoreHarness) -> ContractFixture {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let office = |role: u8| Assignment { office: [role_id(role)].into(), ..Assignment::default() };
    let more = [
        User {
            status: Suspended,
            assignment: office(2),
            email: Some(Email::parse("100%_O'Hara@example.com").unwrap()),
            ..new_user(5, fixture.tenant.id, "Žofia", None)
        },
        User { assignment: office(1), ..new_user(6, fixture.tenant.id, "ben.jr", None) },
        User { status: Deleted, ..new_user(7, fixture.tenant.id, "Čeněk", None) },
    ];
    for user in &more {
        assert!(harness.office.write("test", |tx| tx.users().insert(user)).unwrap());
    }
    fixture
}

fn search_skipping(
    harness: &StoreHarness,
    fixture: &ContractFixture,
    filter: &UserFilter,
    order: UserOrder,
    skip: u64,
    limit: u32,
) -> Vec<u8> {
    search_part(harness, fixture, filter, order, &OffsetPageRequest { after: None, skip, limit })
}

fn search_part(
    harness: &StoreHarness,
    fixture: &ContractFixture,
    filter: &UserFilter,
    order: UserOrder,
    part: &OffsetPageRequest<UserCursor>,
) -> Vec<u8> {
    let found = harness.office.read("test", |tx| tx.users().search(fixture.tenant.id, filter, order, part)).unwrap();
    assert!(found.iter().all(|user| filter.matches(user)), "{filter:?}");
    let number = |user: &User| (1..=9).find(|number| user_id(*number) == user.id).unwrap();
    found.iter().map(number).collect()
}

/// Each criterion of a filter narrows the list and the count alike, and all apply together. No user
/// of another tenant is found.
pub fn filter_narrows_the_users(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    let store = fixture.move_to_store(harness, &fixture.handheld);
    let any = UserFilter::default;
    let text = |text: &str| UserFilter { text: Some(text.into()), ..any() };
    for (filter, expected) in [
        (any(), &[1, 2, 4, 5, 6, 7][..]),
        (UserFilter { statuses: vec![Active], ..any() }, &[1, 2, 6]),
        (UserFilter { statuses: vec![Active, Suspended, Pending], ..any() }, &[1, 2, 5, 6]),
        (UserFilter { statuses: vec![Deleted], ..any() }, &[4, 7]),
        (UserFilter { statuses: vec![Pending], ..any() }, &[]),
        (UserFilter { with_role: Some(role_id(1)), ..any() }, &[1, 6]),
        (UserFilter { with_role: Some(role_id(2)), ..any() }, &[5]),
        (UserFilter { with_role: Some(role_id(1)), without_roles: vec![role_id(2), role_id(3)], ..any() }, &[6]),
        (UserFilter { without_roles: vec![role_id(1), role_id(2)], ..any() }, &[2, 4, 7]),
        (UserFilter { with_role: Some(role_id(33)), ..any() }, &[]),
        (UserFilter { assigned_role: Some(role_id(1)), ..any() }, &[1, 6]),
        (UserFilter { assigned_role: Some(role_id(2)), ..any() }, &[1, 5]),
        (UserFilter { assigned_role: Some(role_id(33)), ..any() }, &[]),
        (UserFilter { branch: Some(store), ..any() }, &[1]),
        (UserFilter { branch: Some(BranchId::new(after_start(0), [99; 10])), ..any() }, &[]),
        (text("BEN"), &[2, 6]),
        (text("ANNA@Example"), &[1]),
        (text("of the shop"), &[1, 2, 4, 5, 6, 7]),
        (text("ŽOFIA"), &[5]),
        (text("žof"), &[5]),
        (text("Čeněk"), &[7]),
        (text("ČENĚK"), &[7]),
        (text("z\u{30c}OFIA"), &[5]),
        (text("gone@"), &[4]),
        (text("100%_o'hara"), &[5]),
        (text("%"), &[5]),
        (text("_"), &[5]),
        (text("\\"), &[]),
        (UserFilter { statuses: vec![Active], with_role: Some(role_id(1)), ..text("ben") }, &[6]),
    ] {
        assert_eq!(search_skipping(harness, &fixture, &filter, UserOrder::Oldest, 0, 99), expected, "{filter:?}");
        let count = harness.office.read("test", |tx| tx.users().count(fixture.tenant.id, &filter)).unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
}

/// A user is found by the e-mail address with its domain in Unicode and in Punycode, and by a part
/// of either, in whichever form the address was entered. The sessions of the user are not.
pub fn address_is_found_with_its_domain_in_either_form(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for (number, name, email) in [(8, "eva", "Eva@München.example"), (9, "jan", "jan@xn--mnchen-3ya.example")] {
        let user = new_user(number, fixture.tenant.id, name, Some(email));
        assert!(harness.office.write("test", |tx| tx.users().insert(&user)).unwrap());
        let session = Session { user: Some(user.id), ..fixture.new_session(number) };
        insert_sessions(&harness.auth, &[session]);
    }
    let any = UserFilter::default;
    for (text, expected) in [
        ("@münchen.example", &[8, 9][..]),
        ("@XN--MNCHEN-3YA.example", &[8, 9]),
        ("EVA@xn--mnchen-3ya.example", &[8]),
        ("jan@MÜNCHEN", &[9]),
        ("xn--mnch", &[8, 9]),
        ("münch", &[8, 9]),
        ("xn--mnchen-3yb", &[]),
    ] {
        let filter = UserFilter { text: Some(text.into()), ..any() };
        assert_eq!(search_skipping(harness, &fixture, &filter, UserOrder::Oldest, 0, 99), expected, "{text}");
        let filter = SessionFilter { text: Some(text.into()), ..SessionFilter::default() };
        assert_eq!(listed_ids(&harness.auth, &filter, None, 10), [], "{text}");
    }
    // an address that is replaced is no longer found
    let eva = User { email: Some(Email::parse("eva@example.com").unwrap()), ..load_user(harness, 8) };
    assert!(harness.office.write("test", |tx| tx.users().update(&eva)).unwrap());
    let filter = UserFilter { text: Some("xn--".into()), ..any() };
    assert_eq!(search_skipping(harness, &fixture, &filter, UserOrder::Oldest, 0, 99), [9]);
}

/// Users are listed in the requested order, without the first `skip`, at most `limit`.
pub fn users_are_listed_in_order_and_pages(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    let by = |order, skip, limit| search_skipping(harness, &fixture, &UserFilter::default(), order, skip, limit);
    assert_eq!(by(UserOrder::Newest, 0, 99), [7, 6, 5, 4, 2, 1]);
    assert_eq!(by(UserOrder::Name, 0, 99), [1, 2, 6, 4, 7, 5], "Anna Ben ben.jr Gone Čeněk Žofia");
    assert_eq!(by(UserOrder::NameDescending, 0, 99), [5, 7, 4, 6, 2, 1]);
    assert_eq!(by(UserOrder::Oldest, 2, 2), [4, 5]);
    assert_eq!(by(UserOrder::Newest, 5, 9), [1]);
    assert_eq!(by(UserOrder::Name, 6, 9), [0; 0]);
    assert_eq!(by(UserOrder::Name, u64::MAX, 9), [0; 0]);
    assert_eq!(by(UserOrder::Name, 0, 0), [0; 0]);
}

const USER_ORDERS: [UserOrder; 4] = [UserOrder::Oldest, UserOrder::Newest, UserOrder::Name, UserOrder::NameDescending];

/// The user with this number, also if deleted.
fn load_user(harness: &StoreHarness, number: u8) -> User {
    harness.office.read("test", |tx| tx.users().find(user_id(number))).unwrap().unwrap()
}

/// A page continues behind the last user of the previous one, in every order, also if the filter no
/// longer matches that user, and if that user no longer exists at that position.
pub fn page_follows_its_predecessor(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    let any = UserFilter::default();
    for order in USER_ORDERS {
        let all = search_skipping(harness, &fixture, &any, order, 0, 99);
        for (at, last) in all.iter().enumerate() {
            let after = OffsetPageRequest { after: Some(order.cursor(&load_user(harness, *last))), skip: 0, limit: 2 };
            let expected: Vec<u8> = all.iter().skip(at + 1).take(2).copied().collect();
            assert_eq!(search_part(harness, &fixture, &any, order, &after), expected, "{order:?} after {last}");
        }
    }
    let active = UserFilter { statuses: vec![Active], ..any };
    let of = |order: UserOrder, user: &User| {
        search_part(
            harness,
            &fixture,
            &active,
            order,
            &OffsetPageRequest { after: Some(order.cursor(user)), skip: 0, limit: 9 },
        )
    };
    let deleted_user = load_user(harness, 4);
    assert_eq!(of(UserOrder::Name, &deleted_user), [0; 0], "after Gone: nobody of Anna, Ben, ben.jr");
    assert_eq!(of(UserOrder::NameDescending, &deleted_user), [6, 2, 1]);
    let nobody = new_user(8, fixture.tenant.id, "Anton", None);
    assert_eq!(of(UserOrder::Name, &nobody), [2, 6], "between Anna and Ben");
    assert_eq!(of(UserOrder::NameDescending, &nobody), [1]);
    assert_eq!(of(UserOrder::Newest, &nobody), [6, 2, 1]);
}

/// If the last user of a page is renamed or deleted before the next page is read, no other user is
/// skipped.
pub fn user_changed_between_pages_loses_none(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    for (order, name) in [(UserOrder::Name, "zz-last"), (UserOrder::NameDescending, "Aaron")] {
        let any = UserFilter { statuses: vec![Active, Suspended, Pending], ..UserFilter::default() };
        let all = search_skipping(harness, &fixture, &any, order, 0, 99);
        let mut seen = search_skipping(harness, &fixture, &any, order, 0, 2);
        let last = load_user(harness, seen[1]);
        let cursor = order.cursor(&last);
        let renamed = User { name: UserName::parse(name).unwrap(), ..last };
        assert!(harness.office.write("test", |tx| tx.users().update(&renamed)).unwrap());
        seen.extend(search_part(
            harness,
            &fixture,
            &any,
            order,
            &OffsetPageRequest { after: Some(cursor), skip: 0, limit: 99 },
        ));
        let lost: Vec<u8> = all.into_iter().filter(|number| !seen.contains(number)).collect();
        assert_eq!(lost, [0; 0], "{order:?}: {seen:?}");
    }
}

/// A search returns complete users, with their assignments.
pub fn found_user_is_complete(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    let filter = UserFilter { text: Some("anna".into()), ..UserFilter::default() };
    let part = OffsetPageRequest::first(9);
    let found = harness
        .office
        .read("test", |tx| tx.users().search(fixture.tenant.id, &filter, UserOrder::Name, &part))
        .unwrap();
    assert_eq!(found, std::slice::from_ref(&fixture.anna));
    let others = harness
        .office
        .read("test", |tx| tx.users().search(fixture.other_tenant.id, &filter, UserOrder::Name, &part))
        .unwrap();
    assert_eq!(others, std::slice::from_ref(&fixture.namesake));
    let office: BTreeSet<_> = others.into_iter().flat_map(|user| user.assignment.office).collect();
    assert_eq!(office, BTreeSet::new());
}

/// If several callers toggle one user's status concurrently, none is told of a change that did not
/// happen: there are as many audit events as toggles.
pub fn concurrent_toggles_are_not_lost(harness: &StoreHarness) {
    let fixture = insert_fixture(harness);
    let toggle = |number: u8| {
        let stamp = AuditContext {
            at: after_start(u64::from(number)),
            event_id: EventId::new(after_start(u64::from(number)), [number; 10]),
            actor: Actor::default(),
            authority: Authority::Host,
            os_user: None,
        };
        match Office::new(&*harness.office, fixture.tenant.id, stamp.clone()).toggle_user(fixture.ben.id) {
            Ok(toggled) => u64::from(toggled.is_ok()),
            // every run met a conflict: nothing was done
            Err(StoreError::Unavailable(_)) => 0,
            Err(error) => panic!("{error}"),
        }
    };
    let done: u64 = std::thread::scope(|scope| {
        let toggle = &toggle;
        let threads: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || (0..8).map(|each| toggle(100 + thread * 8 + each)).sum::<u64>()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(done > 0);
    let reported =
        EventFilter { subject_id: Some(fixture.ben.id.0), actions: vec![Action::UserStatus], ..EventFilter::default() };
    assert_eq!(harness.office.read("test", |tx| tx.events().count(&reported)).unwrap(), done);
    let ben = harness.office.read("test", |tx| tx.users().find(fixture.ben.id)).unwrap().unwrap();
    assert_eq!(ben.status == Active, done.is_multiple_of(2), "after {done}");
}
