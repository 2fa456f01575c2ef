//! The list of users: which of them, in which order, page by page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, UserOrder, UserSearch};
use tillgate_domain::{Rank, UserStatus};

use super::parts::{ROLES, rank};
use crate::call::Call;
use crate::dialects::kasir::envelope::said;
use crate::dialects::kasir::pages::Page;
use crate::dialects::kasir::people::Person;
use crate::failure::Failure;
use crate::query::Parameters;

#[derive(Serialize)]
struct Users<'u> {
    users: Vec<Person<'u>>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    current_page: u32,
    total_page: u64,
    total_data: u64,
    per_page: u32,
}

pub(super) async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Cashier)?;
    let (search, page) = search(&call)?;
    let found =
        call.office(move |office| Ok(office::search_users(office.store, caller.profile.tenant.id, &search)?)).await?;
    let pagination = Pagination {
        current_page: page.number,
        total_page: page.of(found.total),
        total_data: found.total,
        per_page: page.size,
    };
    let users = found.items.iter().map(|found| Person::of(&found.user, found.rank)).collect();
    said(StatusCode::OK, "Users retrieved successfully", &Users { users, pagination })
}

/// What the query asks for: where nothing is said, the newest first, whoever is not deleted.
fn search(call: &Call) -> Result<(UserSearch, Page), Failure> {
    let mut sent = Parameters::of(call.head());
    let page = Page::take(&mut sent);
    let among: &[UserStatus] = match sent.word("status").as_deref() {
        None | Some("active") => &[UserStatus::Pending, UserStatus::Active, UserStatus::Suspended],
        Some("deleted") => &[UserStatus::Deleted],
        Some("all") => &UserStatus::ALL,
        Some(_) => {
            sent.fault("status", "format", "must be active, deleted or all");
            &[]
        }
    };
    let active: Option<bool> = sent.take("is_active", "must be true or false");
    let fits = |status: &UserStatus| active.is_none_or(|active| active == (*status == UserStatus::Active));
    let asked = sent.word("role");
    let rank = asked.as_deref().and_then(rank);
    if asked.is_some() && rank.is_none() {
        sent.fault("role", "format", ROLES);
    }
    let by_name = match sent.word("sortBy").as_deref() {
        None | Some("created_at") => false,
        Some("username") => true,
        Some(_) => {
            sent.fault("sortBy", "format", "must be created_at or username");
            false
        }
    };
    let order = match (sent.word("sortOrder").as_deref(), by_name) {
        (None | Some("desc"), false) => UserOrder::Newest,
        (Some("asc"), false) => UserOrder::Oldest,
        (None | Some("desc"), true) => UserOrder::NameBackwards,
        (Some("asc"), true) => UserOrder::Name,
        (Some(_), _) => {
            sent.fault("sortOrder", "format", "must be asc or desc");
            UserOrder::Newest
        }
    };
    let search = UserSearch {
        text: sent.word("search"),
        statuses: Some(among.iter().copied().filter(fits).collect()),
        rank,
        order,
        skip: page.skip(),
        limit: page.size,
    };
    sent.checked((search, page))
}
