//! Authenticates the caller of a request for the mount that serves it.

use std::sync::Arc;

use tillgate_auth_core::{AuthRequest, Caller, DpopCredentials, RequestCredentials};
use tillgate_domain::Secret;

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::context::tenant::find_tenant_id;
use crate::error::ApiError;
use crate::request::head::RequestHead;

/// Authenticates the caller from memory if possible, otherwise on a thread of the blocking pool.
pub(crate) async fn authenticate_caller(
    mount: &Arc<MountContext>,
    head: &RequestHead,
    credentials: RequestCredentials<'_>,
) -> Result<Caller, ApiError> {
    let tenant = match &mount.tenant {
        Some(slug) => Some(find_tenant_id(mount, slug).await?),
        None => None,
    };
    let presented = AuthRequest { credentials, dialect: &mount.dialect_name, tenant, address: head.address() };
    if let Some(recognized) = mount.server.auth.authenticate_cached(&presented) {
        return Ok(recognized?);
    }
    let address = head.address();
    let owned = |token: &str| Secret::new(token.to_owned());
    let mut proven = None;
    let (other_credentials, tokens) = match presented.credentials {
        RequestCredentials::Bearer(token) => (RequestCredentials::None, vec![owned(token)]),
        RequestCredentials::AnyBearer(tokens) => (RequestCredentials::None, tokens.into_iter().map(owned).collect()),
        RequestCredentials::Dpop(DpopCredentials { token, proof, retention }) => {
            proven = Some((owned(token), proof, retention));
            (RequestCredentials::None, Vec::new())
        }
        RequestCredentials::None => (RequestCredentials::None, Vec::new()),
        RequestCredentials::Signature(signature, counting) => {
            (RequestCredentials::Signature(signature, counting), Vec::new())
        }
        RequestCredentials::Client(client) => (RequestCredentials::Client(client), Vec::new()),
    };
    run_blocking(mount, move |mount| {
        let credentials = match (&proven, tokens.as_slice()) {
            (Some((token, proof, retention)), _) => RequestCredentials::Dpop(DpopCredentials {
                token: token.expose(),
                proof: proof.clone(),
                retention: *retention,
            }),
            (None, []) => other_credentials,
            (None, tokens) => {
                RequestCredentials::AnyBearer(tokens.iter().map(|token| token.expose().as_str()).collect())
            }
        };
        mount.server.auth.authenticate(&AuthRequest { credentials, dialect: &mount.dialect_name, tenant, address })
    })
    .await
}
