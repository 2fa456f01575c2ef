//! Where a request comes from, found once at the edge and kept beside the request, and what the edge is told back of it for the
//! log and the metrics.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::rt::time::Instant;
use actix_web::{HttpMessage, HttpRequest};

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::settings::Settings;
use crate::trace::Trace;
use crate::{operations, proxies};

/// The header that bears a trace id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a request comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) trace: Trace,
    pub(crate) address: Option<IpAddr>,
    /// The scheme and host as the proxies name them.
    pub(crate) scheme: Option<&'static str>,
    /// Whether it came over TLS of the server's own.
    pub(crate) own_tls: bool,
    pub(crate) host: Option<String>,
    /// Whether the peer is a trusted proxy.
    proxied: bool,
    /// When the request came in, by the clock of the runtime.
    pub(crate) started: Instant,
    /// Which call it turned out to be.
    pub(crate) endpoint: OnceCell<Arc<Endpoint>>,
    /// The code of its failure.
    pub(crate) code: Cell<Option<&'static str>>,
    /// The path of a call that is none of ours.
    pub(crate) unknown: RefCell<Option<String>>,
    /// The method and the path that a gateway asks about.
    pub(crate) asked: RefCell<Option<String>>,
}

impl Origin {
    /// Finds where a request comes from.
    pub(crate) fn of(request: &ServiceRequest, settings: &Settings) -> Self {
        let connection = request.conn_data::<Rc<Connection>>();
        let own_tls = request.app_config().secure() || connection.is_some_and(|connection| connection.is_secure());
        let origin = Self::read(request.peer_addr(), own_tls, request.headers(), settings);
        // a proxy that asks whether the server lives calls for nobody
        if origin.proxied && !operations::is_probe(request.path()) {
            let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
            proxies::warn_of_silence(peer, settings.proxy_headers, request.headers());
        }
        origin
    }

    /// The same for a request that did not come by the edge.
    pub(crate) fn bare(request: &HttpRequest, settings: &Settings) -> Self {
        Self::read(request.peer_addr(), request.app_config().secure(), request.headers(), settings)
    }

    fn read(peer: Option<SocketAddr>, own_tls: bool, headers: &HeaderMap, settings: &Settings) -> Self {
        let behind = proxies::behind(&settings.proxies, settings.proxy_headers, peer.map(|peer| peer.ip()), headers);
        let given = || headers.get(REQUEST_ID).filter(|_| behind.proxied).and_then(Trace::given);
        Self {
            trace: given().unwrap_or_else(Trace::next),
            address: behind.address,
            proxied: behind.proxied,
            scheme: behind.scheme,
            own_tls,
            host: behind.host,
            started: Instant::now(),
            endpoint: OnceCell::new(),
            code: Cell::new(None),
            unknown: RefCell::new(None),
            asked: RefCell::new(None),
        }
    }

    /// The origin of a request that came by the edge.
    pub(crate) fn kept(request: &impl HttpMessage) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }
}
