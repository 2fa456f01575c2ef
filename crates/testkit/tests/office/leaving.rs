//! Who leaves: a deleted user, and everybody whose sessions end at once.

use tillgate_domain::office::{self, Field, Refused, Stamp, UserChange, Whose};
use tillgate_domain::{Action, Actor, Change, Epoch, PrincipalId, Scope, StoreExt, TenantId, UserStatus};
use tillgate_testkit::World;

use crate::asked::*;
use crate::staffed::*;

#[test]
fn a_deleted_user_leaves_their_password_and_their_names() {
    let shop = Shop::open();
    let manager = &shop.world.manager;
    let gone =
        office::set_user_status(shop.store(), shop.id(), &stamp(), manager.id, UserStatus::Deleted).unwrap().unwrap();
    assert_eq!(gone.assignment, manager.assignment, "a list of the deleted shows what they were");
    assert!(!shop.store().read(|tx| tx.passwords().has(PrincipalId::User(manager.id))).unwrap());
    assert_eq!(shop.last().action, Action::UserDelete);
    // both the name and the address are free again
    let cashier = &shop.world.cashier;
    let change =
        UserChange { name: Some(manager.name.clone()), email: Some(manager.email.clone()), ..UserChange::default() };
    let renamed = office::change_user(shop.store(), shop.id(), &stamp(), cashier.id, None, &change).unwrap().unwrap();
    assert_eq!((renamed.name, renamed.email), (manager.name.clone(), manager.email.clone()));
}

#[test]
fn all_sessions_of_somebody_end_at_once() {
    let shop = Shop::open();
    let World { cashier, p01, tenant, .. } = &shop.world;
    let end = |stamp: &Stamp, whose| office::end_sessions(shop.store(), shop.id(), stamp, whose, false).unwrap();
    let manager = || caller(&["sessionDelete"]);
    for (whose, scope) in [
        (Whose::User(cashier.id), Scope::User(cashier.id)),
        (Whose::Device(p01.id), Scope::Device(p01.id)),
        (Whose::Everyone, Scope::Tenant(tenant.id)),
    ] {
        assert_eq!(end(&caller(&["userUpdate"]), whose), Err(missing("sessionDelete")));
        assert_eq!(end(&manager(), whose), Ok(()));
        assert_eq!(shop.changes().last(), Some(&Change::Raised { scope, epoch: Epoch(1) }));
        assert_eq!(shop.last().action, Action::SessionEnd);
    }
    // one's own are one's own to end
    let own = Stamp { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller(&[]) };
    assert_eq!(end(&own, Whose::User(cashier.id)), Ok(()));
    let own = Stamp { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller(&[]) };
    assert_eq!(end(&own, Whose::User(shop.world.manager.id)), Err(missing("sessionDelete")));
    let elsewhere = TenantId::new(AT, random());
    let foreign = office::end_sessions(shop.store(), elsewhere, &manager(), Whose::User(cashier.id), false).unwrap();
    assert_eq!(foreign, Err(Refused::Absent { field: Field::User, value: cashier.id.to_string() }));
}
