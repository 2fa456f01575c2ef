//! The back office as commands see it: an open database and one tenant of it.

use std::sync::Arc;

use tillgate_domain::office::{self, Decided, OfficeView};
use tillgate_domain::{Device, DeviceName, PrincipalId, Secret, Store, Tenant, TenantId, User, UserName, UserStatus};
use tillgate_persistence::Database;

use super::password::{Delivery, Generate};
use super::show::Names;
use super::{Context, Stop, password};
use crate::compose;
use crate::configuration::Settings;
use crate::draw::Draw;
use crate::near::is_it;

/// An open database and a tenant of it.
pub(super) struct Office {
    pub(super) settings: Settings,
    pub(super) database: Arc<Database>,
    pub(super) tenant: Tenant,
    pub(super) draw: Draw,
}

impl Office {
    /// Opens the database of a server that has been started before.
    pub(super) fn open(context: &Context) -> Result<Self, Stop> {
        let settings = context.settings(|_| ())?;
        let database = compose::open_existing(&settings)?;
        let tenant = compose::tenant(&database, &context.tenant)?;
        Ok(Self { settings, database, tenant, draw: Draw::default() })
    }

    /// The store that use cases run on.
    pub(super) fn store(&self) -> &dyn Store<OfficeView> {
        &*self.database
    }

    /// The tenant's id.
    pub(super) fn id(&self) -> TenantId {
        self.tenant.id
    }

    /// The hash of a password.
    pub(super) fn verifier(&self, password: &Secret<String>) -> Result<Secret<String>, Stop> {
        self.draw.verifier(&self.settings, password)
    }

    /// A password that is to be set, from whoever runs the command. `names` are those of who is to be added.
    pub(super) fn new_password(
        &self,
        whose: &str,
        principal: Option<PrincipalId>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Secret<String>, Stop> {
        let mut words = office::password_words(self.store(), self.id(), principal).map_err(Stop::failed)?;
        words.extend(names);
        password::read(whose, &compose::password_policy(&self.settings)?, &words)
    }

    /// The password to set: a generated one, delivered once it is set, or one that is read from the terminal or standard input.
    pub(super) fn given_password(
        &self,
        generate: &Generate,
        whose: &str,
        principal: Option<PrincipalId>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<NewPassword, Stop> {
        Ok(match generate.delivery()? {
            Some(delivery) => NewPassword { password: password::random(&self.draw)?, delivery: Some(delivery) },
            None => NewPassword { password: self.new_password(whose, principal, names)?, delivery: None },
        })
    }

    /// The user of this name.
    pub(super) fn user(&self, name: &UserName) -> Result<User, Stop> {
        if let Some(user) = office::user_named(self.store(), self.id(), name).map_err(Stop::failed)? {
            return Ok(user);
        }
        let users = self.users()?;
        if users.iter().any(|user| user.name.as_str() == name.as_str()) {
            return Err(Stop::failed(format!(
                "the user \"{name}\" was deleted and cannot come back; the name is free"
            )));
        }
        let names = users.iter().filter(|user| user.status != UserStatus::Deleted).map(|user| user.name.as_str());
        Err(Stop::failed(format!("there is no user \"{name}\"{}", is_it(name.as_str(), names))))
    }

    /// The device of this name.
    pub(super) fn device(&self, name: &DeviceName) -> Result<Device, Stop> {
        if let Some(device) = office::device_named(self.store(), self.id(), name).map_err(Stop::failed)? {
            return Ok(device);
        }
        let devices = self.devices()?;
        let names = devices.iter().map(|device| device.name.as_str());
        Err(Stop::failed(format!("there is no device \"{name}\"{}", is_it(name.as_str(), names))))
    }

    /// Every user, deleted ones too.
    pub(super) fn users(&self) -> Result<Vec<User>, Stop> {
        office::all(None, |page| office::list_users(self.store(), self.id(), page), |user| user.id)
            .map_err(Stop::failed)
    }

    /// Every device.
    pub(super) fn devices(&self) -> Result<Vec<Device>, Stop> {
        office::all(None, |page| office::list_devices(self.store(), self.id(), page), |device| device.id)
            .map_err(Stop::failed)
    }

    /// The names that ids stand for.
    pub(super) fn names(&self) -> Result<Names, Stop> {
        let roles = office::list_roles(self.store(), self.id()).map_err(Stop::failed)?;
        Ok(Names {
            roles: roles.into_iter().map(|role| (role.id, role.name.to_string())).collect(),
            devices: self.devices()?.into_iter().map(|device| (device.id, device.name.to_string())).collect(),
        })
    }
}

/// A password to set.
pub(super) struct NewPassword {
    pub(super) password: Secret<String>,
    delivery: Option<Delivery>,
}

impl NewPassword {
    /// Delivers a generated password once it is set.
    pub(super) fn deliver(self, whose: &str) -> Result<(), Stop> {
        self.delivery.map_or(Ok(()), |delivery| delivery.deliver(whose, &self.password))
    }
}

/// What a use case did; a refusal stops the command with its own words.
pub(super) fn done<T>(decided: Decided<T>) -> Result<T, Stop> {
    decided.map_err(Stop::failed)?.map_err(Stop::failed)
}
