//! Users and devices of the test tenants.

use tillgate_domain::{Assignment, DeviceStatus, Email, Environment, Rank, RoleName, Tenant, User, UserStatus, Zone};
use tillgate_test_store::TestStore;
use tillgate_testkit::{Fixture, FixtureBuilder, PlainHasher};

use crate::test_server::{NOON, TEST_PASSWORD};

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

/// Inserts the tenants `default` and `other`. `default` has admin, manager and cashier (each has
/// that role everywhere), 999 of PORTOS' sample (admin on P01), idle (suspended), virtual, far (no
/// device, no back office), `john_doe` (cashier without a device only), clerk (a custom role,
/// everywhere); and the devices P01, PDA1, OFFICE, LOCKED and UNLISTED. `other` has stranger
/// (admin) and the device THEIRS. `zone` is the time zone of `default`.
pub fn insert_users(store: &TestStore, zone: Zone) {
    let in_main_street = |tenant: &mut Tenant| "Main street".clone_into(&mut tenant.branches[0].name);
    let verifier = |_: &str| Some(PlainHasher::verifier(TEST_PASSWORD));
    let builder = Fixture::builder(NOON).tenant_with(in_main_street).tenant_with(|tenant| tenant.zone = zone);
    let cashier = builder.role_id(Rank::Cashier);
    let builder = builder
        .role_with(Rank::Cashier, |role| role.name = RoleName::parse("clerk").unwrap())
        .device_with("P01", Environment::CashRegister, |device| {
            device.settings = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            device.roles = [cashier].into();
        })
        .device_passwords(verifier)
        .device("PDA1", Environment::Pda)
        .device("OFFICE", Environment::BackOffice)
        .device_with("LOCKED", Environment::Tool, |device| device.status = DeviceStatus::Locked);
    let fixture = add_users(builder).user_passwords(verifier).device("UNLISTED", Environment::Tool).build();
    fixture.insert_into(store).unwrap();
    let other = FixtureBuilder::other_tenant(NOON, 1, "other")
        .tenant_with(in_main_street)
        .device("THEIRS", Environment::Tool)
        .user_with("stranger", Rank::Admin, |user| "Sam Stranger".clone_into(&mut user.display_name))
        .user_passwords(verifier)
        .build();
    other.insert_into(store).unwrap();
}

/// What distinguishes a user from others of their role.
type UserChange<'c> = &'c dyn Fn(&mut User);

/// Adds the users of `default` to its devices.
fn add_users(mut builder: FixtureBuilder) -> FixtureBuilder {
    let records = builder.clone().build();
    let (p01, clerk) = (records.device("P01").id, records.roles.last().unwrap().id);
    let users: [(&str, &str, Rank, UserChange<'_>); 10] = [
        ("admin", "Ada Admin", Rank::Admin, &|_| ()),
        ("manager", "Max Manager", Rank::Manager, &|_| ()),
        ("cashier", "Cora Cashier", Rank::Cashier, &|_| ()),
        ("999", "Majiteľ", Rank::Admin, &|user| {
            user.assignment.office.clear();
            user.assignment.devices.retain(|device, _| *device == p01);
        }),
        ("idle", "Ida Idle", Rank::Cashier, &|user| user.status = UserStatus::Suspended),
        ("virtual", "Loyalty", Rank::Cashier, &|user| user.feature = Some("loyalty".to_owned())),
        ("far", "Fara Way", Rank::Cashier, &|user| user.assignment = Assignment::default()),
        ("witness", "Will Witness", Rank::Cashier, &|_| ()),
        ("john_doe", "John Doe", Rank::Cashier, &|user| user.assignment.devices.clear()),
        ("clerk", "Clara Clerk", Rank::Cashier, &|user| {
            user.assignment.office = [clerk].into();
            user.assignment.devices.values_mut().for_each(|roles| *roles = [clerk].into());
        }),
    ];
    for (name, display_name, rank, change) in users {
        builder = builder.user_with(name, rank, |user| {
            display_name.clone_into(&mut user.display_name);
            user.email = match name {
                "admin" => Email::parse("admin@example.com").ok(),
                "john_doe" => Email::parse("john@example.com").ok(),
                _ => None,
            };
            change(user);
        });
    }
    builder
}
