//! POS Kasir's calls of authentication: login, who am I, refresh, logout.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::{Caller, Evidence, Granted, Refusal, TokenRefusal, Who};
use tillgate_domain::{EndedWhy, Rank, Secret};
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
use crate::field::{Field, fits, validated, validated_with, weak_password};
use crate::route::Route;
use crate::serve::caller;

pub(super) const LOGIN: &str = "/api/v1/auth/login";
pub(super) const LOGOUT: &str = "/api/v1/auth/logout";
pub(super) const PASSWORD: &str = "/api/v1/auth/me/password";
pub(super) const REFRESH: &str = "/api/v1/auth/refresh";

pub(super) fn routes(web: &Arc<Web>) -> Vec<Route> {
    let (to_login, to_refresh, to_logout) = (Arc::clone(web), Arc::clone(web), Arc::clone(web));
    vec![
        Route::open(Method::POST, LOGIN, move |call| log_in(call, Arc::clone(&to_login))),
        Route::known(Method::GET, "/api/v1/auth/me", who),
        Route::known(Method::PUT, PASSWORD, change_password),
        Route::open(Method::POST, REFRESH, move |call| refresh(call, Arc::clone(&to_refresh))),
        Route::open(Method::POST, LOGOUT, move |call| log_out(call, Arc::clone(&to_logout))),
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
    let previous = previous(&call, &web);
    let granted = call.login_ranked(who, password, Rank::Cashier, previous.clone()).await?;
    end_replaced(&call, previous).await;
    let tokens = Tokens::of(&granted, Some(Person::own(&granted.profile)?))?;
    let mut answer = said(StatusCode::OK, "Login successful", &tokens)?;
    web.keep(&mut answer, call.head(), &granted, call.engine().time().at);
    Ok(answer)
}

/// The refresh tokens of earlier sessions that the browser still has, where they come from a page that may use them.
fn previous(call: &Call, web: &Web) -> Vec<Secret<String>> {
    let previous = secrets(cookies::sent(call.head(), cookies::REFRESH));
    if sender::check(&web.origins, call.head()).is_ok() { previous } else { Vec::new() }
}

/// Ends the sessions of the refresh cookies that the new session's takes the place of: no client holds them any more (OWASP
/// ASVS 5.0, 7.2.4). The login has succeeded whatever becomes of them.
async fn end_replaced(call: &Call, old: Vec<Secret<String>>) {
    if old.is_empty() {
        return;
    }
    if let Err(failure) = call.end_by_refresh_tokens(old, EndedWhy::Replaced).await {
        tracing::warn!(trace = call.head().trace(), ?failure, "the session that a login replaces was not ended");
    }
}

fn secrets(tokens: Vec<&str>) -> Vec<Secret<String>> {
    tokens.into_iter().map(|token| Secret::new(token.to_owned())).collect()
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
    let sent: Passwords = body::object(call.head().headers(), call.body())?;
    let policy = call.engine().password_policy();
    let sent = validated_with(sent, |sent| weak_password(policy, "new_password", &sent.new_password, &[]))?;
    let [old, new] = [sent.old_password, sent.new_password].map(|text| Secret::new(text.given().unwrap_or_default()));
    // the contract has no place for the user's API keys: the audit names them
    call.change_password(caller, old, new, false).await?;
    told(StatusCode::OK, "Password updated successfully")
}

async fn refresh(call: Call, web: Arc<Web>) -> Result<HttpResponse, Failure> {
    let granted = match presented(&call, &web)? {
        Presented::Kept(token) => call.refresh_kept(token).await?,
        Presented::Cookies(tokens) => call.refresh_any(tokens).await?,
    };
    let mut answer = said(StatusCode::OK, "Token refreshed successfully", &Tokens::of(&granted, None)?)?;
    web.keep(&mut answer, call.head(), &granted, call.engine().time().at);
    Ok(answer)
}

/// The refresh token of a refresh.
enum Presented {
    /// By body or header: such a client may keep the refresh token of its login, as the published answer names no other.
    Kept(Secret<String>),
    /// By cookie, which the answer replaces. Of several of one name any may be the right one.
    Cookies(Vec<Secret<String>>),
}

/// The refresh token: from the body, else from the cookie, else from the header.
fn presented(call: &Call, web: &Web) -> Result<Presented, Failure> {
    if let Some(token) = renewal(call.head().headers(), call.body())? {
        return Ok(Presented::Kept(token));
    }
    let tokens = cookies::sent(call.head(), cookies::REFRESH);
    if !tokens.is_empty() {
        sender::check(&web.origins, call.head())?;
        return Ok(Presented::Cookies(secrets(tokens)));
    }
    match bearer(call.head().headers())? {
        // an access token has dots; here it proves nothing and is not looked at
        Evidence::Bearer(token) if !token.is_empty() && !token.contains('.') => {
            Ok(Presented::Kept(Secret::new(token.to_owned())))
        }
        _ => Err(Failure::Refused(TokenRefusal::Missing.into())),
    }
}

/// Reads the body of a refresh, which may be missing: the refresh token, where there is one in it.
pub(super) fn renewal(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, Failure> {
    if body::is_nothing(body) {
        return Ok(None);
    }
    let sent: Renewal = validated(body::object(headers, body)?)?;
    Ok(sent.refresh_token.given().filter(|token| !token.is_empty()).map(Secret::new))
}

/// Asks for no rank: whoever has lost theirs may go too. The body is not looked at.
async fn log_out(call: Call, web: Arc<Web>) -> Result<HttpResponse, Failure> {
    let header = bearer(call.head().headers())?;
    if matches!(header, Evidence::Bearer(_)) {
        let caller = caller(call.mounted(), call.head(), header).await?;
        call.block(move |engine| engine.logout(&caller)).await?;
    } else {
        end_by_cookies(&call, &web).await?;
    }
    let mut answer = said(StatusCode::OK, "Successfully logged out", &())?;
    web.clear(&mut answer, call.head());
    Ok(answer)
}

/// Ends the sessions that either cookie proves. The access cookie is gone from the browser, or no good, once its token has
/// expired, while the refresh cookie keeps the session alive.
async fn end_by_cookies(call: &Call, web: &Web) -> Result<(), Failure> {
    let access = cookies::sent(call.head(), cookies::ACCESS);
    let refresh = secrets(cookies::sent(call.head(), cookies::REFRESH));
    if access.is_empty() && refresh.is_empty() {
        return Err(Failure::Refused(TokenRefusal::Missing.into()));
    }
    sender::check(&web.origins, call.head())?;
    let by_access = caller(call.mounted(), call.head(), Evidence::AnyBearer(access)).await;
    let proven = match refresh.as_slice() {
        [] => 0,
        _ => call.end_by_refresh_tokens(refresh, EndedWhy::Logout).await?,
    };
    match by_access {
        Ok(caller) => call.block(move |engine| engine.logout(&caller)).await,
        Err(Failure::Refused(Refusal::Token(_))) if proven > 0 => Ok(()),
        // with a refresh cookie alone something was sent, though it proves nothing
        Err(Failure::Refused(Refusal::Token(TokenRefusal::Missing))) => {
            Err(Failure::Refused(TokenRefusal::Invalid.into()))
        }
        Err(failure) => Err(failure),
    }
}
