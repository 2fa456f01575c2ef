//! The table of what a gateway lets through to another API: rows of methods and path patterns, each with whose tokens it takes and
//! the least role or the rights that it asks. The first row that fits a request decides; where none fits, nobody may.
//!
//! Nothing here judges a token. A row names contracts by their mounts' names; how each of them reads its evidence stays with it.

mod asked;
mod pattern;
mod target;

use std::fmt;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{Caller, Error, Evidence, Refusal, TokenRefusal};
use tillgate_domain::{Rank, Right, Slug};

pub(crate) use asked::Asked;
pub use pattern::{InvalidPattern, PathPattern};
pub(crate) use target::Path;

use crate::failure::{Failure, Protocol};
use crate::head::Head;
use crate::mount::{Mount, Mounted, Shared};

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
    pub need: Need,
}

/// What a row asks of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// This role or a higher one.
    Role(Rank),
    /// All of these rights.
    Rights(Vec<Right>),
}

impl AccessRule {
    /// Whether one of the mounts makes tokens that the row takes.
    pub fn has_way<'m>(&self, mut mounts: impl Iterator<Item = (&'m str, Option<&'m Slug>)>) -> bool {
        mounts.any(|(name, tenant)| self.takes(name, tenant))
    }

    fn takes(&self, mount: &str, tenant: Option<&Slug>) -> bool {
        let served = match (tenant, &self.tenant) {
            (Some(served), Some(asked)) => served == asked,
            _ => true,
        };
        served && self.mounts.iter().any(|name| name == mount)
    }

    fn fits(&self, method: &Method, path: &Path) -> bool {
        let meant = |each: &Method| each == method || (*each == Method::GET && *method == Method::HEAD);
        (self.methods.is_empty() || self.methods.iter().any(meant)) && self.path.fits(path)
    }
}

impl Need {
    /// Refuses a caller who has not what is asked.
    pub(crate) fn judge(&self, caller: &Caller) -> Result<(), Error> {
        match self {
            Self::Role(least) => caller.need_rank(*least),
            Self::Rights(rights) => rights.iter().try_for_each(|right| caller.need(right)),
        }
    }
}

/// The table over the mounts that there are.
#[derive(Default)]
pub(crate) struct Access(Vec<Row>);

struct Row {
    rule: AccessRule,
    /// The mounts whose tokens it takes, each as the engine knows it; they have no routes.
    ways: Vec<Arc<Mounted>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|row| &row.rule)).finish()
    }
}

impl Access {
    /// Brings the rows together with the mounts that they name.
    pub(crate) fn over(rules: &[AccessRule], mounts: &[Mount], shared: &Arc<Shared>) -> Self {
        let way = |rule: &AccessRule, mount: &Mount| {
            let tenant = mount.tenant.clone().or_else(|| rule.tenant.clone());
            let name = mount.dialect.name();
            Mounted::with(Mount { tenant, ..mount.clone() }, name, Vec::new(), shared)
        };
        let row = |rule: &AccessRule| {
            let taken = mounts.iter().filter(|mount| rule.takes(mount.dialect.name(), mount.tenant.as_ref()));
            Row { rule: rule.clone(), ways: taken.map(|mount| way(rule, mount)).collect() }
        };
        Self(rules.iter().map(row).collect())
    }

    /// Who asks for what the gateway holds, where they may have it.
    pub(crate) async fn check(&self, head: &Head) -> Result<Caller, Failure> {
        let asked = Asked::of(head.headers())?;
        let path = Path::read(&asked.target).ok_or(Protocol::Unlisted)?;
        let row = self.0.iter().find(|row| row.rule.fits(&asked.method, &path)).ok_or(Protocol::Unlisted)?;
        let about = head.about(asked)?;
        let (way, caller) = who(&row.ways, &about).await?;
        let judged = row.rule.need.judge(&caller).map_err(Failure::from);
        if let Err(failure) = &judged {
            crate::lacking::note(way, &about, &caller, failure).await;
        }
        judged.map(|()| caller)
    }
}

/// Who asks, by the first of the mounts that made what they present.
async fn who<'w>(ways: &'w [Arc<Mounted>], head: &Head) -> Result<(&'w Arc<Mounted>, Caller), Failure> {
    let mut refused = TokenRefusal::Missing;
    // none reaches the check
    let body = Bytes::new();
    for way in ways {
        let evidence = match way.dialect.evidence(head, &body) {
            // what its contract would answer 400 proves nobody: a gateway knows no other word for it
            Err(Failure::Protocol(Protocol::Malformed(_) | Protocol::SignedInChunks)) => {
                return Err(Failure::Refused(TokenRefusal::Invalid.into()));
            }
            read => read?,
        };
        if matches!(evidence, Evidence::None) {
            continue;
        }
        match crate::serve::caller(way, head, evidence).await {
            // another of them may have made it
            Err(Failure::Refused(Refusal::Token(TokenRefusal::Foreign))) => refused = TokenRefusal::Foreign,
            answered => return Ok((way, answered?)),
        }
    }
    Err(Failure::Refused(refused.into()))
}
