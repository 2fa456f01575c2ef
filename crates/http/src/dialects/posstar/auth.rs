//! PosStar's calls of authentication: login, who am I, and the exchange of the token.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, IssuedTokens, LoginIdentity, Profile};
use tillgate_domain::{BranchId, Email, Rank, Secret, TenantId, User, UserId};
use validator::{Validate, ValidationError};

use crate::body;
use crate::error::ApiError;
use crate::field::{BodyField, validate_body, well_typed};
use crate::request::Request;
use crate::response;
use crate::route::Route;
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

/// An e-mail address: what is none is no user's either, but a user name of some vendor it might be.
pub(super) fn check_email(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Value(email) if Email::parse(email).is_err() => {
            Err(ValidationError::new("format").with_message("must be an e-mail address".into()))
        }
        field => well_typed(field),
    }
}

/// The password may be empty or long: that is a wrong one.
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
    /// Nobody has one here.
    avatar: Option<()>,
    created_at: String,
}

/// The person of a session. Every session of this contract is a user's.
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

/// What a login and a registration answer.
pub(super) fn render_login(status: StatusCode, granted: &IssuedTokens) -> Result<HttpResponse, ApiError> {
    let entered = LoginResultBody { access_token: granted.access_token.expose(), user: build_user(&granted.profile)? };
    response::render_json(status, &entered)
}

async fn log_in(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: LoginBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let who = LoginIdentity::User { login: sent.email.into_value().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.into_value().unwrap_or_default());
    render_login(StatusCode::OK, &call.log_in_with_rank(who, password, Rank::Cashier, Vec::new()).await?)
}

async fn get_current_user(_call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_rank(Rank::Cashier)?;
    let whole = CurrentUserBody {
        person: build_user(&caller.profile)?,
        store_id: caller.profile.tenant.branches.first().map(|branch| branch.id),
        avatar: None,
        created_at: timestamps::format_instant(require_user(&caller.profile)?.created_at),
    };
    response::render_json(StatusCode::OK, &whole)
}

#[derive(Serialize)]
struct MessageBody {
    message: &'static str,
}

/// Requires no rank: whoever has lost theirs may log out too. The published contract has no such call.
async fn log_out(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    call.run_blocking(move |engine| engine.logout(&caller)).await?;
    response::render_json(StatusCode::OK, &MessageBody { message: "Logged out." })
}

async fn exchange_token(call: Request) -> Result<HttpResponse, ApiError> {
    let sent: ExchangeBody = validate_body(body::read_object(call.head().headers(), call.body())?)?;
    let granted = call.exchange_token(Secret::new(sent.token.into_value().unwrap_or_default())).await?;
    response::render_json(StatusCode::OK, &ExchangedTokenBody { access_token: granted.access_token.expose() })
}
