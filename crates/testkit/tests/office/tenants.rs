//! The rules of tenants: their stores, the limits of their sessions, and the walls between them.

use std::time::Duration;

use tillgate_domain::office::{self, Field, LimitsChange, Page, Refused, RoleChange, Stamp, TenantChange};
use tillgate_domain::{Action, Branch, BranchId, Change, Scope, SessionLimits, Zone};

use crate::asked::*;
use crate::staffed::*;

#[test]
fn stores_are_opened_renamed_and_closed_but_the_last() {
    let shop = Shop::open();
    let first = shop.world.tenant.branches[0].clone();
    let branch = |called: &str| Branch { id: BranchId::new(AT, random()), name: called.to_owned() };
    let open = |stamp: &Stamp, store: &Branch| office::add_store(shop.store(), shop.id(), stamp, store).unwrap();
    let close = |id, version| office::close_store(shop.store(), shop.id(), &stamp(), id, version).unwrap();
    let rename =
        |id, version, to: &str| office::rename_store(shop.store(), shop.id(), &stamp(), id, version, Some(to)).unwrap();
    assert_eq!(close(first.id, None), Err(Refused::LastStore));
    let station = branch(" Station ");
    let tenant = open(&stamp(), &station).unwrap();
    assert_eq!(tenant.branches[1].name, "Station");
    assert_eq!((tenant.version, shop.last().action), (2, Action::StoreAdd));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::Tenant(shop.id()))));
    assert_eq!(open(&stamp(), &branch("STATION")), Err(Refused::Taken { field: Field::Name, value: "STATION".into() }));
    assert!(matches!(open(&stamp(), &branch(" ")), Err(Refused::Invalid { field: Field::Name, .. })));
    assert_eq!(open(&caller(&["storeUpdate"]), &branch("x")), Err(missing("storeCreate")));
    assert_eq!(rename(station.id, Some(1), "Airport"), Err(Refused::Moved { current: 2 }));
    assert_eq!(rename(station.id, Some(2), "Airport").unwrap().branches[1].name, "Airport");
    assert_eq!(rename(station.id, None, "Airport").unwrap().version, 3, "the same again writes nothing");
    assert!(matches!(rename(station.id, None, "main"), Err(Refused::Taken { .. })));
    let nowhere = BranchId::new(AT, random());
    assert_eq!(rename(nowhere, None, "x"), Err(Refused::Absent { field: Field::Store, value: nowhere.to_string() }));
    assert_eq!(close(first.id, Some(3)).unwrap().branches.len(), 1);
    assert_eq!(close(first.id, None), Err(Refused::Absent { field: Field::Store, value: first.id.to_string() }));
    assert_eq!(close(station.id, None), Err(Refused::LastStore));
    let actions: Vec<Action> = shop.memory.audit().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::StoreAdd, Action::StoreUpdate, Action::StoreClose]);
    for number in 0..199 {
        open(&stamp(), &branch(&number.to_string())).unwrap();
    }
    assert_eq!(open(&stamp(), &branch("one more")), Err(Refused::Full { field: Field::Store, most: 200 }));
}

#[test]
fn a_tenant_shortens_its_sessions_within_bounds() {
    let shop = Shop::open();
    let change = |stamp: &Stamp, change: &TenantChange| {
        let given = SessionLimits { access: Some(Duration::from_mins(15)), ..SessionLimits::default() };
        office::change_tenant(shop.store(), stamp, shop.id(), None, change, &given).unwrap()
    };
    let limits = SessionLimits { access: Some(Duration::from_mins(5)), ..SessionLimits::default() };
    let access = |access| TenantChange {
        limits: LimitsChange { access: Some(access), ..LimitsChange::default() },
        ..TenantChange::default()
    };
    let asked = access(limits.access);
    assert_eq!(change(&caller(&["userUpdate"]), &asked), Err(missing("tenantUpdate")));
    let after = change(&stamp(), &asked).unwrap();
    assert_eq!((after.limits, after.version), (limits, 2));
    assert_eq!(office::find_tenant(shop.store(), shop.id()).unwrap(), Some(after));
    assert_eq!(shop.last().details["access"], serde_json::json!({ "from": null, "to": 300 }));
    let refused = change(&stamp(), &access(Some(Duration::from_secs(1))));
    assert!(matches!(&refused, Err(Refused::Spans(spans)) if spans[0].field == Field::Access), "{refused:?}");
    let longer = change(&stamp(), &access(Some(Duration::from_mins(16))));
    assert!(longer.unwrap_err().to_string().contains("between 120 and 900 seconds"));
    let zone = TenantChange { zone: Zone::parse("Asia/Jakarta").ok(), ..TenantChange::default() };
    assert_eq!(change(&stamp(), &zone).unwrap().limits, limits, "what is not named stays");
    assert_eq!(change(&stamp(), &access(None)).unwrap().limits, SessionLimits::default());
    let page = Page { after: None, limit: 10 };
    assert_eq!(office::list_tenants(shop.store(), &page).unwrap().len(), 1);
}

#[test]
fn what_belongs_to_another_tenant_is_not_there() {
    let shop = Shop::open();
    let night = shop.role("night", &["storno"], ALL);
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("other")).unwrap().unwrap().id;
    assert_eq!(office::find_role(shop.store(), elsewhere, night.id).unwrap(), None);
    let change = RoleChange { label: Some("x".into()), ..RoleChange::default() };
    let absent = Err(Refused::Absent { field: Field::Role, value: night.id.to_string() });
    assert_eq!(office::change_role(shop.store(), elsewhere, &stamp(), night.id, None, &change).unwrap(), absent);
    assert_eq!(office::delete_role(shop.store(), elsewhere, &stamp(), night.id, None).unwrap(), absent);
    let password = office::remove_password(shop.store(), elsewhere, &stamp(), shop.world.p01.id).unwrap();
    assert!(matches!(password, Err(Refused::Absent { field: Field::Device, .. })));
}
