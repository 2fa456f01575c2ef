//! The outermost middleware: it determines the metadata of a request, adds the headers that every
//! response has, counts the request, and writes it to the access log.
//!
//! An access log line contains method, route, status, duration, address, mount, trace id and error
//! code. It never contains a query, a body, a header or a token: the route is its template, and the
//! path of an unknown route is shortened to segments that are too short for a token.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method};
use actix_web::{Error, HttpMessage, HttpResponse};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::request::connection::Connection;
use crate::request::endpoint_info::UNKNOWN_TEMPLATE;
use crate::request::head::offers_websocket;
use crate::request::meta::{REQUEST_ID_HEADER, RequestMeta};
use crate::serving::chunked_body::ChunkedBody;
use crate::settings::HttpSettings;

/// The middleware that wraps the whole application.
#[derive(Clone, Debug)]
pub struct RequestLayer {
    settings: Arc<HttpSettings>,
    /// Whether the requests come through the proxies of the settings.
    behind_proxies: bool,
}

impl RequestLayer {
    /// Creates the middleware for a server with these settings.
    pub fn new(settings: &HttpSettings) -> Self {
        Self { settings: Arc::new(settings.clone()), behind_proxies: true }
    }

    /// The same middleware for a listener that no proxy forwards to: a request without a client's
    /// address is nothing to warn about there.
    pub(crate) fn without_proxies(&self) -> Self {
        Self { behind_proxies: false, ..self.clone() }
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequestLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ChunkedBody>;
    type Error = Error;
    type Transform = RequestLayerService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequestLayerService {
            inner,
            settings: Arc::clone(&self.settings),
            behind_proxies: self.behind_proxies,
        }))
    }
}

/// The middleware of one worker.
#[derive(Debug)]
pub struct RequestLayerService<S> {
    inner: S,
    settings: Arc<HttpSettings>,
    behind_proxies: bool,
}

impl<S, B> Service<ServiceRequest> for RequestLayerService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ChunkedBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<ServiceResponse<ChunkedBody>, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let connection = request.conn_data::<Rc<Connection>>().cloned();
        if let Some(connection) = connection.clone().filter(|connection| connection.is_close_announced()) {
            return Box::pin(drop_request(request, connection));
        }
        let origin = Rc::new(RequestMeta::from_service_request(&request, &self.settings));
        if self.behind_proxies {
            origin.warn_if_proxy_is_silent(&request, &self.settings);
        }
        let method = request.method().clone();
        // no other protocol is supported, and the framework closes a connection on which an upgrade
        // was offered; what a client sends after its own `close` is not its request
        let is_last = request.head().upgrade()
            || offers_websocket(request.headers())
            || request.head().connection_type() == ConnectionType::Close;
        let answering = connection.as_ref().map(Connection::begin_response);
        request.extensions_mut().insert(Rc::clone(&origin));
        // not logged: for trace collectors, and without cost if there is none
        let span = tracing::info_span!(
            target: "tillgate::trace",
            "request",
            "otel.kind" = "server",
            method = method.as_str(),
            path = Empty,
            status = Empty,
            mount = Empty,
            trace = origin.trace_id.as_str(),
        );
        let own_tls = origin.own_tls;
        let response = self.inner.call(request).instrument(span.clone());
        Box::pin(async move {
            let response = response.await?;
            let mut response = response.map_body(|_, body| ChunkedBody::new(body.boxed(), answering));
            // a server that is shutting down closes every connection after the response
            if is_last || connection.as_ref().is_some_and(|connection| connection.is_draining()) {
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                if let Some(connection) = connection {
                    connection.announce_close();
                }
            }
            set_default_headers(response.headers_mut(), &origin, own_tls);
            record_response(&origin, &method, &response, &span);
            Ok(response)
        })
    }
}

/// Ignores a request after the response that announced the end of the connection. The framework
/// closes it once every request that it has read is answered, so this response only ends the
/// request, and the listener does not write it.
async fn drop_request(
    request: ServiceRequest,
    connection: Rc<Connection>,
) -> Result<ServiceResponse<ChunkedBody>, Error> {
    connection.wait_until_close_written().await;
    let mut response = HttpResponse::BadRequest().finish();
    response.head_mut().set_connection_type(ConnectionType::Close);
    Ok(request.into_response(response.map_body(|_, body| ChunkedBody::new(body, None))))
}

/// Adds the headers that every response has. Headers set by a handler have precedence.
fn set_default_headers(headers: &mut HeaderMap, origin: &RequestMeta, own_tls: bool) {
    headers.insert(REQUEST_ID_HEADER, origin.trace_id.to_header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let unless_set: [(HeaderName, &'static str); 3] = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    if own_tls {
        // behind a proxy, the proxy is responsible for this header (RFC 6797)
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    for (name, value) in unless_set {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Counts the request, writes its access log line and completes its span.
fn record_response<B>(origin: &RequestMeta, method: &Method, response: &ServiceResponse<B>, span: &Span) {
    let took = origin.started_at.elapsed();
    let (mount, template) = match origin.endpoint.get() {
        Some(endpoint) => {
            endpoint.metrics.count_request(method, response.status(), took);
            (endpoint.mount, endpoint.template.as_str())
        }
        None => ("", UNKNOWN_TEMPLATE),
    };
    let unknown = origin.unknown_path.borrow();
    let path = unknown.as_deref().unwrap_or(template);
    span.record("path", path).record("status", response.status().as_u16()).record("mount", mount);
    tracing::info!(
        target: "tillgate::access",
        method = method.as_str(),
        path,
        status = response.status().as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        address = origin.address.map(tracing::field::display),
        mount,
        trace = origin.trace_id.as_str(),
        code = origin.error_code.get(),
        asked = origin.gateway_target.borrow().as_deref(),
        "request"
    );
}
