//! The request as handlers see it: head, body, and access to the engine and the back office.

pub(crate) mod authentication;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod cookies;
pub(crate) mod cursor;
pub(crate) mod endpoint_info;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod head;
pub(crate) mod meta;
pub(crate) mod origin_check;
pub(crate) mod query;
pub(crate) mod trace_id;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::PasswordChange;
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Auth, AuthDenied, AuthRequest, Caller, DialectName, Error, IssuedTokens, LoginDenied, LoginIdentity, LoginRequest,
    NewPassword, Proof, RefreshRequest, Tenancy, Terms, TokenDenied,
};
use tillgate_domain::office::UnguardedOffice;
use tillgate_domain::{EndReason, PrincipalId, Rank, Secret, SessionId, TenantId};

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::context::list_limiter::ListPermit;
use crate::context::office::OfficeContext;
use crate::context::tenant::find_tenant_id;
use crate::error::ApiError;
use crate::metrics::{login_outcome_label, outcome_label};
use crate::request::head::RequestHead;

/// A request that is passed to a handler.
#[derive(Debug)]
pub struct Request {
    head: RequestHead,
    body: Bytes,
    mount: Arc<MountContext>,
}

impl Request {
    pub(crate) fn new(head: RequestHead, body: Bytes, mount: Arc<MountContext>) -> Self {
        Self { head, body, mount }
    }

    /// Returns the head of the request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Returns the body as received.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the address of the client.
    pub fn address(&self) -> Option<IpAddr> {
        self.head.address()
    }

    /// Returns the engine, for operations that answer from memory. Operations that may block use
    /// [`run_blocking`](Self::run_blocking).
    pub fn auth(&self) -> &Auth {
        &self.mount.server.auth
    }

    pub(crate) fn mount(&self) -> &Arc<MountContext> {
        &self.mount
    }

    /// Runs an operation of the engine on a thread of the blocking pool. What must follow a commit
    /// belongs into `ask`: after the deadline this future is dropped, but an `ask` that has begun
    /// runs to its end.
    pub async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Auth) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        run_blocking(&self.mount, move |mount| work(&mount.server.auth)).await
    }

    /// Runs a use case of the back office on a thread of the blocking pool. What must follow a
    /// commit belongs into `ask`, see [`run_blocking`](Self::run_blocking).
    pub async fn with_office<T: Send + 'static>(
        &self,
        work: impl FnOnce(&OfficeContext<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        run_blocking(&self.mount, move |mount| {
            work(&OfficeContext { store: &*mount.server.office, auth: &mount.server.auth })
        })
        .await
    }

    /// Waits until the caller has fewer lists in progress than the maximum. The list is in progress
    /// until the permit is dropped.
    pub(crate) async fn acquire_list_permit(&self, caller: &Caller) -> Result<ListPermit, ApiError> {
        self.mount.server.list_limiter.acquire(caller.principal).await
    }

    /// Logs in with this mount's terms.
    pub async fn log_in(&self, who: LoginIdentity, password: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_login(self.build_login(who, Proof::Password(password))?, call_auth_login).await
    }

    /// Logs in to the tenant with this name, with refresh tokens of earlier sessions as proof of a
    /// known client, and reports a required password change. A `new_password` replaces the current
    /// one.
    pub async fn log_in_to_tenant(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        new_password: Option<Secret<String>>,
        tenant: Option<String>,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let login = LoginRequest {
            tenancy: self.build_tenancy(tenant),
            previous_refresh_tokens: previous,
            reports_password_change: true,
            ..self.build_login(who, Proof::Password(password))?
        };
        self.run_login_with_new_password(login, new_password).await
    }

    async fn run_login_with_new_password(
        &self,
        login: LoginRequest,
        new_password: Option<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let Some(new) = new_password else { return self.run_login(login, call_auth_login).await };
        self.run_login(login, move |mount, login| {
            let store = &*mount.server.office;
            let words =
                |tenant, user| UnguardedOffice::new(store, tenant).list_context_words(Some(PrincipalId::User(user)));
            mount.server.auth.login_with_new_password(login, &NewPassword { password: &new, context_words: &words })
        })
        .await
    }

    /// Logs in to the back office: the user must have a right of it. A `new_password` replaces the
    /// current one.
    pub(crate) async fn log_in_to_office(
        &self,
        login: String,
        password: Secret<String>,
        new_password: Option<Secret<String>>,
        tenant: Option<String>,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let who = LoginIdentity::User { login, device: None };
        let login = LoginRequest {
            tenancy: self.build_tenancy(tenant),
            previous_refresh_tokens: previous,
            reports_password_change: true,
            requires_office_right: true,
            ..self.build_login(who, Proof::Password(password))?
        };
        self.run_login_with_new_password(login, new_password).await
    }

    /// Logs in, if the session would have at least the role `least`.
    pub async fn log_in_with_rank(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        min_rank: Rank,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let login = self.build_login(who, Proof::Password(password))?;
        self.run_login(
            LoginRequest { min_rank: Some(min_rank), previous_refresh_tokens: previous, ..login },
            call_auth_login,
        )
        .await
    }

    /// Logs in a user whom this request has just registered, by the verifier of the new password.
    pub async fn log_in_registered_user(
        &self,
        who: LoginIdentity,
        verifier: Verifier,
        min_rank: Rank,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_login(
            LoginRequest { min_rank: Some(min_rank), ..self.build_login(who, Proof::Verifier(verifier))? },
            call_auth_login,
        )
        .await
    }

    /// Logs in with other terms than the mount's.
    pub async fn log_in_with_terms(
        &self,
        terms: Terms,
        who: LoginIdentity,
        password: Secret<String>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_login(LoginRequest { terms, ..self.build_login(who, Proof::Password(password))? }, call_auth_login)
            .await
    }

    /// Generates the permanent token of the device with this name, for the caller, who confirms it
    /// with the password.
    pub async fn generate_permanent_token(
        &self,
        caller: &Caller,
        device: String,
        password: Secret<String>,
    ) -> Result<IssuedTokens, ApiError> {
        let user = caller.profile.user.as_ref();
        let login = user.ok_or(ApiError::Denied(LoginDenied::DeviceNotAllowed.into()))?.name.to_string();
        let login = self.build_login(LoginIdentity::User { login, device: Some(device) }, Proof::Password(password))?;
        let tenancy = Tenancy { fixed: Some(caller.profile.tenant.slug.clone()), requested: None };
        self.run_login(LoginRequest { tenancy, ..login }, |mount, login| {
            mount.server.auth.generate_permanent_token(login)
        })
        .await
    }

    fn build_tenancy(&self, requested: Option<String>) -> Tenancy {
        Tenancy { fixed: self.mount.tenant.clone(), requested }
    }

    fn build_login(&self, who: LoginIdentity, proof: Proof) -> Result<LoginRequest, ApiError> {
        let terms = self.mount.terms.clone();
        Ok(LoginRequest {
            dialect: self.mount.dialect_name.clone(),
            terms: terms.ok_or_else(|| ApiError::Fault("a login through a mount without sessions".to_owned()))?,
            tenancy: self.build_tenancy(None),
            identity: who,
            proof,
            min_rank: None,
            requires_office_right: false,
            address: self.address(),
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        })
    }

    async fn run_login(
        &self,
        login: LoginRequest,
        login_fn: impl FnOnce(&MountContext, &LoginRequest) -> Result<IssuedTokens, Error> + Send + 'static,
    ) -> Result<IssuedTokens, ApiError> {
        run_blocking(&self.mount, move |mount| {
            let answer = login_fn(mount, &login);
            if let (Ok(issued), Some(_)) = (&answer, &mount.tenant) {
                mount.tenant_id.get_or_init(|| issued.session.tenant);
            }
            mount.server.metrics.count_login(mount.name, login_outcome_label(&answer, login.reports_password_change));
            answer
        })
        .await
    }

    /// Refreshes a session. `access_token` is the one that was sent with the refresh token.
    pub async fn refresh(
        &self,
        token: Secret<String>,
        access_token: Option<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { access_token, ..RefreshOptions::default() }).await
    }

    /// Refreshes a session of a client that always presents the same refresh token again.
    pub async fn refresh_reusable_token(&self, token: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { keeps_token: true, ..RefreshOptions::default() }).await
    }

    /// Refreshes with the first of these refresh tokens that is valid.
    pub async fn refresh_first_valid(&self, tokens: Vec<Secret<String>>) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(tokens, RefreshOptions::default()).await
    }

    /// Ends the sessions of those refresh tokens that belong to this mount's dialect and tenant,
    /// and returns their number.
    pub(crate) async fn end_sessions_by_refresh_tokens(
        &self,
        tokens: Vec<Secret<String>>,
        why: EndReason,
    ) -> Result<usize, ApiError> {
        let (tenant, address) = (self.tenant_id().await?, self.address());
        run_blocking(&self.mount, move |mount| {
            let auth = &mount.server.auth;
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let mut proven = 0;
            for token in auth.select_newest_refresh_tokens(&tokens)? {
                let holder = RefreshRequest { tenant, address, ..RefreshRequest::new(&mount.dialect_name, token) };
                match auth.end_by_refresh_token(&holder, why) {
                    Ok(()) => proven += 1,
                    Err(Error::Denied(AuthDenied::Token(_))) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(proven)
        })
        .await
    }

    /// Ends the sessions of the refresh cookies that a new session replaces, since no client has them
    /// any more (OWASP ASVS 5.0, 7.2.4). A failure does not affect the login.
    pub(crate) async fn end_replaced_sessions(&self, old: Vec<Secret<String>>) {
        if old.is_empty() {
            return;
        }
        if let Err(failure) = self.end_sessions_by_refresh_tokens(old, EndReason::Replaced).await {
            tracing::warn!(trace = self.head.trace_id(), ?failure, "the sessions that a login replaces were not ended");
        }
    }

    /// Changes the caller's own password, confirmed by the old one. `end_keys` revokes the caller's
    /// API keys.
    pub(crate) async fn change_password(
        &self,
        caller: Caller,
        old: Secret<String>,
        new: Secret<String>,
        end_keys: bool,
    ) -> Result<PasswordChange, ApiError> {
        self.with_office(move |context| {
            let user = caller.user().map(PrincipalId::User);
            let words = context.unguarded(caller.profile.tenant.id).list_context_words(user)?;
            Ok(context.auth.change_password(&caller, &old, &new, &words, end_keys)?)
        })
        .await
    }

    /// Confirms the caller's password, and issues tokens of the same session with this proof.
    pub(crate) async fn step_up(&self, caller: Caller, password: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_blocking(move |auth| auth.step_up(&caller, &password)).await
    }

    /// Returns the tenant that this mount serves; `None` if requests name their tenant.
    pub(crate) async fn tenant_id(&self) -> Result<Option<TenantId>, ApiError> {
        match &self.mount.tenant {
            Some(slug) => Ok(Some(find_tenant_id(&self.mount, slug).await?)),
            None => Ok(None),
        }
    }

    /// Exchanges a live access token for another one of the same session.
    pub async fn exchange_token(&self, token: Secret<String>) -> Result<IssuedTokens, ApiError> {
        let tenant = self.tenant_id().await?;
        let address = self.address();
        run_blocking(&self.mount, move |mount| {
            let presented = AuthRequest { tenant, address, ..AuthRequest::bearer(&mount.dialect_name, token.expose()) };
            let answer = mount.server.auth.exchange(&presented);
            mount.server.metrics.count_refresh(mount.name, outcome_label(&answer, |issued| issued.kind.name()));
            answer
        })
        .await
    }

    /// Refreshes with a permanent token, which must belong to this pairing.
    pub async fn refresh_pairing(&self, token: Secret<String>, pairing: SessionId) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { pairing: Some(pairing), ..RefreshOptions::default() }).await
    }

    async fn run_refresh(
        &self,
        tokens: Vec<Secret<String>>,
        presenting: RefreshOptions,
    ) -> Result<IssuedTokens, ApiError> {
        let tenant = self.tenant_id().await?;
        let address = self.address();
        run_blocking(&self.mount, move |mount| {
            let auth = &mount.server.auth;
            let RefreshOptions { access_token, pairing, keeps_token } = &presenting;
            let access_token = access_token.as_ref().map(|access_token| access_token.expose().as_str());
            let present = |token| {
                let dialect: &DialectName = &mount.dialect_name;
                let base = RefreshRequest::new(dialect, token);
                let refreshing = RefreshRequest { tenant, access_token, keeps_token: *keeps_token, address, ..base };
                match pairing {
                    Some(pairing) => auth.refresh_pairing(&refreshing, *pairing),
                    None => auth.refresh(&refreshing),
                }
            };
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let answer = match tokens.as_slice() {
                [token] => present(token),
                tokens => find_valid_refresh(auth.select_newest_refresh_tokens(tokens), present),
            };
            mount.server.metrics.count_refresh(mount.name, outcome_label(&answer, |issued| issued.kind.name()));
            answer
        })
        .await
    }
}

fn call_auth_login(mount: &MountContext, login: &LoginRequest) -> Result<IssuedTokens, Error> {
    mount.server.auth.login(login)
}

/// Options of a refresh.
#[derive(Default)]
struct RefreshOptions {
    /// The access token that was sent with the refresh token.
    access_token: Option<Secret<String>>,
    /// The pairing to which the refresh token must belong.
    pairing: Option<SessionId>,
    /// Whether the client will present the refresh token again.
    keeps_token: bool,
}

/// Returns the first result that is not a denial of its token; otherwise the last denial.
fn find_valid_refresh<'t>(
    tokens: Result<Vec<&'t str>, Error>,
    present: impl Fn(&'t str) -> Result<IssuedTokens, Error>,
) -> Result<IssuedTokens, Error> {
    let mut last_denial = TokenDenied::Invalid.into();
    for token in tokens? {
        match present(token) {
            Err(denial @ Error::Denied(AuthDenied::Token(_))) => last_denial = denial,
            answered => return answered,
        }
    }
    Err(last_denial)
}
