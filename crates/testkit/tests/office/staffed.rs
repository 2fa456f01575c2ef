//! The world of the testkit in a store in memory: a tenant with its people, each with a password, and devices, and what the tests do
//! to them.

use tillgate_auth_core::Memory;
use tillgate_domain::office::{self, DeviceChange, DeviceRoles, NewRole, OfficeView, Refused, RoleChange, Stamp};
use tillgate_domain::{
    Change, Device, DeviceId, DeviceStatus, Environment, Event, Role, RoleId, Secret, Store, TenantId, UserId,
};
use tillgate_testkit::World;
use tillgate_testkit::world::Verifiers;

use crate::asked::*;
use crate::shop::changes;

/// The world in memory, each user with a password.
pub(crate) struct Shop {
    pub(crate) memory: Memory,
    pub(crate) world: World,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let memory = Memory::new();
        let some = |_: &str| Some(Secret::new("hash".to_owned()));
        let world = World::populate(&memory, AT, &Verifiers { user: &some, device: &some }).unwrap();
        Self { memory, world }
    }

    pub(crate) fn store(&self) -> &dyn Store<OfficeView> {
        &self.memory
    }

    pub(crate) fn id(&self) -> TenantId {
        self.world.tenant.id
    }

    pub(crate) fn role(&self, called: &str, allows: &[&str], environments: &[Environment]) -> Role {
        let new = NewRole {
            id: RoleId::new(AT, random()),
            name: role(called),
            label: called.to_owned(),
            description: String::new(),
            rights: rights(allows),
            environments: environments.iter().copied().collect(),
        };
        office::add_role(self.store(), self.id(), &stamp(), &new).unwrap().unwrap()
    }

    pub(crate) fn change_role(&self, stamp: &Stamp, role: &Role, change: &RoleChange) -> Result<Role, Refused> {
        office::change_role(self.store(), self.id(), stamp, role.id, None, change).unwrap()
    }

    pub(crate) fn delete_role(&self, stamp: &Stamp, role: &Role) -> Result<Role, Refused> {
        office::delete_role(self.store(), self.id(), stamp, role.id, None).unwrap()
    }

    pub(crate) fn device(&self, id: DeviceId, stamp: &Stamp, change: &DeviceChange) -> Result<Device, Refused> {
        office::change_device(self.store(), self.id(), stamp, id, None, change).unwrap()
    }

    pub(crate) fn status(&self, id: DeviceId, status: DeviceStatus) -> Result<Device, Refused> {
        office::set_device_status(self.store(), self.id(), &stamp(), id, status).unwrap()
    }

    pub(crate) fn assign(&self, user: UserId, roles: &[&str], devices: DeviceRoles) -> Result<(), Refused> {
        let roles = Some(roles.iter().map(|named| role(named)).collect());
        office::assign_roles(self.store(), self.id(), &stamp(), user, roles, devices).unwrap().map(drop)
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        changes(&self.memory)
    }

    pub(crate) fn last(&self) -> Event {
        self.memory.audit().last().unwrap().clone()
    }
}

/// These roles on this device, and nothing on another.
pub(crate) fn only_on(device: &Device, roles: &[&str]) -> DeviceRoles {
    DeviceRoles::Replace(vec![on(device.name.as_str(), roles)])
}

/// Everywhere.
pub(crate) const ALL: &[Environment] = &Environment::ALL;
