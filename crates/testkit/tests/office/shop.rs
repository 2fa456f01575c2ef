//! A tenant in a store in memory, and what the tests do there.

use tillgate_auth_core::ports::CredentialKind;
use tillgate_auth_core::{AuthView, Memory};
use tillgate_domain::office::{self, DeviceRoles, Field, NewUser, OfficeView, Refused, UserChange};
use tillgate_domain::{Action, Change, Device, PrincipalId, Secret, Store, StoreExt, Tenant, User, UserStatus};

use crate::asked::*;

/// A tenant in a store in memory.
pub(crate) struct Shop {
    pub(crate) memory: Memory,
    pub(crate) tenant: Tenant,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let memory = Memory::new();
        let tenant = office::add_tenant(&memory, &stamp(), &new_tenant("default")).unwrap().unwrap();
        Self { memory, tenant }
    }

    pub(crate) fn store(&self) -> &dyn Store<OfficeView> {
        &self.memory
    }

    pub(crate) fn add(&self, new: &NewUser) -> Result<User, Refused> {
        office::add_user(self.store(), self.tenant.id, &stamp(), new).unwrap()
    }

    pub(crate) fn user(&self, name: &str, roles: &[&str]) -> User {
        self.add(&NewUser { verifier: Some(Secret::new("hash".to_owned())), ..new_user(name, roles) }).unwrap()
    }

    pub(crate) fn device(&self, name: &str) -> Device {
        office::add_device(self.store(), self.tenant.id, &stamp(), &new_device(name)).unwrap().unwrap()
    }

    pub(crate) fn change(&self, user: &User, change: &UserChange) -> Result<User, Refused> {
        office::change_user(self.store(), self.tenant.id, &stamp(), user.id, None, change).unwrap()
    }

    pub(crate) fn status(&self, user: &User, status: UserStatus) -> Result<User, Refused> {
        office::set_user_status(self.store(), self.tenant.id, &stamp(), user.id, status).unwrap()
    }

    pub(crate) fn assign(&self, user: &User, roles: Option<&[&str]>, devices: DeviceRoles) -> Result<User, Refused> {
        let roles = roles.map(|names| names.iter().map(|name| role(name)).collect());
        office::assign_roles(self.store(), self.tenant.id, &stamp(), user.id, roles, devices).unwrap()
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        changes(&self.memory)
    }

    pub(crate) fn version(&self, principal: PrincipalId) -> Option<i64> {
        let store: &dyn Store<AuthView> = &self.memory;
        let found = store.read(|tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
        found.map(|credential| credential.version)
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        self.memory.audit().iter().map(|event| event.action).collect()
    }
}

/// What the feed tells, oldest first.
pub(crate) fn changes(memory: &Memory) -> Vec<Change> {
    let store: &dyn Store<AuthView> = memory;
    store.read(|tx| tx.feed().look(None)).unwrap().changes.into_iter().map(|found| found.change).collect()
}

pub(crate) fn taken(field: Field, value: &str) -> Refused {
    Refused::Taken { field, value: value.to_owned() }
}
