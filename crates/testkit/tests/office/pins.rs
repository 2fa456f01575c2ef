//! When the PIN of a user is removed, and when none is set.

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::KeyState;
use tillgate_domain::office::{DeviceRolesChange, RoleChange, UserChange};
use tillgate_domain::{Action, Environment, Rank, Store, StoreExt, UserId, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

/// Whether the user has a PIN, which this removes.
fn take_pin(shop: &StaffedFixture, user: UserId) -> bool {
    shop.store().write("test", |tx| tx.pins().remove(user)).unwrap()
}

fn change(shop: &StaffedFixture, user: UserId, change: &UserChange) -> Option<serde_json::Value> {
    shop.office().set_pin(user, &new_pin()).unwrap().unwrap();
    shop.office().change_user(user, None, change).unwrap().unwrap();
    shop.last_event().details.get("pin_removed").cloned()
}

/// Somebody of lower rank may have drawn the PIN, and know it.
#[test]
fn promotion_removes_the_pin() {
    let shop = StaffedFixture::open();
    let cashier = shop.fixture.user("cashier").id;
    let ranked = |rank| UserChange { rank: Some(rank), ..UserChange::default() };
    assert_eq!(change(&shop, cashier, &ranked(Rank::Manager)), Some(true.into()));
    assert!(!take_pin(&shop, cashier));
    let on_till = roles_on("P02", &["admin"]);
    let devices = DeviceRolesChange::Replace(vec![on_till]);
    assert_eq!(change(&shop, cashier, &UserChange { devices, ..UserChange::default() }), Some(true.into()));
    assert!(!take_pin(&shop, cashier), "a right on one device only");
}

#[test]
fn change_that_gives_no_right_keeps_the_pin() {
    let shop = StaffedFixture::open();
    let (cashier, manager) = (shop.fixture.user("cashier").id, shop.fixture.user("manager").id);
    let same_on_another = DeviceRolesChange::Replace(vec![roles_on("P02", &["cashier"])]);
    for (user, kept) in [
        (manager, UserChange { rank: Some(Rank::Cashier), ..UserChange::default() }),
        (cashier, UserChange { devices: same_on_another, ..UserChange::default() }),
        (cashier, UserChange { display_name: Some("Somebody".to_owned()), ..UserChange::default() }),
        (cashier, UserChange { status: Some(UserStatus::Suspended), ..UserChange::default() }),
    ] {
        assert_eq!(change(&shop, user, &kept), None, "{kept:?}");
        assert!(take_pin(&shop, user), "{kept:?}");
    }
}

/// A right that a role gets reaches everybody who has the role. No till may lose all of its PINs by
/// that.
#[test]
fn right_of_a_role_keeps_the_pins_of_its_holders() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["ticketRead"], &Environment::ALL);
    let cashier = shop.fixture.user("cashier").id;
    let roles = Some(vec![parse_role("night")]);
    change(&shop, cashier, &UserChange { roles, ..UserChange::default() });
    shop.office().set_pin(cashier, &new_pin()).unwrap().unwrap();
    let grown = RoleChange { rights: Some(parse_rights(&["ticketRead", "storno"])), ..RoleChange::default() };
    shop.office().change_role(night.id, None, &grown).unwrap().unwrap();
    assert!(take_pin(&shop, cashier));
}

#[test]
fn no_pin_is_set_with_a_key_that_was_replaced() {
    let shop = StaffedFixture::open();
    let cashier = shop.fixture.user("cashier").id;
    let keys: &dyn Store<AuthPorts> = &shop.store;
    for (from, to) in [(KeyState::Current, KeyState::Kept), (KeyState::Kept, KeyState::Revoked)] {
        assert!(keys.write("test", |tx| tx.keys().change_state(pin_key(), from, to, NOW)).unwrap());
        assert_eq!(shop.office().set_pin(cashier, &new_pin()).unwrap(), Ok(false), "{to:?}");
        assert!(!take_pin(&shop, cashier));
    }
    assert!(shop.store.audit_events().iter().all(|event| event.action != Action::PinSet));
}
