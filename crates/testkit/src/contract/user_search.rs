//! Users as the back office looks for them.

use std::collections::BTreeSet;

use tillgate_domain::UserStatus::{Active, Deleted, Pending, Suspended};
use tillgate_domain::office::ports::{EventFilter, OffsetPageRequest, UserCursor, UserFilter, UserOrder};
use tillgate_domain::office::{self, AuditContext, Authority};
use tillgate_domain::{Action, Actor, Assignment, Email, EventId, StoreError, StoreExt, User, UserName};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, new_user, role_id, user_id};

/// The shop's people and a few more: Anna (1), Ben (2), Gone (4, deleted), Žofia (5, suspended, manager), ben.jr (6, cashier),
/// Čeněk (7, deleted).
fn insert_fixture(whole: &StoreHarness) -> ContractFixture {
    let shop = ContractFixture::insert_into(&whole.auth);
    let office = |role: u8| Assignment { office: [role_id(role)].into(), ..Assignment::default() };
    let more = [
        User {
            status: Suspended,
            assignment: office(2),
            email: Some(Email::parse("100%_O'Hara@example.com").unwrap()),
            ..new_user(5, shop.tenant.id, "Žofia", None)
        },
        User { assignment: office(1), ..new_user(6, shop.tenant.id, "ben.jr", None) },
        User { status: Deleted, ..new_user(7, shop.tenant.id, "Čeněk", None) },
    ];
    for user in &more {
        assert!(whole.office.write(|tx| tx.users().insert(user)).unwrap());
    }
    shop
}

fn search_skipping(
    whole: &StoreHarness,
    shop: &ContractFixture,
    filter: &UserFilter,
    order: UserOrder,
    skip: u64,
    limit: u32,
) -> Vec<u8> {
    search_part(whole, shop, filter, order, &OffsetPageRequest { after: None, skip, limit })
}

fn search_part(
    whole: &StoreHarness,
    shop: &ContractFixture,
    filter: &UserFilter,
    order: UserOrder,
    part: &OffsetPageRequest<UserCursor>,
) -> Vec<u8> {
    let found = whole.office.read(|tx| tx.users().search(shop.tenant.id, filter, order, part)).unwrap();
    assert!(found.iter().all(|user| filter.matches(user)), "{filter:?}");
    let number = |user: &User| (1..=9).find(|number| user_id(*number) == user.id).unwrap();
    found.iter().map(number).collect()
}

/// Each part of a filter narrows the list and the count alike, and all of them together. Nobody of another tenant is found.
pub fn filter_narrows_the_users(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
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
        assert_eq!(search_skipping(whole, &shop, &filter, UserOrder::Oldest, 0, 99), expected, "{filter:?}");
        let count = whole.office.read(|tx| tx.users().count(shop.tenant.id, &filter)).unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
}

/// Users come in the order that is asked for, those after the first `skip`, `limit` at most.
pub fn users_are_listed_in_order_and_pages(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
    let by = |order, skip, limit| search_skipping(whole, &shop, &UserFilter::default(), order, skip, limit);
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

/// The user of this number among the shop's people, a deleted one too.
fn load_user(whole: &StoreHarness, number: u8) -> User {
    whole.office.read(|tx| tx.users().find(user_id(number))).unwrap().unwrap()
}

/// The part after a user goes on where the part that ended with them left off, in every order, also where the filter no longer fits
/// them, and where nobody stands in the place any more.
pub fn page_follows_its_predecessor(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
    let any = UserFilter::default();
    for order in USER_ORDERS {
        let all = search_skipping(whole, &shop, &any, order, 0, 99);
        for (at, last) in all.iter().enumerate() {
            let after = OffsetPageRequest { after: Some(order.cursor(&load_user(whole, *last))), skip: 0, limit: 2 };
            let expected: Vec<u8> = all.iter().skip(at + 1).take(2).copied().collect();
            assert_eq!(search_part(whole, &shop, &any, order, &after), expected, "{order:?} after {last}");
        }
    }
    let active = UserFilter { statuses: vec![Active], ..any };
    let of = |order: UserOrder, user: &User| {
        search_part(
            whole,
            &shop,
            &active,
            order,
            &OffsetPageRequest { after: Some(order.cursor(user)), skip: 0, limit: 9 },
        )
    };
    let gone = load_user(whole, 4);
    assert_eq!(of(UserOrder::Name, &gone), [0; 0], "after Gone: nobody of Anna, Ben, ben.jr");
    assert_eq!(of(UserOrder::NameDescending, &gone), [6, 2, 1]);
    let nobody = new_user(8, shop.tenant.id, "Anton", None);
    assert_eq!(of(UserOrder::Name, &nobody), [2, 6], "between Anna and Ben");
    assert_eq!(of(UserOrder::NameDescending, &nobody), [1]);
    assert_eq!(of(UserOrder::Newest, &nobody), [6, 2, 1]);
}

/// Whoever ended a part and has another name, or is deleted, before the next one is asked for takes nobody with them.
pub fn user_changed_between_pages_loses_none(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
    for (order, name) in [(UserOrder::Name, "zz-last"), (UserOrder::NameDescending, "Aaron")] {
        let any = UserFilter { statuses: vec![Active, Suspended, Pending], ..UserFilter::default() };
        let all = search_skipping(whole, &shop, &any, order, 0, 99);
        let mut seen = search_skipping(whole, &shop, &any, order, 0, 2);
        let last = load_user(whole, seen[1]);
        let cursor = order.cursor(&last);
        let renamed = User { name: UserName::parse(name).unwrap(), ..last };
        assert!(whole.office.write(|tx| tx.users().update(&renamed)).unwrap());
        seen.extend(search_part(
            whole,
            &shop,
            &any,
            order,
            &OffsetPageRequest { after: Some(cursor), skip: 0, limit: 99 },
        ));
        let lost: Vec<u8> = all.into_iter().filter(|number| !seen.contains(number)).collect();
        assert_eq!(lost, [0; 0], "{order:?}: {seen:?}");
    }
}

/// A user who is found is the whole user, with their assignment.
pub fn found_user_is_complete(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
    let filter = UserFilter { text: Some("anna".into()), ..UserFilter::default() };
    let part = OffsetPageRequest::first(9);
    let found = whole.office.read(|tx| tx.users().search(shop.tenant.id, &filter, UserOrder::Name, &part)).unwrap();
    assert_eq!(found, std::slice::from_ref(&shop.anna));
    let others =
        whole.office.read(|tx| tx.users().search(shop.other_tenant.id, &filter, UserOrder::Name, &part)).unwrap();
    assert_eq!(others, std::slice::from_ref(&shop.namesake));
    let office: BTreeSet<_> = others.into_iter().flat_map(|user| user.assignment.office).collect();
    assert_eq!(office, BTreeSet::new());
}

/// Of those who switch one user off and on at the same time none is told that it was done where it was not: as many lines of the
/// audit as toggles.
pub fn concurrent_toggles_are_not_lost(whole: &StoreHarness) {
    let shop = insert_fixture(whole);
    let toggle = |number: u8| {
        let stamp = AuditContext {
            at: after_start(u64::from(number)),
            event_id: EventId::new(after_start(u64::from(number)), [number; 10]),
            actor: Actor::default(),
            authority: Authority::Host,
            os_user: None,
        };
        match office::toggle_user(&*whole.office, shop.tenant.id, &stamp, shop.ben.id) {
            Ok(toggled) => u64::from(toggled.is_ok()),
            // met by others at each run: nothing was done
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
    let told =
        EventFilter { subject_id: Some(shop.ben.id.0), actions: vec![Action::UserStatus], ..EventFilter::default() };
    assert_eq!(whole.office.read(|tx| tx.events().count(&told)).unwrap(), done);
    let ben = whole.office.read(|tx| tx.users().find(shop.ben.id)).unwrap().unwrap();
    assert_eq!(ben.status == Active, done.is_multiple_of(2), "after {done}");
}
