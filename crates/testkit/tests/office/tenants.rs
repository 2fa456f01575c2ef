//! The rules for tenants: their branches, session limits, and their isolation from each other.

use std::time::Duration;

use serde_json::json;
use tillgate_domain::office::{
    self, AuditContext, FieldName, LimitsChange, Office, OfficeError, PageRequest, RoleChange, StoreChange,
    TenantChange, UnguardedOffice,
};
use tillgate_domain::{Action, Branch, BranchId, Change, Scope, SessionLimits, Subject, Zone};

use crate::inputs::*;
use crate::staffed_fixture::*;

#[test]
fn stores_are_opened_renamed_and_closed_except_the_last() {
    let shop = StaffedFixture::open();
    let first = shop.fixture.tenant.branches[0].clone();
    // stores are in the order of their ids, so that of a later one is later
    let later = NOW.saturating_add(Duration::from_secs(1));
    let branch =
        |called: &str| Branch { id: BranchId::new(later, random_bytes()), name: called.to_owned(), zone: None };
    let open = |stamp: &AuditContext, store: &Branch| shop.office_as(stamp.clone()).add_store(store).unwrap();
    let close = |id, versions: Option<&[i64]>| shop.office().close_store(id, versions).unwrap();
    let change =
        |id, versions: Option<&[i64]>, change: &StoreChange| shop.office().change_store(id, versions, change).unwrap();
    let rename = |id, versions: Option<&[i64]>, to: &str| {
        change(id, versions, &StoreChange { name: Some(to.to_owned()), ..StoreChange::default() })
    };
    assert_eq!(close(first.id, None), Err(OfficeError::LastStore { name: "Main".into() }));
    let station = branch(" Station ");
    let tenant = open(&audit_context(), &station).unwrap();
    assert_eq!(tenant.branches[1].name, "Station");
    assert_eq!((tenant.version, shop.last_event().action), (2, Action::StoreAdd));
    assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::Tenant(shop.tenant_id()))));
    assert_eq!(
        open(&audit_context(), &branch("STATION")),
        Err(OfficeError::AlreadyExists { field: FieldName::Name, value: "STATION".into() })
    );
    assert!(matches!(
        open(&audit_context(), &branch(" ")),
        Err(OfficeError::InvalidValue { field: FieldName::Name, .. })
    ));
    assert_eq!(open(&caller_context(&["storeUpdate"]), &branch("x")), Err(missing_right("storeCreate")));
    // stores share their tenant's version
    let mismatch = OfficeError::VersionMismatch { subject: Subject::Tenant(shop.tenant_id()), current: 2 };
    assert!(mismatch.to_string().starts_with("the tenant was changed in the meantime"), "{mismatch}");
    assert_eq!(rename(station.id, Some(&[1]), "Airport"), Err(mismatch));
    assert_eq!(rename(station.id, Some(&[2]), "Airport").unwrap().branches[1].name, "Airport");
    assert_eq!(rename(station.id, None, "Airport").unwrap().version, 3, "the same again writes nothing");
    assert!(matches!(rename(station.id, None, "main"), Err(OfficeError::AlreadyExists { .. })));
    let zone = |name: &str| StoreChange { zone: Some(Zone::parse(name).ok()), ..StoreChange::default() };
    let abroad = change(station.id, None, &zone("Asia/Jakarta")).unwrap();
    assert_eq!(abroad.branches[1].zone.as_ref().map(Zone::name), Some("Asia/Jakarta"));
    assert_eq!(shop.last_event().details["zone"], json!({ "from": null, "to": "Asia/Jakarta" }));
    assert_eq!(change(station.id, None, &zone("none")).unwrap().branches[1].zone, None);
    let nowhere = BranchId::new(NOW, random_bytes());
    assert_eq!(
        rename(nowhere, None, "x"),
        Err(OfficeError::NotFound { field: FieldName::Store, value: nowhere.to_string() })
    );
    assert_eq!(close(first.id, Some(&[5])).unwrap().branches.len(), 1);
    assert_eq!(
        close(first.id, None),
        Err(OfficeError::NotFound { field: FieldName::Store, value: first.id.to_string() })
    );
    assert_eq!(close(station.id, None), Err(OfficeError::LastStore { name: "Airport".into() }));
    let actions: Vec<Action> = shop.store.audit_events().iter().map(|event| event.action).collect();
    let changes = [Action::StoreUpdate; 3];
    assert_eq!(actions, [&[Action::StoreAdd][..], &changes, &[Action::StoreClose]].concat());
    for number in 0..199 {
        open(&audit_context(), &branch(&number.to_string())).unwrap();
    }
    assert_eq!(
        open(&audit_context(), &branch("one more")),
        Err(OfficeError::LimitReached { field: FieldName::Store, most: 200 })
    );
}

#[test]
fn tenant_limits_its_sessions_within_bounds() {
    let shop = StaffedFixture::open();
    let change = |stamp: &AuditContext, change: &TenantChange| {
        let given = SessionLimits { access: Some(Duration::from_mins(15)), ..SessionLimits::default() };
        shop.office_as(stamp.clone()).change_tenant(None, change, &given).unwrap()
    };
    let limits = SessionLimits { access: Some(Duration::from_mins(5)), ..SessionLimits::default() };
    let access = |access| TenantChange {
        limits: LimitsChange { access: Some(access), ..LimitsChange::default() },
        ..TenantChange::default()
    };
    let requested = access(limits.access);
    assert_eq!(change(&caller_context(&["userUpdate"]), &requested), Err(missing_right("tenantUpdate")));
    let after = change(&audit_context(), &requested).unwrap();
    assert_eq!((after.limits, after.version), (limits, 2));
    assert_eq!(shop.unguarded().find_tenant().unwrap(), Some(after));
    assert_eq!(shop.last_event().details["access"], serde_json::json!({ "from": null, "to": 300 }));
    let refused = change(&audit_context(), &access(Some(Duration::from_secs(1))));
    assert!(
        matches!(&refused, Err(OfficeError::OutOfRange(spans)) if spans[0].field == FieldName::Access),
        "{refused:?}"
    );
    let longer = change(&audit_context(), &access(Some(Duration::from_mins(16))));
    assert!(longer.unwrap_err().to_string().contains("between 120 and 900 seconds"));
    let zone = TenantChange { zone: Zone::parse("Asia/Jakarta").ok(), ..TenantChange::default() };
    assert_eq!(change(&audit_context(), &zone).unwrap().limits, limits, "what is not named stays");
    assert_eq!(change(&audit_context(), &access(None)).unwrap().limits, SessionLimits::default());
    let page = PageRequest { after: None, limit: 10 };
    assert_eq!(office::unguarded::list_tenants(shop.store(), &page).unwrap().len(), 1);
}

#[test]
fn stores_of_another_tenant_are_not_found() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["storno"], ALL_ENVIRONMENTS);
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("other")).unwrap().unwrap().id;
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).find_role(night.id).unwrap(), None);
    let change = RoleChange { label: Some("x".into()), ..RoleChange::default() };
    let absent = Err(OfficeError::NotFound { field: FieldName::Role, value: night.id.to_string() });
    assert_eq!(
        Office::new(shop.store(), elsewhere, audit_context()).change_role(night.id, None, &change).unwrap(),
        absent
    );
    assert_eq!(Office::new(shop.store(), elsewhere, audit_context()).delete_role(night.id, None).unwrap(), absent);
    let password =
        Office::new(shop.store(), elsewhere, audit_context()).remove_password(shop.fixture.device("P01").id).unwrap();
    assert!(matches!(password, Err(OfficeError::NotFound { field: FieldName::Device, .. })));
}
