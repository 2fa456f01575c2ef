//! POS Kasir's list of users: filters, order and pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::Caller;
use tillgate_domain::UserStatus;
use tillgate_domain::office::{UserOrder, UserSearch};

use super::request::{ROLE_MESSAGE, parse_rank};
use crate::api::dialects::kasir::page::PageParams;
use crate::api::dialects::kasir::response::{UserBody, render_data};
use crate::error::{ApiError, FieldErrorCode};
use crate::request::Request;
use crate::request::query::QueryParameters;

#[derive(Serialize)]
struct UsersBody<'u> {
    users: Vec<UserBody<'u>>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    current_page: u32,
    total_page: u64,
    total_data: u64,
    per_page: u32,
}

pub(super) async fn list_users(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (search, page) = read_search(&call)?;
    let found =
        call.with_office(move |context| Ok(context.unguarded(caller.profile.tenant.id).search_users(&search)?)).await?;
    let pagination = Pagination {
        current_page: page.number,
        total_page: page.page_count(found.total),
        total_data: found.total,
        per_page: page.size,
    };
    let users = found.items.iter().map(|found| UserBody::from_user(&found.user, found.rank)).collect();
    render_data(StatusCode::OK, "Users retrieved successfully", &UsersBody { users, pagination })
}

/// Reads the search from the query. By default it selects all users that are not deleted, newest
/// first.
fn read_search(call: &Request) -> Result<(UserSearch, PageParams), ApiError> {
    let mut sent = QueryParameters::lenient(call.head());
    let page = PageParams::read(&mut sent);
    let among: &[UserStatus] = match sent.read_nonempty("status").as_deref() {
        None | Some("active") => &[UserStatus::Pending, UserStatus::Active, UserStatus::Suspended],
        Some("deleted") => &[UserStatus::Deleted],
        Some("all") => &UserStatus::ALL,
        Some(_) => {
            sent.add_violation("status", FieldErrorCode::Format, "must be active, deleted or all");
            &[]
        }
    };
    let active: Option<bool> = sent.parse("is_active", "must be true or false");
    let fits = |status: &UserStatus| active.is_none_or(|active| active == (*status == UserStatus::Active));
    let role = sent.read_nonempty("role");
    let rank = role.as_deref().and_then(parse_rank);
    if role.is_some() && rank.is_none() {
        sent.add_violation("role", FieldErrorCode::Format, ROLE_MESSAGE);
    }
    let by_name = match sent.read_nonempty("sortBy").as_deref() {
        None | Some("created_at") => false,
        Some("username") => true,
        Some(_) => {
            sent.add_violation("sortBy", FieldErrorCode::Format, "must be created_at or username");
            false
        }
    };
    let order = match (sent.read_nonempty("sortOrder").as_deref(), by_name) {
        (None | Some("desc"), false) => UserOrder::Newest,
        (Some("asc"), false) => UserOrder::Oldest,
        (None | Some("desc"), true) => UserOrder::NameDescending,
        (Some("asc"), true) => UserOrder::Name,
        (Some(_), _) => {
            sent.add_violation("sortOrder", FieldErrorCode::Format, "must be asc or desc");
            UserOrder::Newest
        }
    };
    let search = UserSearch {
        text: sent.read_nonempty("search"),
        statuses: Some(among.iter().copied().filter(fits).collect()),
        rank,
        order,
        skip: page.offset(),
        limit: page.size,
    };
    sent.finish((search, page))
}
