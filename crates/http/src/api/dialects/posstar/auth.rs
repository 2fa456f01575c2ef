//! PosStar's authentication: login, current user, token exchange, logout.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, IssuedTokens, LoginIdentity, Profile};
use tillgate_domain::{BranchId, Email, Rank, Secret, TenantId, User, UserId};
use validator::{Validate, ValidationError};

use crate::error::ApiError;
use crate::request::Request;
use crate::request::body;
use crate::request::field::{BodyField, validate_body, well_typed};
use crate::serving::response;
use crate::serving::route::Route;
use crate::timestamps;

pub(super) const LOGIN_PATH: &str = "/api/v1/auth/login";
pub(super) const REFRESH_PATH: &str = "/api/v1/auth/refresh";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::POST, LOGIN_PATH, log_in),
        Route::authenticated(Method::GET, "/api/v1/auth/me", get_current_user),
        Route::public(Method::POST, REFRESH_PATH, exchange_token),
        Route::authenticated(Method::POST, "/api/v1/auth/logout", log_out),
    ]
}

/// Validates that the login is an e-mail address. A user name must not be accepted, because it
/// would match the user of some vendor.
pub(super) fn check_email(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(email) if Email::parse(email).is_err() => {
            Err(ValidationError::new("format").with_message("must be an e-mail address".into()))
        }
        field => well_typed(field),
    }
}

/// A login. The password may have any length: an empty or overlong one is a wrong password.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct LoginBody {
    #[validate(required, custom(function = "check_email"))]
    email: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct ExchangeBody {
    #[validate(required, custom(function = "well_typed"))]
    token: BodyField<String>,
}

#[derive(Serialize)]
struct LoginResultBody<'g> {
    access_token: &'g str,
    user: UserBody<'g>,
}

#[derive(Serialize)]
struct ExchangedTokenBody<'g> {
    access_token: &'g str,
}

#[derive(Serialize)]
struct UserBody<'p> {
    id: UserId,
    email: Option<&'p str>,
    name: &'p str,
    role: Option<&'static str>,
    vendor_id: TenantId,
}

#[derive(Serialize)]
struct CurrentUserBody<'p> {
    #[serde(flatten)]
    person: UserBody<'p>,
    store_id: Option<BranchId>,
    /// Always null; users have no avatars.
    avatar: Option<()>,
    created_at: String,
}

/// Returns the user of a session. Every session of this contract has a user.
fn require_user(profile: &Profile) -> Result<&User, ApiError> {
    profile.user.as_ref().ok_or_else(|| ApiError::Fault("a PosStar session without a user".to_owned()))
}

fn build_user(profile: &Profile) -> Result<UserBody<'_>, ApiError> {
    let user = require_user(profile)?;
    Ok(UserBody {
        id: user.id,
        email: user.email.as_ref().map(Email::as_str),
        name: &user.display_name,
        role: profile.rank.map(Rank::name),
        vendor_id: profile.tenant.id,
    })
}

/// Renders the response to a login or a registration.
pub(super) fn render_login(status: StatusCode, issued: &IssuedTokens) -> Result<HttpResponse, ApiError> {
    let body = LoginResultBody { access_token: issued.access_token.expose(), user: build_user(&issued.profile)? };
    response::render_json(status, &body)
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: LoginBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let who = LoginIdentity::User { login: sent.email.into_value().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    render_login(StatusCode::OK, &call.log_in_with_rank(who, password, Rank::Cashier, Vec::new()).await?)
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_rank(Rank::Cashier)?;
    let body = CurrentUserBody {
        person: build_user(&caller.profile)?,
        store_id: caller.profile.tenant.branches.first().map(|branch| branch.id),
        avatar: None,
        created_at: timestamps::format_instant(require_user(&caller.profile)?.created_at),
    };
    response::render_json(StatusCode::OK, &body)
}

#[derive(Serialize)]
struct MessageBody {
    message: &'static str,
}

/// Logs out. Requires no role, so that a user who has lost their role can log out. The published
/// contract has no such operation.
async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |auth| auth.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &MessageBody { message: "Logged out." })
}

async fn exchange_token(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: ExchangeBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let issued = call.exchange_token(Secret::new(sent.token.into_value().unwrap_or_default())).await?;
    response::render_json(StatusCode::OK, &ExchangedTokenBody { access_token: issued.access_token.expose() })
}
