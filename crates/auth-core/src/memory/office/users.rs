//! People in memory, as the back office writes them. A deleted one holds no name.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use tillgate_domain::office::ports::{HoldersOf, Page, Part, UserCursor, UserFilter, UserOrder, Users};
use tillgate_domain::{
    DeviceId, DeviceStatus, Folded, Instant, PrincipalId, RoleId, Stored, TenantId, User, UserId, UserStatus,
};

use super::super::rows::Tables;
use super::super::transaction::{Transaction, broken, most};
use super::{counted, part};
use crate::ports::{self as auth, CredentialKind};

impl Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> Stored<Option<User>> {
        auth::Users::find(self, id)
    }

    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<User>> {
        auth::Users::named(self, tenant, name)
    }

    fn mailed(&mut self, email: &Folded) -> Stored<Option<User>> {
        auth::Users::mailed(self, email)
    }

    fn mailed_among(&mut self, emails: &BTreeSet<Folded>) -> Stored<Vec<User>> {
        let tables = self.tables();
        let ids = emails.iter().filter_map(|email| tables.emails.get(email));
        Ok(ids.filter_map(|id| tables.users.get(id)).cloned().collect())
    }

    fn insert(&mut self, user: &User) -> Stored<bool> {
        let tables = self.writing()?;
        if taken(tables, user) {
            return Ok(false);
        }
        if tables.users.has(&user.id) {
            return broken("a user's id is new");
        }
        if !tables.tenants.has(&user.tenant) {
            return broken("a user belongs to a tenant");
        }
        name_user(tables, user);
        tables.users.put(user.id, user.clone());
        Ok(true)
    }

    fn update(&mut self, user: &User) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(old) = tables.users.get(&user.id).filter(|old| old.version == user.version).cloned() else {
            return Ok(false);
        };
        if taken(tables, user) {
            return Ok(false);
        }
        if old.status != UserStatus::Deleted {
            tables.user_names.remove(&(old.tenant, old.name.folded()));
            if let Some(email) = &old.email {
                tables.emails.remove(&email.key());
            }
        }
        name_user(tables, user);
        let version = user.version.saturating_add(1);
        tables.users.put(user.id, User { epoch: old.epoch, version, ..user.clone() });
        Ok(true)
    }

    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> Stored<bool> {
        let users = &mut self.writing()?.users;
        let changes = users.get(&id).is_some_and(|user| user.password_change_required != required);
        if changes {
            users.change(&id, |user| {
                user.password_change_required = required;
                user.updated_at = at;
                user.version = user.version.saturating_add(1);
            });
        }
        Ok(changes)
    }

    fn list(&mut self, tenant: TenantId, page: &Page<UserId>) -> Stored<Vec<User>> {
        Ok(part(self.tables().users.rows(), page, |user| user.tenant == tenant))
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &Part<UserCursor>,
    ) -> Stored<Vec<User>> {
        let mut fitting: Vec<&User> = self.fitting(tenant, filter).collect();
        fitting.sort_by_key(|user| order.cursor(user));
        if order.is_backwards() {
            fitting.reverse();
        }
        if let Some(after) = &part.after {
            let beyond = if order.is_backwards() { Ordering::Less } else { Ordering::Greater };
            fitting.retain(|user| order.cursor(user).cmp(after) == beyond);
        }
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(fitting.into_iter().skip(skip).take(most(part.limit)).cloned().collect())
    }

    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> Stored<u64> {
        Ok(counted(self.fitting(tenant, filter).count()))
    }

    fn any(&mut self) -> Stored<bool> {
        Ok(!self.tables().user_names.rows().is_empty())
    }

    fn holders(&mut self, tenant: TenantId, of: &HoldersOf<'_>) -> Stored<u64> {
        let tables = self.tables();
        let holds = |held: &BTreeSet<RoleId>| of.roles.iter().any(|role| held.contains(role));
        let stands = |device: &DeviceId| {
            Some(*device) != of.but_device
                && tables.devices.get(device).is_some_and(|device| device.status == DeviceStatus::Active)
        };
        let holder = |user: &&User| {
            user.tenant == tenant
                && Some(user.id) != of.but_user
                && user.status == UserStatus::Active
                && tables.credentials.has(&(PrincipalId::User(user.id), CredentialKind::Password))
                && (holds(&user.assignment.office)
                    || user.assignment.devices.iter().any(|(device, held)| stands(device) && holds(held)))
        };
        Ok(counted(tables.users.rows().values().filter(holder).count()))
    }

    fn roles_on(&mut self, device: DeviceId) -> Stored<BTreeSet<RoleId>> {
        let users = self.tables().users.rows().values();
        Ok(users.filter_map(|user| user.assignment.devices.get(&device)).flatten().copied().collect())
    }

    fn unlist(&mut self, device: DeviceId) -> Stored<()> {
        let users = &mut self.writing()?.users;
        let listed = users.rows().values().filter(|user| user.assignment.devices.contains_key(&device));
        for id in listed.map(|user| user.id).collect::<Vec<_>>() {
            users.change(&id, |user| {
                user.assignment.devices.remove(&device);
                user.version = user.version.saturating_add(1);
            });
        }
        Ok(())
    }
}

impl Transaction<'_> {
    /// Users of a tenant whom the filter fits, in the order of their ids.
    fn fitting<'f>(&'f self, tenant: TenantId, filter: &'f UserFilter) -> impl Iterator<Item = &'f User> {
        self.tables().users.rows().values().filter(move |user| user.tenant == tenant && filter.fits(user))
    }
}

/// Whether somebody else holds the user's name or e-mail address. A deleted user holds neither.
fn taken(tables: &Tables, user: &User) -> bool {
    let other = |holder: Option<&UserId>| holder.is_some_and(|holder| *holder != user.id);
    user.status != UserStatus::Deleted
        && (other(tables.user_names.get(&(user.tenant, user.name.folded())))
            || user.email.as_ref().is_some_and(|email| other(tables.emails.get(&email.key()))))
}

fn name_user(tables: &mut Tables, user: &User) {
    if user.status != UserStatus::Deleted {
        tables.user_names.put((user.tenant, user.name.folded()), user.id);
        if let Some(email) = &user.email {
            tables.emails.put(email.key(), user.id);
        }
    }
}
