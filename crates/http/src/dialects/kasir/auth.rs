//! POS Kasir's calls of authentication: login, who am I, refresh, logout.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, Evidence, Granted, TokenRefusal, Who};
use tillgate_domain::{Rank, Secret};
use validator::Validate;

use super::Web;
use super::cookies;
use super::envelope::{said, told};
use super::people::{Person, stamp};
use super::sender;
use crate::bearer::bearer;
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated};
use crate::route::Route;

pub(super) const LOGIN: &str = "/api/v1/auth/login";
pub(super) const PASSWORD: &str = "/api/v1/auth/me/password";
pub(super) const REFRESH: &str = "/api/v1/auth/refresh";

pub(super) fn routes(web: &Arc<Web>) -> Vec<Route> {
    let (to_login, to_refresh, to_logout) = (Arc::clone(web), Arc::clone(web), Arc::clone(web));
    vec![
        Route::open(Method::POST, LOGIN, move |call| log_in(call, Arc::clone(&to_login))),
        Route::known(Method::GET, "/api/v1/auth/me", who),
        Route::known(Method::PUT, PASSWORD, change_password),
        Route::open(Method::POST, REFRESH, move |call| refresh(call, Arc::clone(&to_refresh))),
        Route::known(Method::POST, "/api/v1/auth/logout", move |call, caller| {
            log_out(call, caller, Arc::clone(&to_logout))
        }),
    ]
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Credentials {
    #[validate(required, length(max = 254), custom(function = "fits"))]
    email: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Passwords {
    #[validate(required, custom(function = "fits"))]
    old_password: Field<String>,
    #[validate(required, custom(function = "fits"))]
    new_password: Field<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Renewal {
    #[validate(custom(function = "fits"))]
    refresh_token: Field<String>,
}

/// The names are the contract's, the large letter too.
#[derive(Serialize)]
struct Tokens<'g> {
    #[serde(rename = "Token")]
    token: &'g str,
    refresh_token: &'g str,
    expired_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Person<'g>>,
}

impl<'g> Tokens<'g> {
    fn of(granted: &'g Granted, profile: Option<Person<'g>>) -> Result<Self, Failure> {
        let refresh_token = granted.refresh_token.as_ref();
        let refresh_token =
            refresh_token.ok_or_else(|| Failure::Fault("a POS Kasir session without a refresh token".to_owned()))?;
        Ok(Self {
            token: granted.access_token.expose(),
            refresh_token: refresh_token.expose(),
            expired_at: stamp(granted.access_expires_at),
            profile,
        })
    }
}

async fn log_in(call: Call, web: Arc<Web>) -> Result<HttpResponse, Failure> {
    let (who, password) = credentials(call.head().headers(), call.body())?;
    let granted = call.login_ranked(who, password, Rank::Cashier).await?;
    let tokens = Tokens::of(&granted, Some(Person::own(&granted.profile)?))?;
    let mut answer = said(StatusCode::OK, "Login successful", &tokens)?;
    web.keep(&mut answer, call.head(), &granted, call.engine().time().at);
    Ok(answer)
}

/// Reads the body of a login.
pub(super) fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>), Failure> {
    let sent: Credentials = validated(body::object(headers, body)?)?;
    let who = Who::User { login: sent.email.given().unwrap_or_default(), device: None };
    Ok((who, Secret::new(sent.password.given().unwrap_or_default())))
}

async fn who(_call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Cashier)?;
    said(StatusCode::OK, "Success", &Person::own(&caller.profile)?)
}

async fn change_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Cashier)?;
    let sent: Passwords = validated(body::object(call.head().headers(), call.body())?)?;
    let [old, new] = [sent.old_password, sent.new_password].map(|text| Secret::new(text.given().unwrap_or_default()));
    call.block(move |engine| engine.change_password(&caller, &old, &new)).await?;
    told(StatusCode::OK, "Password updated successfully")
}

async fn refresh(call: Call, web: Arc<Web>) -> Result<HttpResponse, Failure> {
    let granted = call.refresh(presented(&call, &web)?, None).await?;
    let mut answer = said(StatusCode::OK, "Token refreshed successfully", &Tokens::of(&granted, None)?)?;
    web.keep(&mut answer, call.head(), &granted, call.engine().time().at);
    Ok(answer)
}

/// The refresh token: from the body, else from the cookie, else from the header.
fn presented(call: &Call, web: &Web) -> Result<Secret<String>, Failure> {
    if let Some(token) = renewal(call.head().headers(), call.body())? {
        return Ok(token);
    }
    if let Some(token) = cookies::sent(call.head(), cookies::REFRESH)? {
        sender::check(&web.origins, call.head())?;
        return Ok(Secret::new(token.to_owned()));
    }
    match bearer(call.head().headers())? {
        // an access token has dots; here it proves nothing and is not looked at
        Evidence::Bearer(token) if !token.is_empty() && !token.contains('.') => Ok(Secret::new(token.to_owned())),
        _ => Err(Failure::Refused(TokenRefusal::Missing.into())),
    }
}

/// Reads the body of a refresh, which may be missing: the refresh token, where there is one in it.
pub(super) fn renewal(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, Failure> {
    if body.is_empty() {
        return Ok(None);
    }
    let sent: Renewal = validated(body::object(headers, body)?)?;
    Ok(sent.refresh_token.given().filter(|token| !token.is_empty()).map(Secret::new))
}

/// Asks for no rank: whoever has lost theirs may go too.
async fn log_out(call: Call, caller: Caller, web: Arc<Web>) -> Result<HttpResponse, Failure> {
    call.block(move |engine| engine.logout(&caller)).await?;
    let mut answer = said(StatusCode::OK, "Successfully logged out", &())?;
    web.clear(&mut answer, call.head());
    Ok(answer)
}
