//! A password that must be changed at the next login: who says so, and what that ends.

use serde_json::json;
use tillgate_domain::office::{self, Field, NewUser, PasswordOptions, Refused, UserChange};
use tillgate_domain::{Action, Change, Epoch, PrincipalId, Scope, Secret, User, UserStatus};

use crate::asked::*;
use crate::shop::Shop;

fn required(shop: &Shop, user: &User) -> bool {
    office::find_user(shop.store(), shop.tenant.id, user.id).unwrap().unwrap().password_change_required
}

fn require(shop: &Shop, user: &User, required: bool) -> Result<User, Refused> {
    shop.change(user, &UserChange { password_change_required: Some(required), ..UserChange::default() })
}

fn set_password(shop: &Shop, user: &User, change_required: bool) {
    let (whose, verifier) = (PrincipalId::User(user.id), Secret::new("hash".to_owned()));
    let options = PasswordOptions { change_required, ..PasswordOptions::default() };
    office::set_password_with(shop.store(), shop.tenant.id, &stamp(), whose, &verifier, options).unwrap().unwrap();
}

/// What the last line of the audit says of it.
fn audited(shop: &Shop) -> (Action, Option<serde_json::Value>) {
    let last = shop.memory.audit().pop().unwrap();
    (last.action, last.details.get(Field::PasswordChangeRequired.name()).cloned())
}

#[test]
fn password_that_is_set_says_whether_it_must_be_changed() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    assert!(!anna.password_change_required && !required(&shop, &anna));
    set_password(&shop, &anna, true);
    assert!(required(&shop, &anna));
    assert_eq!(audited(&shop), (Action::Password, Some(json!({ "from": false, "to": true }))));
    set_password(&shop, &anna, true);
    assert!(required(&shop, &anna));
    assert_eq!(audited(&shop), (Action::Password, None), "it was so already");
    set_password(&shop, &anna, false);
    assert!(!required(&shop, &anna), "another password need not be changed unless it is said again");
    assert_eq!(audited(&shop), (Action::Password, Some(json!({ "from": true, "to": false }))));
    assert_eq!(shop.changes().last(), Some(&Change::Raised { scope: Scope::User(anna.id), epoch: Epoch(3) }));
}

#[test]
fn new_user_may_have_to_change_the_password() {
    let shop = Shop::open();
    let new = NewUser { password_change_required: true, ..new_user("anna", &[]) };
    let anna = shop.add(&new).unwrap();
    assert!(anna.password_change_required && required(&shop, &anna));
    assert_eq!(audited(&shop), (Action::UserAdd, Some(json!(true))));
    let kiosk = NewUser { feature: Some("kiosk".into()), password_change_required: true, ..new_user("kiosk", &[]) };
    assert_eq!(shop.add(&kiosk), Err(Refused::Virtual));
}

#[test]
fn requirement_alone_ends_no_session() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let before = shop.changes().len();
    let changed = require(&shop, &anna, true).unwrap();
    assert!(changed.password_change_required && changed.version > anna.version);
    assert_eq!(shop.changes()[before..], [Change::Touched(Scope::User(anna.id))]);
    assert_eq!(audited(&shop), (Action::UserUpdate, Some(json!({ "from": false, "to": true }))));
    assert!(!require(&shop, &changed, false).unwrap().password_change_required);
    assert!(!required(&shop, &anna));
}

#[test]
fn last_admin_who_must_change_the_password_is_an_admin_still() {
    let shop = Shop::open();
    let (anna, ben) = (shop.user("anna", &["admin"]), shop.user("ben", &["admin"]));
    require(&shop, &anna, true).unwrap();
    assert!(shop.status(&ben, UserStatus::Suspended).is_ok(), "anna is left");
    assert_eq!(shop.status(&anna, UserStatus::Suspended), Err(Refused::LastAdmin));
    assert!(required(&shop, &anna));
}
