use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::*;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn role(number: u128, names: &[&str], environments: &[Environment]) -> Role {
    Role {
        id: RoleId(Uuid::from_u128(number)),
        tenant: TENANT,
        name: RoleName::parse(&format!("role {number}")).unwrap(),
        label: String::new(),
        description: String::new(),
        rights: names.iter().map(|name| Right::parse(name).unwrap()).collect(),
        environments: environments.iter().copied().collect(),
        built_in: false,
        version: 1,
    }
}

fn device(number: u128, environment: Environment, roles: &[&Role]) -> Device {
    Device {
        id: DeviceId(Uuid::from_u128(number)),
        tenant: TENANT,
        name: DeviceName::parse("P01").unwrap(),
        environment,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: crate::JsonObject::default(),
        settings: BTreeMap::default(),
        branch: None,
        till_mode: false,
        roles: roles.iter().map(|role| role.id).collect(),
        epoch: Epoch::default(),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: Instant::default(),
        updated_at: Instant::default(),
        version: 1,
    }
}

fn user(office: &[&Role], devices: &[(&Device, &[&Role])]) -> User {
    let ids = |roles: &[&Role]| roles.iter().map(|role| role.id).collect::<BTreeSet<_>>();
    User {
        id: UserId(Uuid::from_u128(9)),
        tenant: TENANT,
        name: UserName::parse("anna").unwrap(),
        email: None,
        email_verified_at: None,
        display_name: "Anna".into(),
        status: UserStatus::Active,
        feature: None,
        assignment: Assignment {
            office: ids(office),
            devices: devices.iter().map(|(device, roles)| (device.id, ids(roles))).collect(),
        },
        password_change_required: false,
        locale: None,
        last_login_at: None,
        epoch: Epoch::default(),
        created_at: Instant::default(),
        updated_at: Instant::default(),
        version: 1,
    }
}

#[test]
fn effective_rights_are_union_of_effective_roles() {
    use Environment::{BackOffice, CashRegister, Pda, Tool};
    let sell = role(1, &["ticketCreate", "ticketClose"], &[CashRegister, Pda]);
    let void = role(2, &["storno", "ticketClose"], &[CashRegister]);
    let office = role(3, &["userRead"], &[BackOffice]);
    let everything = role(4, &["admin"], &[Tool]);
    let all = [sell.clone(), void.clone(), office.clone(), everything.clone()];
    let on = |environment| device(20, environment, &[]);

    let cases: &[(&str, &[&Role], Environment, &str)] = &[
        ("two roles", &[&sell, &void], CashRegister, "storno ticketClose ticketCreate"),
        ("one of them counts", &[&sell, &void], Pda, "ticketClose ticketCreate"),
        ("none counts", &[&sell, &void], Tool, ""),
        ("no role", &[], CashRegister, ""),
        ("admin elsewhere", &[&everything, &office], BackOffice, "userRead"),
        ("admin here", &[&everything, &office], Tool, "admin"),
    ];
    for (what, held, environment, expected) in cases {
        let device = on(*environment);
        let user = user(&[], &[(&device, held)]);
        assert_eq!(collect_rights(effective_user_roles(&user, Some(&device), &all)).to_scope(), *expected, "{what}");
        let itself = super::tests::device(21, *environment, held);
        assert_eq!(
            collect_rights(effective_device_roles(&itself, &all)).to_scope(),
            *expected,
            "{what}, the device as itself"
        );
    }
}

#[test]
fn session_without_device_uses_office_roles_in_every_environment() {
    let office = role(1, &["userRead"], &[Environment::CashRegister]);
    let till = role(2, &["ticketClose"], &Environment::ALL);
    let p01 = device(20, Environment::CashRegister, &[]);
    let anna = user(&[&office], &[(&p01, &[&till])]);
    let all = [office, till];
    assert_eq!(collect_rights(effective_user_roles(&anna, None, &all)).to_scope(), "userRead");
    assert_eq!(collect_rights(effective_user_roles(&anna, Some(&p01), &all)).to_scope(), "ticketClose");
}

#[test]
fn user_may_log_in_on_listed_devices_only() {
    let role = role(1, &["ticketClose"], &Environment::ALL);
    let p01 = device(20, Environment::CashRegister, &[]);
    let p02 = device(21, Environment::CashRegister, &[]);
    let mut foreign = device(22, Environment::CashRegister, &[]);
    foreign.tenant = TenantId(Uuid::from_u128(2));
    assert!(may_log_in(&user(&[], &[(&p01, &[])]), Some(&p01)), "a listed device without roles");
    assert!(!may_log_in(&user(&[&role], &[(&p01, &[&role])]), Some(&p02)), "a device that is not listed");
    assert!(!may_log_in(&user(&[], &[(&foreign, &[&role])]), Some(&foreign)), "a device of another tenant");
    assert!(!may_log_in(&user(&[], &[(&p01, &[&role])]), None), "no role without a device");
    assert!(may_log_in(&user(&[&role], &[]), None), "a role without a device");
}

#[test]
fn custom_role_has_no_rank_even_with_built_in_name() {
    let mut own = role(1, &["storno"], &Environment::ALL);
    own.name = RoleName::parse("admin").unwrap();
    assert_eq!(highest_rank([&own]), None);
    let built_in = Rank::Manager.to_role(RoleId(Uuid::from_u128(5)), TENANT).unwrap();
    let lower = Rank::Cashier.to_role(RoleId(Uuid::from_u128(6)), TENANT).unwrap();
    assert_eq!(highest_rank([&lower, &built_in, &own]), Some(Rank::Manager));
}
