//! Metadata of a request: its origin, determined once by the request layer and stored with the
//! request, and what handlers report back for the log and the metrics.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::rt::time::Instant;
use actix_web::{HttpMessage, HttpRequest};

use crate::proxies;
use crate::request::connection::Connection;
use crate::request::endpoint_info::EndpointInfo;
use crate::request::trace_id::TraceId;
use crate::reserved_paths;
use crate::settings::HttpSettings;

/// Header with the trace id.
pub(crate) const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Metadata of a request.
#[derive(Debug)]
pub(crate) struct RequestMeta {
    pub(crate) trace_id: TraceId,
    pub(crate) address: Option<IpAddr>,
    /// The scheme that the proxies report.
    pub(crate) scheme: Option<&'static str>,
    /// Whether the request was received over the server's own TLS.
    pub(crate) own_tls: bool,
    pub(crate) host: Option<String>,
    /// Whether the peer is a trusted proxy.
    via_proxy: bool,
    /// When the request was received, by the runtime's clock.
    pub(crate) started_at: Instant,
    /// The endpoint of the request, once known.
    pub(crate) endpoint: OnceCell<Arc<EndpointInfo>>,
    /// The error code of the response.
    pub(crate) error_code: Cell<Option<&'static str>>,
    /// The path of a request without a route.
    pub(crate) unknown_path: RefCell<Option<String>>,
    /// Method and path of the original request in a gateway check.
    pub(crate) gateway_target: RefCell<Option<String>>,
}

impl RequestMeta {
    /// Determines the metadata in the request layer.
    pub(crate) fn from_service_request(request: &ServiceRequest, settings: &HttpSettings) -> Self {
        let connection = request.conn_data::<Rc<Connection>>();
        let own_tls = request.app_config().secure() || connection.is_some_and(|connection| connection.is_secure());
        Self::build(request.peer_addr(), own_tls, request.headers(), settings)
    }

    /// Warns if the trusted proxy of the request does not report its client.
    pub(crate) fn warn_if_proxy_is_silent(&self, request: &ServiceRequest, settings: &HttpSettings) {
        // a proxy's own health check has no client
        if self.via_proxy && !reserved_paths::is_probe(request.path()) {
            let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
            proxies::warn_if_headers_missing(peer, settings.proxy_headers, request.headers());
        }
    }

    /// Determines the metadata of a request that did not pass the request layer.
    pub(crate) fn from_http_request(request: &HttpRequest, settings: &HttpSettings) -> Self {
        Self::build(request.peer_addr(), request.app_config().secure(), request.headers(), settings)
    }

    fn build(peer: Option<SocketAddr>, own_tls: bool, headers: &HeaderMap, settings: &HttpSettings) -> Self {
        let behind =
            proxies::resolve_client(&settings.proxies, settings.proxy_headers, peer.map(|peer| peer.ip()), headers);
        let given = || headers.get(REQUEST_ID_HEADER).filter(|_| behind.via_proxy).and_then(TraceId::parse);
        Self {
            trace_id: given().unwrap_or_else(TraceId::next),
            address: behind.address,
            via_proxy: behind.via_proxy,
            scheme: behind.scheme,
            own_tls,
            host: behind.host,
            started_at: Instant::now(),
            endpoint: OnceCell::new(),
            error_code: Cell::new(None),
            unknown_path: RefCell::new(None),
            gateway_target: RefCell::new(None),
        }
    }

    /// Returns the metadata that the request layer has stored.
    pub(crate) fn from_extensions(request: &impl HttpMessage) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }
}

/// Removes everything from a path that could be a token: the query, segments of more than 40
/// characters, and everything after the eighth segment.
pub(crate) fn shorten_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let segment = |segment: &str| match segment.char_indices().nth(40) {
        Some(_) => "…".to_owned(),
        None => segment.to_owned(),
    };
    path.split('/').take(9).map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::shorten_path;

    #[test]
    fn shortened_path_holds_no_token() {
        assert_eq!(shorten_path("/api/v2/sessions/current"), "/api/v2/sessions/current");
        assert_eq!(shorten_path(&format!("/reset/{}/now", "x".repeat(41))), "/reset/…/now");
        assert_eq!(shorten_path("/products?token=secret"), "/products");
        assert_eq!(shorten_path(&"/a".repeat(30)), "/a".repeat(8));
    }
}
