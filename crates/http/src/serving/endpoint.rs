//! A path of a mount with all of its routes; the unit of routing, logs and metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use actix_web::http::Method;

use crate::error::{ApiError, ProtocolError};
use crate::request::endpoint_info::EndpointInfo;
use crate::serving::route::Route;

/// A path of a mount with its routes.
pub(crate) struct Endpoint {
    /// What a request records about it.
    pub(crate) info: Arc<EndpointInfo>,
    /// The routes of this path, one for each method.
    pub(crate) routes: Vec<Route>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.info, self.routes)
    }
}

impl Endpoint {
    /// Whether any route has this path.
    pub(crate) fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }

    /// Returns the route for a method.
    pub(crate) fn find_route(&self, method: &Method) -> Result<&Route, ApiError> {
        if !self.has_routes() {
            return Err(ProtocolError::RouteNotFound.into());
        }
        self.routes
            .iter()
            .find(|route| route.accepts_method(method))
            .ok_or_else(|| ProtocolError::MethodNotAllowed { allow: self.allowed_methods() }.into())
    }

    /// Returns the methods that the path accepts, as in `Allow`.
    pub(crate) fn allowed_methods(&self) -> String {
        let mut methods: Vec<&str> = self.routes.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(", ")
    }
}

/// Groups routes by path, in the order of the first route of each path.
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
