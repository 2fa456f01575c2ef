//! The access rules with the mounts whose tokens they accept: authorizes the requests that gateways
//! ask about.
//!
//! A rule names dialects by their mounts. Each of these reads its credentials and renders its
//! errors itself.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Bytes;
use tillgate_auth_core::{AuthDenied, Caller, DpopCredentials, ProofRetention, RequestCredentials, TokenDenied};
use tillgate_domain::Secret;

use crate::access_rule::{AccessRule, NormalizedPath, OriginalRequest};
use crate::context::ServerContext;
use crate::context::blocking_pool::run_blocking;
use crate::error::{ApiError, ProtocolError};
use crate::request::authentication::authenticate_caller;
use crate::request::bearer::BEARER_CHALLENGE;
use crate::request::head::RequestHead;
use crate::request::meta::shorten_path;
use crate::serving::audit_denials::record_denial;
use crate::serving::mount::Mount;
use crate::serving::mount_service::MountService;

/// The access table with the mounts to which its rows refer.
#[derive(Default)]
pub(crate) struct AccessTable(Vec<AccessRow>);

struct AccessRow {
    rule: AccessRule,
    /// The mounts whose tokens the row accepts. They serve no routes.
    mounts: Vec<Arc<MountService>>,
}

impl fmt::Debug for AccessTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|row| &row.rule)).finish()
    }
}

impl AccessTable {
    /// Resolves the mounts to which the rows refer.
    pub(crate) fn build(rules: &[AccessRule], mounts: &[Mount], shared: &Arc<ServerContext>) -> Self {
        let service = |rule: &AccessRule, mount: &Mount| {
            let tenant = mount.tenant.clone().or_else(|| rule.tenant.clone());
            let name = mount.dialect.name();
            MountService::with_routes(Mount { tenant, ..mount.clone() }, name, Vec::new(), shared)
        };
        let row = |rule: &AccessRule| {
            let taken = mounts.iter().filter(|mount| rule.accepts_mount(mount.dialect.name(), mount.tenant.as_ref()));
            AccessRow { rule: rule.clone(), mounts: taken.map(|mount| service(rule, mount)).collect() }
        };
        Self(rules.iter().map(row).collect())
    }

    /// Returns the caller of the gateway's request, if it may pass.
    pub(crate) async fn authorize(&self, head: &RequestHead) -> Result<Caller, AccessDenied> {
        let denied = |failure, service: Option<&Arc<MountService>>, head: &RequestHead| AccessDenied {
            error: failure,
            mount: service.cloned(),
            head: head.clone(),
        };
        let original = OriginalRequest::from_headers(head.headers()).map_err(|failure| denied(failure, None, head))?;
        head.meta().gateway_target.replace(Some(format!("{} {}", original.method, shorten_path(&original.target))));
        let unlisted = || denied(ProtocolError::NoAccessRule.into(), self.sole_mount(), head);
        let path = NormalizedPath::parse(&original.target).ok_or_else(unlisted)?;
        let row = self.0.iter().find(|row| row.rule.matches(&original.method, &path)).ok_or_else(unlisted)?;
        let original_head =
            head.for_original_request(original).map_err(|failure| denied(failure, row.mounts.first(), head))?;
        let (service, caller, proof) = authenticate_by_mounts(&row.mounts, &original_head)
            .await
            .map_err(|failure| denied(failure, row.mounts.first(), &original_head))?;
        let profile = &caller.profile;
        if let Err(denial) = row.rule.requirement.check(profile.rank, &profile.rights) {
            let failure = ApiError::Denied(denial);
            // a path of another API names nothing of this server
            record_denial(&service.context, &original_head, &caller, &failure, None).await;
            return Err(denied(failure, Some(service), &original_head));
        }
        // only now: a gateway may repeat the check of a request that is denied, for its response
        if let Some(proof) = proof {
            let remembered = remember_proof(service, proof).await;
            remembered.map_err(|failure| denied(failure, Some(service), &original_head))?;
        }
        Ok(caller)
    }

    /// Returns the mount to which all rows refer, if there is only one; it renders the denial of a
    /// request without a row.
    fn sole_mount(&self) -> Option<&Arc<MountService>> {
        let mut services = self.0.iter().flat_map(|row| &row.mounts);
        let first = services.next()?;
        services.all(|service| service.context.name == first.context.name).then_some(first)
    }
}

/// Response header with the error code, because a gateway cannot read the body. Only responses to
/// gateways have it, since a contract may tell a client less than the code does, for example that a
/// password was correct.
const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-code");

/// Adds the error code to a response to a gateway.
pub(crate) fn set_error_code_header(response: &mut HttpResponse, failure: &ApiError) {
    response.headers_mut().insert(ERROR_CODE_HEADER, HeaderValue::from_static(failure.code()));
}

/// A gateway's request that is denied, or whose caller cannot be identified.
pub(crate) struct AccessDenied {
    error: ApiError,
    /// The mount whose contract renders the error.
    mount: Option<Arc<MountService>>,
    head: RequestHead,
}

impl AccessDenied {
    /// Renders the denial in the format of the mount whose tokens the row accepts, otherwise in
    /// that of `native`. Its status is one that gateways understand, whatever the contract uses.
    pub(crate) fn render(&self, native: &MountService) -> HttpResponse {
        let mut response = self.mount.as_deref().unwrap_or(native).render_error(&self.error, &self.head);
        *response.status_mut() = self.error.status();
        if response.status() == StatusCode::UNAUTHORIZED && !response.headers().contains_key(WWW_AUTHENTICATE) {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER_CHALLENGE));
        }
        set_error_code_header(&mut response, &self.error);
        response
    }
}

/// The body of the gateway's request is not part of the check.
static NO_BODY: Bytes = Bytes::from_static(&[]);

/// Authenticates the caller by the first mount that issued the credentials. The proof beside an
/// access token is not remembered, and returned.
async fn authenticate_by_mounts<'w, 'h>(
    services: &'w [Arc<MountService>],
    head: &'h RequestHead,
) -> Result<(&'w Arc<MountService>, Caller, Option<DpopCredentials<'h>>), ApiError> {
    let mut refused = TokenDenied::Missing;
    for service in services {
        let credentials = match service.dialect.read_credentials(head, &NO_BODY) {
            // where the contract answers 400, a gateway understands 401 only
            Err(ApiError::Protocol(ProtocolError::MalformedBody(_) | ProtocolError::ChunkedSignature)) => {
                return Err(ApiError::Denied(TokenDenied::Invalid.into()));
            }
            read => read?,
        };
        let (credentials, proof) = match credentials {
            RequestCredentials::None => continue,
            RequestCredentials::Dpop(proof) => {
                let deferred = DpopCredentials { retention: ProofRetention::Deferred, ..proof.clone() };
                (RequestCredentials::Dpop(deferred), Some(proof))
            }
            other => (other, None),
        };
        match authenticate_caller(&service.context, head, credentials).await {
            // another mount may have issued the token
            Err(ApiError::Denied(AuthDenied::Token(TokenDenied::WrongAudience))) => {
                refused = TokenDenied::WrongAudience;
            }
            answered => return Ok((service, answered?, proof)),
        }
    }
    Err(ApiError::Denied(refused.into()))
}

/// Remembers the proof of a request that may pass.
async fn remember_proof(service: &MountService, presented: DpopCredentials<'_>) -> Result<(), ApiError> {
    if presented.retention != ProofRetention::Store {
        return Ok(service.context.server.auth.remember_proof(&presented)?);
    }
    let DpopCredentials { token, proof, retention } = presented;
    let token = Secret::new(token.to_owned());
    run_blocking(&service.context, move |mount| {
        let presented = DpopCredentials { token: token.expose(), proof, retention };
        mount.server.auth.remember_proof(&presented)
    })
    .await
}
