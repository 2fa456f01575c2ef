//! Inputs for the tests of the back office: audit contexts of the host and of callers, and records
//! with distinct ids.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::office::{AuditContext, DeviceRoleAssignment, NewDevice, NewTenant, NewUser, OfficeError};
use tillgate_domain::{
    Actor, Authority, Branch, BranchId, DeviceId, DeviceName, DeviceStatus, Environment, EventId, Instant, KeyId,
    Locale, MissingRight, Right, Rights, RoleId, RoleName, Secret, Slug, StoredPin, TenantId, UserId, UserName,
    UserStatus, Zone,
};

pub(crate) const NOW: Instant = Instant::from_millis(1_800_000_000_000);
pub(crate) static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(crate) fn random_bytes() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&NEXT_ID.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

pub(crate) fn context_with(authority: Authority) -> AuditContext {
    AuditContext {
        at: NOW,
        event_id: EventId::new(NOW, random_bytes()),
        actor: Actor::default(),
        authority,
        os_user: None,
    }
}

pub(crate) fn audit_context() -> AuditContext {
    context_with(Authority::Host)
}

pub(crate) fn caller_context(names: &[&str]) -> AuditContext {
    context_with(Authority::Rights(parse_rights(names)))
}

pub(crate) fn parse_rights(names: &[&str]) -> Rights {
    names.iter().map(|name| Right::parse(name).unwrap()).collect()
}

pub(crate) fn missing_right(name: &str) -> OfficeError {
    OfficeError::RightMissing(MissingRight(Right::parse(name).unwrap()))
}

pub(crate) fn parse_role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

pub(crate) fn roles_on(device: &str, roles: &[&str]) -> DeviceRoleAssignment {
    DeviceRoleAssignment {
        device: DeviceName::parse(device).unwrap(),
        roles: roles.iter().map(|name| parse_role(name)).collect(),
    }
}

/// The current key of PINs of the staffed fixture.
pub(crate) fn pin_key() -> KeyId {
    KeyId::new(NOW, [7; 10])
}

pub(crate) fn new_pin() -> StoredPin {
    StoredPin { verifier: Secret::new("hash of a PIN".to_owned()), key: pin_key(), due: true }
}

pub(crate) fn new_user(name: &str, roles: &[&str]) -> NewUser {
    NewUser {
        id: UserId::new(NOW, random_bytes()),
        name: UserName::parse(name).unwrap(),
        email: None,
        display_name: name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        roles: roles.iter().map(|name| parse_role(name)).collect(),
        devices: Vec::new(),
        verifier: None,
        password_change_required: false,
        locale: None,
    }
}

pub(crate) fn new_device(name: &str) -> NewDevice {
    NewDevice {
        id: DeviceId::new(NOW, random_bytes()),
        name: DeviceName::parse(name).unwrap(),
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: tillgate_domain::JsonObject::default(),
        settings: BTreeMap::new(),
        branch: None,
        roles: vec![parse_role("cashier")],
        verifier: None,
    }
}

pub(crate) fn new_tenant(slug: &str) -> NewTenant {
    NewTenant {
        id: TenantId::new(NOW, random_bytes()),
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        branch: Branch { id: BranchId::new(NOW, random_bytes()), name: "Main".to_owned(), zone: None },
        roles: [RoleId::new(NOW, random_bytes()), RoleId::new(NOW, random_bytes()), RoleId::new(NOW, random_bytes())],
    }
}
