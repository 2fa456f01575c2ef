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

use actix_web::http::Method;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::principal_access::has_rank;
use tillgate_domain::{Rank, Right, Rights, Slug};

pub(crate) use normalized_path::NormalizedPath;
pub(crate) use original_request::OriginalRequest;
pub use pattern::{InvalidPathPattern, PathPattern};

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

    pub(crate) fn accepts_mount(&self, mount: &str, tenant: Option<&Slug>) -> bool {
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

    pub(crate) fn matches(&self, method: &Method, path: &NormalizedPath) -> bool {
        let meant = |each: &Method| each == method || (*each == Method::GET && *method == Method::HEAD);
        (self.methods.is_empty() || self.methods.iter().any(meant)) && self.path.matches(path)
    }
}

impl AccessRequirement {
    /// Checks that a caller with this role and these rights meets the requirement.
    ///
    /// # Errors
    /// The caller lacks the role or one of the rights.
    pub fn check(&self, rank: Option<Rank>, rights: &Rights) -> Result<(), AuthDenied> {
        match self {
            Self::Role(min_rank) if has_rank(rank, *min_rank) => Ok(()),
            Self::Role(min_rank) => Err(AuthDenied::RankTooLow(*min_rank)),
            Self::Rights(needed) => Ok(needed.iter().try_for_each(|right| rights.require(right))?),
        }
    }
}
