//! The testkit's fixture in an in-memory store, with a password for each user, and helpers for the
//! tests.

use tillgate_domain::office::{
    self, AuditContext, DeviceChange, DeviceRolesChange, NewRole, OfficeError, OfficePorts, RoleChange,
};
use tillgate_domain::{
    Change, Device, DeviceId, DeviceStatus, Environment, Event, Role, RoleId, Secret, Store, TenantId, UserId,
};
use tillgate_memory::MemoryStore;
use tillgate_testkit::Fixture;
use tillgate_testkit::fixture::FixtureVerifiers;

use crate::fixture::list_changes;
use crate::inputs::*;

/// The fixture in an in-memory store; each user has a password.
pub(crate) struct StaffedFixture {
    pub(crate) memory: MemoryStore,
    pub(crate) fixture: Fixture,
}

impl StaffedFixture {
    pub(crate) fn open() -> Self {
        let memory = MemoryStore::new();
        let some = |_: &str| Some(Secret::new("hash".to_owned()));
        let world = Fixture::insert_into(&memory, NOW, &FixtureVerifiers { user: &some, device: &some }).unwrap();
        Self { memory, fixture: world }
    }

    pub(crate) fn store(&self) -> &dyn Store<OfficePorts> {
        &self.memory
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
        office::add_role(self.store(), self.tenant_id(), &audit_context(), &new).unwrap().unwrap()
    }

    pub(crate) fn change_role(
        &self,
        stamp: &AuditContext,
        role: &Role,
        change: &RoleChange,
    ) -> Result<Role, OfficeError> {
        office::change_role(self.store(), self.tenant_id(), stamp, role.id, None, change).unwrap()
    }

    pub(crate) fn delete_role(&self, stamp: &AuditContext, role: &Role) -> Result<Role, OfficeError> {
        office::delete_role(self.store(), self.tenant_id(), stamp, role.id, None).unwrap()
    }

    pub(crate) fn change_device(
        &self,
        id: DeviceId,
        stamp: &AuditContext,
        change: &DeviceChange,
    ) -> Result<Device, OfficeError> {
        office::change_device(self.store(), self.tenant_id(), stamp, id, None, change).unwrap()
    }

    pub(crate) fn set_status(&self, id: DeviceId, status: DeviceStatus) -> Result<Device, OfficeError> {
        office::set_device_status(self.store(), self.tenant_id(), &audit_context(), id, status).unwrap()
    }

    pub(crate) fn assign(&self, user: UserId, roles: &[&str], devices: DeviceRolesChange) -> Result<(), OfficeError> {
        let roles = Some(roles.iter().map(|named| parse_role(named)).collect());
        office::assign_roles(self.store(), self.tenant_id(), &audit_context(), user, roles, devices).unwrap().map(drop)
    }

    pub(crate) fn list_changes(&self) -> Vec<Change> {
        list_changes(&self.memory)
    }

    pub(crate) fn last_event(&self) -> Event {
        self.memory.audit_events().last().unwrap().clone()
    }
}

/// These roles on this device, and none on any other.
pub(crate) fn roles_only_on(device: &Device, roles: &[&str]) -> DeviceRolesChange {
    DeviceRolesChange::Replace(vec![roles_on(device.name.as_str(), roles)])
}

/// All environments.
pub(crate) const ALL_ENVIRONMENTS: &[Environment] = &Environment::ALL;
