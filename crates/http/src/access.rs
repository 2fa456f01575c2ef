//! The table of what a gateway lets through to another API: rows of methods and path patterns, each with whose tokens it takes and
//! the least role or the rights that it asks. The first row that fits a request decides; where none fits, nobody may.
//!
//! Nothing here judges a token. A row names contracts by their mounts' names; how each of them reads its evidence stays with it.

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

use crate::bearer::BEARER_CHALLENGE;
use crate::error::{ApiError, ProtocolError};
use crate::head::RequestHead;
use crate::mount::{Mount, MountService, ServerContext};
use crate::request_layer::shorten_path;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// The methods that it is for; none for every one. `GET` is for `HEAD` too.
    pub methods: Vec<Method>,
    /// The paths that it is for.
    pub path: PathPattern,
    /// The names of the contracts whose tokens it takes.
    pub mounts: Vec<String>,
    /// The one tenant whose tokens it takes; `None` for every one that the mounts serve.
    pub tenant: Option<Slug>,
    /// What it asks.
    pub requirement: AccessRequirement,
}

/// What a row asks of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessRequirement {
    /// This role or a higher one.
    Role(Rank),
    /// All of these rights.
    Rights(Vec<Right>),
}

impl AccessRule {
    /// Whether one of the mounts makes tokens that the row takes.
    pub fn has_matching_mount<'m>(&self, mut mounts: impl Iterator<Item = (&'m str, Option<&'m Slug>)>) -> bool {
        mounts.any(|(name, tenant)| self.accepts_mount(name, tenant))
    }

    fn accepts_mount(&self, mount: &str, tenant: Option<&Slug>) -> bool {
        let served = match (tenant, &self.tenant) {
            (Some(served), Some(asked)) => served == asked,
            _ => true,
        };
        served && self.mounts.iter().any(|name| name == mount)
    }

    /// The row of a table that decides on a request, and its number from 1; `None` where no row is for it.
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
    /// Whether somebody of this rank and with these rights has what is asked.
    pub fn is_met(&self, rank: Option<Rank>, rights: &Rights) -> bool {
        match self {
            Self::Role(least) => rank.is_some_and(|rank| rank >= *least),
            Self::Rights(needed) => needed.iter().all(|right| rights.allows(right)),
        }
    }

    /// Refuses a caller who has not what is asked.
    pub(crate) fn check_caller(&self, caller: &Caller) -> Result<(), Error> {
        match self {
            Self::Role(least) => caller.require_rank(*least),
            Self::Rights(rights) => rights.iter().try_for_each(|right| caller.require_right(right)),
        }
    }
}

/// The table over the mounts that there are.
#[derive(Default)]
pub(crate) struct AccessTable(Vec<AccessRow>);

struct AccessRow {
    rule: AccessRule,
    /// The mounts whose tokens it takes, each as the engine knows it; they have no routes.
    mounts: Vec<Arc<MountService>>,
}

impl fmt::Debug for AccessTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|row| &row.rule)).finish()
    }
}

impl AccessTable {
    /// Brings the rows together with the mounts that they name.
    pub(crate) fn build(rules: &[AccessRule], mounts: &[Mount], shared: &Arc<ServerContext>) -> Self {
        let way = |rule: &AccessRule, mount: &Mount| {
            let tenant = mount.tenant.clone().or_else(|| rule.tenant.clone());
            let name = mount.dialect.name();
            MountService::with_routes(Mount { tenant, ..mount.clone() }, name, Vec::new(), shared)
        };
        let row = |rule: &AccessRule| {
            let taken = mounts.iter().filter(|mount| rule.accepts_mount(mount.dialect.name(), mount.tenant.as_ref()));
            AccessRow { rule: rule.clone(), mounts: taken.map(|mount| way(rule, mount)).collect() }
        };
        Self(rules.iter().map(row).collect())
    }

    /// Who asks for what the gateway holds, where they may have it.
    pub(crate) async fn authorize(&self, head: &RequestHead) -> Result<Caller, AccessDenied> {
        let denied = |failure, way: Option<&Arc<MountService>>, head: &RequestHead| AccessDenied {
            error: failure,
            mount: way.cloned(),
            head: head.clone(),
        };
        let asked = OriginalRequest::from_headers(head.headers()).map_err(|failure| denied(failure, None, head))?;
        head.meta().gateway_target.replace(Some(format!("{} {}", asked.method, shorten_path(&asked.target))));
        let unlisted = || denied(ProtocolError::NoAccessRule.into(), self.sole_mount(), head);
        let path = NormalizedPath::parse(&asked.target).ok_or_else(unlisted)?;
        let row = self.0.iter().find(|row| row.rule.matches(&asked.method, &path)).ok_or_else(unlisted)?;
        let about = head.for_original_request(asked).map_err(|failure| denied(failure, row.mounts.first(), head))?;
        let (way, caller) = authenticate_by_mounts(&row.mounts, &about)
            .await
            .map_err(|failure| denied(failure, row.mounts.first(), &about))?;
        if let Err(failure) = row.rule.requirement.check_caller(&caller).map_err(ApiError::from) {
            crate::audit_denials::record_denial(way, &about, &caller, &failure).await;
            return Err(denied(failure, Some(way), &about));
        }
        Ok(caller)
    }

    /// The one mount that every row names, where they do: what no row is for is answered in its words.
    fn sole_mount(&self) -> Option<&Arc<MountService>> {
        let mut ways = self.0.iter().flat_map(|row| &row.mounts);
        let first = ways.next()?;
        ways.all(|way| way.name == first.name).then_some(first)
    }
}

/// The header that bears the code of a failure: a gateway cannot read the body. Calls that are not for gateways have none, since a
/// contract may tell less than the code does: that a password was right, for one.
const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-code");

/// Puts the code of a failure into the answer to a gateway.
pub(crate) fn set_error_code_header(answer: &mut HttpResponse, failure: &ApiError) {
    answer.headers_mut().insert(ERROR_CODE_HEADER, HeaderValue::from_static(failure.code()));
}

/// A request that a gateway must not let through, or whose caller is not known.
pub(crate) struct AccessDenied {
    error: ApiError,
    /// The mount whose contract renders the error.
    mount: Option<Arc<MountService>>,
    head: RequestHead,
}

impl AccessDenied {
    /// The answer, in the words of the mount whose tokens the row takes, else in those of `native`. Its status is one that gateways know,
    /// whatever the contract makes of the failure.
    pub(crate) fn render(&self, native: &MountService) -> HttpResponse {
        let mut answer = crate::serve::render_error(self.mount.as_deref().unwrap_or(native), &self.error, &self.head);
        *answer.status_mut() = self.error.status();
        if answer.status() == StatusCode::UNAUTHORIZED && !answer.headers().contains_key(WWW_AUTHENTICATE) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER_CHALLENGE));
        }
        set_error_code_header(&mut answer, &self.error);
        answer
    }
}

/// Who asks, by the first of the mounts that made what they present.
async fn authenticate_by_mounts<'w>(
    ways: &'w [Arc<MountService>],
    head: &RequestHead,
) -> Result<(&'w Arc<MountService>, Caller), ApiError> {
    let mut refused = TokenDenied::Missing;
    // none reaches the check
    let body = Bytes::new();
    for way in ways {
        let evidence = match way.dialect.read_credentials(head, &body) {
            // what its contract would answer 400 proves nobody: a gateway knows no other word for it
            Err(ApiError::Protocol(ProtocolError::MalformedBody(_) | ProtocolError::ChunkedSignature)) => {
                return Err(ApiError::Denied(TokenDenied::Invalid.into()));
            }
            read => read?,
        };
        if matches!(evidence, RequestCredentials::None) {
            continue;
        }
        match crate::serve::authenticate_caller(way, head, evidence).await {
            // another of them may have made it
            Err(ApiError::Denied(AuthDenied::Token(TokenDenied::WrongAudience))) => {
                refused = TokenDenied::WrongAudience;
            }
            answered => return Ok((way, answered?)),
        }
    }
    Err(ApiError::Denied(refused.into()))
}
