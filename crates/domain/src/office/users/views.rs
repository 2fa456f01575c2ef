//! Users as the back office shows them: with the names of their roles and devices, which the row of
//! a user references by id.

use std::collections::{BTreeMap, BTreeSet};

use crate::office::devices::lookup::find_devices_by_id;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{
    ChangeMark, MAX_FETCH_ROWS, OfficeTx, OffsetPageRequest, UserCursor, UserFilter, UserOrder,
};
use crate::office::users::assignment::DeviceRoleAssignment;
use crate::office::{OfficeReader, UnguardedOffice, text};
use crate::{
    BranchId, DeviceId, Instant, KnownRight, LiveEventKind, RoleId, RoleName, StoreExt, StoreResult, TenantId, User,
    UserId, UserStatus,
};

/// A user with names instead of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// The user itself.
    pub user: User,
    /// The sorted names of the roles without a device.
    pub roles: Vec<RoleName>,
    /// The sorted names of the devices, with the roles on them.
    pub devices: Vec<DeviceRoleAssignment>,
    /// Whether the user has a password.
    pub has_password: bool,
    /// When the user's invitation expires; `None` without one. It may have expired already.
    pub invited_until: Option<Instant>,
}

/// The filter, order and page of a list of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserViewQuery {
    /// A text in the names or the e-mail address.
    pub text: Option<String>,
    /// The statuses to find; empty finds all except deleted users.
    pub statuses: Vec<UserStatus>,
    /// The name of a role that the users have, without or on any device.
    pub role: Option<RoleName>,
    /// A store, on a device of which the users may log in.
    pub branch: Option<BranchId>,
    /// The order of the users.
    pub order: UserOrder,
    /// The position of the last user of the previous page, in this order.
    pub after: Option<UserCursor>,
    /// The greatest number of users, at most [`MAX_FETCH_ROWS`].
    pub limit: u32,
}

impl OfficeReader<'_> {
    /// Lists the users that the query matches. Requires the right `userRead`.
    pub fn list_user_views(&self, search: &UserViewQuery) -> UseCaseResult<Vec<UserView>> {
        self.read_user_views(search, None)
    }

    /// Lists those of the users that have changed since the mark, in the order of their ids
    /// whatever that of the query is. Requires the right `userRead`.
    pub fn list_changed_user_views(&self, search: &UserViewQuery, since: ChangeMark) -> UseCaseResult<Vec<UserView>> {
        self.read_user_views(search, Some(since))
    }

    fn read_user_views(&self, search: &UserViewQuery, since: Option<ChangeMark>) -> UseCaseResult<Vec<UserView>> {
        if let Err(refused) = self.require(KnownRight::UserRead) {
            return Ok(Err(refused.into()));
        }
        let Some(text) = text::normalize_search_text(search.text.as_deref()) else { return Ok(Ok(Vec::new())) };
        let mut statuses = search.statuses.clone();
        if statuses.is_empty() {
            statuses.extend(UserStatus::ALL.into_iter().filter(|status| *status != UserStatus::Deleted));
        }
        let part =
            OffsetPageRequest { after: search.after.clone(), skip: 0, limit: search.limit.clamp(1, MAX_FETCH_ROWS) };
        self.store.read("list_users", |tx| {
            let mut filter = UserFilter {
                statuses: statuses.clone(),
                branch: search.branch,
                text: text.clone(),
                ..UserFilter::default()
            };
            if let Some(name) = &search.role {
                let Some(role) = tx.roles().find_by_name(self.tenant, name)? else { return Ok(Ok(Vec::new())) };
                filter.assigned_role = Some(role.id);
            }
            let order = if since.is_some() { UserOrder::Oldest } else { search.order };
            if let Some(since) = since {
                filter.changed_since = since.for_filter(tx, self.tenant, LiveEventKind::User)?;
            }
            let users = tx.users().search(self.tenant, &filter, order, &part)?;
            Ok(Ok(load_views(tx, self.tenant, users)?))
        })
    }

    /// The user with this id; deleted users are found, too. Requires the right `userRead`, unless
    /// it is that of the caller (`caller`).
    pub fn find_user_view(&self, caller: Option<UserId>, id: UserId) -> UseCaseResult<Option<UserView>> {
        self.store.read("find_user", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Option<UserView>, UseCaseError> {
                if caller != Some(id) {
                    self.require(KnownRight::UserRead)?;
                }
                let found = tx.users().find(id)?.filter(|user| user.tenant == self.tenant);
                Ok(load_views(tx, self.tenant, found.into_iter().collect())?.pop())
            };
            commit_refusal(run())
        })
    }
}

impl UnguardedOffice<'_> {
    /// The view of a user that a use case has just added or changed.
    pub fn load_user_view(&self, user: &User) -> StoreResult<Option<UserView>> {
        self.store.read("find_user", |tx| Ok(load_views(tx, user.tenant, vec![user.clone()])?.pop()))
    }

    /// The views of users of the tenant that were read before, in the same order.
    pub fn load_user_views(&self, users: &[User]) -> StoreResult<Vec<UserView>> {
        self.store.read("list_users", |tx| load_views(tx, self.tenant, users.to_vec()))
    }
}

/// The users with the names of their roles and devices, in the same order.
fn load_views(tx: &mut dyn OfficeTx, tenant: TenantId, users: Vec<User>) -> StoreResult<Vec<UserView>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let listed: BTreeSet<DeviceId> = users.iter().flat_map(|user| user.assignment.devices.keys().copied()).collect();
    let devices = find_devices_by_id(tx, &listed)?;
    let ids: BTreeSet<UserId> = users.iter().map(|user| user.id).collect();
    let with_password = tx.passwords().find_users_with_password(&ids)?;
    let invitations = tx.invitations().list_by_users(&ids)?;
    let invited: BTreeMap<UserId, Instant> =
        invitations.into_iter().map(|invitation| (invitation.user, invitation.expires_at)).collect();
    let roles: BTreeMap<RoleId, RoleName> =
        tx.roles().list(tenant)?.into_iter().map(|role| (role.id, role.name)).collect();
    let names = |held: &BTreeSet<RoleId>| {
        let mut names: Vec<RoleName> = held.iter().filter_map(|id| roles.get(id)).cloned().collect();
        names.sort();
        names
    };
    let named = |user: User| {
        let on = |(id, held): (&DeviceId, &BTreeSet<RoleId>)| {
            Some(DeviceRoleAssignment { device: devices.get(id)?.name.clone(), roles: names(held) })
        };
        let mut on: Vec<DeviceRoleAssignment> = user.assignment.devices.iter().filter_map(on).collect();
        on.sort_by(|one, other| one.device.cmp(&other.device));
        UserView {
            roles: names(&user.assignment.office),
            devices: on,
            has_password: with_password.contains(&user.id),
            invited_until: invited.get(&user.id).copied(),
            user,
        }
    };
    Ok(users.into_iter().map(named).collect())
}
