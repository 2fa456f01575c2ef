//! A shop in memory to try the engine with.

use tillgate_domain::office::{self, Authority, Decided, NewTenant, NewUser, Stamp};
use tillgate_domain::{
    Actor, Branch, BranchId, EventId, Locale, RoleId, RoleName, Secret, Slug, TenantId, UserId, UserName, UserStatus,
    Zone,
};

use super::Memory;
use crate::Error;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::passwords::{Argon2id, Cost, opaque_verifier};
use crate::system::{SystemClock, SystemEntropy};

impl Memory {
    /// A store with the tenant `default` and in it one user, who has this role (`cashier`, `manager` or `admin`) and may log in without
    /// a device: for trials. See [`office`] for how to add more, and devices.
    ///
    /// # Errors
    /// [`Error::Fault`] where a name or the role cannot be.
    pub fn with_user(name: &str, password: &str, role: &str) -> Result<Self, Error> {
        let (memory, at, chance) = (Self::new(), SystemClock.now(), SystemEntropy::new());
        let chance: &dyn Entropy = &chance;
        let draw = || chance.draw::<10>().map_err(fault);
        let stamp = || {
            let event = EventId::new(at, draw()?);
            Ok::<_, Error>(Stamp { at, event, actor: Actor::default(), authority: Authority::Host, shell: None })
        };
        let new = NewTenant {
            id: TenantId::new(at, draw()?),
            slug: Slug::parse("default").map_err(fault)?,
            name: "The shop".to_owned(),
            zone: Zone::UTC,
            locale: Locale::parse("en").map_err(fault)?,
            branch: Branch { id: BranchId::new(at, draw()?), name: "Main street".to_owned() },
            roles: [RoleId::new(at, draw()?), RoleId::new(at, draw()?), RoleId::new(at, draw()?)],
        };
        let tenant = done(office::add_tenant(&memory, &stamp()?, &new))?;
        let hasher = Argon2id::new(Cost::default()).map_err(fault)?;
        let salt = chance.draw().map_err(fault)?;
        let verifier = opaque_verifier(&hasher, password, &salt).map_err(fault)?;
        let new = NewUser {
            id: UserId::new(at, draw()?),
            name: UserName::parse(name).map_err(fault)?,
            email: None,
            display_name: name.to_owned(),
            status: UserStatus::Active,
            feature: None,
            roles: vec![RoleName::parse(role).map_err(fault)?],
            devices: Vec::new(),
            verifier: Some(Secret::new(verifier.expose().clone())),
            password_change_required: false,
        };
        done(office::add_user(&memory, tenant.id, &stamp()?, &new))?;
        Ok(memory)
    }
}

fn done<T>(decided: Decided<T>) -> Result<T, Error> {
    decided.map_err(fault)?.map_err(fault)
}

fn fault(why: impl std::fmt::Display) -> Error {
    Error::Fault(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        assert!(Memory::with_user("anna", "a song in the rain", "cashier").is_ok());
        for (name, role) in [("", "cashier"), ("anna", "pilot")] {
            let Err(error) = Memory::with_user(name, "a song in the rain", role) else { panic!("{name} {role}") };
            assert!(matches!(error, Error::Fault(_)), "{error}");
        }
    }
}
