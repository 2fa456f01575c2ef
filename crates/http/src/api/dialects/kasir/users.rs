//! POS Kasir's users: list, create, update, activate or deactivate, delete.
//!
//! A user of this contract has a role without a device; users of other contracts are listed too,
//! without a role.

mod list;
mod request;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    EntityChange, FieldName, NamedFields, Office, OfficeError, RankedUserView, UseCaseResult,
};
use tillgate_domain::{KnownRight, Rank, User, UserId, UserStatus};

use super::paths::{USER_PATH, USERS_PATH};
use super::response::{UserBody, render_data, render_message};
use crate::context::office::name_violations;
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use list::list_users;
use request::{CreateUser, UpdateUser};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::POST, "/api/v1/auth/add", Requirement::Role(Rank::Admin), register_user),
        Route::authenticated(Method::GET, USERS_PATH, Requirement::Role(Rank::Cashier), list_users),
        Route::authenticated(Method::POST, USERS_PATH, Requirement::Role(Rank::Admin), create_user),
        Route::authenticated(Method::GET, USER_PATH, Requirement::Role(Rank::Manager), get_user),
        Route::authenticated(Method::PUT, USER_PATH, Requirement::Role(Rank::Admin), update_user),
        Route::authenticated(Method::DELETE, USER_PATH, Requirement::Role(Rank::Admin), delete_user),
        Route::authenticated(
            Method::POST,
            "/api/v1/users/{id}/toggle-status",
            Requirement::Role(Rank::Admin),
            toggle_user_status,
        ),
    ]
}

/// Creates a user with a lower role than the caller's.
async fn register_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let ranked = create_ranked_user(&call, caller, true).await?;
    render_data(StatusCode::OK, "User added successfully", &UserBody::from_user(&ranked.user, ranked.rank))
}

async fn create_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let ranked = create_ranked_user(&call, caller, false).await?;
    render_data(StatusCode::CREATED, "User created successfully", &UserBody::from_user(&ranked.user, ranked.rank))
}

async fn create_ranked_user(call: &Request, caller: Caller, below: bool) -> Result<RankedUserView, ApiError> {
    let mut sent = CreateUser::read(call)?;
    // checked before the password is hashed, which is expensive
    if let Some(rank) = sent.body().rank().filter(|_| below && sent.is_valid())
        && caller.profile.rank.is_none_or(|caller_rank| rank >= caller_rank)
    {
        return Err(OfficeError::RankTooHigh(rank).into());
    }
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        let words = match office.authorize_add_user() {
            Ok(()) => sent.body().words(office.unguarded())?,
            Err(refused) if sent.is_valid() => return Err(refused.into()),
            // an unauthorized caller must not learn from the violations which names exist
            Err(_) => Vec::new(),
        };
        sent.add(sent.body().password_violations(context.auth.build_password_policy(), &words));
        let sent = sent.check_body(|_| Ok(Vec::new()))?;
        let rank = sent.rank();
        let new = sent.into_new_user(context, &words, caller.address)?;
        let user = match rank {
            Some(rank) if below => into_api_result(office.register_user(caller.profile.rank, rank, &new))?,
            _ => into_api_result(office.add_user(&new))?,
        };
        Ok(RankedUserView { user, rank })
    })
    .await
}

async fn get_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_user_id(&call)?;
    let found =
        call.with_office(move |context| Ok(context.unguarded(caller.profile.tenant.id).find_ranked_user(id)?)).await?;
    let found = found.filter(|found| found.user.status != UserStatus::Deleted);
    let found = found.ok_or_else(|| OfficeError::NotFound { field: FieldName::User, value: id.to_string() })?;
    render_data(StatusCode::OK, "User retrieved successfully", &UserBody::from_user(&found.user, found.rank))
}

async fn update_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, sent) = (read_user_id(&call)?, UpdateUser::read(&call)?);
    let changed = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.to_change();
                let change = Some(EntityChange::User(id, &change));
                name_violations(&office, KnownRight::UserUpdate, &NamedFields { change, ..NamedFields::default() })
            })?;
            let mut change = sent.to_change();
            if let Some(proof) = sent.email_change_password().filter(|_| caller.user() == Some(id)) {
                context.auth.confirm_password(&caller, &proof)?;
                change.password_confirmed = true;
            }
            let user = into_api_result(office.change_user(id, None, &change))?;
            load_ranked_user(&office, user)
        })
        .await?;
    render_data(StatusCode::OK, "User updated successfully", &UserBody::from_user(&changed.user, changed.rank))
}

async fn delete_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_user_id(&call)?;
    run_user_change(&call, caller, move |office| office.set_user_status(id, UserStatus::Deleted)).await?;
    render_message(StatusCode::OK, "User deleted successfully")
}

async fn toggle_user_status(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_user_id(&call)?;
    run_user_change(&call, caller, move |office| office.toggle_user(id)).await?;
    render_message(StatusCode::OK, "User status toggled successfully")
}

/// Runs a use case that changes a user, and loads the user with their role.
async fn run_user_change(
    call: &Request,
    caller: Caller,
    change: impl FnOnce(&Office<'_>) -> UseCaseResult<User> + Send + 'static,
) -> Result<RankedUserView, ApiError> {
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        let user = into_api_result(change(&office))?;
        load_ranked_user(&office, user)
    })
    .await
}

fn load_ranked_user(office: &Office<'_>, user: User) -> Result<RankedUserView, ApiError> {
    let found = office.unguarded().find_ranked_user(user.id)?;
    Ok(found.unwrap_or(RankedUserView { user, rank: None }))
}

/// Reads the user id in the path.
fn read_user_id(call: &Request) -> Result<UserId, ApiError> {
    call.head().path_parameter("id").parse().map_err(|_| {
        let (code, message) = (FieldErrorCode::Type, "must be a UUID".into());
        ProtocolError::InvalidFields(vec![FieldViolation { field: "id".into(), in_query: false, code, message }]).into()
    })
}
