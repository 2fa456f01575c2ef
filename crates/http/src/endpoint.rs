//! A path of a mount with all that is served there: one entry of the routers, the log and the metrics.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::http::Method;

use crate::error::{ApiError, ProtocolError};
use crate::metrics::RouteMetrics;
use crate::route::Route;

/// The template of a path that no route has.
pub(crate) const UNKNOWN_TEMPLATE: &str = "(unknown)";

/// A path of a mount.
pub(crate) struct Endpoint {
    /// The label of the mount.
    pub(crate) mount: &'static str,
    /// The path below the prefix.
    pub(crate) path: &'static str,
    /// The whole path with its names in braces; [`UNKNOWN_TEMPLATE`] for those that no route has.
    pub(crate) template: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) metrics: RouteMetrics,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.mount, self.template, self.routes)
    }
}

impl Endpoint {
    /// Whether any route has this path.
    pub(crate) fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }

    /// The route for a method.
    pub(crate) fn find_route(&self, method: &Method) -> Result<&Route, ApiError> {
        if !self.has_routes() {
            return Err(ProtocolError::RouteNotFound.into());
        }
        self.routes
            .iter()
            .find(|route| route.accepts_method(method))
            .ok_or_else(|| ProtocolError::MethodNotAllowed { allow: self.allowed_methods() }.into())
    }

    /// The methods that the path is there for.
    pub(crate) fn allowed_methods(&self) -> String {
        let mut methods: Vec<&str> = self.routes.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(", ")
    }
}

/// Brings routes together by path, in the order of the paths' first routes.
pub(crate) fn group_by_path(routes: Vec<Route>) -> Vec<(&'static str, Vec<Route>)> {
    let mut order: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut paths: Vec<(&'static str, Vec<Route>)> = Vec::new();
    for route in routes {
        let at = *order.entry(route.path).or_insert(paths.len());
        match paths.get_mut(at) {
            Some((_, together)) => together.push(route),
            None => paths.push((route.path, vec![route])),
        }
    }
    paths
}
