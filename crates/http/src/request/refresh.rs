//! Refreshes of a request, and the other uses of a session's tokens: exchange and end.

use tillgate_auth_core::{
    AuthDenied, AuthRequest, DialectName, Error, IssuedTokens, PresentedProof, RefreshRequest, TokenDenied,
};
use tillgate_domain::{EndReason, Secret, SessionId};

use crate::context::blocking_pool::run_blocking;
use crate::error::ApiError;
use crate::metrics::outcome_label;
use crate::request::Request;

impl Request {
    /// Refreshes a session. `access_token` is the one that was sent with the refresh token.
    pub async fn refresh(
        &self,
        token: Secret<String>,
        access_token: Option<Secret<String>>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { access_token, ..RefreshOptions::default() }).await
    }

    /// Refreshes a session with the proof of its key, which a session that is bound to a key
    /// requires.
    pub(crate) async fn refresh_with_proof(
        &self,
        token: Secret<String>,
        proof: Option<PresentedProof>,
    ) -> Result<IssuedTokens, ApiError> {
        self.run_refresh(vec![token], RefreshOptions { proof, ..RefreshOptions::default() }).await
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

    /// Ends the sessions of the refresh cookies that a new session replaces, since no client has
    /// them any more (OWASP ASVS 5.0, 7.2.4). A failure does not affect the login.
    pub(crate) async fn end_replaced_sessions(&self, old: Vec<Secret<String>>) {
        if old.is_empty() {
            return;
        }
        if let Err(failure) = self.end_sessions_by_refresh_tokens(old, EndReason::Replaced).await {
            tracing::warn!(trace = self.head.trace_id(), ?failure, "the sessions that a login replaces were not ended");
        }
    }

    /// Exchanges a live access token for another one of the same session.
    pub async fn exchange_token(&self, token: Secret<String>) -> Result<IssuedTokens, ApiError> {
        let tenant = self.tenant_id().await?;
        let address = self.address();
        run_blocking(&self.mount, move |mount| {
            let token = token.expose().trim_ascii();
            let presented = AuthRequest { tenant, address, ..AuthRequest::bearer(&mount.dialect_name, token) };
            let response = mount.server.auth.exchange(&presented);
            mount.server.metrics.count_refresh(mount.name, outcome_label(&response, |issued| issued.kind.name()));
            response
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
            let RefreshOptions { access_token, proof, pairing, keeps_token } = &presenting;
            let access_token = access_token.as_ref().map(|access_token| access_token.expose().as_str());
            let present = |token| {
                let dialect: &DialectName = &mount.dialect_name;
                let base = RefreshRequest::new(dialect, token);
                let (proof, keeps_token) = (proof.as_ref(), *keeps_token);
                let refreshing = RefreshRequest { tenant, access_token, proof, keeps_token, address, ..base };
                match pairing {
                    Some(pairing) => auth.refresh_pairing(&refreshing, *pairing),
                    None => auth.refresh(&refreshing),
                }
            };
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let response = match tokens.as_slice() {
                [token] => present(token),
                tokens => find_valid_refresh(auth.select_newest_refresh_tokens(tokens), present),
            };
            mount.server.metrics.count_refresh(mount.name, outcome_label(&response, |issued| issued.kind.name()));
            response
        })
        .await
    }
}

/// Options of a refresh.
#[derive(Default)]
struct RefreshOptions {
    /// The access token that was sent with the refresh token.
    access_token: Option<Secret<String>>,
    /// The proof of the client's key.
    proof: Option<PresentedProof>,
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
