//! The check at start: every route belongs to one mount.

use tillgate_domain::{SessionLimits, Slug};

use crate::dialect::Dialect;
use crate::mount::Mount;
use crate::operations;
use crate::route::PathMatching;

/// Mounts that have been checked: no two claim the same route.
#[derive(Clone, Debug)]
pub struct Mounts(Vec<Mount>);

/// Two mounts claim the same route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{one} and {other} both claim {route}; give one of them another prefix or a host name of its own{}", self.moves())]
pub struct MountClash {
    /// The one.
    pub one: String,
    /// The other.
    pub other: String,
    /// What both claim.
    pub route: String,
}

impl MountClash {
    /// How the one mount is moved that is not among the others in the configuration.
    fn moves(&self) -> &'static str {
        let between = |mount: &str| [&self.one, &self.other].iter().any(|name| name.starts_with(mount));
        if between("native at ") {
            " (native.prefix moves the native API, to /native/v1 for instance)"
        } else if between("oauth at ") {
            " (oauth.prefix moves introspection and revocation, to /native/oauth for instance)"
        } else {
            ""
        }
    }
}

impl Mounts {
    /// Checks that every route belongs to one mount. A mount owns all that lies below its prefix, so what another mount serves
    /// there would never be reached. A mount with a host name and one for every host do not clash: the host's comes first.
    pub fn check(mounts: Vec<Mount>) -> Result<Self, MountClash> {
        for (at, one) in mounts.iter().enumerate() {
            own(one)?;
            for other in mounts.iter().skip(at + 1).filter(|other| other.host == one.host) {
                if let Some(route) = both_claim(one, other) {
                    return Err(MountClash { one: one.to_string(), other: other.to_string(), route });
                }
            }
        }
        Ok(Self(mounts))
    }

    /// The longest that each span of a session of this tenant gets, by whichever of the mounts that serve it.
    pub fn longest(&self, tenant: &Slug) -> SessionLimits {
        let serving = self.0.iter().filter(|mount| mount.tenant.as_ref().is_none_or(|own| own == tenant));
        serving.map(|mount| mount.dialect.terms().longest()).fold(SessionLimits::NOTHING, SessionLimits::or_longer)
    }

    /// How many contracts count the requests of addresses, and how many bytes these take in all.
    pub fn counted_addresses(&self) -> (usize, usize) {
        self.sum(Dialect::counted_bytes)
    }

    /// How many contracts keep lists for a moment, and how many bytes these take in all.
    pub fn kept_lists(&self) -> (usize, usize) {
        self.sum(Dialect::listed_bytes)
    }

    fn sum(&self, bytes: impl Fn(&dyn Dialect) -> Option<usize>) -> (usize, usize) {
        let held = self.0.iter().filter_map(|mount| bytes(&*mount.dialect));
        held.fold((0, 0), |(contracts, bytes), each| (contracts + 1, bytes + each))
    }

    pub(crate) fn into_inner(self) -> Vec<Mount> {
        self.0
    }
}

fn both_claim(one: &Mount, other: &Mount) -> Option<String> {
    if one.prefix == other.prefix {
        return Some(format!("{}/", one.prefix));
    }
    let (outer, inner) = if one.prefix.len() < other.prefix.len() { (one, other) } else { (other, one) };
    paths(outer).into_iter().find(|path| lies_below(path, &inner.prefix, outer.dialect.paths()))
}

/// The server's own routes stand outside every mount.
fn own(mount: &Mount) -> Result<(), MountClash> {
    let claimed = operations::PATHS.iter().find(|own| {
        paths(mount).iter().any(|path| path == *own)
            || (!mount.prefix.is_empty() && lies_below(own, &mount.prefix, PathMatching::Exact))
    });
    claimed.map_or(Ok(()), |route| {
        Err(MountClash { one: "the server itself".to_owned(), other: mount.to_string(), route: (*route).to_owned() })
    })
}

fn paths(mount: &Mount) -> Vec<String> {
    mount.dialect.routes().iter().map(|route| format!("{}{}", mount.prefix, route.path)).collect()
}

/// Whether a path, or one that its names in braces stand for, is the prefix or lies below it.
fn lies_below(path: &str, prefix: &str, matching: PathMatching) -> bool {
    let mut segments = path.split('/');
    let stands_for = |segment: &str, other: &str| matching.is_same(segment, other) || segment.starts_with('{');
    prefix.split('/').all(|other| segments.next().is_some_and(|segment| stands_for(segment, other)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Native, OAuth, Portos};

    fn native(prefix: &str) -> Mount {
        Mount::at(prefix, Arc::new(Native::new(Native::terms()))).unwrap()
    }

    fn portos(prefix: &str) -> Mount {
        Mount::at(prefix, Arc::new(Portos::new(Portos::terms()))).unwrap()
    }

    fn oauth(prefix: &str) -> Mount {
        Mount::at(prefix, Arc::new(OAuth::new())).unwrap()
    }

    fn clash(mounts: Vec<Mount>) -> Option<String> {
        Mounts::check(mounts).err().map(|clash| clash.to_string())
    }

    #[test]
    fn two_mounts_of_one_route_are_refused_by_both_names() {
        let said = clash(vec![native("/api/v1"), portos("/")]).unwrap();
        for part in ["native at /api/v1", "portos at /", "/api/v1/auth"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(said.contains("native.prefix"), "{said}");
        let tenant = |slug| tillgate_domain::Slug::parse(slug).unwrap();
        let said = clash(vec![portos("/pos").tenant(tenant("one")), portos("/pos").tenant(tenant("two"))]).unwrap();
        assert!(said.contains("portos at /pos for the tenant one and portos at /pos for the tenant two"), "{said}");
        assert!(!said.contains("native.prefix"), "{said}");
        assert!(clash(vec![native(""), portos("/sessions/portos")]).is_some(), "a name in braces stands for it");
        assert!(clash(vec![portos("/portos"), native("/portos")]).is_some());
        assert!(clash(vec![portos("/pos"), native("/pos/api")]).is_some());
        assert!(clash(vec![native("/metrics")]).is_some());
        assert!(clash(vec![native("/.well-known")]).is_some());
        assert!(clash(vec![native("/API/v1"), portos("")]).is_some(), "PORTOS ignores case");
        assert!(clash(vec![native(""), portos("/Sessions")]).is_none(), "the native API does not");
        let said = clash(vec![native("/api/v1"), oauth("/api/v1")]).unwrap();
        assert!(said.contains("native at /api/v1") && said.contains("oauth at /api/v1"), "{said}");
        assert!(clash(vec![oauth("/.well-known")]).is_some());
        let said = clash(vec![oauth("/portos/oauth"), portos("/portos/oauth")]).unwrap();
        assert!(said.contains("oauth.prefix"), "{said}");
    }

    #[test]
    fn a_tenants_sessions_get_the_longest_of_the_mounts_that_serve_it() {
        let slug = |text| Slug::parse(text).unwrap();
        let mounts =
            Mounts::check(vec![native("/api/v1"), oauth("/oauth"), portos("/portos").tenant(slug("default"))]).unwrap();
        assert_eq!(mounts.longest(&slug("default")), Native::terms().longest().or_longer(Portos::terms().longest()));
        assert_eq!(mounts.longest(&slug("bakery")), Native::terms().longest());
        let none = Mounts::check(vec![oauth("/oauth")]).unwrap();
        assert_eq!(none.longest(&slug("default")), SessionLimits::NOTHING, "nobody logs in there");
    }

    #[test]
    fn mounts_that_share_no_route_stand_together() {
        for mounts in [
            vec![native("/api/v1"), portos("/portos")],
            vec![native("/native/v1"), portos("")],
            vec![oauth("/oauth"), portos("")],
            vec![native("/api/v1"), portos("/").host("pos.example")],
            vec![portos("/").host("a.example"), portos("/").host("b.example")],
            vec![portos("/portos"), portos("/portos2")],
        ] {
            assert_eq!(clash(mounts), None);
        }
    }

    #[test]
    fn a_prefix_is_a_plain_path() {
        for bad in ["portos", "//", "/a//b", "/a b", "/{id}", "/a/..", "/ä", "/a?b"] {
            assert!(Mount::at(bad, Arc::new(Portos::new(Portos::terms()))).is_err(), "{bad}");
        }
        assert_eq!(native("/").prefix, "");
        assert_eq!(native("/api/v1/").prefix, "/api/v1");
    }
}
