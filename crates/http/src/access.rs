//! The table of what a gateway lets through to another API: rows of methods and path patterns, each with whose tokens it takes and
//! the least role or the rights that it asks. The first row that fits a request decides; where none fits, nobody may.
//!
//! Nothing here judges a token. A row names contracts by their mounts' names; how each of them reads its evidence stays with it.

mod asked;
mod pattern;
mod target;

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use tillgate_auth_core::{Caller, Error, Evidence, Refusal, TokenRefusal};
use tillgate_domain::{Rank, Right, Rights, Slug};

pub(crate) use asked::Asked;
pub use pattern::{InvalidPattern, PathPattern};
pub(crate) use target::Path;

use crate::bearer::CHALLENGE;
use crate::edge::shortened;
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

    /// The row of a table that decides on a request, and its number from 1; `None` where no row is for it.
    pub fn decisive<'r>(table: &'r [Self], method: &Method, target: &str) -> Option<(usize, &'r Self)> {
        let path = Path::read(target)?;
        (1..).zip(table).find(|(_, row)| row.fits(method, &path))
    }

    fn fits(&self, method: &Method, path: &Path) -> bool {
        let meant = |each: &Method| each == method || (*each == Method::GET && *method == Method::HEAD);
        (self.methods.is_empty() || self.methods.iter().any(meant)) && self.path.fits(path)
    }
}

impl Need {
    /// Whether somebody of this rank and with these rights has what is asked.
    pub fn is_met(&self, rank: Option<Rank>, rights: &Rights) -> bool {
        match self {
            Self::Role(least) => rank.is_some_and(|rank| rank >= *least),
            Self::Rights(needed) => needed.iter().all(|right| rights.allow(right)),
        }
    }

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
    pub(crate) async fn check(&self, head: &Head) -> Result<Caller, Denied> {
        let denied = |failure, way: Option<&Arc<Mounted>>, head: &Head| Denied {
            failure,
            way: way.cloned(),
            head: head.clone(),
        };
        let asked = Asked::of(head.headers()).map_err(|failure| denied(failure, None, head))?;
        head.origin().asked.replace(Some(format!("{} {}", asked.method, shortened(&asked.target))));
        let unlisted = || denied(Protocol::Unlisted.into(), self.only_way(), head);
        let path = Path::read(&asked.target).ok_or_else(unlisted)?;
        let row = self.0.iter().find(|row| row.rule.fits(&asked.method, &path)).ok_or_else(unlisted)?;
        let about = head.about(asked).map_err(|failure| denied(failure, row.ways.first(), head))?;
        let (way, caller) =
            who(&row.ways, &about).await.map_err(|failure| denied(failure, row.ways.first(), &about))?;
        if let Err(failure) = row.rule.need.judge(&caller).map_err(Failure::from) {
            crate::lacking::note(way, &about, &caller, &failure).await;
            return Err(denied(failure, Some(way), &about));
        }
        Ok(caller)
    }

    /// The one mount that every row names, where they do: what no row is for is answered in its words.
    fn only_way(&self) -> Option<&Arc<Mounted>> {
        let mut ways = self.0.iter().flat_map(|row| &row.ways);
        let first = ways.next()?;
        ways.all(|way| way.name == first.name).then_some(first)
    }
}

/// The header that bears the code of a failure: a gateway cannot read the body. Calls that are not for gateways have none, since a
/// contract may tell less than the code does: that a password was right, for one.
const CODE: HeaderName = HeaderName::from_static("x-tillgate-code");

/// Puts the code of a failure into the answer to a gateway.
pub(crate) fn code(answer: &mut HttpResponse, failure: &Failure) {
    answer.headers_mut().insert(CODE, HeaderValue::from_static(failure.code()));
}

/// A request that a gateway must not let through, or whose caller is not known.
pub(crate) struct Denied {
    failure: Failure,
    /// The mount whose contract renders the error.
    way: Option<Arc<Mounted>>,
    head: Head,
}

impl Denied {
    /// The answer, in the words of the mount whose tokens the row takes, else in those of `native`. Its status is one that gateways know,
    /// whatever the contract makes of the failure.
    pub(crate) fn answer(&self, native: &Mounted) -> HttpResponse {
        let mut answer = crate::serve::worded(self.way.as_deref().unwrap_or(native), &self.failure, &self.head);
        *answer.status_mut() = self.failure.status();
        if answer.status() == StatusCode::UNAUTHORIZED && !answer.headers().contains_key(WWW_AUTHENTICATE) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        code(&mut answer, &self.failure);
        answer
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
