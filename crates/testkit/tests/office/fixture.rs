//! A tenant in the store of the tests, with helpers for the tests.

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::CredentialKind;
use tillgate_domain::office::{
    self, AuditContext, DeviceRolesChange, FieldName, NewUser, Office, OfficeError, OfficePorts, UnguardedOffice,
    UserChange,
};
use tillgate_domain::{Action, Change, Device, PrincipalId, Secret, Store, StoreExt, Tenant, User, UserStatus};
use tillgate_test_store::TestStore;

use crate::inputs::*;

/// A tenant in the store of the tests.
pub(crate) struct OfficeFixture {
    pub(crate) store: TestStore,
    pub(crate) tenant: Tenant,
}

impl OfficeFixture {
    pub(crate) fn open() -> Self {
        let store = TestStore::new();
        let tenant = office::add_tenant(&store, &audit_context(), &new_tenant("default")).unwrap().unwrap();
        Self { store, tenant }
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
        Office::new(self.store(), self.tenant.id, context)
    }

    pub(crate) fn unguarded(&self) -> UnguardedOffice<'_> {
        UnguardedOffice::new(self.store(), self.tenant.id)
    }

    pub(crate) fn add(&self, new: &NewUser) -> Result<User, OfficeError> {
        self.office().add_user(new).unwrap()
    }

    pub(crate) fn add_user(&self, name: &str, roles: &[&str]) -> User {
        self.add(&NewUser { verifier: Some(Secret::new("hash".to_owned())), ..new_user(name, roles) }).unwrap()
    }

    pub(crate) fn add_device(&self, name: &str) -> Device {
        self.office().add_device(&new_device(name)).unwrap().unwrap()
    }

    pub(crate) fn change_user(&self, user: &User, change: &UserChange) -> Result<User, OfficeError> {
        self.office().change_user(user.id, None, change).unwrap()
    }

    pub(crate) fn set_status(&self, user: &User, status: UserStatus) -> Result<User, OfficeError> {
        self.office().set_user_status(user.id, status).unwrap()
    }

    pub(crate) fn assign(
        &self,
        user: &User,
        roles: Option<&[&str]>,
        devices: DeviceRolesChange,
    ) -> Result<User, OfficeError> {
        let roles = roles.map(|names| names.iter().map(|name| parse_role(name)).collect());
        self.office().assign_roles(user.id, roles, devices).unwrap()
    }

    pub(crate) fn list_changes(&self) -> Vec<Change> {
        list_changes(&self.store)
    }

    pub(crate) fn password_version(&self, principal: PrincipalId) -> Option<i64> {
        let store: &dyn Store<AuthPorts> = &self.store;
        let found = store.read("test", |tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
        found.map(|credential| credential.version)
    }

    pub(crate) fn list_actions(&self) -> Vec<Action> {
        self.store.audit_events().iter().map(|event| event.action).collect()
    }
}

/// All changes in the feed, oldest first.
pub(crate) fn list_changes(store: &TestStore) -> Vec<Change> {
    let store: &dyn Store<AuthPorts> = store;
    store.read("test", |tx| tx.feed().poll(None)).unwrap().entries.into_iter().map(|found| found.change).collect()
}

pub(crate) fn already_exists(field: FieldName, value: &str) -> OfficeError {
    OfficeError::AlreadyExists { field, value: value.to_owned() }
}
