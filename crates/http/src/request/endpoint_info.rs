//! What a request records about the endpoint that serves it: the labels of the access log and the
//! metrics.

use std::fmt;

use crate::metrics::RouteMetrics;

/// The template in logs and metrics of a path that no route has.
pub(crate) const UNKNOWN_TEMPLATE: &str = "(unknown)";

/// The path of a mount that serves a request.
pub(crate) struct EndpointInfo {
    /// The label of the mount.
    pub(crate) mount: &'static str,
    /// The path below the prefix, with parameters in braces; empty if no route has the path.
    pub(crate) path: &'static str,
    /// The whole path, with parameters in braces; [`UNKNOWN_TEMPLATE`] if no route has the path.
    pub(crate) template: String,
    pub(crate) metrics: RouteMetrics,
}

impl fmt::Debug for EndpointInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mount, self.template)
    }
}
