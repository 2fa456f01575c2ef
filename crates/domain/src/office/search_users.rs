//! Finds users by what is known of them, page by page, and tells the rank that each holds without a device.

use super::ports::{Found, OfficeTx, OfficeView, Part, UserFilter, UserOrder};
use crate::{Rank, Role, Store, StoreExt, Stored, TenantId, User, UserId, UserStatus, access};

/// The most that a part holds.
const MOST: u32 = 200;

/// Whom somebody looks for, and which part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSearch {
    /// A text in their names or e-mail address.
    pub text: Option<String>,
    /// In one of these, so that an empty list finds nobody; `None` narrows nothing.
    pub statuses: Option<Vec<UserStatus>>,
    /// Whose highest rank without a device is this one.
    pub rank: Option<Rank>,
    /// In which order.
    pub order: UserOrder,
    /// How many are passed over.
    pub skip: u64,
    /// How many at most, 200 in any case.
    pub limit: u32,
}

/// A user with the highest built-in rank that they hold without a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The user.
    pub user: User,
    /// The rank; `None` where they hold none.
    pub rank: Option<Rank>,
}

/// Users of a tenant, with how many there are on all parts together.
pub fn search_users(store: &dyn Store<OfficeView>, tenant: TenantId, search: &UserSearch) -> Stored<Found<Ranked>> {
    let nobody = Found { items: Vec::new(), total: 0 };
    let Some(text) = super::text::sought(search.text.as_deref()) else { return Ok(nobody) };
    let statuses = search.statuses.clone().unwrap_or_else(|| UserStatus::ALL.to_vec());
    if statuses.is_empty() {
        return Ok(nobody);
    }
    store.read(|tx| {
        let roles = tx.roles().list(tenant)?;
        let mut filter = UserFilter { statuses: statuses.clone(), text: text.clone(), ..UserFilter::default() };
        if let Some(rank) = search.rank {
            let Some(role) = roles.iter().find(|role| Rank::of(role) == Some(rank)) else { return Ok(nobody.clone()) };
            filter.holding = Some(role.id);
            filter.lacking = roles.iter().filter(|role| Rank::of(role) > Some(rank)).map(|role| role.id).collect();
        }
        let part = Part { after: None, skip: search.skip, limit: search.limit.clamp(1, MOST) };
        let users = tx.users().search(tenant, &filter, search.order, &part)?;
        let items = users.into_iter().map(|user| ranked(user, &roles)).collect();
        Ok(Found { items, total: tx.users().count(tenant, &filter)? })
    })
}

/// The user with this id and their rank, a deleted one too.
pub fn find_ranked(store: &dyn Store<OfficeView>, tenant: TenantId, id: UserId) -> Stored<Option<Ranked>> {
    store.read(|tx: &mut (dyn OfficeTx + '_)| {
        let Some(user) = tx.users().find(id)?.filter(|user| user.tenant == tenant) else { return Ok(None) };
        let roles = tx.roles().list(tenant)?;
        Ok(Some(ranked(user, &roles)))
    })
}

fn ranked(user: User, roles: &[Role]) -> Ranked {
    let rank = access::rank(access::roles_of_user(&user, None, roles));
    Ranked { user, rank }
}
