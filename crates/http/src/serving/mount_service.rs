//! A mount at run time: its endpoints, and the state that all mounts share.

use std::fmt;
use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header::{ALLOW, HeaderValue};
use tillgate_auth_core::DialectName;

use crate::context::threads::Threads;
use crate::context::{MountContext, ServerContext};
use crate::error::{ApiError, ProtocolError};
use crate::metrics::RouteMetrics;
use crate::request::dpop::{insert_nonce, is_proof_failure};
use crate::request::endpoint_info::{EndpointInfo, UNKNOWN_TEMPLATE};
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::endpoint::{Endpoint, group_by_path};
use crate::serving::mount::Mount;
use crate::serving::route::{PathMatching, Route, RouteInfo};

/// A mount at run time.
pub(crate) struct MountService {
    pub(crate) context: Arc<MountContext>,
    pub(crate) dialect: Arc<dyn Dialect>,
    /// The only host name that the mount serves; `None` for every one.
    pub(crate) host: Option<String>,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    /// What serves the paths that no route has.
    pub(crate) unknown_endpoint: Arc<Endpoint>,
}

impl fmt::Debug for MountService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.context, f)
    }
}

/// Label of all static files in the metrics.
const FILES_LABEL: &str = "(files)";

impl MountService {
    pub(crate) fn new(mount: Mount, shared: &Arc<ServerContext>) -> Arc<Self> {
        let (name, routes) = (mount.dialect.name(), mount.dialect.routes());
        Self::build(mount, name, routes, shared, Arc::clone(&shared.threads))
    }

    /// Creates a mount that serves these routes instead of its dialect's, with the dialect's error
    /// format.
    pub(crate) fn with_routes(
        mount: Mount,
        name: &'static str,
        routes: Vec<Route>,
        shared: &Arc<ServerContext>,
    ) -> Arc<Self> {
        Self::build(mount, name, routes, shared, Arc::clone(&shared.threads))
    }

    /// Creates a mount like [`with_routes`](Self::with_routes), with a thread pool of its own that
    /// requests of other mounts cannot exhaust.
    pub(crate) fn apart(
        mount: Mount,
        name: &'static str,
        routes: Vec<Route>,
        shared: &Arc<ServerContext>,
    ) -> Arc<Self> {
        Self::build(mount, name, routes, shared, Threads::new(shared.settings.threads))
    }

    fn build(
        mount: Mount,
        name: &'static str,
        routes: Vec<Route>,
        shared: &Arc<ServerContext>,
        threads: Arc<Threads>,
    ) -> Arc<Self> {
        let endpoint = |path: &'static str, template: String, routes: Vec<Route>| {
            let file = routes.iter().any(|route| route.is_static_file);
            let meter = RouteMetrics::new(&shared.metrics, name, if file { FILES_LABEL } else { &template });
            let info = Arc::new(EndpointInfo { mount: name, path, template, metrics: meter });
            Arc::new(Endpoint { info, routes })
        };
        let endpoints = group_by_path(routes)
            .into_iter()
            .map(|(path, routes)| endpoint(path, format!("{}{path}", mount.prefix), routes))
            .collect();
        Arc::new(Self {
            context: Arc::new(MountContext {
                dialect_name: DialectName::new(mount.dialect.name()),
                name,
                prefix: mount.prefix,
                tenant: mount.tenant,
                tenant_id: OnceLock::new(),
                terms: mount.dialect.terms().cloned(),
                threads,
                server: Arc::clone(shared),
            }),
            host: mount.host,
            endpoints,
            unknown_endpoint: endpoint("", UNKNOWN_TEMPLATE.to_owned(), Vec::new()),
            dialect: mount.dialect,
        })
    }

    /// Renders the failure in the dialect's format, with the headers that every dialect must send:
    /// `Allow` and `Retry-After`.
    pub(crate) fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        head.meta().error_code.set(Some(failure.code()));
        let (trace, mount) = (head.trace_id(), self.context.name);
        match failure {
            ApiError::Unavailable { reason: why, .. } => tracing::warn!(trace, mount, why, "unavailable"),
            ApiError::Fault(why) => tracing::error!(trace, mount, why, "fault"),
            ApiError::Denied(_) | ApiError::Office(_) | ApiError::Protocol(_) => {}
        }
        let mut response = self.dialect.render_error(failure, head);
        failure.insert_retry_after(response.headers_mut());
        if is_proof_failure(failure) {
            insert_nonce(&self.context.server.auth, response.headers_mut());
        }
        if let ApiError::Protocol(ProtocolError::MethodNotAllowed { allow }) = failure
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }

    /// Returns all registered routes.
    pub(crate) fn route_infos(&self) -> impl Iterator<Item = RouteInfo> {
        self.endpoints.iter().flat_map(|endpoint| {
            endpoint.routes.iter().map(|route| RouteInfo {
                mount: endpoint.info.mount,
                method: route.method.to_string(),
                path: endpoint.info.template.clone(),
                requirement: route.handler.requirement(),
            })
        })
    }

    /// Finds the endpoint that matches a full path leniently.
    pub(crate) fn find_endpoint(&self, path: &str) -> Option<&Arc<Endpoint>> {
        let matching = self.dialect.path_matching();
        let below = path.strip_prefix(&self.context.prefix).filter(|_| matching == PathMatching::Lenient)?;
        self.endpoints.iter().find(|endpoint| matching.matches_template(endpoint.info.path, below))
    }
}
