//! Records with plain values. A test changes what it depends on:
//! `User { status: UserStatus::Pending, ..new_user(id, tenant, "anna", at) }`.

use std::collections::{BTreeMap, BTreeSet};

use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceId, DeviceKey, DeviceKeyState, DeviceName, DeviceStatus, Environment,
    Epoch, Instant, JsonObject, KeyStorage, Locale, PendingKey, PendingKeyState, SessionLimits, Slug, Tenant, TenantId,
    User, UserId, UserName, UserStatus, Zone,
};

/// A tenant in UTC with one branch and no limits.
pub fn new_tenant(id: TenantId, branch: BranchId, slug: &str, at: Instant) -> Tenant {
    Tenant {
        id,
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        accent_color: None,
        machine_codes: true,
        limits: SessionLimits::default(),
        branches: vec![Branch { id: branch, name: "Main".to_owned(), zone: None }],
        epoch: Epoch(0),
        created_at: at,
        version: 1,
    }
}

/// An active device of the environment `CashRegister`, without roles, seat or pairing.
pub fn new_device(id: DeviceId, tenant: TenantId, name: &str, at: Instant) -> Device {
    Device {
        id,
        tenant,
        name: DeviceName::parse(name).unwrap(),
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: JsonObject::default(),
        settings: BTreeMap::new(),
        branch: None,
        till_mode: false,
        roles: BTreeSet::new(),
        epoch: Epoch(0),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: at,
        updated_at: at,
        version: 1,
    }
}

/// An active user without e-mail address and roles.
pub fn new_user(id: UserId, tenant: TenantId, name: &str, at: Instant) -> User {
    User {
        id,
        tenant,
        name: UserName::parse(name).unwrap(),
        email: None,
        email_verified_at: None,
        display_name: name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        assignment: Assignment::default(),
        password_change_required: false,
        locale: None,
        last_login_at: None,
        epoch: Epoch(0),
        created_at: at,
        updated_at: at,
        version: 1,
    }
}

/// The current key of a device, in software; its thumbprint consists of this number.
pub fn new_device_key(tenant: TenantId, device: DeviceId, number: u8, at: Instant) -> DeviceKey {
    DeviceKey {
        tenant,
        thumbprint: [number; 32],
        device,
        jwk: format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{number}"}}"#),
        algorithm: "EdDSA".to_owned(),
        storage: KeyStorage::Software,
        state: DeviceKeyState::Current,
        label: String::new(),
        app: String::new(),
        enrolled_by: None,
        enrolled_at: at,
        ended_at: None,
        used_at: None,
    }
}

/// A key that waits in the tenant until this instant; its digests consist of this number, and of
/// its successor.
pub fn new_pending_key(tenant: TenantId, number: u8, at: Instant, until: Instant) -> PendingKey {
    PendingKey {
        code_digest: [number; 32],
        device_code_digest: [number + 1; 32],
        tenant,
        device: None,
        thumbprint: [number; 32],
        jwk: format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{number}"}}"#),
        algorithm: "EdDSA".to_owned(),
        storage: KeyStorage::Software,
        label: String::new(),
        app: String::new(),
        address: None,
        fingerprint: "4712".to_owned(),
        fingerprint_attempts: 0,
        state: PendingKeyState::Waiting,
        created_at: at,
        expires_at: until,
        polled_at: None,
    }
}
