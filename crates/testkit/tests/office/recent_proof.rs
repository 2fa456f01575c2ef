//! Acts that give or take access, or cannot be undone, require a recent proof of identity.

use std::time::Duration;

use tillgate_domain::office::{
    ApiKeyChange, DeviceChange, DeviceRolesChange, EventFilter, LimitsChange, NewApiKey, NewDevice, NewRole, NewUser,
    Office, OfficeError, RoleChange, SecretRotation, SessionTarget, TenantChange, UseCaseResult, UserChange,
};
use tillgate_domain::{ApiKeyId, DeviceStatus, Environment, PrincipalId, RoleId, Secret, SessionLimits, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

const MAX_AGE: Duration = Duration::from_mins(5);

/// An act, without its result.
type Act<'a> = Box<dyn Fn(&Office<'_>) -> UseCaseResult<()> + 'a>;

fn act<'a, T>(run: impl Fn(&Office<'_>) -> UseCaseResult<T> + 'a) -> Act<'a> {
    Box::new(move |office| Ok(run(office)?.map(drop)))
}

fn limits() -> SessionLimits {
    let days = |days: u64| Some(Duration::from_hours(24 * days));
    SessionLimits { access: days(1), idle: days(90), absolute: days(90), overlap: days(1) }
}

fn tenant_change(limits: LimitsChange, name: Option<&str>) -> TenantChange {
    TenantChange { name: name.map(str::to_owned), limits, ..TenantChange::default() }
}

/// The acts that require a recent proof, in an order in which all of them are possible.
fn dangerous_acts(shop: &StaffedFixture, night: RoleId) -> Vec<(&'static str, Act<'_>)> {
    let (cashier, manager) = (shop.fixture.user("cashier").id, shop.fixture.user("manager").id);
    let (p01, p02) = (shop.fixture.device("P01").id, shop.fixture.device("P02").id);
    let password = || Secret::new("hash".to_owned());
    let role = NewRole {
        id: RoleId::new(NOW, random_bytes()),
        name: parse_role("late"),
        label: "late".to_owned(),
        description: String::new(),
        rights: parse_rights(&["storno"]),
        environments: [Environment::Pda].into(),
    };
    let key = NewApiKey {
        id: ApiKeyId::new(NOW, random_bytes()),
        client_id: "key".to_owned(),
        wrapped_secret: vec![1],
        name: "Warehouse".to_owned(),
        description: String::new(),
        active: true,
        user: shop.fixture.user("cashier").name.clone(),
        device: shop.fixture.device("P01").name.clone(),
        permissions: parse_rights(&[]),
        expires_at: None,
    };
    let key_id = key.id;
    let jana = new_user("jana", &["cashier"]);
    let karl = NewUser { verifier: Some(password()), ..new_user("karl", &[]) };
    let kiosk = NewDevice { roles: vec![parse_role("cashier")], ..new_device("K01") };
    let locker = NewDevice { verifier: Some(password()), ..new_device("K02") };
    let idle = LimitsChange { idle: Some(Some(Duration::from_hours(1))), ..LimitsChange::default() };
    vec![
        ("add a role", act(move |office| office.add_role(&role))),
        (
            "change a role",
            act(move |office| {
                let change = RoleChange { rights: Some(parse_rights(&["ticketClose"])), ..RoleChange::default() };
                office.change_role(night, None, &change)
            }),
        ),
        ("delete a role", act(move |office| office.delete_role(night, None))),
        ("add a user with a role", act(move |office| office.add_user(&jana))),
        ("add a user with a password", act(move |office| office.add_user(&karl))),
        (
            "assign a role",
            act(move |office| office.assign_roles(cashier, Some(vec![parse_role("manager")]), DeviceRolesChange::Keep)),
        ),
        ("set a password", act(move |office| office.set_password(PrincipalId::User(manager), &password()))),
        ("remove the password of a device", act(move |office| office.remove_password(p01))),
        ("add an API key", act(move |office| office.add_api_key(&key))),
        ("change an API key", act(move |office| office.change_api_key(key_id, None, &ApiKeyChange::default()))),
        (
            "rotate an API key",
            act(move |office| {
                let rotation = SecretRotation { wrapped_secret: vec![2], overlap: Duration::ZERO };
                office.rotate_api_key(key_id, None, &rotation)
            }),
        ),
        ("delete an API key", act(move |office| office.delete_api_key(key_id, None))),
        (
            "give a device a role",
            act(move |office| {
                let change = DeviceChange { roles: Some(vec![parse_role("manager")]), ..DeviceChange::default() };
                office.change_device(p02, None, &change)
            }),
        ),
        (
            "change the kind of a device",
            act(move |office| {
                let change = DeviceChange { environment: Some(Environment::Pda), ..DeviceChange::default() };
                office.change_device(p02, None, &change)
            }),
        ),
        ("add a device with a role", act(move |office| office.add_device(&kiosk))),
        ("add a device with a password", act(move |office| office.add_device(&locker))),
        (
            "change the e-mail address of another user",
            act(move |office| {
                let email = Some(Some(tillgate_domain::Email::parse("other@example.com").unwrap()));
                office.change_user(cashier, None, &UserChange { email, ..UserChange::default() })
            }),
        ),
        (
            "end the permanent sessions of a device",
            act(move |office| office.end_sessions(SessionTarget::Device(p01), true)),
        ),
        ("retire a device", act(move |office| office.set_device_status(p02, DeviceStatus::Retired))),
        (
            "change the limits of sessions",
            act(move |office| office.change_tenant(None, &tenant_change(idle, None), &limits())),
        ),
        ("export the audit log", act(|office| office.start_export(&EventFilter::default(), "csv"))),
        ("draw a PIN", act(move |office| office.set_pin(manager, &new_pin()))),
        ("remove a PIN", act(move |office| office.remove_pin(manager))),
        ("end everybody's sessions", act(|office| office.end_sessions(SessionTarget::Everyone, false))),
        ("delete a user", act(move |office| office.set_user_status(manager, UserStatus::Deleted))),
    ]
}

#[test]
fn acts_that_give_or_take_access_require_a_recent_proof() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["storno"], &[Environment::Pda]).id;
    for (what, act) in dangerous_acts(&shop, night) {
        let changes = shop.list_changes().len();
        let stale = shop.office().with_stale_proof(Some(MAX_AGE));
        assert_eq!(act(&stale).unwrap(), Err(OfficeError::ProofTooOld { max_age: MAX_AGE }), "{what}");
        assert_eq!(shop.list_changes().len(), changes, "{what}: nothing was done");
        // rights are checked first, so that nobody proves their identity in vain
        let nobody = shop.office_as(caller_context(&[])).with_stale_proof(Some(MAX_AGE));
        assert!(matches!(act(&nobody).unwrap(), Err(OfficeError::RightMissing(_))), "{what}");
        assert_eq!(act(&shop.office().with_stale_proof(None)).unwrap(), Ok(()), "{what}");
    }
}

#[test]
fn other_acts_require_no_recent_proof() {
    let shop = StaffedFixture::open();
    let stale = || shop.office().with_stale_proof(Some(MAX_AGE));
    let (cashier, p01) = (shop.fixture.user("cashier").id, shop.fixture.device("P01").id);
    let renamed = UserChange { display_name: Some("Jana".to_owned()), ..UserChange::default() };
    let acts: [(&str, Act<'_>); 6] = [
        ("rename a user", act(|office| office.change_user(cashier, None, &renamed))),
        ("suspend a user", act(|office| office.set_user_status(cashier, UserStatus::Suspended))),
        ("lock a device", act(|office| office.set_device_status(p01, DeviceStatus::Locked))),
        ("end a user's sessions", act(|office| office.end_sessions(SessionTarget::User(cashier), false))),
        ("add a user without access", act(|office| office.add_user(&new_user("nora", &[])))),
        (
            "rename the tenant",
            act(|office| office.change_tenant(None, &tenant_change(LimitsChange::default(), Some("Other")), &limits())),
        ),
    ];
    for (what, act) in acts {
        assert_eq!(act(&stale()).unwrap(), Ok(()), "{what}");
    }
}
