//! The back office for commands: an open database, one of its tenants and a source of ids.

use std::sync::Arc;

use tillgate_domain::office::{
    self, DeviceRoleAssignment, DeviceView, FieldName, Office, OfficeError, OfficePorts, OfficeReader, RangeViolation,
    RoleView, UnguardedOffice, UseCaseResult, UserView,
};
use tillgate_domain::{
    Authority, Device, DeviceName, PrincipalId, Role, RoleName, Secret, Store, Tenant, User, UserName, UserStatus,
};
use tillgate_persistence::Database;

use super::json::format_span;
use super::password::{GenerateArgs, SecretDelivery};
use super::{CommandError, Context, password};
use crate::composition;
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::suggestions::did_you_mean_or_list;

/// An open database and the tenant given by `--tenant`.
pub(super) struct CommandOffice {
    pub(super) settings: Settings,
    pub(super) database: Arc<Database>,
    pub(super) tenant: Tenant,
    pub(super) ids: IdSource,
}

impl CommandOffice {
    /// Opens the existing database and finds the tenant.
    pub(super) fn open(context: &Context) -> Result<Self, CommandError> {
        let settings = context.settings(|_| ())?;
        let database = context.open_database(&settings)?;
        let tenant = composition::find_tenant(&database, &context.tenant)?;
        Ok(Self { settings, database, tenant, ids: IdSource::default() })
    }

    /// The store on which use cases run.
    pub(super) fn store(&self) -> &dyn Store<OfficePorts> {
        &*self.database
    }

    /// The office of the tenant, for one use case of the operator of this machine.
    pub(super) fn for_operator(&self) -> Result<Office<'_>, CommandError> {
        Ok(Office::new(self.store(), self.tenant.id, self.ids.audit_context()?))
    }

    /// The reads of the tenant that check an authority, for the operator of this machine.
    pub(super) fn reader_for_operator(&self) -> OfficeReader<'_> {
        OfficeReader::new(self.store(), self.tenant.id, self.ids.now(), Authority::Host)
    }

    /// The reads of the tenant that check no authority.
    pub(super) fn unguarded(&self) -> UnguardedOffice<'_> {
        UnguardedOffice::new(self.store(), self.tenant.id)
    }

    /// The prefix of the back office for browsers that serves the tenant on every host.
    pub(super) fn office_prefix(&self) -> Option<&str> {
        composition::office_prefix(&self.settings, &self.tenant.slug)
    }

    /// Checks that a server with this configuration can mail links to users of the tenant.
    pub(super) fn require_link_mail(&self) -> Result<(), CommandError> {
        if self.settings.server.public_url.is_none() {
            return Err(CommandError::failed(
                "links cannot be mailed: set server.public_url to the address at which people reach the server",
            ));
        }
        self.office_prefix().map(drop).ok_or_else(|| {
            CommandError::failed("links cannot be mailed: no mount \"office\" without a host serves the tenant")
        })
    }

    /// Hashes a password at the configured cost.
    pub(super) fn hash_password(&self, password: &Secret<String>) -> Result<Secret<String>, CommandError> {
        self.ids.hash_password(composition::password_cost(&self.settings), password)
    }

    /// Reads a new password from the terminal or standard input. `names` are names of the principal
    /// that are not in the database yet; a password must not be made of them.
    pub(super) fn read_new_password(
        &self,
        name: &str,
        principal: Option<PrincipalId>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Secret<String>, CommandError> {
        let mut words = self.unguarded().list_context_words(principal).map_err(CommandError::failed)?;
        words.extend(names);
        password::read_new_password(name, &composition::build_password_policy(&self.settings)?, &words)
    }

    /// The password to set: generated and delivered after it was set, or read from the terminal or
    /// standard input.
    pub(super) fn choose_password(
        &self,
        generate: &GenerateArgs,
        name: &str,
        principal: Option<PrincipalId>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<NewPassword, CommandError> {
        Ok(match generate.open_delivery()? {
            Some(delivery) => {
                NewPassword { password: password::generate_password(&self.ids)?, delivery: Some(delivery) }
            }
            None => NewPassword { password: self.read_new_password(name, principal, names)?, delivery: None },
        })
    }

    /// Finds a user by name. The error suggests a similar name or the list, or says that the user
    /// was deleted.
    pub(super) fn find_user(&self, name: &UserName) -> Result<User, CommandError> {
        if let Some(user) = self.unguarded().find_user_by_name(name).map_err(CommandError::failed)? {
            return Ok(user);
        }
        let users = self.list_users()?;
        if users.iter().any(|user| user.name.as_str() == name.as_str()) {
            return Err(CommandError::failed(format!(
                "the user \"{name}\" was deleted and cannot be restored; the name is free"
            )));
        }
        let names = users.iter().filter(|user| user.status != UserStatus::Deleted).map(|user| user.name.as_str());
        Err(CommandError::failed(format!(
            "there is no user \"{name}\"{}",
            did_you_mean_or_list(name.as_str(), names, "user")
        )))
    }

    /// Finds a device by name. The error suggests a similar name, or the list.
    pub(super) fn find_device(&self, name: &DeviceName) -> Result<Device, CommandError> {
        if let Some(device) = self.unguarded().find_device_by_name(name).map_err(CommandError::failed)? {
            return Ok(device);
        }
        let devices = self.list_devices()?;
        let names = devices.iter().map(|device| device.name.as_str());
        Err(CommandError::failed(format!(
            "there is no device \"{name}\"{}",
            did_you_mean_or_list(name.as_str(), names, "device")
        )))
    }

    /// Finds a role by name. The error suggests a similar name, or the list.
    pub(super) fn find_role(&self, name: &RoleName) -> Result<Role, CommandError> {
        if let Some(role) = self.unguarded().find_role_by_name(name).map_err(CommandError::failed)? {
            return Ok(role);
        }
        let roles = self.unguarded().list_roles().map_err(CommandError::failed)?;
        let names = roles.iter().map(|role| role.name.as_str());
        Err(CommandError::failed(format!(
            "there is no role \"{name}\"{}",
            did_you_mean_or_list(name.as_str(), names, "role")
        )))
    }

    /// Checks that these roles exist, and the devices and roles of these assignments. Each error
    /// suggests a similar name.
    pub(super) fn check_assignments(
        &self,
        roles: &[RoleName],
        on: &[DeviceRoleAssignment],
    ) -> Vec<Result<(), CommandError>> {
        let devices = on.iter().map(|assignment| self.find_device(&assignment.device).map(drop));
        let assigned = on.iter().flat_map(|assignment| &assignment.roles);
        devices.chain(roles.iter().chain(assigned).map(|name| self.find_role(name).map(drop))).collect()
    }

    /// All users, including deleted ones.
    pub(super) fn list_users(&self) -> Result<Vec<User>, CommandError> {
        office::collect_pages(None, |page| self.unguarded().list_users(page), |user| user.id)
            .map_err(CommandError::failed)
    }

    /// All devices, including retired ones.
    pub(super) fn list_devices(&self) -> Result<Vec<Device>, CommandError> {
        office::collect_pages(None, |page| self.unguarded().list_devices(page), |device| device.id)
            .map_err(CommandError::failed)
    }

    /// A user with the names of its roles and devices.
    pub(super) fn load_user_view(&self, user: &User) -> Result<UserView, CommandError> {
        let view = self.unguarded().load_user_view(user).map_err(CommandError::failed)?;
        view.ok_or_else(|| CommandError::failed("the user does not exist any more"))
    }

    /// A role with the number of its holders.
    pub(super) fn load_role_view(&self, role: Role) -> Result<RoleView, CommandError> {
        self.unguarded().load_role_view(role).map_err(CommandError::failed)
    }

    /// A device with the names of its roles, and its store.
    pub(super) fn load_device_view(&self, device: &Device) -> Result<DeviceView, CommandError> {
        let view = self.unguarded().load_device_view(device).map_err(CommandError::failed)?;
        view.ok_or_else(|| CommandError::failed("the device does not exist any more"))
    }
}

/// A password to set, and where to deliver it if it was generated.
pub(super) struct NewPassword {
    pub(super) password: Secret<String>,
    delivery: Option<SecretDelivery>,
}

impl NewPassword {
    /// Delivers a generated password. Call it after the password was set.
    pub(super) fn deliver(self, name: &str) -> Result<(), CommandError> {
        self.delivery.map_or(Ok(()), |delivery| delivery.deliver(name, &self.password))
    }
}

/// The result of a use case; a refusal becomes the command's error.
pub(super) fn check_decided<T>(decided: UseCaseResult<T>) -> Result<T, CommandError> {
    decided.map_err(CommandError::failed)?.map_err(|error| CommandError::failed(error_text(&error)))
}

/// An error of the office in the words of the command line: arguments instead of fields, and
/// durations in their largest unit.
fn error_text(error: &OfficeError) -> String {
    match error {
        OfficeError::OutOfRange(violations) => {
            violations.iter().map(range_text).collect::<Option<Vec<_>>>().map(|all| all.join("; "))
        }
        OfficeError::DeviceEnrolled(name) => Some(format!(
            "the device \"{name}\" is already enrolled; add --replace to replace its key, which ends its sessions"
        )),
        _ => None,
    }
    .unwrap_or_else(|| error.to_string())
}

/// The range of a duration that an argument gives; `None` if none does.
fn range_text(violation: &RangeViolation) -> Option<String> {
    let argument = match violation.field {
        FieldName::ExpiresIn => "--lifetime",
        FieldName::Access => "--access",
        FieldName::Idle => "--idle",
        FieldName::Absolute => "--absolute",
        FieldName::Overlap => "--overlap",
        _ => return None,
    };
    let [min, max] = [violation.min, violation.max].map(format_span);
    let why = if violation.configured { ", the longest that the server's configuration gives" } else { "" };
    Some(format!("{argument} must lie between {min} and {max}{why}"))
}
