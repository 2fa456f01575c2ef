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
    self, FieldName, NewUser, Office, OfficeError, RankedUserView, UseCaseResult, UserChange,
};
use tillgate_domain::{Rank, RoleName, User, UserId, UserStatus};

use super::paths::{USER_PATH, USERS_PATH};
use super::response::{UserBody, render_data, render_message};
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use list::list_users;
use request::{CreateUserInput, UpdateUserInput};

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
    let CreateUserInput { name, email, password, rank, active } = CreateUserInput::read(call)?;
    // checked before the password is hashed, which is expensive
    if below && caller.profile.rank.is_none_or(|caller_rank| rank >= caller_rank) {
        return Err(OfficeError::RankTooHigh(rank).into());
    }
    let role = RoleName::parse(rank.name()).map_err(|why| ApiError::Fault(format!("a rank is no role: {why}")))?;
    let status = status_of_active(active, UserStatus::Pending);
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        let mut words = office.unguarded().list_context_words(None)?;
        words.push(name.to_string());
        words.extend(office::email_context_words(&email));
        let verifier = context.auth.hash_new_password(&password, &words, caller.address)?;
        let new = NewUser {
            id: context.auth.new_id(UserId::new)?,
            display_name: name.to_string(),
            name,
            email: Some(email),
            status,
            feature: None,
            roles: vec![role],
            devices: Vec::new(),
            verifier: Some(verifier),
            password_change_required: false,
            locale: None,
        };
        let user = if below {
            into_api_result(office.register_user(caller.profile.rank, rank, &new))?
        } else {
            into_api_result(office.add_user(&new))?
        };
        Ok(RankedUserView { user, rank: Some(rank) })
    })
    .await
}

fn status_of_active(active: bool, otherwise: UserStatus) -> UserStatus {
    if active { UserStatus::Active } else { otherwise }
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
    let (id, sent) = (read_user_id(&call)?, UpdateUserInput::read(&call)?);
    let is_own = caller.user() == Some(id);
    let proof = sent.current_password.filter(|_| is_own && sent.email.is_some());
    let mut change = UserChange {
        name: sent.name,
        email: sent.email.map(Some),
        status: sent.active.map(|active| status_of_active(active, UserStatus::Suspended)),
        rank: sent.rank,
        ..UserChange::default()
    };
    if let Some(proof) = proof {
        let caller = caller.clone();
        call.run_blocking(move |auth| auth.confirm_password(&caller, &proof)).await?;
        change.password_confirmed = true;
    }
    let changed = run_user_change(&call, caller, id, move |office| office.change_user(id, None, &change)).await?;
    render_data(StatusCode::OK, "User updated successfully", &UserBody::from_user(&changed.user, changed.rank))
}

async fn delete_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_user_id(&call)?;
    run_user_change(&call, caller, id, move |office| office.set_user_status(id, UserStatus::Deleted)).await?;
    render_message(StatusCode::OK, "User deleted successfully")
}

async fn toggle_user_status(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_user_id(&call)?;
    run_user_change(&call, caller, id, move |office| office.toggle_user(id)).await?;
    render_message(StatusCode::OK, "User status toggled successfully")
}

/// Runs a use case that changes a user, and loads the user with their role.
async fn run_user_change(
    call: &Request,
    caller: Caller,
    id: UserId,
    change: impl FnOnce(&Office<'_>) -> UseCaseResult<User> + Send + 'static,
) -> Result<RankedUserView, ApiError> {
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        let user = into_api_result(change(&office))?;
        let found = office.unguarded().find_ranked_user(id)?;
        Ok(found.unwrap_or(RankedUserView { user, rank: None }))
    })
    .await
}

/// Reads the user id in the path.
fn read_user_id(call: &Request) -> Result<UserId, ApiError> {
    call.head().path_parameter("id").parse().map_err(|_| {
        let (code, message) = (FieldErrorCode::Type, "must be a UUID".into());
        ProtocolError::InvalidFields(vec![FieldViolation { field: "id".into(), in_query: false, code, message }]).into()
    })
}
