//! The rules for API keys in the back office.

use std::time::Duration;

use tillgate_domain::office::{
    self, ApiKeyChange, ApiKeyFilter, AuditContext, FieldName, NewApiKey, Office, OfficeError, OfficeReader,
    PageRequest, SecretRotation, UnguardedOffice, UseCaseResult,
};
use tillgate_domain::{
    Action, ApiKey, ApiKeyId, Change, DeviceName, MissingRight, Right, Rights, Scope, Subject, UserName,
};

use crate::inputs::*;
use crate::staffed_fixture::StaffedFixture;

impl StaffedFixture {
    fn add_as(&self, stamp: &AuditContext, new: &NewApiKey) -> Result<ApiKey, OfficeError> {
        self.office_as(stamp.clone()).add_api_key(new).unwrap()
    }

    fn add(&self, new: &NewApiKey) -> Result<ApiKey, OfficeError> {
        self.add_as(&audit_context(), new)
    }

    fn change_as(&self, stamp: &AuditContext, key: &ApiKey, change: &ApiKeyChange) -> Result<ApiKey, OfficeError> {
        self.office_as(stamp.clone()).change_api_key(key.id, None, change).unwrap()
    }

    fn change(&self, key: &ApiKey, change: &ApiKeyChange) -> Result<ApiKey, OfficeError> {
        self.change_as(&audit_context(), key, change)
    }

    fn delete_as(&self, stamp: &AuditContext, key: &ApiKey, versions: Option<&[i64]>) -> UseCaseResult<ApiKey> {
        self.office_as(stamp.clone()).delete_api_key(key.id, versions)
    }

    /// The rights of the user on P01: those of the built-in role with the same name.
    fn given_rights(&self, name: &str) -> Rights {
        let roles = self.unguarded().list_roles().unwrap();
        roles.into_iter().find(|role| role.name.as_str() == name).unwrap().rights
    }

    fn find_key(&self, key: &ApiKey) -> Option<ApiKey> {
        let found = self.office().reader().find_api_key(key.id);
        found.unwrap().unwrap().map(|known| known.key)
    }
}

fn new_key(user: &str, device: &str, permissions: &[&str]) -> NewApiKey {
    let id = ApiKeyId::new(NOW, random_bytes());
    NewApiKey {
        id,
        client_id: id.to_string(),
        wrapped_secret: vec![1, 2, 3],
        name: "Shop window".to_owned(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse(device).unwrap(),
        permissions: parse_rights(permissions),
        expires_at: None,
    }
}

#[test]
fn api_key_is_created_recorded_and_listed() {
    let shop = StaffedFixture::open();
    let key = shop.add(&new_key("Cashier", "p01", &["ticketClose"])).unwrap();
    assert_eq!(
        (key.user, key.device, key.version),
        (shop.fixture.user("cashier").id, shop.fixture.device("P01").id, 1)
    );
    assert_eq!(shop.find_key(&key), Some(key.clone()));
    let page = PageRequest { after: None, limit: 10 };
    let (tenant, every) = (shop.fixture.tenant.id, ApiKeyFilter::default());
    let list = |by: AuditContext| {
        OfficeReader::new(&shop.store, tenant, by.at, by.authority).list_api_keys(&every, &page).unwrap()
    };
    let listed = list(audit_context()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].key, listed[0].user.as_str(), listed[0].device.as_str()), (&key, "cashier", "P01"));
    for right in ["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete"] {
        assert_eq!(list(caller_context(&[right])).as_ref(), Ok(&listed), "{right}");
    }
    assert_eq!(
        list(caller_context(&["userRead"])),
        Err(OfficeError::RightMissing(MissingRight(Right::parse("apiKeyCreate").unwrap())))
    );
    let line = shop.store.audit_events().pop().unwrap();
    assert_eq!((line.action, line.subject), (Action::ApiKeyAdd, Subject::ApiKey(key.id)));
    assert!(!format!("{line:?}").contains("wrapped"), "the secret is in no line");
    assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::User(key.user))));
}

#[test]
fn api_key_requires_a_user_who_may_log_in() {
    let shop = StaffedFixture::open();
    let unknown = |field, value: &str| Err(OfficeError::UnknownName { field, value: value.to_owned() });
    assert_eq!(shop.add(&new_key("nobody", "P01", &[])), unknown(FieldName::User, "nobody"));
    assert_eq!(shop.add(&new_key("cashier", "P99", &[])), unknown(FieldName::Device, "P99"));
    let off = office::DeviceRolesChange::Edit { set: Vec::new(), remove: vec![DeviceName::parse("P02").unwrap()] };
    let change = office::UserChange { devices: off, ..office::UserChange::default() };
    let (tenant, cashier) = (shop.fixture.tenant.id, shop.fixture.user("cashier").id);
    Office::new(&shop.store, tenant, audit_context()).change_user(cashier, None, &change).unwrap().unwrap();
    let unassigned = OfficeError::DeviceNotAssigned {
        user: UserName::parse("cashier").unwrap(),
        device: DeviceName::parse("P02").unwrap(),
    };
    assert_eq!(shop.add(&new_key("cashier", "P02", &[])), Err(unassigned.clone()));
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let moved = ApiKeyChange { device: Some(DeviceName::parse("P02").unwrap()), ..ApiKeyChange::default() };
    assert_eq!(shop.change(&key, &moved), Err(unassigned));
    let both = ApiKeyChange { user: Some(UserName::parse("manager").unwrap()), ..moved };
    let after = shop.change(&key, &both).unwrap();
    assert_eq!((after.user, after.device), (shop.fixture.user("manager").id, shop.fixture.device("P02").id));
    let touched: Vec<Change> = shop.list_changes().into_iter().rev().take(2).collect();
    assert_eq!(touched, [after.user, cashier].map(|user| Change::Invalidated(Scope::User(user))), "both are told");
}

#[test]
fn api_key_grants_no_more_than_its_creator_has() {
    let shop = StaffedFixture::open();
    let all = || caller_context(&["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete", "ticketClose"]);
    let missing = |name: &str| Err(OfficeError::RightMissing(MissingRight(Right::parse(name).unwrap())));
    assert_eq!(
        shop.add_as(&caller_context(&["ticketClose"]), &new_key("cashier", "P01", &["ticketClose"])),
        missing("apiKeyCreate")
    );
    assert_eq!(shop.add_as(&all(), &new_key("admin", "P01", &[])), missing("admin"));
    assert!(matches!(shop.add_as(&all(), &new_key("cashier", "P01", &[])), Err(OfficeError::RightMissing(_))));
    // the admin's rights are reduced to those that the caller has
    let key = shop.add_as(&all(), &new_key("admin", "P01", &["ticketClose"])).unwrap();
    let wider = ApiKeyChange { permissions: Some(parse_rights(&[])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &key, &wider), missing("admin"));
    let other = ApiKeyChange { permissions: Some(parse_rights(&["storno"])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &key, &other), missing("storno"));
    assert_eq!(shop.find_key(&key), Some(key.clone()), "what is refused changes nothing");
    let stronger = shop.add(&new_key("admin", "P01", &[])).unwrap();
    let revoked = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &stronger, &revoked), missing("admin"));
    let narrower = ApiKeyChange { permissions: Some(parse_rights(&["ticketClose"])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &stronger, &narrower), missing("admin"), "nor is it theirs to narrow");
    assert_eq!(shop.delete_as(&all(), &stronger, None).unwrap(), missing("admin"));
    assert_eq!(shop.change_as(&caller_context(&["admin"]), &stronger, &revoked).unwrap().version, 2);
    assert_eq!(
        shop.change_as(&caller_context(&["apiKeyCreate", "ticketClose"]), &key, &revoked),
        missing("apiKeyUpdate")
    );
    assert_eq!(
        shop.delete_as(&caller_context(&["apiKeyUpdate", "ticketClose"]), &key, None).unwrap(),
        missing("apiKeyDelete")
    );
    assert!(shop.delete_as(&all(), &key, None).unwrap().is_ok());
}

#[test]
fn unrestricted_api_key_is_narrowed_unless_an_admin_created_it() {
    let shop = StaffedFixture::open();
    let given = shop.given_rights("cashier");
    let names: Vec<String> = given.iter().map(|right| right.as_str().to_owned()).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend(["apiKeyCreate", "apiKeyUpdate"]);
    let clerk = || caller_context(&names);
    let narrow = shop.add_as(&clerk(), &new_key("cashier", "P01", &[])).unwrap();
    assert_eq!(narrow.permissions, given);
    for stamp in [audit_context(), caller_context(&["admin"])] {
        assert!(shop.add_as(&stamp, &new_key("cashier", "P01", &[])).unwrap().permissions.is_empty());
    }
    let wide = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let named = ApiKeyChange { name: Some("Other".into()), ..ApiKeyChange::default() };
    let wide = shop.change_as(&clerk(), &wide, &named).unwrap();
    assert!(wide.permissions.is_empty(), "a key that is there goes on as it was made");
    let moved = ApiKeyChange { device: Some(DeviceName::parse("P02").unwrap()), ..ApiKeyChange::default() };
    assert!(!shop.change_as(&clerk(), &wide, &moved).unwrap().permissions.is_empty());

    let off = office::UserChange {
        devices: office::DeviceRolesChange::Edit { set: vec![roles_on("P01", &[])], remove: Vec::new() },
        ..office::UserChange::default()
    };
    shop.office().change_user(shop.fixture.user("cashier").id, None, &off).unwrap().unwrap();
    let nothing = shop.add_as(&clerk(), &new_key("cashier", "P01", &[]));
    assert_eq!(
        nothing,
        Err(OfficeError::Required { field: FieldName::Permissions }),
        "a key to nothing would grow from nothing"
    );
}

#[test]
fn promotion_reports_the_api_keys_that_grow() {
    let shop = StaffedFixture::open();
    let (wide, narrow) = (new_key("cashier", "P01", &[]), new_key("cashier", "P01", &["ticketClose"]));
    let wide = shop.add(&wide).unwrap();
    shop.add(&narrow).unwrap();
    let tenant = shop.fixture.tenant.id;
    let devices = office::DeviceRolesChange::Edit { set: vec![roles_on("P01", &["admin"])], remove: Vec::new() };
    Office::new(&shop.store, tenant, audit_context())
        .assign_roles(shop.fixture.user("cashier").id, None, devices)
        .unwrap()
        .unwrap();
    let line = shop.store.audit_events().pop().unwrap();
    assert_eq!(line.details["growing_api_keys"][0]["id"], serde_json::json!(wide.id));
    assert_eq!(line.details["growing_api_keys"].as_array().unwrap().len(), 1);
    let growing =
        UnguardedOffice::new(&shop.store, tenant).list_unrestricted_api_keys(shop.fixture.user("cashier").id).unwrap();
    assert_eq!(growing, [wide]);
}

#[test]
fn effective_change_is_recorded_and_no_op_is_not() {
    let shop = StaffedFixture::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let (lines, changes) = (shop.store.audit_events().len(), shop.list_changes().len());
    let same = ApiKeyChange { name: Some(key.name.clone()), active: Some(true), ..ApiKeyChange::default() };
    assert_eq!(shop.change(&key, &same), Ok(key.clone()));
    assert_eq!((shop.store.audit_events().len(), shop.list_changes().len()), (lines, changes));
    for (change, action) in [
        (ApiKeyChange { active: Some(false), ..ApiKeyChange::default() }, Action::ApiKeyStatus),
        (
            ApiKeyChange { active: Some(true), name: Some("Other".into()), ..ApiKeyChange::default() },
            Action::ApiKeyUpdate,
        ),
        (ApiKeyChange { description: Some("at night".into()), ..ApiKeyChange::default() }, Action::ApiKeyUpdate),
    ] {
        let after = shop.change(&key, &change).unwrap();
        assert_eq!(shop.find_key(&key), Some(after));
        assert_eq!(shop.store.audit_events().pop().unwrap().action, action, "{change:?}");
        assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::User(key.user))));
    }
    assert_eq!(shop.list_changes().len(), changes + 3);
    for bad in [String::new(), " ".into(), "a\u{7}".into(), "a".repeat(201)] {
        let change = ApiKeyChange { name: Some(bad), ..ApiKeyChange::default() };
        assert!(matches!(shop.change(&key, &change), Err(OfficeError::InvalidValue { field: FieldName::Name, .. })));
    }
}

#[test]
fn stale_api_key_version_is_refused() {
    let shop = StaffedFixture::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let change = ApiKeyChange { name: Some("Other".into()), ..ApiKeyChange::default() };
    let change_at = |version: i64| shop.office().change_api_key(key.id, Some(&[version]), &change).unwrap();
    let mismatch = |current| OfficeError::VersionMismatch { subject: Subject::ApiKey(key.id), current };
    assert_eq!(change_at(2), Err(mismatch(1)));
    assert!(mismatch(1).to_string().starts_with("the API key was changed"), "{}", mismatch(1));
    assert_eq!(change_at(1).unwrap().version, 2);
    let host = audit_context();
    assert_eq!(shop.delete_as(&host, &key, Some(&[1])).unwrap(), Err(mismatch(2)));
    assert!(shop.delete_as(&host, &key, Some(&[2])).unwrap().is_ok());
    assert_eq!(shop.find_key(&key), None);
    let not_found = Err(OfficeError::NotFound { field: FieldName::ApiKey, value: key.id.to_string() });
    assert_eq!(shop.delete_as(&audit_context(), &key, None).unwrap(), not_found);
    assert_eq!(shop.change(&key, &change), not_found);
    let line = shop.store.audit_events().pop().unwrap();
    assert_eq!((line.action, line.subject), (Action::ApiKeyDelete, Subject::ApiKey(key.id)));
}

#[test]
fn api_key_of_another_tenant_is_not_found() {
    let shop = StaffedFixture::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let other = tillgate_domain::TenantId::new(NOW, random_bytes());
    let elsewhere = Office::new(shop.store(), other, audit_context());
    assert_eq!(elsewhere.reader().find_api_key(key.id).unwrap(), Ok(None));
    let change = ApiKeyChange::default();
    let not_found = Err(OfficeError::NotFound { field: FieldName::ApiKey, value: key.id.to_string() });
    assert_eq!(elsewhere.change_api_key(key.id, None, &change).unwrap(), not_found);
    assert_eq!(elsewhere.delete_api_key(key.id, None).unwrap(), not_found);
    assert_eq!(shop.find_key(&key), Some(key));
}

#[test]
fn api_key_expires_in_the_future_only() {
    let shop = StaffedFixture::open();
    let (past, future) = (Some(NOW), Some(NOW.saturating_add(Duration::from_secs(1))));
    let refused = OfficeError::NotInFuture { field: FieldName::ExpiresAt };
    let new = |expires_at| NewApiKey { expires_at, ..new_key("cashier", "P01", &["ticketClose"]) };
    assert_eq!(shop.add(&new(past)), Err(refused.clone()));
    let key = shop.add(&new(future)).unwrap();
    assert_eq!((key.expires_at, key.is_expired(NOW), key.is_expired(future.unwrap())), (future, false, true));
    let change = |expires_at| ApiKeyChange { expires_at: Some(expires_at), ..ApiKeyChange::default() };
    assert_eq!(shop.change(&key, &change(past)), Err(refused));
    assert_eq!(shop.change(&key, &change(future)).unwrap().version, 1, "no change");
    let unlimited = shop.change(&key, &change(None)).unwrap();
    assert_eq!((unlimited.expires_at, unlimited.version), (None, 2));
}

#[test]
fn rotation_requires_the_rights_of_a_new_key_and_is_recorded() {
    let shop = StaffedFixture::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let rotation = |hours| SecretRotation { wrapped_secret: vec![9], overlap: Duration::from_hours(hours) };
    let rotate = |by: &AuditContext, versions: Option<&[i64]>, hours| {
        shop.office_as(by.clone()).rotate_api_key(key.id, versions, &rotation(hours)).unwrap()
    };
    for rights in [&["apiKeyCreate"][..], &["apiKeyUpdate"]] {
        assert!(matches!(rotate(&caller_context(rights), None, 1), Err(OfficeError::RightMissing(_))), "{rights:?}");
    }
    assert!(matches!(rotate(&audit_context(), None, 25), Err(OfficeError::OutOfRange(_))));
    assert!(matches!(rotate(&audit_context(), Some(&[7]), 1), Err(OfficeError::VersionMismatch { current: 1, .. })));
    assert_eq!(shop.find_key(&key), Some(key.clone()), "nothing of that was done");
    let rotated = rotate(&audit_context(), Some(&[1]), 24).unwrap();
    let until = Some(NOW.saturating_add(Duration::from_hours(24)));
    assert_eq!(rotated, ApiKey { previous_secret_until: until, version: 2, ..key.clone() });
    assert_eq!(rotate(&audit_context(), None, 24), Err(OfficeError::SecretOverlap));
    assert_eq!(rotate(&audit_context(), None, 0).unwrap().previous_secret_until, None);
    // a manager gets the secret of a key that grants no more than it does now
    let given = shop.given_rights("cashier");
    let names: Vec<&str> = given.names().chain(["apiKeyUpdate"]).collect();
    let manager = caller_context(&names);
    let narrowed = rotate(&manager, None, 1).unwrap();
    assert_eq!(narrowed.permissions, given);
    let later = AuditContext { at: NOW.saturating_add(Duration::from_hours(1)), ..audit_context() };
    assert!(rotate(&later, None, 1).is_ok(), "the overlap has ended");
    let change = |change: ApiKeyChange| shop.change(&key, &change).unwrap();
    let expires_at = Some(Some(NOW.saturating_add(Duration::from_secs(1))));
    change(ApiKeyChange { expires_at, ..ApiKeyChange::default() });
    assert_eq!(rotate(&later, None, 0), Err(OfficeError::ApiKeyEnded));
    change(ApiKeyChange { expires_at: Some(None), active: Some(false), ..ApiKeyChange::default() });
    assert_eq!(rotate(&later, None, 0), Err(OfficeError::ApiKeyEnded));
}
