//! Passwords that must be changed at the next login: who can require it, and which sessions that
//! ends.

use serde_json::json;
use tillgate_domain::office::{FieldName, NewUser, OfficeError, PasswordOptions, UserChange};
use tillgate_domain::{Action, Change, Epoch, PrincipalId, Scope, Secret, User, UserStatus};

use crate::fixture::OfficeFixture;
use crate::inputs::*;
use crate::staffed_fixture::*;

fn is_required(shop: &OfficeFixture, user: &User) -> bool {
    shop.unguarded().find_user(user.id).unwrap().unwrap().password_change_required
}

fn set_required(shop: &OfficeFixture, user: &User, required: bool) -> Result<User, OfficeError> {
    shop.change_user(user, &UserChange { password_change_required: Some(required), ..UserChange::default() })
}

fn set_password(shop: &OfficeFixture, user: &User, change_required: bool) {
    let (whose, verifier) = (PrincipalId::User(user.id), Secret::new("hash".to_owned()));
    let options = PasswordOptions { require_change: change_required, ..PasswordOptions::default() };
    shop.office().set_password_with(whose, &verifier, options).unwrap().unwrap();
}

/// The action and the relevant detail of the latest audit event.
fn last_event(shop: &OfficeFixture) -> (Action, Option<serde_json::Value>) {
    let last = shop.store.audit_events().pop().unwrap();
    (last.action, last.details.get(FieldName::PasswordChangeRequired.name()).cloned())
}

#[test]
fn set_password_may_require_a_change() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &[]);
    assert!(!anna.password_change_required && !is_required(&shop, &anna));
    set_password(&shop, &anna, true);
    assert!(is_required(&shop, &anna));
    assert_eq!(last_event(&shop), (Action::Password, Some(json!({ "from": false, "to": true }))));
    set_password(&shop, &anna, true);
    assert!(is_required(&shop, &anna));
    assert_eq!(last_event(&shop), (Action::Password, None), "it was so already");
    set_password(&shop, &anna, false);
    assert!(!is_required(&shop, &anna), "another password need not be changed unless it is said again");
    assert_eq!(last_event(&shop), (Action::Password, Some(json!({ "from": true, "to": false }))));
    assert_eq!(shop.list_changes().last(), Some(&Change::EpochBumped { scope: Scope::User(anna.id), epoch: Epoch(3) }));
}

#[test]
fn new_user_may_have_to_change_the_password() {
    let shop = OfficeFixture::open();
    let new = NewUser { password_change_required: true, ..new_user("anna", &[]) };
    let anna = shop.add(&new).unwrap();
    assert!(anna.password_change_required && is_required(&shop, &anna));
    assert_eq!(last_event(&shop), (Action::UserAdd, Some(json!(true))));
    let kiosk = NewUser { feature: Some("kiosk".into()), password_change_required: true, ..new_user("kiosk", &[]) };
    assert_eq!(shop.add(&kiosk), Err(OfficeError::VirtualUser(kiosk.name.clone())));
}

#[test]
fn requirement_alone_ends_no_session() {
    let shop = OfficeFixture::open();
    let anna = shop.add_user("anna", &[]);
    let before = shop.list_changes().len();
    let changed = set_required(&shop, &anna, true).unwrap();
    assert!(changed.password_change_required && changed.version > anna.version);
    assert_eq!(shop.list_changes()[before..], [Change::Invalidated(Scope::User(anna.id))]);
    assert_eq!(last_event(&shop), (Action::UserUpdate, Some(json!({ "from": false, "to": true }))));
    assert!(!set_required(&shop, &changed, false).unwrap().password_change_required);
    assert!(!is_required(&shop, &anna));
}

#[test]
fn last_admin_with_required_password_change_counts() {
    let shop = OfficeFixture::open();
    let (anna, ben) = (shop.add_user("anna", &["admin"]), shop.add_user("ben", &["admin"]));
    set_required(&shop, &anna, true).unwrap();
    assert!(shop.set_status(&ben, UserStatus::Suspended).is_ok(), "anna is left");
    assert_eq!(shop.set_status(&anna, UserStatus::Suspended), Err(OfficeError::LastAdmin));
    assert!(is_required(&shop, &anna));
}

/// Somebody who knew the old password could have set the PIN.
#[test]
fn new_password_of_a_user_removes_the_pin() {
    let shop = StaffedFixture::open();
    let (cashier, manager) = (shop.fixture.user("cashier").id, shop.fixture.user("manager").id);
    for user in [cashier, manager] {
        shop.office().set_pin(user, &new_pin()).unwrap().unwrap();
    }
    let verifier = Secret::new("another".to_owned());
    shop.office().set_password(PrincipalId::User(cashier), &verifier).unwrap().unwrap();
    assert_eq!(shop.last_event().details["pin_removed"], true);
    assert_eq!([cashier, manager].map(|user| shop.office().remove_pin(user).unwrap()), [Ok(false), Ok(true)]);
}
