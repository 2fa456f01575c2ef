//! A store with a user, to try the engine.

use tillgate_domain::office::{self, AuditContext, NewTenant, NewUser, Office, UseCaseResult};
use tillgate_domain::{
    Actor, Authority, Branch, BranchId, EventId, Locale, RoleId, RoleName, Secret, Slug, TenantId, UserId, UserName,
    UserStatus, Zone,
};

use super::MemoryStore;
use tillgate_auth_core::Error;
use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::passwords::{Argon2id, Cost, opaque_verifier};
use tillgate_auth_core::system::{SystemClock, SystemEntropy};

impl MemoryStore {
    /// A store with the tenant `default` and one user, which has the given role (`cashier`,
    /// `manager` or `admin`) and may log in without a device. See [`office`] for how to add more
    /// users, and devices.
    ///
    /// # Errors
    ///
    /// [`Error::Fault`] if the name or the role is not valid.
    pub fn with_user(name: &str, password: &str, role: &str) -> Result<Self, Error> {
        let (memory, at, chance) = (Self::new(), SystemClock.now(), SystemEntropy::new());
        let chance: &dyn Entropy = &chance;
        let draw = || chance.random_bytes::<10>().map_err(to_fault);
        let stamp = || {
            let event = EventId::new(at, draw()?);
            Ok::<_, Error>(AuditContext {
                at,
                event_id: event,
                actor: Actor::default(),
                authority: Authority::Host,
                os_user: None,
            })
        };
        let new = NewTenant {
            id: TenantId::new(at, draw()?),
            slug: Slug::parse("default").map_err(to_fault)?,
            name: "The shop".to_owned(),
            zone: Zone::UTC,
            locale: Locale::parse("en").map_err(to_fault)?,
            branch: Branch { id: BranchId::new(at, draw()?), name: "Main street".to_owned(), zone: None },
            roles: [RoleId::new(at, draw()?), RoleId::new(at, draw()?), RoleId::new(at, draw()?)],
        };
        let tenant = unwrap_result(office::add_tenant(&memory, &stamp()?, &new))?;
        let hasher = Argon2id::new(Cost::default()).map_err(to_fault)?;
        let salt = chance.random_bytes().map_err(to_fault)?;
        let verifier = opaque_verifier(&hasher, password, &salt).map_err(to_fault)?;
        let new = NewUser {
            id: UserId::new(at, draw()?),
            name: UserName::parse(name).map_err(to_fault)?,
            email: None,
            display_name: name.to_owned(),
            status: UserStatus::Active,
            feature: None,
            roles: vec![RoleName::parse(role).map_err(to_fault)?],
            devices: Vec::new(),
            verifier: Some(Secret::new(verifier.expose().clone())),
            password_change_required: false,
            locale: None,
        };
        unwrap_result(Office::new(&memory, tenant.id, stamp()?).add_user(&new))?;
        Ok(memory)
    }
}

fn unwrap_result<T>(decided: UseCaseResult<T>) -> Result<T, Error> {
    decided.map_err(to_fault)?.map_err(to_fault)
}

fn to_fault(why: impl std::fmt::Display) -> Error {
    Error::Fault(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_name_or_role_is_reported() {
        assert!(MemoryStore::with_user("anna", "a song in the rain", "cashier").is_ok());
        for (name, role) in [("", "cashier"), ("anna", "pilot")] {
            let Err(error) = MemoryStore::with_user(name, "a song in the rain", role) else { panic!("{name} {role}") };
            assert!(matches!(error, Error::Fault(_)), "{error}");
        }
    }
}
