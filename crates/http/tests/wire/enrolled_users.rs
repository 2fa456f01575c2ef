//! Users and devices of the test tenants.

use std::collections::BTreeMap;

use tillgate_domain::office::OfficePorts;
use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Email, Environment, Epoch, Locale,
    PrincipalId, Rank, Role, RoleId, RoleName, Secret, SessionLimits, Slug, Store, StoreExt, Tenant, TenantId, User,
    UserId, UserName, UserStatus, Zone,
};
use tillgate_memory::MemoryStore;

use crate::test_server::{NOON, TEST_PASSWORD};

fn bytes(number: u8) -> [u8; 10] {
    [number; 10]
}

fn tenant(number: u8, slug: &str) -> Tenant {
    Tenant {
        id: TenantId::new(NOON, bytes(number)),
        slug: Slug::parse(slug).unwrap(),
        name: slug.into(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        limits: SessionLimits::default(),
        branches: vec![Branch { id: BranchId::new(NOON, bytes(number)), name: "Main street".into() }],
        epoch: Epoch(0),
        created_at: NOON,
        version: 1,
    }
}

fn device(number: u8, tenant: &Tenant, name: &str, environment: Environment) -> Device {
    Device {
        id: DeviceId::new(NOON, bytes(number)),
        tenant: tenant.id,
        name: DeviceName::parse(name).unwrap(),
        environment,
        status: DeviceStatus::Active,
        description: name.into(),
        preferences: tillgate_domain::JsonObject::default(),
        settings: BTreeMap::new(),
        roles: [].into(),
        epoch: Epoch(0),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: NOON,
        updated_at: NOON,
        version: 1,
    }
}

/// The settings of PORTOS' published sample.
const SETTINGS: [(&str, &str); 7] = [
    ("MaxQuantity", "200"),
    ("OpenedPrices", "false"),
    ("NoticeOnNegativeSale", "false"),
    ("VisibleQuantities", "false"),
    ("DefaultFiscalName", "eKasa"),
    ("DefaultOrderEndpointName", ""),
    ("DefaultStockName", "S01"),
];

/// Enrolls the tenants `default` and `other`. `default` has admin, manager and cashier (each has
/// that role everywhere), 999 of PORTOS' sample (admin on P01), idle (suspended), virtual, far (no
/// device, no back office), `john_doe` (cashier without a device only), clerk (a custom role,
/// everywhere); and the devices P01, PDA1, OFFICE, LOCKED and UNLISTED. `other` has stranger
/// (admin) and the device THEIRS. `zone` is the time zone of `default`.
pub fn enroll(memory: &MemoryStore, zone: Zone) {
    let (shop, other) = (Tenant { zone, ..tenant(1, "default") }, tenant(2, "other"));
    let roles: Vec<_> = Rank::ALL
        .into_iter()
        .zip(1..)
        .map(|(rank, at)| rank.to_role(RoleId::new(NOON, bytes(at)), shop.id).unwrap())
        .collect();
    let clerk = Role {
        name: RoleName::parse("clerk").unwrap(),
        built_in: false,
        ..Rank::Cashier.to_role(RoleId::new(NOON, bytes(8)), shop.id).unwrap()
    };
    let foreign = Rank::Admin.to_role(RoleId::new(NOON, bytes(9)), other.id).unwrap();
    let devices = vec![
        Device {
            settings: SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            roles: [roles[0].id].into(),
            ..device(1, &shop, "P01", Environment::CashRegister)
        },
        device(2, &shop, "PDA1", Environment::Pda),
        device(3, &shop, "OFFICE", Environment::BackOffice),
        Device { status: DeviceStatus::Locked, ..device(4, &shop, "LOCKED", Environment::Tool) },
        device(5, &shop, "UNLISTED", Environment::Tool),
        device(6, &other, "THEIRS", Environment::Tool),
    ];
    let user =
        |number: u8, tenant: &Tenant, name: &str, email: Option<&str>, display: &str, assignment: Assignment| User {
            id: UserId::new(NOON, bytes(number)),
            tenant: tenant.id,
            name: UserName::parse(name).unwrap(),
            email: email.map(|email| Email::parse(email).unwrap()),
            display_name: display.into(),
            status: UserStatus::Active,
            feature: None,
            assignment,
            password_change_required: false,
            epoch: Epoch(0),
            created_at: NOON,
            updated_at: NOON,
            version: 1,
        };
    let everywhere = |role: RoleId| Assignment {
        office: [role].into(),
        devices: devices.iter().take(4).map(|device| (device.id, [role].into())).collect(),
    };
    let on_p01 = |role: RoleId| Assignment { office: [].into(), devices: [(devices[0].id, [role].into())].into() };
    let (cashier, manager, admin) = (roles[0].id, roles[1].id, roles[2].id);
    let users = vec![
        user(1, &shop, "admin", Some("admin@example.com"), "Ada Admin", everywhere(admin)),
        user(2, &shop, "manager", None, "Max Manager", everywhere(manager)),
        user(3, &shop, "cashier", None, "Cora Cashier", everywhere(cashier)),
        user(4, &shop, "999", None, "Majiteľ", on_p01(admin)),
        User { status: UserStatus::Suspended, ..user(5, &shop, "idle", None, "Ida Idle", everywhere(cashier)) },
        User { feature: Some("loyalty".into()), ..user(6, &shop, "virtual", None, "Loyalty", everywhere(cashier)) },
        user(7, &shop, "far", None, "Fara Way", Assignment::default()),
        user(
            8,
            &other,
            "stranger",
            Some("stranger@example.com"),
            "Sam Stranger",
            Assignment { office: [foreign.id].into(), devices: [(devices[5].id, [foreign.id].into())].into() },
        ),
        user(9, &shop, "witness", None, "Will Witness", everywhere(cashier)),
        user(
            10,
            &shop,
            "john_doe",
            Some("john@example.com"),
            "John Doe",
            Assignment { office: [cashier].into(), ..Assignment::default() },
        ),
        user(11, &shop, "clerk", None, "Clara Clerk", everywhere(clerk.id)),
    ];
    let store: &dyn Store<OfficePorts> = memory;
    let hash = Secret::new(format!("$plain${TEST_PASSWORD}"));
    let fits = store
        .write("test", |tx| {
            let mut fits = true;
            for tenant in [&shop, &other] {
                fits &= tx.tenants().insert(tenant)?;
            }
            for role in roles.iter().chain([&foreign, &clerk]) {
                fits &= tx.roles().insert(role)?;
            }
            for device in &devices {
                fits &= tx.devices().insert(device)?;
            }
            for user in &users {
                fits &= tx.users().insert(user)?;
                tx.passwords().set(PrincipalId::User(user.id), &hash, NOON)?;
            }
            tx.passwords().set(PrincipalId::Device(devices[0].id), &hash, NOON)?;
            Ok(fits)
        })
        .unwrap();
    assert!(fits, "the shop is enrolled");
}
