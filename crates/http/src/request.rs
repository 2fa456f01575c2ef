//! What a handler is given: the head, the body, and the way to the engine.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::PasswordChange;
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Auth, AuthDenied, AuthRequest, Caller, DialectName as Label, Error, IssuedTokens, LoginDenied, LoginIdentity,
    LoginRequest, NewPassword, Proof, RefreshRequest, Tenancy, Terms, TokenDenied,
};
use tillgate_domain::office::list_context_words;
use tillgate_domain::{EndReason, PrincipalId, Rank, Secret, SessionId, Slug, TenantId};

use crate::blocking_pool::run_blocking;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::list_slots::ListSlot;
use crate::metrics::{login_outcome_label, outcome_label};
use crate::mount::MountService;
use crate::office::Office;

/// A request on its way to a handler.
#[derive(Debug)]
pub struct Request {
    head: RequestHead,
    body: Bytes,
    mount: Arc<MountService>,
}

impl Request {
    pub(crate) fn new(head: RequestHead, body: Bytes, mounted: Arc<MountService>) -> Self {
        Self { head, body, mount: mounted }
    }

    /// The head of the request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The body as it was received.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Where the request comes from.
    pub fn address(&self) -> Option<IpAddr> {
        self.head.address()
    }

    /// The engine, for what it answers from memory. Whatever may wait goes by [`block`](Self::block).
    pub fn auth(&self) -> &Auth {
        &self.mount.server.auth
    }

    pub(crate) fn mount(&self) -> &Arc<MountService> {
        &self.mount
    }

    /// Asks the engine on a thread that may wait. What must follow a commit belongs into `ask`: past the deadline nobody comes
    /// back here, but an `ask` that has begun runs to its end.
    pub async fn run_blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Auth) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        run_blocking(&self.mount, move |mounted| ask(&mounted.server.auth)).await
    }

    /// Asks the back office, on a thread that may wait. What [`block`](Self::block) says of commits holds here too.
    pub async fn with_office<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Office<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        run_blocking(&self.mount, move |mounted| {
            ask(&Office { store: &*mounted.server.office, auth: &mounted.server.auth })
        })
        .await
    }

    /// Waits until the caller has fewer lists in flight than they may have at once. The list is in flight until the slot is dropped.
    pub(crate) async fn acquire_list_slot(&self, caller: &Caller) -> Result<ListSlot, ApiError> {
        self.mount.server.list_slots.acquire(caller.principal).await
    }

    /// Logs in by this mount's terms.
    pub async fn log_in(&self, who: LoginIdentity, password: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_login(self.build_login(who, Proof::Password(password)), call_auth_login).await
    }

    /// The same in the tenant of this name, for a client that may show refresh tokens of earlier sessions, and for a contract that
    /// says of a password that it must be changed. A `new_password` is set in its place.
    pub async fn log_in_to_tenant(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        new_password: Option<Secret<String>>,
        tenant: Option<String>,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let asked = self.build_login(who, Proof::Password(password));
        let login = LoginRequest {
            tenancy: self.build_tenancy(tenant),
            previous_refresh_tokens: previous,
            reports_password_change: true,
            ..asked
        };
        let Some(new) = new_password else { return self.run_login(login, call_auth_login).await };
        self.run_login(login, move |mounted, login| {
            let store = &*mounted.server.office;
            let words = |tenant, user| list_context_words(store, tenant, Some(PrincipalId::User(user)));
            mounted.server.auth.login_with_new_password(login, &NewPassword { password: &new, context_words: &words })
        })
        .await
    }

    /// The same for those alone whose session is of this rank at least.
    pub async fn log_in_with_rank(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        least: Rank,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let asked = self.build_login(who, Proof::Password(password));
        self.run_login(
            LoginRequest { min_rank: Some(least), previous_refresh_tokens: previous, ..asked },
            call_auth_login,
        )
        .await
    }

    /// Logs in somebody whom this request has just registered under a password of this verifier.
    pub async fn log_in_registered_user(
        &self,
        who: LoginIdentity,
        verifier: Verifier,
        least: Rank,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_login(
            LoginRequest { min_rank: Some(least), ..self.build_login(who, Proof::Verifier(verifier)) },
            call_auth_login,
        )
        .await
    }

    /// Logs in under other terms than the mount's.
    pub async fn log_in_with_terms(
        &self,
        terms: Terms,
        who: LoginIdentity,
        password: Secret<String>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_login(LoginRequest { terms, ..self.build_login(who, Proof::Password(password)) }, call_auth_login)
            .await
    }

    /// Generates the permanent token of the device of this name, for the caller and by their password.
    pub async fn generate_permanent_token(
        &self,
        caller: &Caller,
        device: String,
        password: Secret<String>,
    ) -> Result<IssuedTokens, ApiError> {
        let user = caller.profile.user.as_ref();
        let login = user.ok_or(ApiError::Denied(LoginDenied::DeviceNotAllowed.into()))?.name.to_string();
        let asked = self.build_login(LoginIdentity::User { login, device: Some(device) }, Proof::Password(password));
        let tenancy = Tenancy { fixed: Some(caller.profile.tenant.slug.clone()), requested: None };
        self.run_login(LoginRequest { tenancy, ..asked }, |mounted, login| {
            mounted.server.auth.generate_permanent_token(login)
        })
        .await
    }

    fn build_tenancy(&self, asked: Option<String>) -> Tenancy {
        Tenancy { fixed: self.mount.tenant.clone(), requested: asked }
    }

    fn build_login(&self, who: LoginIdentity, proof: Proof) -> LoginRequest {
        LoginRequest {
            dialect: self.mount.dialect_name.clone(),
            terms: self.mount.dialect.terms().clone(),
            tenancy: self.build_tenancy(None),
            identity: who,
            proof,
            min_rank: None,
            address: self.address(),
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        }
    }

    async fn run_login(
        &self,
        login: LoginRequest,
        way: impl FnOnce(&MountService, &LoginRequest) -> Result<IssuedTokens, Error> + Send + 'static,
    ) -> Result<IssuedTokens, ApiError> {
        run_blocking(&self.mount, move |mounted| {
            let answer = way(mounted, &login);
            if let (Ok(granted), Some(_)) = (&answer, &mounted.tenant) {
                mounted.tenant_id.get_or_init(|| granted.session.tenant);
            }
            mounted
                .server
                .metrics
                .count_login(mounted.name, login_outcome_label(&answer, login.reports_password_change));
            answer
        })
        .await
    }

    /// Refreshes a session. `beside` is the access token that was sent with the refresh token.
    pub async fn refresh(
        &self,
        token: Secret<String>,
        beside: Option<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { access_token: beside, ..RefreshOptions::default() }).await
    }

    /// The same for a client that will present the same refresh token again, whatever it is answered.
    pub async fn refresh_reusable_token(&self, token: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { keeps_token: true, ..RefreshOptions::default() }).await
    }

    /// Refreshes by whichever of these refresh tokens is good.
    pub async fn refresh_first_valid(&self, tokens: Vec<Secret<String>>) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(tokens, RefreshOptions::default()).await
    }

    /// Ends the sessions of these refresh tokens, as far as they are of this mount's contract and tenant; how many are.
    pub(crate) async fn end_sessions_by_refresh_tokens(
        &self,
        tokens: Vec<Secret<String>>,
        why: EndReason,
    ) -> Result<usize, ApiError> {
        let (tenant, address) = (self.tenant_id().await?, self.address());
        run_blocking(&self.mount, move |mounted| {
            let auth = &mounted.server.auth;
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let mut proven = 0;
            for token in auth.select_newest_refresh_tokens(&tokens)? {
                let holder = RefreshRequest { tenant, address, ..RefreshRequest::new(&mounted.dialect_name, token) };
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

    /// Changes the caller's own password, who proves the old one. `end_keys` revokes their API keys.
    pub(crate) async fn change_password(
        &self,
        caller: Caller,
        old: Secret<String>,
        new: Secret<String>,
        end_keys: bool,
    ) -> Result<PasswordChange, ApiError> {
        self.with_office(move |office| {
            let user = caller.user().map(PrincipalId::User);
            let words = list_context_words(office.store, caller.profile.tenant.id, user)?;
            Ok(office.auth.change_password(&caller, &old, &new, &words, end_keys)?)
        })
        .await
    }

    /// The tenant that this mount serves; `None` where requests find theirs.
    pub(crate) async fn tenant_id(&self) -> Result<Option<TenantId>, ApiError> {
        match &self.mount.tenant {
            Some(slug) => Ok(Some(self::find_tenant_id(&self.mount, slug).await?)),
            None => Ok(None),
        }
    }

    /// Exchanges a live access token for another of the same session.
    pub async fn exchange_token(&self, token: Secret<String>) -> Result<IssuedTokens, ApiError> {
        let tenant = self.tenant_id().await?;
        let (method, target) = (self.head.method().to_string(), self.head.target().to_owned());
        let address = self.address();
        run_blocking(&self.mount, move |mounted| {
            let presented = AuthRequest {
                tenant,
                method: &method,
                target: &target,
                address,
                ..AuthRequest::bearer(&mounted.dialect_name, token.expose())
            };
            let answer = mounted.server.auth.exchange(&presented);
            mounted.server.metrics.count_refresh(mounted.name, outcome_label(&answer, |granted| granted.kind.name()));
            answer
        })
        .await
    }

    /// Refreshes by a permanent token, which must be the one of this pairing.
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
        run_blocking(&self.mount, move |mounted| {
            let auth = &mounted.server.auth;
            let RefreshOptions { access_token: beside, pairing, keeps_token } = &presenting;
            let beside = beside.as_ref().map(|beside| beside.expose().as_str());
            let present = |token| {
                let dialect: &Label = &mounted.dialect_name;
                let base = RefreshRequest::new(dialect, token);
                let refreshing =
                    RefreshRequest { tenant, access_token: beside, keeps_token: *keeps_token, address, ..base };
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
            mounted.server.metrics.count_refresh(mounted.name, outcome_label(&answer, |granted| granted.kind.name()));
            answer
        })
        .await
    }
}

fn call_auth_login(mounted: &MountService, login: &LoginRequest) -> Result<IssuedTokens, Error> {
    mounted.server.auth.login(login)
}

/// How a refresh token is presented.
#[derive(Default)]
struct RefreshOptions {
    /// The access token that was sent with it.
    access_token: Option<Secret<String>>,
    /// The pairing that it must be of.
    pairing: Option<SessionId>,
    /// Whether the client will present it again.
    keeps_token: bool,
}

/// The first answer that does not refuse its token; else the last refusal.
fn find_valid_refresh<'t>(
    tokens: Result<Vec<&'t str>, Error>,
    present: impl Fn(&'t str) -> Result<IssuedTokens, Error>,
) -> Result<IssuedTokens, Error> {
    let mut refused = TokenDenied::Invalid.into();
    for token in tokens? {
        match present(token) {
            Err(refusal @ Error::Denied(AuthDenied::Token(_))) => refused = refusal,
            answered => return answered,
        }
    }
    Err(refused)
}

/// The id of the tenant that a mount serves, looked up once.
pub(crate) async fn find_tenant_id(mounted: &Arc<MountService>, slug: &Slug) -> Result<TenantId, ApiError> {
    if let Some(id) = mounted.tenant_id.get() {
        return Ok(*id);
    }
    let slug = slug.clone();
    run_blocking(mounted, move |mounted| {
        let found = mounted.server.auth.find_tenant_id(&slug)?;
        let id = found.ok_or_else(|| Error::unavailable(format!("the tenant {slug} of the mount does not exist")))?;
        Ok::<_, Error>(*mounted.tenant_id.get_or_init(|| id))
    })
    .await
}
