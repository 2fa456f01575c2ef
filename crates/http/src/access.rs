//! The access table: which requests a gateway may pass to another API. A row has methods, a path
//! pattern, the mounts whose tokens it accepts, and a minimum role or rights. The first row that
//! matches a request decides; a request without a row is denied.
//!
//! Nothing here verifies a token: a gateway check is evaluated by the dialect that it concerns. The
//! access check passes the dialect a request head that contains the gateway's method and target
//! instead of its own, so cookies, their origins and signatures are verified as everywhere else. A
//! dialect applies its per-address rate limit ([`Dialect::rate_limit`](crate::Dialect::rate_limit))
//! separately from authentication, because a gateway's check is not a client's call.

mod normalized_path;
mod original_request;
mod pattern;

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use tillgate_auth_core::{AuthDenied, Caller, Error, RequestCredentials, TokenDenied};
use tillgate_domain::{Rank, Right, Rights, Slug};

pub(crate) use normalized_path::NormalizedPath;
pub(crate) use original_request::OriginalRequest;
pub use pattern::{InvalidPathPattern, PathPattern};

use crate::error::{ApiError, ProtocolError};
use crate::request::bearer::BEARER_CHALLENGE;
use crate::request::head::RequestHead;
use crate::serving::mount::Mount;
use crate::serving::mount_service::{MountService, ServerContext};
use crate::serving::request_layer::shorten_path;

/// A row of the access table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// The methods of matching requests; empty for all. `GET` includes `HEAD`.
    pub methods: Vec<Method>,
    /// The paths of matching requests.
    pub path: PathPattern,
    /// Names of the mounts whose tokens the row accepts.
    pub mounts: Vec<String>,
    /// The only tenant whose tokens the row accepts; `None` for all that the mounts serve.
    pub tenant: Option<Slug>,
    /// What the caller must have.
    pub requirement: AccessRequirement,
}

/// What a row requires of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessRequirement {
    /// At least this role.
    Role(Rank),
    /// All of these rights.
    Rights(Vec<Right>),
}

impl AccessRule {
    /// Whether one of these mounts, given by name and tenant, issues tokens that the row accepts.
    pub fn has_matching_mount<'m>(&self, mut mounts: impl Iterator<Item = (&'m str, Option<&'m Slug>)>) -> bool {
        mounts.any(|(name, tenant)| self.accepts_mount(name, tenant))
    }

    fn accepts_mount(&self, mount: &str, tenant: Option<&Slug>) -> bool {
        let served = match (tenant, &self.tenant) {
            (Some(served), Some(required)) => served == required,
            _ => true,
        };
        served && self.mounts.iter().any(|name| name == mount)
    }

    /// Returns the row that decides on a request, with its number starting at 1; `None` if no row
    /// matches.
    pub fn find_match<'r>(table: &'r [Self], method: &Method, target: &str) -> Option<(usize, &'r Self)> {
        let path = NormalizedPath::parse(target)?;
        (1..).zip(table).find(|(_, row)| row.matches(method, &path))
    }

    fn matches(&self, method: &Method, path: &NormalizedPath) -> bool {
        let meant = |each: &Method| each == method || (*each == Method::GET && *method == Method::HEAD);
        (self.methods.is_empty() || self.methods.iter().any(meant)) && self.path.matches(path)
    }
}

impl AccessRequirement {
    /// Whether a caller with this role and these rights meets the requirement.
    pub fn is_met(&self, rank: Option<Rank>, rights: &Rights) -> bool {
        match self {
            Self::Role(min_rank) => rank.is_some_and(|rank| rank >= *min_rank),
            Self::Rights(needed) => needed.iter().all(|right| rights.allows(right)),
        }
    }

    /// Denies a caller who does not meet the requirement.
    pub(crate) fn check_caller(&self, caller: &Caller) -> Result<(), Error> {
        match self {
            Self::Role(min_rank) => caller.require_rank(*min_rank),
            Self::Rights(rights) => rights.iter().try_for_each(|right| caller.require_right(right)),
        }
    }
}

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
        let (service, caller) = authenticate_by_mounts(&row.mounts, &original_head)
            .await
            .map_err(|failure| denied(failure, row.mounts.first(), &original_head))?;
        if let Err(failure) = row.rule.requirement.check_caller(&caller).map_err(ApiError::from) {
            crate::serving::audit_denials::record_denial(service, &original_head, &caller, &failure).await;
            return Err(denied(failure, Some(service), &original_head));
        }
        Ok(caller)
    }

    /// Returns the mount to which all rows refer, if there is only one; it renders the denial of a
    /// request without a row.
    fn sole_mount(&self) -> Option<&Arc<MountService>> {
        let mut services = self.0.iter().flat_map(|row| &row.mounts);
        let first = services.next()?;
        services.all(|service| service.name == first.name).then_some(first)
    }
}

/// Response header with the error code, because a gateway cannot read the body. Only responses to
/// gateways have it, since a contract may tell a client less than the code does, for example that a
/// password was correct.
const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-code");

/// Adds the error code to a response to a gateway.
pub(crate) fn set_error_code_header(answer: &mut HttpResponse, failure: &ApiError) {
    answer.headers_mut().insert(ERROR_CODE_HEADER, HeaderValue::from_static(failure.code()));
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
        let mut answer =
            crate::serving::serve::render_error(self.mount.as_deref().unwrap_or(native), &self.error, &self.head);
        *answer.status_mut() = self.error.status();
        if answer.status() == StatusCode::UNAUTHORIZED && !answer.headers().contains_key(WWW_AUTHENTICATE) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER_CHALLENGE));
        }
        set_error_code_header(&mut answer, &self.error);
        answer
    }
}

/// Authenticates the caller by the first mount that issued the credentials.
async fn authenticate_by_mounts<'w>(
    services: &'w [Arc<MountService>],
    head: &RequestHead,
) -> Result<(&'w Arc<MountService>, Caller), ApiError> {
    let mut refused = TokenDenied::Missing;
    // the body of the gateway's request is not part of the check
    let body = Bytes::new();
    for service in services {
        let credentials = match service.dialect.read_credentials(head, &body) {
            // where the contract answers 400, a gateway understands 401 only
            Err(ApiError::Protocol(ProtocolError::MalformedBody(_) | ProtocolError::ChunkedSignature)) => {
                return Err(ApiError::Denied(TokenDenied::Invalid.into()));
            }
            read => read?,
        };
        if matches!(credentials, RequestCredentials::None) {
            continue;
        }
        match crate::serving::serve::authenticate_caller(service, head, credentials).await {
            // another mount may have issued the token
            Err(ApiError::Denied(AuthDenied::Token(TokenDenied::WrongAudience))) => {
                refused = TokenDenied::WrongAudience;
            }
            answered => return Ok((service, answered?)),
        }
    }
    Err(ApiError::Denied(refused.into()))
}
