//! Deletion of users, and the end of all sessions of a user.

use tillgate_domain::office::{AuditContext, FieldName, Office, OfficeError, SessionTarget, UserChange};
use tillgate_domain::{Action, Actor, Change, Epoch, PrincipalId, Scope, StoreExt, TenantId, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

#[test]
fn deleted_user_loses_password_and_names() {
    let shop = StaffedFixture::open();
    let manager = shop.fixture.user("manager");
    assert_eq!(shop.office().set_pin(manager.id, &new_pin()).unwrap(), Ok(true));
    let deleted = shop.office().set_user_status(manager.id, UserStatus::Deleted).unwrap().unwrap();
    assert_eq!(deleted.assignment, manager.assignment, "a list of the deleted shows what they were");
    assert!(!shop.store().read("test", |tx| tx.passwords().has(PrincipalId::User(manager.id))).unwrap());
    assert!(!shop.store().write("test", |tx| tx.pins().remove(manager.id)).unwrap());
    assert_eq!(shop.last_event().action, Action::UserDelete);
    assert_eq!(shop.last_event().details["pin_removed"], true);
    // both the name and the address are free again
    let cashier = shop.fixture.user("cashier");
    let change =
        UserChange { name: Some(manager.name.clone()), email: Some(manager.email.clone()), ..UserChange::default() };
    let renamed = shop.office().change_user(cashier.id, None, &change).unwrap().unwrap();
    assert_eq!((renamed.name, renamed.email), (manager.name.clone(), manager.email.clone()));
}

#[test]
fn all_sessions_of_a_user_end_at_once() {
    let shop = StaffedFixture::open();
    let (cashier, p01, tenant) = (shop.fixture.user("cashier"), shop.fixture.device("P01"), &shop.fixture.tenant);
    let end = |stamp: &AuditContext, whose| shop.office_as(stamp.clone()).end_sessions(whose, false).unwrap();
    let manager = || caller_context(&["sessionDelete"]);
    for (whose, scope) in [
        (SessionTarget::User(cashier.id), Scope::User(cashier.id)),
        (SessionTarget::Device(p01.id), Scope::Device(p01.id)),
        (SessionTarget::Everyone, Scope::Tenant(tenant.id)),
    ] {
        assert_eq!(end(&caller_context(&["userUpdate"]), whose), Err(missing_right("sessionDelete")));
        assert_eq!(end(&manager(), whose), Ok(()));
        assert_eq!(shop.list_changes().last(), Some(&Change::EpochBumped { scope, epoch: Epoch(1) }));
        assert_eq!(shop.last_event().action, Action::SessionEnd);
    }
    // users may end their own sessions
    let own = AuditContext { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller_context(&[]) };
    assert_eq!(end(&own, SessionTarget::User(cashier.id)), Ok(()));
    let own = AuditContext { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller_context(&[]) };
    assert_eq!(end(&own, SessionTarget::User(shop.fixture.user("manager").id)), Err(missing_right("sessionDelete")));
    let elsewhere = TenantId::new(NOW, random_bytes());
    let foreign =
        Office::new(shop.store(), elsewhere, manager()).end_sessions(SessionTarget::User(cashier.id), false).unwrap();
    assert_eq!(foreign, Err(OfficeError::NotFound { field: FieldName::User, value: cashier.id.to_string() }));
}
