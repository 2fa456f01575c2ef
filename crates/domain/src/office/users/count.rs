//! Counts users and active admins per tenant, for the operator of the server.

use crate::office::ports::{OfficePorts, PageRequest, RoleHolderFilter, UserFilter};
use crate::office::queries;
use crate::office::users::last_admin::find_admin_roles;
use crate::{Slug, Store, StoreExt, StoreResult, TenantId, UserStatus};

/// The numbers of users of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCount {
    /// The slug of the tenant.
    pub tenant: Slug,
    /// The number of users that are not deleted.
    pub users: u64,
    /// The number of active users with a role that grants everything, without or on any device.
    pub active_admins: u64,
}

/// Counts the users of each tenant with counting queries; no user is read.
///
/// # Errors
///
/// The store cannot be read.
pub fn count_users(store: &dyn Store<OfficePorts>) -> StoreResult<Vec<UserCount>> {
    let tenants = queries::collect_pages(
        None,
        |page: &PageRequest<TenantId>| queries::list_tenants(store, page),
        |tenant| tenant.id,
    )?;
    let present: Vec<UserStatus> =
        UserStatus::ALL.into_iter().filter(|status| *status != UserStatus::Deleted).collect();
    let filter = UserFilter { statuses: present, ..UserFilter::default() };
    let count = |id: TenantId| {
        store.read("count_users", |tx| {
            let roles = find_admin_roles(&tx.roles().list(id)?);
            let admins =
                tx.users().count_holders(id, &RoleHolderFilter { roles: &roles, ..RoleHolderFilter::default() })?;
            Ok((tx.users().count(id, &filter)?, admins))
        })
    };
    tenants
        .into_iter()
        .map(|tenant| {
            let (users, active_admins) = count(tenant.id)?;
            Ok(UserCount { tenant: tenant.slug, users, active_admins })
        })
        .collect()
}
