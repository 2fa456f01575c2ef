//! Searches users, page by page, with the rank that each has without a device.

use crate::office::UnguardedOffice;
use crate::office::ports::{MAX_PAGE_SIZE, OfficeTx, OffsetPageRequest, PageWithTotal, UserFilter, UserOrder};
use crate::{Rank, Role, StoreExt, StoreResult, User, UserId, UserStatus, principal_access};

/// The filter, order and page of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSearch {
    /// A text in the names or the e-mail address.
    pub text: Option<String>,
    /// The statuses to find, so that an empty list finds nobody; `None` finds all.
    pub statuses: Option<Vec<UserStatus>>,
    /// The highest rank that a user has without a device.
    pub rank: Option<Rank>,
    /// The order of the users.
    pub order: UserOrder,
    /// The number of users to skip.
    pub skip: u64,
    /// The greatest number of users, at most [`MAX_PAGE_SIZE`].
    pub limit: u32,
}

/// A user with the highest built-in rank that it has without a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedUserView {
    /// The user itself.
    pub user: User,
    /// The rank of the user, if it has one.
    pub rank: Option<Rank>,
}

impl UnguardedOffice<'_> {
    /// Finds users of a tenant, with their total number.
    pub fn search_users(&self, search: &UserSearch) -> StoreResult<PageWithTotal<RankedUserView>> {
        let nobody = PageWithTotal { items: Vec::new(), total: 0 };
        let Some(text) = crate::office::text::normalize_search_text(search.text.as_deref()) else { return Ok(nobody) };
        let statuses = search.statuses.clone().unwrap_or_else(|| UserStatus::ALL.to_vec());
        if statuses.is_empty() {
            return Ok(nobody);
        }
        self.store.read("search_users", |tx| {
            let roles = tx.roles().list(self.tenant)?;
            let mut filter = UserFilter { statuses: statuses.clone(), text: text.clone(), ..UserFilter::default() };
            if let Some(rank) = search.rank {
                let Some(role) = roles.iter().find(|role| Rank::of_role(role) == Some(rank)) else {
                    return Ok(nobody.clone());
                };
                filter.with_role = Some(role.id);
                filter.without_roles =
                    roles.iter().filter(|role| Rank::of_role(role) > Some(rank)).map(|role| role.id).collect();
            }
            let part =
                OffsetPageRequest { after: None, skip: search.skip, limit: search.limit.clamp(1, MAX_PAGE_SIZE) };
            let users = tx.users().search(self.tenant, &filter, search.order, &part)?;
            let items = users.into_iter().map(|user| rank_user(user, &roles)).collect();
            Ok(PageWithTotal { items, total: tx.users().count(self.tenant, &filter)? })
        })
    }

    /// The user with this id and its rank; deleted users are found, too.
    pub fn find_ranked_user(&self, id: UserId) -> StoreResult<Option<RankedUserView>> {
        self.store.read("find_user", |tx: &mut (dyn OfficeTx + '_)| {
            let Some(user) = tx.users().find(id)?.filter(|user| user.tenant == self.tenant) else { return Ok(None) };
            let roles = tx.roles().list(self.tenant)?;
            Ok(Some(rank_user(user, &roles)))
        })
    }
}

fn rank_user(user: User, roles: &[Role]) -> RankedUserView {
    let rank = principal_access::highest_rank(principal_access::effective_user_roles(&user, None, roles));
    RankedUserView { user, rank }
}
