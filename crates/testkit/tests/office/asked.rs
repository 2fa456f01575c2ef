//! What these tests ask of the back office, with ids that differ: stamps of the host and of callers, and who and what is to be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::office::{Authority, NewDevice, NewTenant, NewUser, Refused, RolesOn, Stamp};
use tillgate_domain::{
    Actor, Branch, BranchId, DeviceId, DeviceName, DeviceStatus, Environment, EventId, Instant, Locale, Right, Rights,
    RoleId, RoleName, Slug, TenantId, UserId, UserName, UserStatus, Zone,
};

pub(crate) const AT: Instant = Instant::from_millis(1_800_000_000_000);
pub(crate) static DRAWN: AtomicU64 = AtomicU64::new(1);

pub(crate) fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

pub(crate) fn stamp_of(authority: Authority) -> Stamp {
    Stamp { at: AT, event: EventId::new(AT, random()), actor: Actor::default(), authority, shell: None }
}

pub(crate) fn stamp() -> Stamp {
    stamp_of(Authority::Host)
}

pub(crate) fn caller(names: &[&str]) -> Stamp {
    stamp_of(Authority::Rights(rights(names)))
}

pub(crate) fn rights(names: &[&str]) -> Rights {
    names.iter().map(|name| Right::parse(name).unwrap()).collect()
}

pub(crate) fn missing(name: &str) -> Refused {
    Refused::Missing(Right::parse(name).unwrap())
}

pub(crate) fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

pub(crate) fn on(device: &str, roles: &[&str]) -> RolesOn {
    RolesOn { device: DeviceName::parse(device).unwrap(), roles: roles.iter().map(|name| role(name)).collect() }
}

pub(crate) fn new_user(name: &str, roles: &[&str]) -> NewUser {
    NewUser {
        id: UserId::new(AT, random()),
        name: UserName::parse(name).unwrap(),
        email: None,
        display_name: name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        roles: roles.iter().map(|name| role(name)).collect(),
        devices: Vec::new(),
        verifier: None,
        password_change_required: false,
    }
}

pub(crate) fn new_device(name: &str) -> NewDevice {
    NewDevice {
        id: DeviceId::new(AT, random()),
        name: DeviceName::parse(name).unwrap(),
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: tillgate_domain::JsonObject::default(),
        settings: BTreeMap::new(),
        roles: vec![role("cashier")],
        verifier: None,
    }
}

pub(crate) fn new_tenant(slug: &str) -> NewTenant {
    NewTenant {
        id: TenantId::new(AT, random()),
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        branch: Branch { id: BranchId::new(AT, random()), name: "Main".to_owned() },
        roles: [RoleId::new(AT, random()), RoleId::new(AT, random()), RoleId::new(AT, random())],
    }
}
