//! The testkit's fixture in the store of the tests, with a password for each user, and helpers.

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};
use tillgate_domain::office::{
    AuditContext, DeviceChange, DeviceRolesChange, NewDevice, NewRole, Office, OfficeError, OfficePorts, RoleChange,
    UnguardedOffice,
};
use tillgate_domain::{
    Change, Device, DeviceId, DeviceStatus, Environment, Event, Role, RoleId, Secret, Store, StoreExt, TenantId, UserId,
};
use tillgate_test_store::TestStore;
use tillgate_testkit::Fixture;

use crate::fixture::list_changes;
use crate::inputs::*;

/// The fixture in the store of the tests; each user has a password.
pub(crate) struct StaffedFixture {
    pub(crate) store: TestStore,
    pub(crate) fixture: Fixture,
}

impl StaffedFixture {
    pub(crate) fn open() -> Self {
        let store = TestStore::new();
        let some = |_: &str| Some(Secret::new("hash".to_owned()));
        let fixture = Fixture::demo(NOW).user_passwords(some).device_passwords(some).build();
        fixture.insert_into(&store).unwrap();
        let keys: &dyn Store<AuthPorts> = &store;
        let key = StoredKey {
            id: pin_key(),
            kind: KeyKind::Pin,
            algorithm: "HS256".to_owned(),
            state: KeyState::Current,
            wrapped_secret: vec![1],
            public: None,
            created_at: NOW,
            state_since: NOW,
        };
        assert!(keys.write("test", |tx| tx.keys().insert(&key)).unwrap());
        Self { store, fixture }
    }

    pub(crate) fn store(&self) -> &dyn Store<OfficePorts> {
        &self.store
    }

    /// The office of the tenant, with every right.
    pub(crate) fn office(&self) -> Office<'_> {
        self.office_as(audit_context())
    }

    /// The office of the tenant for this caller.
    pub(crate) fn office_as(&self, context: AuditContext) -> Office<'_> {
        Office::new(self.store(), self.tenant_id(), context)
    }

    pub(crate) fn unguarded(&self) -> UnguardedOffice<'_> {
        UnguardedOffice::new(self.store(), self.tenant_id())
    }

    pub(crate) fn tenant_id(&self) -> TenantId {
        self.fixture.tenant.id
    }

    pub(crate) fn add_role(&self, called: &str, allows: &[&str], environments: &[Environment]) -> Role {
        let new = NewRole {
            id: RoleId::new(NOW, random_bytes()),
            name: parse_role(called),
            label: called.to_owned(),
            description: String::new(),
            rights: parse_rights(allows),
            environments: environments.iter().copied().collect(),
        };
        self.office().add_role(&new).unwrap().unwrap()
    }

    pub(crate) fn change_role(
        &self,
        stamp: &AuditContext,
        role: &Role,
        change: &RoleChange,
    ) -> Result<Role, OfficeError> {
        self.office_as(stamp.clone()).change_role(role.id, None, change).unwrap()
    }

    pub(crate) fn delete_role(&self, stamp: &AuditContext, role: &Role) -> Result<Role, OfficeError> {
        self.office_as(stamp.clone()).delete_role(role.id, None).unwrap()
    }

    pub(crate) fn change_device(
        &self,
        id: DeviceId,
        stamp: &AuditContext,
        change: &DeviceChange,
    ) -> Result<Device, OfficeError> {
        self.office_as(stamp.clone()).change_device(id, None, change).unwrap()
    }

    /// Adds a till that has these roles as itself.
    pub(crate) fn add_till(&self, name: &str, roles: &[&str]) -> Device {
        let roles = roles.iter().map(|role| parse_role(role)).collect();
        self.office().add_device(&NewDevice { roles, ..new_device(name) }).unwrap().unwrap()
    }

    pub(crate) fn set_status(&self, id: DeviceId, status: DeviceStatus) -> Result<Device, OfficeError> {
        self.office().set_device_status(id, status).unwrap()
    }

    pub(crate) fn assign(&self, user: UserId, roles: &[&str], devices: DeviceRolesChange) -> Result<(), OfficeError> {
        let roles = Some(roles.iter().map(|named| parse_role(named)).collect());
        self.office().assign_roles(user, roles, devices).unwrap().map(drop)
    }

    pub(crate) fn list_changes(&self) -> Vec<Change> {
        list_changes(&self.store)
    }

    pub(crate) fn last_event(&self) -> Event {
        self.store.audit_events().last().unwrap().clone()
    }
}

/// These roles on this device, and none on any other.
pub(crate) fn roles_only_on(device: &Device, roles: &[&str]) -> DeviceRolesChange {
    DeviceRolesChange::Replace(vec![roles_on(device.name.as_str(), roles)])
}

/// All environments.
pub(crate) const ALL_ENVIRONMENTS: &[Environment] = &Environment::ALL;
