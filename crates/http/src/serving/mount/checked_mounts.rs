//! The check for conflicting mounts at start. A mount owns everything below its prefix. Two mounts
//! therefore conflict if one prefix contains the other, and PORTOS at the root requires a different
//! prefix for the native API.

use tillgate_domain::{SessionLimits, Slug};

use crate::context::MountLimits;
use crate::reserved_paths::RESERVED_PATHS;
use crate::serving::dialect::Dialect;
use crate::serving::mount::Mount;
use crate::serving::route::PathMatching;

/// Mounts of which no two claim the same route.
#[derive(Clone, Debug)]
pub struct Mounts(Vec<Mount>);

/// Two mounts claim the same route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} both claim {route}; give one of them another prefix or its own host name{}", self.relocation_hint())]
pub struct MountClash {
    /// Description of the first mount.
    pub first: String,
    /// Description of the second mount.
    pub second: String,
    /// A route that both mounts claim.
    pub route: String,
}

impl MountClash {
    /// How to move a mount that is not in the list of mounts in the configuration.
    fn relocation_hint(&self) -> &'static str {
        let between = |mount: &str| [&self.first, &self.second].iter().any(|name| name.starts_with(mount));
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
    /// Checks that every route belongs to one mount. A mount owns everything below its prefix, so
    /// routes of another mount there would never be reached. A mount with a host name does not
    /// conflict with one for every host; the one with the host name has precedence.
    pub fn check(mounts: Vec<Mount>) -> Result<Self, MountClash> {
        for (at, one) in mounts.iter().enumerate() {
            check_server_routes(one)?;
            for other in mounts.iter().skip(at + 1).filter(|other| other.host == one.host) {
                if let Some(route) = find_shared_route(one, other) {
                    return Err(MountClash { first: one.to_string(), second: other.to_string(), route });
                }
            }
        }
        Ok(Self(mounts))
    }

    /// Returns the longest lifetimes that sessions of this tenant can have through any mount that
    /// serves it.
    pub fn longest_session_limits(&self, tenant: &Slug) -> SessionLimits {
        self.session_limits().longest(tenant)
    }

    /// The longest limits of the sessions of each mount, with the tenant that it serves.
    pub(crate) fn session_limits(&self) -> MountLimits {
        let of_mount = |mount: &Mount| Some((mount.tenant.clone(), mount.dialect.terms()?.max_limits()));
        MountLimits(self.0.iter().filter_map(of_mount).collect())
    }

    /// Returns the number of mounts with a rate limit, and the total memory of their counted
    /// addresses in bytes.
    pub fn rate_limiter_usage(&self) -> (usize, usize) {
        self.sum_bytes(Dialect::rate_limiter_bytes)
    }

    /// Returns the number of mounts that cache lists, and the total memory of these in bytes.
    pub fn list_cache_usage(&self) -> (usize, usize) {
        self.sum_bytes(Dialect::list_cache_bytes)
    }

    fn sum_bytes(&self, bytes: impl Fn(&dyn Dialect) -> Option<usize>) -> (usize, usize) {
        let per_mount = self.0.iter().filter_map(|mount| bytes(&*mount.dialect));
        per_mount.fold((0, 0), |(contracts, bytes), each| (contracts + 1, bytes + each))
    }

    pub(crate) fn into_inner(self) -> Vec<Mount> {
        self.0
    }
}

fn find_shared_route(one: &Mount, other: &Mount) -> Option<String> {
    if one.prefix == other.prefix {
        return Some(format!("{}/", one.prefix));
    }
    let (outer, inner) = if one.prefix.len() < other.prefix.len() { (one, other) } else { (other, one) };
    full_paths(outer).into_iter().find(|path| is_below(path, &inner.prefix, outer.dialect.path_matching()))
}

/// Checks that the mount does not claim the server's own routes, which are outside of every mount.
fn check_server_routes(mount: &Mount) -> Result<(), MountClash> {
    let claimed = RESERVED_PATHS.iter().find(|reserved| {
        full_paths(mount).iter().any(|path| path == *reserved)
            || (!mount.prefix.is_empty() && is_below(reserved, &mount.prefix, PathMatching::Exact))
    });
    claimed.map_or(Ok(()), |route| {
        Err(MountClash { first: "the server itself".to_owned(), second: mount.to_string(), route: (*route).to_owned() })
    })
}

fn full_paths(mount: &Mount) -> Vec<String> {
    mount.dialect.routes().iter().map(|route| format!("{}{}", mount.prefix, route.path)).collect()
}

/// Whether a path, or one that matches its parameters, is the prefix or below it.
fn is_below(path: &str, prefix: &str, matching: PathMatching) -> bool {
    let mut segments = path.split('/');
    let stands_for = |segment: &str, other: &str| matching.matches_segment(segment, other) || segment.starts_with('{');
    prefix.split('/').all(|other| segments.next().is_some_and(|segment| stands_for(segment, other)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Native, OAuth, Portos};

    fn native(prefix: &str) -> Mount {
        Mount::at_prefix(prefix, Arc::new(Native::new(Native::default_terms()))).unwrap()
    }

    fn portos(prefix: &str) -> Mount {
        Mount::at_prefix(prefix, Arc::new(Portos::new(Portos::default_terms()))).unwrap()
    }

    fn oauth(prefix: &str) -> Mount {
        Mount::at_prefix(prefix, Arc::new(OAuth::new())).unwrap()
    }

    fn find_clash(mounts: Vec<Mount>) -> Option<String> {
        Mounts::check(mounts).err().map(|clash| clash.to_string())
    }

    #[test]
    fn mounts_with_a_shared_route_are_rejected_by_name() {
        let said = find_clash(vec![native("/api/v1"), portos("/")]).unwrap();
        for part in ["native at /api/v1", "portos at /", "/api/v1/auth"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(said.contains("native.prefix"), "{said}");
        let tenant = |slug| tillgate_domain::Slug::parse(slug).unwrap();
        let said =
            find_clash(vec![portos("/pos").with_tenant(tenant("one")), portos("/pos").with_tenant(tenant("two"))])
                .unwrap();
        assert!(said.contains("portos at /pos for the tenant one and portos at /pos for the tenant two"), "{said}");
        assert!(!said.contains("native.prefix"), "{said}");
        assert!(find_clash(vec![native(""), portos("/sessions/portos")]).is_some(), "a name in braces stands for it");
        assert!(find_clash(vec![portos("/portos"), native("/portos")]).is_some());
        assert!(find_clash(vec![portos("/pos"), native("/pos/api")]).is_some());
        assert!(find_clash(vec![native("/metrics")]).is_some());
        assert!(find_clash(vec![native("/.well-known")]).is_some());
        assert!(find_clash(vec![native("/API/v1"), portos("")]).is_some(), "PORTOS ignores case");
        assert!(find_clash(vec![native(""), portos("/Sessions")]).is_none(), "the native API does not");
        let said = find_clash(vec![native("/api/v1"), oauth("/api/v1")]).unwrap();
        assert!(said.contains("native at /api/v1") && said.contains("oauth at /api/v1"), "{said}");
        assert!(find_clash(vec![oauth("/.well-known")]).is_some());
        let said = find_clash(vec![oauth("/portos/oauth"), portos("/portos/oauth")]).unwrap();
        assert!(said.contains("oauth.prefix"), "{said}");
    }

    #[test]
    fn longest_session_limits_come_from_serving_mounts() {
        let slug = |text| Slug::parse(text).unwrap();
        let mounts =
            Mounts::check(vec![native("/api/v1"), oauth("/oauth"), portos("/portos").with_tenant(slug("default"))])
                .unwrap();
        assert_eq!(
            mounts.longest_session_limits(&slug("default")),
            Native::default_terms().max_limits().or_longer(Portos::default_terms().max_limits())
        );
        assert_eq!(mounts.longest_session_limits(&slug("bakery")), Native::default_terms().max_limits());
        let none = Mounts::check(vec![oauth("/oauth")]).unwrap();
        assert_eq!(none.longest_session_limits(&slug("default")), SessionLimits::ZERO, "nobody logs in there");
    }

    #[test]
    fn mounts_without_shared_routes_are_accepted() {
        for mounts in [
            vec![native("/api/v1"), portos("/portos")],
            vec![native("/native/v1"), portos("")],
            vec![oauth("/oauth"), portos("")],
            vec![native("/api/v1"), portos("/").with_host("pos.example")],
            vec![portos("/").with_host("a.example"), portos("/").with_host("b.example")],
            vec![portos("/portos"), portos("/portos2")],
        ] {
            assert_eq!(find_clash(mounts), None);
        }
    }

    #[test]
    fn prefix_must_be_a_plain_path() {
        for good in ["", "/portos", "/native/v1", "/a.b-c_d~e"] {
            assert!(Mount::is_prefix(good), "{good}");
        }
        for slash in ["/", "/portos/"] {
            assert!(!Mount::is_prefix(slash), "only `at_prefix` removes the slash of {slash}");
        }
        for bad in ["portos", "//", "/a//b", "/a b", "/{id}", "/a/..", "/a/../b", "/ä", "/a?b"] {
            assert!(Mount::at_prefix(bad, Arc::new(Portos::new(Portos::default_terms()))).is_err(), "{bad}");
        }
        assert_eq!(native("/").prefix, "");
        assert_eq!(native("/api/v1/").prefix, "/api/v1");
    }
}
