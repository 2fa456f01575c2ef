//! PosStar's calls of authentication: login, who am I, and the exchange of the token.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, Granted, Profile, Who};
use tillgate_domain::{BranchId, Email, Rank, Secret, TenantId, User, UserId};
use validator::{Validate, ValidationError};

use crate::answer;
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated};
use crate::instants;
use crate::route::Route;

pub(super) const LOGIN: &str = "/api/v1/auth/login";
pub(super) const REFRESH: &str = "/api/v1/auth/refresh";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::POST, LOGIN, log_in),
        Route::known(Method::GET, "/api/v1/auth/me", who),
        Route::open(Method::POST, REFRESH, exchange),
        Route::known(Method::POST, "/api/v1/auth/logout", log_out),
    ]
}

/// An e-mail address: what is none is no user's either, but a user name of some vendor it might be.
pub(super) fn email(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Given(email) if Email::parse(email).is_err() => {
            Err(ValidationError::new("format").with_message("must be an e-mail address".into()))
        }
        field => fits(field),
    }
}

/// The password may be empty or long: that is a wrong one.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Credentials {
    #[validate(required, custom(function = "email"))]
    email: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Exchange {
    #[validate(required, custom(function = "fits"))]
    token: Field<String>,
}

#[derive(Serialize)]
struct Entered<'g> {
    access_token: &'g str,
    user: Person<'g>,
}

#[derive(Serialize)]
struct Exchanged<'g> {
    access_token: &'g str,
}

#[derive(Serialize)]
struct Person<'p> {
    id: UserId,
    email: Option<&'p str>,
    name: &'p str,
    role: Option<&'static str>,
    vendor_id: TenantId,
}

#[derive(Serialize)]
struct Whole<'p> {
    #[serde(flatten)]
    person: Person<'p>,
    store_id: Option<BranchId>,
    /// Nobody has one here.
    avatar: Option<()>,
    created_at: String,
}

/// The person of a session. Every session of this contract is a user's.
fn user(profile: &Profile) -> Result<&User, Failure> {
    profile.user.as_ref().ok_or_else(|| Failure::Fault("a PosStar session without a user".to_owned()))
}

fn person(profile: &Profile) -> Result<Person<'_>, Failure> {
    let user = user(profile)?;
    Ok(Person {
        id: user.id,
        email: user.email.as_ref().map(Email::as_str),
        name: &user.display_name,
        role: profile.rank.map(Rank::name),
        vendor_id: profile.tenant.id,
    })
}

/// What a login and a registration answer.
pub(super) fn entered(status: StatusCode, granted: &Granted) -> Result<HttpResponse, Failure> {
    let entered = Entered { access_token: granted.access_token.expose(), user: person(&granted.profile)? };
    answer::json(status, &entered)
}

async fn log_in(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Credentials = validated(body::object(call.head().headers(), call.body())?)?;
    let who = Who::User { login: sent.email.given().unwrap_or_default(), device: None };
    let password = Secret::new(sent.password.given().unwrap_or_default());
    entered(StatusCode::OK, &call.login_ranked(who, password, Rank::Cashier, Vec::new()).await?)
}

async fn who(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Cashier)?;
    let whole = Whole {
        person: person(&caller.profile)?,
        store_id: caller.profile.tenant.branches.first().map(|branch| branch.id),
        avatar: None,
        created_at: instants::text(user(&caller.profile)?.created_at),
    };
    answer::json(StatusCode::OK, &whole)
}

#[derive(Serialize)]
struct Message {
    message: &'static str,
}

/// Requires no rank: whoever has lost theirs may log out too. The published contract has no such call.
async fn log_out(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    answer::json(StatusCode::OK, &Message { message: "Logged out." })
}

async fn exchange(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Exchange = validated(body::object(call.head().headers(), call.body())?)?;
    let granted = call.exchange(Secret::new(sent.token.given().unwrap_or_default())).await?;
    answer::json(StatusCode::OK, &Exchanged { access_token: granted.access_token.expose() })
}
