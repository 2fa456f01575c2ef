//! Logins of a request, with the terms and the tenant of its mount.

use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Caller, Error, IssuedTokens, LoginDenied, LoginIdentity, LoginRequest, LoginSecret, NewPassword, ProvenKey,
    Tenancy, Terms,
};
use tillgate_domain::office::UnguardedOffice;
use tillgate_domain::{PrincipalId, Rank, Secret};

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::error::ApiError;
use crate::metrics::login_outcome_label;
use crate::request::Request;

impl Request {
    /// Logs in with this mount's terms.
    pub async fn log_in(&self, who: LoginIdentity, password: Secret<String>) -> Result<IssuedTokens, ApiError> {
        self.run_login(self.build_login(who, LoginSecret::Password(password))?, None).await
    }

    /// Logs in to the tenant with this name, with refresh tokens of earlier sessions as proof of a
    /// known client, and reports a required password change. A `new_password` replaces the current
    /// one. The session is bound to the `proven_key`, if there is one.
    pub async fn log_in_to_tenant(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        new_password: Option<Secret<String>>,
        tenant: Option<String>,
        previous: Vec<Secret<String>>,
        proven_key: Option<ProvenKey>,
    ) -> Result<IssuedTokens, ApiError> {
        let login = LoginRequest {
            proven_key,
            tenancy: self.build_tenancy(tenant),
            previous_refresh_tokens: previous,
            reports_password_change: true,
            ..self.build_login(who, LoginSecret::Password(password))?
        };
        self.run_login(login, new_password).await
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
            ..self.build_login(who, LoginSecret::Password(password))?
        };
        self.run_login(login, new_password).await
    }

    /// Logs in if the session would have at least the rank `min_rank`.
    pub async fn log_in_with_rank(
        &self,
        who: LoginIdentity,
        password: Secret<String>,
        min_rank: Rank,
        previous: Vec<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        let login = self.build_login(who, LoginSecret::Password(password))?;
        self.run_login(LoginRequest { min_rank: Some(min_rank), previous_refresh_tokens: previous, ..login }, None)
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
            LoginRequest { min_rank: Some(min_rank), ..self.build_login(who, LoginSecret::Verifier(verifier))? },
            None,
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
        self.run_login(LoginRequest { terms, ..self.build_login(who, LoginSecret::Password(password))? }, None).await
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
        let login =
            self.build_login(LoginIdentity::User { login, device: Some(device) }, LoginSecret::Password(password))?;
        let tenancy = Tenancy { fixed: Some(caller.profile.tenant.slug.clone()), requested: None };
        let login = LoginRequest { tenancy, ..login };
        run_blocking(&self.mount, move |mount| {
            let response = mount.server.auth.generate_permanent_token(&login);
            record_login(mount, &login, &response);
            response
        })
        .await
    }

    /// The tenant of the request, which may name one if the mount serves several.
    pub(crate) fn build_tenancy(&self, requested: Option<String>) -> Tenancy {
        Tenancy { fixed: self.mount.tenant.clone(), requested }
    }

    fn build_login(&self, who: LoginIdentity, secret: LoginSecret) -> Result<LoginRequest, ApiError> {
        let terms = self.mount.terms.clone();
        Ok(LoginRequest {
            dialect: self.mount.dialect_name.clone(),
            terms: terms.ok_or_else(|| ApiError::Fault("a login through a mount without sessions".to_owned()))?,
            tenancy: self.build_tenancy(None),
            identity: who,
            secret,
            proven_key: None,
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
        new_password: Option<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        run_blocking(&self.mount, move |mount| {
            let response = match &new_password {
                Some(new) => login_with_new_password(mount, &login, new),
                None => mount.server.auth.login(&login),
            };
            record_login(mount, &login, &response);
            response
        })
        .await
    }
}

fn login_with_new_password(
    mount: &MountContext,
    login: &LoginRequest,
    new: &Secret<String>,
) -> Result<IssuedTokens, Error> {
    let words = |tenant, user| {
        UnguardedOffice::new(&*mount.server.office, tenant).list_context_words(Some(PrincipalId::User(user)))
    };
    mount.server.auth.login_with_new_password(login, &NewPassword { password: new, context_words: &words })
}

/// Counts the login, and remembers the tenant of the mount.
fn record_login(mount: &MountContext, login: &LoginRequest, response: &Result<IssuedTokens, Error>) {
    if let (Ok(issued), Some(_)) = (response, &mount.tenant) {
        mount.tenant_id.get_or_init(|| issued.session.tenant);
    }
    mount.server.metrics.count_login(mount.name, login_outcome_label(response, login.reports_password_change));
}
