//! The rules of the back office about keys of programs, on the store in memory.

use tillgate_domain::office::{
    self, ApiKeyChange, ApiKeyFilter, Authority, Decided, Field, NewApiKey, Page, Refused, Stamp,
};
use tillgate_domain::{Action, ApiKey, ApiKeyId, Change, DeviceName, Right, Rights, Scope, Subject, UserName};

use crate::asked::*;
use crate::staffed::Shop;

impl Shop {
    fn add_as(&self, stamp: &Stamp, new: &NewApiKey) -> Result<ApiKey, Refused> {
        office::add_api_key(&self.memory, self.world.tenant.id, stamp, new).unwrap()
    }

    fn add(&self, new: &NewApiKey) -> Result<ApiKey, Refused> {
        self.add_as(&stamp(), new)
    }

    fn change_as(&self, stamp: &Stamp, key: &ApiKey, change: &ApiKeyChange) -> Result<ApiKey, Refused> {
        office::change_api_key(&self.memory, self.world.tenant.id, stamp, key.id, None, change).unwrap()
    }

    fn change(&self, key: &ApiKey, change: &ApiKeyChange) -> Result<ApiKey, Refused> {
        self.change_as(&stamp(), key, change)
    }

    fn delete_as(&self, stamp: &Stamp, key: &ApiKey, version: Option<i64>) -> Decided<ApiKey> {
        office::delete_api_key(&self.memory, self.world.tenant.id, stamp, key.id, version)
    }

    /// What a user of this name is given on P01 by the built-in role of the same name.
    fn given(&self, name: &str) -> Rights {
        let roles = office::list_roles(&self.memory, self.world.tenant.id).unwrap();
        roles.into_iter().find(|role| role.name.as_str() == name).unwrap().rights
    }

    fn found(&self, key: &ApiKey) -> Option<ApiKey> {
        let found = office::find_api_key(&self.memory, self.world.tenant.id, &Authority::Host, key.id);
        found.unwrap().unwrap().map(|known| known.key)
    }
}

fn new_key(user: &str, device: &str, permissions: &[&str]) -> NewApiKey {
    let id = ApiKeyId::new(AT, random());
    NewApiKey {
        id,
        client: id.to_string(),
        wrapped: vec![1, 2, 3],
        name: "Shop window".to_owned(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse(device).unwrap(),
        permissions: rights(permissions),
    }
}

#[test]
fn a_key_is_made_told_and_listed() {
    let shop = Shop::open();
    let key = shop.add(&new_key("Cashier", "p01", &["ticketClose"])).unwrap();
    assert_eq!((key.user, key.device, key.version), (shop.world.cashier.id, shop.world.p01.id, 1));
    assert_eq!(shop.found(&key), Some(key.clone()));
    let page = Page { after: None, limit: 10 };
    let (tenant, every) = (shop.world.tenant.id, ApiKeyFilter::default());
    let list = |by: Stamp| office::list_api_keys(&shop.memory, tenant, &by.authority, &every, &page).unwrap();
    let listed = list(stamp()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].key, listed[0].user.as_str(), listed[0].device.as_str()), (&key, "cashier", "P01"));
    for right in ["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete"] {
        assert_eq!(list(caller(&[right])).as_ref(), Ok(&listed), "{right}");
    }
    assert_eq!(list(caller(&["userRead"])), Err(Refused::Missing(Right::parse("apiKeyCreate").unwrap())));
    let line = shop.memory.audit().pop().unwrap();
    assert_eq!((line.action, line.subject), (Action::ApiKeyAdd, Subject::ApiKey(key.id)));
    assert!(!format!("{line:?}").contains("wrapped"), "the secret is in no line");
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(key.user))));
}

#[test]
fn a_key_is_for_somebody_who_may_log_in_there() {
    let shop = Shop::open();
    let unknown = |field, value: &str| Err(Refused::Unknown { field, value: value.to_owned() });
    assert_eq!(shop.add(&new_key("nobody", "P01", &[])), unknown(Field::User, "nobody"));
    assert_eq!(shop.add(&new_key("cashier", "P99", &[])), unknown(Field::Device, "P99"));
    let off = office::DeviceRoles::Edit { on: Vec::new(), off: vec![DeviceName::parse("P02").unwrap()] };
    let change = office::UserChange { devices: off, ..office::UserChange::default() };
    let (tenant, cashier) = (shop.world.tenant.id, shop.world.cashier.id);
    office::change_user(&shop.memory, tenant, &stamp(), cashier, None, &change).unwrap().unwrap();
    assert_eq!(shop.add(&new_key("cashier", "P02", &[])), unknown(Field::Device, "P02"));
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let moved = ApiKeyChange { device: Some(DeviceName::parse("P02").unwrap()), ..ApiKeyChange::default() };
    assert_eq!(shop.change(&key, &moved), unknown(Field::Device, "P02"));
    let both = ApiKeyChange { user: Some(UserName::parse("manager").unwrap()), ..moved };
    let after = shop.change(&key, &both).unwrap();
    assert_eq!((after.user, after.device), (shop.world.manager.id, shop.world.p02.id));
    let touched: Vec<Change> = shop.changes().into_iter().rev().take(2).collect();
    assert_eq!(touched, [after.user, cashier].map(|user| Change::Touched(Scope::User(user))), "both are told");
}

#[test]
fn nobody_makes_or_touches_a_key_to_more_than_they_hold() {
    let shop = Shop::open();
    let all = || caller(&["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete", "ticketClose"]);
    let missing = |name: &str| Err(Refused::Missing(Right::parse(name).unwrap()));
    assert_eq!(
        shop.add_as(&caller(&["ticketClose"]), &new_key("cashier", "P01", &["ticketClose"])),
        missing("apiKeyCreate")
    );
    assert_eq!(shop.add_as(&all(), &new_key("admin", "P01", &[])), missing("admin"));
    assert!(matches!(shop.add_as(&all(), &new_key("cashier", "P01", &[])), Err(Refused::Missing(_))));
    // the admin's own rights are narrowed to what the caller holds
    let key = shop.add_as(&all(), &new_key("admin", "P01", &["ticketClose"])).unwrap();
    let wider = ApiKeyChange { permissions: Some(rights(&[])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &key, &wider), missing("admin"));
    let other = ApiKeyChange { permissions: Some(rights(&["storno"])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &key, &other), missing("storno"));
    assert_eq!(shop.found(&key), Some(key.clone()), "what is refused changes nothing");
    let stronger = shop.add(&new_key("admin", "P01", &[])).unwrap();
    let revoked = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &stronger, &revoked), missing("admin"));
    let narrower = ApiKeyChange { permissions: Some(rights(&["ticketClose"])), ..ApiKeyChange::default() };
    assert_eq!(shop.change_as(&all(), &stronger, &narrower), missing("admin"), "nor is it theirs to narrow");
    assert_eq!(shop.delete_as(&all(), &stronger, None).unwrap(), missing("admin"));
    assert_eq!(shop.change_as(&caller(&["admin"]), &stronger, &revoked).unwrap().version, 2);
    assert_eq!(shop.change_as(&caller(&["apiKeyCreate", "ticketClose"]), &key, &revoked), missing("apiKeyUpdate"));
    assert_eq!(shop.delete_as(&caller(&["apiKeyUpdate", "ticketClose"]), &key, None).unwrap(), missing("apiKeyDelete"));
    assert!(shop.delete_as(&all(), &key, None).unwrap().is_ok());
}

#[test]
fn key_without_permissions_is_narrowed_to_what_it_gives_unless_an_admin_answers_for_it() {
    let shop = Shop::open();
    let given = shop.given("cashier");
    let names: Vec<String> = given.iter().map(|right| right.as_str().to_owned()).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend(["apiKeyCreate", "apiKeyUpdate"]);
    let clerk = || caller(&names);
    let narrow = shop.add_as(&clerk(), &new_key("cashier", "P01", &[])).unwrap();
    assert_eq!(narrow.permissions, given);
    for stamp in [stamp(), caller(&["admin"])] {
        assert!(shop.add_as(&stamp, &new_key("cashier", "P01", &[])).unwrap().permissions.is_empty());
    }
    let wide = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let named = ApiKeyChange { name: Some("Other".into()), ..ApiKeyChange::default() };
    let wide = shop.change_as(&clerk(), &wide, &named).unwrap();
    assert!(wide.permissions.is_empty(), "a key that is there goes on as it was made");
    let moved = ApiKeyChange { device: Some(DeviceName::parse("P02").unwrap()), ..ApiKeyChange::default() };
    assert!(!shop.change_as(&clerk(), &wide, &moved).unwrap().permissions.is_empty());

    let off = office::UserChange {
        devices: office::DeviceRoles::Edit { on: vec![on("P01", &[])], off: Vec::new() },
        ..office::UserChange::default()
    };
    office::change_user(&shop.memory, shop.world.tenant.id, &stamp(), shop.world.cashier.id, None, &off)
        .unwrap()
        .unwrap();
    let nothing = shop.add_as(&clerk(), &new_key("cashier", "P01", &[]));
    assert_eq!(nothing, Err(Refused::Empty { field: Field::Permissions }), "a key to nothing would grow from nothing");
}

#[test]
fn whoever_promotes_is_told_which_keys_grow() {
    let shop = Shop::open();
    let (wide, narrow) = (new_key("cashier", "P01", &[]), new_key("cashier", "P01", &["ticketClose"]));
    let wide = shop.add(&wide).unwrap();
    shop.add(&narrow).unwrap();
    let tenant = shop.world.tenant.id;
    let devices = office::DeviceRoles::Edit { on: vec![on("P01", &["admin"])], off: Vec::new() };
    office::assign_roles(&shop.memory, tenant, &stamp(), shop.world.cashier.id, None, devices).unwrap().unwrap();
    let line = shop.memory.audit().pop().unwrap();
    assert_eq!(line.details["growing_api_keys"][0]["id"], serde_json::json!(wide.id));
    assert_eq!(line.details["growing_api_keys"].as_array().unwrap().len(), 1);
    let growing = office::growing_api_keys(&shop.memory, tenant, shop.world.cashier.id).unwrap();
    assert_eq!(growing, [wide]);
}

#[test]
fn a_change_is_told_and_one_that_changes_nothing_is_not() {
    let shop = Shop::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let (lines, changes) = (shop.memory.audit().len(), shop.changes().len());
    let same = ApiKeyChange { name: Some(key.name.clone()), active: Some(true), ..ApiKeyChange::default() };
    assert_eq!(shop.change(&key, &same), Ok(key.clone()));
    assert_eq!((shop.memory.audit().len(), shop.changes().len()), (lines, changes));
    for (change, action) in [
        (ApiKeyChange { active: Some(false), ..ApiKeyChange::default() }, Action::ApiKeyStatus),
        (
            ApiKeyChange { active: Some(true), name: Some("Other".into()), ..ApiKeyChange::default() },
            Action::ApiKeyUpdate,
        ),
        (ApiKeyChange { description: Some("at night".into()), ..ApiKeyChange::default() }, Action::ApiKeyUpdate),
    ] {
        let after = shop.change(&key, &change).unwrap();
        assert_eq!(shop.found(&key), Some(after));
        assert_eq!(shop.memory.audit().pop().unwrap().action, action, "{change:?}");
        assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(key.user))));
    }
    assert_eq!(shop.changes().len(), changes + 3);
    for bad in [String::new(), " ".into(), "a\u{7}".into(), "a".repeat(201)] {
        let change = ApiKeyChange { name: Some(bad), ..ApiKeyChange::default() };
        assert!(matches!(shop.change(&key, &change), Err(Refused::Invalid { field: Field::Name, .. })));
    }
}

#[test]
fn a_change_holds_to_the_version_that_was_read() {
    let shop = Shop::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let change = ApiKeyChange { name: Some("Other".into()), ..ApiKeyChange::default() };
    let (tenant, host) = (shop.world.tenant.id, stamp());
    let held = |version| office::change_api_key(&shop.memory, tenant, &host, key.id, Some(version), &change).unwrap();
    assert_eq!(held(2), Err(Refused::Moved { current: 1 }));
    assert_eq!(held(1).unwrap().version, 2);
    let host = stamp();
    assert_eq!(shop.delete_as(&host, &key, Some(1)).unwrap(), Err(Refused::Moved { current: 2 }));
    assert!(shop.delete_as(&host, &key, Some(2)).unwrap().is_ok());
    assert_eq!(shop.found(&key), None);
    let gone = Err(Refused::Absent { field: Field::ApiKey, value: key.id.to_string() });
    assert_eq!(shop.delete_as(&stamp(), &key, None).unwrap(), gone);
    assert_eq!(shop.change(&key, &change), gone);
    let line = shop.memory.audit().pop().unwrap();
    assert_eq!((line.action, line.subject), (Action::ApiKeyDelete, Subject::ApiKey(key.id)));
}

#[test]
fn another_tenants_key_is_not_there() {
    let shop = Shop::open();
    let key = shop.add(&new_key("cashier", "P01", &[])).unwrap();
    let other = tillgate_domain::TenantId::new(AT, random());
    assert_eq!(office::find_api_key(&shop.memory, other, &Authority::Host, key.id).unwrap(), Ok(None));
    let (host, change) = (stamp(), ApiKeyChange::default());
    let gone = Err(Refused::Absent { field: Field::ApiKey, value: key.id.to_string() });
    assert_eq!(office::change_api_key(&shop.memory, other, &host, key.id, None, &change).unwrap(), gone);
    assert_eq!(office::delete_api_key(&shop.memory, other, &host, key.id, None).unwrap(), gone);
    assert_eq!(shop.found(&key), Some(key));
}
