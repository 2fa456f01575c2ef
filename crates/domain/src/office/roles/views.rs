//! Roles with the number of their holders.

use crate::office::UnguardedOffice;
use crate::{Role, StoreExt, StoreResult};

/// A role with the number of its holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleView {
    /// The role itself.
    pub role: Role,
    /// The number of users that are not deleted and of devices that have it.
    pub holder_count: u64,
}

impl UnguardedOffice<'_> {
    /// The views of roles of the tenant, in the same order.
    pub fn load_role_views(&self, roles: Vec<Role>) -> StoreResult<Vec<RoleView>> {
        let counts = self.store.read("count_role_holders", |tx| {
            roles.iter().map(|role| Ok(tx.roles().find_holders(role.id, 0)?.total)).collect::<StoreResult<Vec<u64>>>()
        })?;
        Ok(roles.into_iter().zip(counts).map(|(role, holder_count)| RoleView { role, holder_count }).collect())
    }

    /// The view of a role.
    pub fn load_role_view(&self, role: Role) -> StoreResult<RoleView> {
        let holder_count =
            self.store.read("count_role_holders", |tx| Ok(tx.roles().find_holders(role.id, 0)?.total))?;
        Ok(RoleView { role, holder_count })
    }
}
