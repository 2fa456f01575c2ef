//! The in-memory user port of the back office. The name of a deleted user is free.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use tillgate_domain::office::ports::{
    OffsetPageRequest, PageRequest, RoleHolderFilter, UserCursor, UserFilter, UserOrder, Users,
};
use tillgate_domain::{
    DeviceId, DeviceStatus, FoldedText, Instant, LiveEventKind, PrincipalId, RoleId, StoreResult, TenantId, User,
    UserId, UserStatus,
};

use super::super::rows::Tables;
use super::super::transaction::{Transaction, constraint_error, to_usize};
use super::{read_page, to_u64};
use tillgate_auth_core::ports::{self as auth, CredentialKind};

impl Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        auth::Users::find(self, id)
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        auth::Users::find_by_name(self, tenant, name)
    }

    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        auth::Users::find_by_email(self, email)
    }

    fn find_many_by_email(&mut self, emails: &BTreeSet<FoldedText>) -> StoreResult<Vec<User>> {
        let tables = self.tables();
        let ids = emails.iter().filter_map(|email| tables.emails.get(email));
        Ok(ids.filter_map(|id| tables.users.get(id)).cloned().collect())
    }

    fn insert(&mut self, user: &User) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if is_taken(tables, user) {
            return Ok(false);
        }
        if tables.users.has(&user.id) {
            return constraint_error("a user's id is new");
        }
        if !tables.tenants.has(&user.tenant) {
            return constraint_error("a user belongs to a tenant");
        }
        index_name(tables, user);
        tables.users.put(user.id, user.clone());
        Ok(true)
    }

    fn update(&mut self, user: &User) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let Some(old) = tables.users.get(&user.id).filter(|old| old.version == user.version).cloned() else {
            return Ok(false);
        };
        if is_taken(tables, user) {
            return Ok(false);
        }
        if old.status != UserStatus::Deleted {
            tables.user_names.remove(&(old.tenant, old.name.to_folded()));
            if let Some(email) = &old.email {
                tables.emails.remove(&email.lookup_key());
            }
        }
        index_name(tables, user);
        let version = user.version.saturating_add(1);
        tables.users.put(user.id, User { epoch: old.epoch, last_login_at: old.last_login_at, version, ..user.clone() });
        Ok(true)
    }

    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> StoreResult<bool> {
        let users = &mut self.tables_mut()?.users;
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

    fn list(&mut self, tenant: TenantId, page: &PageRequest<UserId>) -> StoreResult<Vec<User>> {
        Ok(read_page(self.tables().users.rows(), page, |user| user.tenant == tenant))
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &OffsetPageRequest<UserCursor>,
    ) -> StoreResult<Vec<User>> {
        let mut fitting: Vec<&User> = self.matching_users(tenant, filter).collect();
        fitting.sort_by_key(|user| order.cursor(user));
        if order.is_descending() {
            fitting.reverse();
        }
        if let Some(after) = &part.after {
            let beyond = if order.is_descending() { Ordering::Less } else { Ordering::Greater };
            fitting.retain(|user| order.cursor(user).cmp(after) == beyond);
        }
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(fitting.into_iter().skip(skip).take(to_usize(part.limit)).cloned().collect())
    }

    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> StoreResult<u64> {
        Ok(to_u64(self.matching_users(tenant, filter).count()))
    }

    fn any_exists(&mut self) -> StoreResult<bool> {
        Ok(!self.tables().user_names.rows().is_empty())
    }

    fn count_holders(&mut self, tenant: TenantId, of: &RoleHolderFilter<'_>) -> StoreResult<u64> {
        let tables = self.tables();
        let holds = |held: &BTreeSet<RoleId>| of.roles.iter().any(|role| held.contains(role));
        let is_in_use = |device: &DeviceId| {
            Some(*device) != of.except_device
                && tables.devices.get(device).is_some_and(|device| device.status == DeviceStatus::Active)
        };
        let holder = |user: &&User| {
            user.tenant == tenant
                && Some(user.id) != of.except_user
                && user.status == UserStatus::Active
                && tables.credentials.has(&(PrincipalId::User(user.id), CredentialKind::Password))
                && (holds(&user.assignment.office)
                    || user.assignment.devices.iter().any(|(device, held)| is_in_use(device) && holds(held)))
        };
        Ok(to_u64(tables.users.rows().values().filter(holder).count()))
    }

    fn find_roles_on_device(&mut self, device: DeviceId) -> StoreResult<BTreeSet<RoleId>> {
        let users = self.tables().users.rows().values();
        Ok(users.filter_map(|user| user.assignment.devices.get(&device)).flatten().copied().collect())
    }

    fn remove_device(&mut self, device: DeviceId) -> StoreResult<()> {
        let users = &mut self.tables_mut()?.users;
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
    /// The users of a tenant that the filter matches, in the order of their ids.
    fn matching_users<'f>(&'f self, tenant: TenantId, filter: &'f UserFilter) -> impl Iterator<Item = &'f User> {
        let tables = self.tables();
        let is_in_store = move |user: &User| {
            filter.branch.is_none()
                || user.assignment.devices.keys().any(|device| tables.is_in_branch(Some(*device), filter.branch))
        };
        let changed = self.find_changed(tenant, LiveEventKind::User, filter.changed_since);
        let has_changed = move |user: &User| changed.as_ref().is_none_or(|changed| changed.contains(&user.id.0));
        let fits = move |user: &User| filter.matches(user) && is_in_store(user) && has_changed(user);
        tables.users.rows().values().filter(move |user| user.tenant == tenant && fits(user))
    }
}

/// Whether another user has the user's name or e-mail address. Deleted users do not count.
fn is_taken(tables: &Tables, user: &User) -> bool {
    let other = |holder: Option<&UserId>| holder.is_some_and(|holder| *holder != user.id);
    user.status != UserStatus::Deleted
        && (other(tables.user_names.get(&(user.tenant, user.name.to_folded())))
            || user.email.as_ref().is_some_and(|email| other(tables.emails.get(&email.lookup_key()))))
}

fn index_name(tables: &mut Tables, user: &User) {
    if user.status != UserStatus::Deleted {
        tables.user_names.put((user.tenant, user.name.to_folded()), user.id);
        if let Some(email) = &user.email {
            tables.emails.put(email.lookup_key(), user.id);
        }
    }
}
