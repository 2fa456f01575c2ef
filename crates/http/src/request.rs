//! The request as handlers see it: head, body, and access to the engine and the back office.

pub(crate) mod authentication;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod cookies;
pub(crate) mod cursor;
pub(crate) mod dpop;
pub(crate) mod endpoint_info;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod head;
mod login;
pub(crate) mod meta;
pub(crate) mod origin_check;
pub(crate) mod partial_body;
pub(crate) mod query;
mod refresh;
pub(crate) mod trace_id;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::PasswordChange;
use tillgate_auth_core::{Auth, Caller, Error, IssuedTokens};
use tillgate_domain::{PrincipalId, Secret, TenantId};

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::context::list_limiter::ListPermit;
use crate::context::office::OfficeContext;
use crate::context::tenant::find_tenant_id;
use crate::error::ApiError;
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
}
