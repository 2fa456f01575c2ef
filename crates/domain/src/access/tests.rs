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
        display_name: "Anna".into(),
        status: UserStatus::Active,
        feature: None,
        assignment: Assignment {
            office: ids(office),
            devices: devices.iter().map(|(device, roles)| (device.id, ids(roles))).collect(),
        },
        password_change_required: false,
        epoch: Epoch::default(),
        created_at: Instant::default(),
        updated_at: Instant::default(),
        version: 1,
    }
}

#[test]
fn rights_are_the_union_of_the_roles_that_count_there() {
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
        assert_eq!(rights(roles_of_user(&user, Some(&device), &all)).scope(), *expected, "{what}");
        let itself = super::tests::device(21, *environment, held);
        assert_eq!(rights(roles_of_device(&itself, &all)).scope(), *expected, "{what}, the device as itself");
    }
}

#[test]
fn without_a_device_every_environment_counts_and_device_roles_do_not() {
    let office = role(1, &["userRead"], &[Environment::CashRegister]);
    let till = role(2, &["ticketClose"], &Environment::ALL);
    let p01 = device(20, Environment::CashRegister, &[]);
    let anna = user(&[&office], &[(&p01, &[&till])]);
    let all = [office, till];
    assert_eq!(rights(roles_of_user(&anna, None, &all)).scope(), "userRead");
    assert_eq!(rights(roles_of_user(&anna, Some(&p01), &all)).scope(), "ticketClose");
}

#[test]
fn a_user_logs_in_where_their_list_says() {
    let role = role(1, &["ticketClose"], &Environment::ALL);
    let p01 = device(20, Environment::CashRegister, &[]);
    let p02 = device(21, Environment::CashRegister, &[]);
    let mut foreign = device(22, Environment::CashRegister, &[]);
    foreign.tenant = TenantId(Uuid::from_u128(2));
    assert!(admits(&user(&[], &[(&p01, &[])]), Some(&p01)), "a listed device without roles");
    assert!(!admits(&user(&[&role], &[(&p01, &[&role])]), Some(&p02)), "a device that is not listed");
    assert!(!admits(&user(&[], &[(&foreign, &[&role])]), Some(&foreign)), "a device of another tenant");
    assert!(!admits(&user(&[], &[(&p01, &[&role])]), None), "no role without a device");
    assert!(admits(&user(&[&role], &[]), None), "a role without a device");
}

#[test]
fn a_missing_right_is_named() {
    let storno = Right::parse("storno").unwrap();
    assert_eq!(may(&Rights::default(), storno.clone()), Access::Missing(storno.clone()));
    assert_eq!(may(&Rank::Admin.rights(), storno), Access::Allowed);
}

#[test]
fn an_own_role_has_no_rank_even_under_a_built_in_name() {
    let mut own = role(1, &["storno"], &Environment::ALL);
    own.name = RoleName::parse("admin").unwrap();
    assert_eq!(rank([&own]), None);
    let built_in = Rank::Manager.role(RoleId(Uuid::from_u128(5)), TENANT).unwrap();
    let lower = Rank::Cashier.role(RoleId(Uuid::from_u128(6)), TENANT).unwrap();
    assert_eq!(rank([&lower, &built_in, &own]), Some(Rank::Manager));
}
