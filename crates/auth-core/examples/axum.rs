//! The engine in an axum server, with the in-memory store: log in, read the current user, refresh
//! the session, log out.
//!
//! `cargo run -p tillgate-auth-core --example axum` serves on port 3000. With `--once` it sends a
//! few requests to itself and exits, for tests. The calls of the engine block, so they run on
//! tokio's blocking threads; only `Auth::authenticate_cached` runs in the handler, because it never
//! waits.
//!
//! As a crate of your own it needs `tillgate-auth-core`, `tillgate-domain` and `tillgate-memory` by
//! their paths, `axum` 0.8, `serde` with `derive`, `serde_json`, and `tokio` with `macros`, `net`
//! and `rt`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tillgate_auth_core::{
    Auth, AuthRequest, Caller, DialectName, Error as AuthError, IssuedTokens, LoginRequest, MasterKey, RefreshRequest,
    SystemEntropy,
};
use tillgate_domain::{DenialKind, Secret};
use tillgate_memory::MemoryStore;
use tokio::net::TcpListener;

/// The state of every handler. Each token contains the name of the dialect: no other dialect of the
/// same engine accepts it.
#[derive(Clone)]
struct AppState {
    auth: Arc<Auth>,
    dialect: DialectName,
}

#[derive(serde::Deserialize)]
struct Credentials {
    login: String,
    password: String,
    device: Option<String>,
}

#[derive(serde::Deserialize)]
struct RefreshBody {
    refresh_token: String,
}

async fn login(
    State(state): State<AppState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, ApiError> {
    let mut login =
        LoginRequest::user(&state.dialect, &credentials.login, credentials.device.as_deref(), &credentials.password);
    login.address = Some(client.ip()); // the rate limits of failed logins need it
    let tokens = run_blocking(move || state.auth.login(&login)).await?;
    Ok(render_tokens(StatusCode::CREATED, &tokens))
}

async fn refresh(
    State(state): State<AppState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Json(body): Json<RefreshBody>,
) -> Result<Response, ApiError> {
    let refreshed = run_blocking(move || {
        let request = RefreshRequest::new(&state.dialect, &body.refresh_token);
        state.auth.refresh(&RefreshRequest { address: Some(client.ip()), ..request })
    });
    Ok(render_tokens(StatusCode::OK, &refreshed.await?))
}

fn render_tokens(status: StatusCode, tokens: &IssuedTokens) -> Response {
    let body = json!({
        "access_token": tokens.access_token.expose(),
        "refresh_token": tokens.refresh_token.as_ref().map(Secret::expose),
        "expires_in": tokens.access_expires_in.as_secs(),
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn me(State(state): State<AppState>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    let caller = caller(&state, &headers).await?;
    let rights: Vec<&str> = caller.profile.rights.names().collect();
    Ok(Json(json!({ "user": caller.profile.user.as_ref().map(|user| user.name.as_str()), "rights": rights })))
}

async fn logout(State(state): State<AppState>, headers: HeaderMap) -> Result<StatusCode, ApiError> {
    let caller = caller(&state, &headers).await?;
    run_blocking(move || state.auth.logout(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Authenticates the caller: from the caches if possible, otherwise with the store on a blocking
/// thread.
async fn caller(state: &AppState, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = bearer.unwrap_or_default().to_owned();
    if let Some(known) = state.auth.authenticate_cached(&AuthRequest::bearer(&state.dialect, &token)) {
        return Ok(known?);
    }
    let state = state.clone();
    run_blocking(move || state.auth.authenticate(&AuthRequest::bearer(&state.dialect, &token))).await
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuthError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(panic) => Err(ApiError(AuthError::Fault(panic.to_string()))),
    }
}

/// An error response. Only a denial becomes a 401: a client that gets a 401 discards its tokens.
struct ApiError(AuthError);

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            AuthError::Denied(denial) => match denial.kind() {
                DenialKind::Unauthenticated => StatusCode::UNAUTHORIZED,
                DenialKind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
                DenialKind::Forbidden => StatusCode::FORBIDDEN,
                DenialKind::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            },
            AuthError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            AuthError::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = match &self.0 {
            AuthError::Denied(denial) => denial.code(),
            AuthError::Unavailable { .. } => "unavailable",
            AuthError::Fault(_) => "fault",
        };
        let mut result = (status, Json(json!({ "code": code }))).into_response();
        if let Some(span) = self.0.retry_after() {
            result.headers_mut().insert(header::RETRY_AFTER, (span.as_secs() + 1).into());
        }
        result
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(std::env::args().any(|argument| argument == "--once"))
}

/// Serves until the process ends, or only the requests of [`call_itself`] if `once`.
fn serve(once: bool) -> Result<(), Box<dyn Error>> {
    let memory = Arc::new(MemoryStore::with_user("anna", "a song in the rain", "cashier")?);
    let auth = Auth::builder(memory).master(MasterKey::generate(&SystemEntropy::new())?).build()?;
    let state = AppState { auth, dialect: DialectName::new("example") };
    let routes = Router::new()
        .route("/login", post(login))
        .route("/refresh", post(refresh))
        .route("/me", get(me))
        .route("/logout", post(logout))
        .with_state(state);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", if once { 0 } else { 3000 })).await?;
        let at = listener.local_addr()?;
        let server = axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>());
        if once {
            let calls = tokio::task::spawn_blocking(move || call_itself(at).map_err(|error| error.to_string()));
            tokio::select! {
                result = server => result?,
                result = calls => result??,
            }
        } else {
            println!("anna logs in with \"a song in the rain\" at http://{at}/login");
            server.await?;
        }
        Ok(())
    })
}

/// Logs in, reads the current user, refreshes the session, logs out, and checks that the token is
/// invalid afterwards.
fn call_itself(at: SocketAddr) -> Result<(), Box<dyn Error>> {
    let expect = |(status, body): (u16, String), expected: u16| {
        if status == expected { Ok(body) } else { Err(format!("{status} instead of {expected}: {body}")) }
    };
    let credentials = |password: &str| json!({ "login": "anna", "password": password }).to_string();
    expect(send(at, "POST /login", "", &credentials("a song in the sun"))?, 401)?;
    let tokens = expect(send(at, "POST /login", "", &credentials("a song in the rain"))?, 201)?;
    let token_of = |tokens: &str, name: &str| -> Result<String, Box<dyn Error>> {
        let tokens: Value = serde_json::from_str(tokens)?;
        Ok(tokens.get(name).and_then(Value::as_str).ok_or("no token")?.to_owned())
    };
    let token = &token_of(&tokens, "access_token")?;
    let seen = expect(send(at, "GET /me", token, "")?, 200)?;
    if !seen.contains("\"anna\"") || !seen.contains("ticketClose") {
        return Err(seen.into());
    }
    expect(send(at, "GET /me", "", "")?, 401)?;
    let refresh = json!({ "refresh_token": token_of(&tokens, "refresh_token")? }).to_string();
    let refreshed = expect(send(at, "POST /refresh", "", &refresh)?, 200)?;
    let token = &token_of(&refreshed, "access_token")?;
    expect(send(at, "GET /me", token, "")?, 200)?;
    expect(send(at, "POST /logout", token, "")?, 204)?;
    expect(send(at, "GET /me", token, "")?, 401)?;
    println!("logged in, read the current user, refreshed, logged out; the token is invalid");
    Ok(())
}

/// Sends one request (RFC 9112, section 2.1) and returns the status and body of the response.
fn send(at: SocketAddr, line: &str, token: &str, body: &str) -> Result<(u16, String), Box<dyn Error>> {
    let mut stream = TcpStream::connect(at)?;
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut result = String::new();
    stream.read_to_string(&mut result)?;
    let (head, body) = result.split_once("\r\n\r\n").ok_or("no end of head")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    /// What `--once` does.
    #[test]
    fn example_serves_its_own_requests() {
        super::serve(true).unwrap();
    }
}
