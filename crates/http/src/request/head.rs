//! The head of a request for dialects and handlers: what the client sent, and its address, scheme
//! and host, also behind trusted proxies.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, HOST, Header, HeaderMap, TRANSFER_ENCODING, UPGRADE};
use actix_web::http::uri::{Authority, PathAndQuery};
use actix_web::http::{Method, Uri};

use crate::access_rule::OriginalRequest;
use crate::context::MountContext;
use crate::error::{ApiError, ProtocolError};
use crate::proxies::is_host;
use crate::request::connection::Connection;
use crate::request::meta::RequestMeta;

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    request: HttpRequest,
    meta: Rc<RequestMeta>,
    mount: Arc<MountContext>,
    /// The original request of a gateway check, which replaces method and target of this head.
    original: Option<Rc<(Method, Uri)>>,
}

impl RequestHead {
    pub(crate) fn new(request: HttpRequest, origin: Rc<RequestMeta>, mount: Arc<MountContext>) -> Self {
        Self { request, meta: origin, mount, original: None }
    }

    /// Returns the head of the request that a gateway asks about: its method and target, with
    /// everything else of this request, since a gateway passes that on.
    pub(crate) fn for_original_request(&self, original: OriginalRequest) -> Result<Self, ApiError> {
        let target: PathAndQuery = original.target.parse().map_err(|_| ProtocolError::NoAccessRule)?;
        Ok(Self { original: Some(Rc::new((original.method, target.into()))), ..self.clone() })
    }

    /// Whether this is the head of a gateway check. Then the body is not available, and the same
    /// credentials will be presented again to the API behind the gateway.
    pub fn is_gateway_check(&self) -> bool {
        self.original.is_some()
    }

    fn uri(&self) -> &Uri {
        self.original.as_ref().map_or(self.request.uri(), |about| &about.1)
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        self.original.as_ref().map_or(self.request.method(), |about| &about.0)
    }

    /// Returns path and query as sent, percent-encoded.
    pub fn target(&self) -> &str {
        self.uri().path_and_query().map_or("/", |target| target.as_str())
    }

    /// Returns the path as sent, without the query.
    pub fn path(&self) -> &str {
        self.uri().path()
    }

    /// Returns the path below the mount's prefix, without the query.
    pub fn path_in_mount(&self) -> &str {
        self.path().strip_prefix(self.prefix()).filter(|rest| rest.starts_with('/')).unwrap_or_else(|| self.path())
    }

    /// Returns the path of the route below the mount's prefix, with parameter names in braces;
    /// empty if no route has the path.
    pub fn route_path(&self) -> &'static str {
        self.meta.endpoint.get().map_or("", |endpoint| endpoint.path)
    }

    /// Returns the prefix of the mount; empty at the root.
    pub fn prefix(&self) -> &str {
        &self.mount.prefix
    }

    /// Returns the query as sent, without the question mark; may be empty.
    pub fn query(&self) -> &str {
        self.uri().query().unwrap_or_default()
    }

    /// Returns the value of the parameter `{name}` of the route's path.
    pub fn path_parameter(&self, name: &str) -> &str {
        let path = self.request.match_info();
        path.get(name).or_else(|| self.find_path_parameter(path.as_str(), name)).unwrap_or_default()
    }

    /// Finds a parameter if the router did not match the route, because the path only matches
    /// leniently.
    fn find_path_parameter<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let is_named = |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name);
        let at = self.route_path().split('/').position(is_named)?;
        path.strip_prefix(self.prefix())?.split('/').nth(at)
    }

    /// Returns the headers as sent.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Returns the first header with this name, if it is text.
    pub fn header(&self, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Parses a header of the framework; `None` if it is malformed.
    pub(crate) fn typed_header<H: Header>(&self) -> Option<H> {
        H::parse(&self.request).ok()
    }

    /// Returns the scheme that the client used, `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        self.meta.scheme.unwrap_or(if self.meta.own_tls { "https" } else { "http" })
    }

    /// Returns the host that the client used, with its port if sent; may be empty. A target in
    /// absolute form takes precedence over `Host` (RFC 9112, 3.2.2).
    pub fn host(&self) -> &str {
        self.meta
            .host
            .as_deref()
            .or_else(|| self.request.uri().authority().map(Authority::as_str))
            .or_else(|| self.header(HOST))
            .unwrap_or_default()
    }

    /// Returns the URI of the request as its client knows it, without the query: below the address
    /// at which people reach the server, if that is set, otherwise of the scheme and host that the
    /// client used. A gateway serves other addresses, so what it reports has precedence.
    ///
    /// It is the path alone, with which no proof agrees, if the client sent no host, or one with
    /// other characters: `pos.example/x?` would hide the path.
    pub(crate) fn public_uri(&self) -> String {
        let is_reported = self.is_gateway_check() && self.meta.host.is_some();
        match &self.mount.server.settings.public_url {
            Some(url) if !is_reported => format!("{}{}", url.trim_end_matches('/'), self.path()),
            _ if is_host(self.host()) => format!("{}://{}{}", self.scheme(), self.host(), self.path()),
            _ => self.path().to_owned(),
        }
    }

    /// Whether the request may have a body. An offer to switch protocols is declined by an ordinary
    /// response (RFC 9110, 7.8), and what follows its head is a body only if the head declares its
    /// length.
    pub(crate) fn has_body(&self) -> bool {
        !(self.request.head().upgrade() || offers_websocket(self.headers()))
            || self.headers().contains_key(CONTENT_LENGTH)
            || self.headers().contains_key(TRANSFER_ENCODING)
    }

    /// Returns the length at which the body ends although the framework passes what follows it,
    /// too: it takes everything after the head of an offer of WebSocket for the body.
    pub(crate) fn body_end(&self) -> Option<usize> {
        let is_open_ended = offers_websocket(self.headers()) && !self.headers().contains_key(TRANSFER_ENCODING);
        is_open_ended.then(|| self.header(CONTENT_LENGTH).and_then(|length| length.trim().parse().ok()).unwrap_or(0))
    }

    /// Returns the address of the client.
    pub fn address(&self) -> Option<IpAddr> {
        self.meta.address
    }

    /// Returns the state of the connection, if the listener shares it.
    pub(crate) fn connection(&self) -> Option<Rc<Connection>> {
        self.request.conn_data::<Rc<Connection>>().cloned()
    }

    /// Returns the trace id of the request.
    pub fn trace_id(&self) -> &str {
        self.meta.trace_id.as_str()
    }

    /// Returns the memory limit of the addresses counted by a rate limit, in bytes.
    pub(crate) fn rate_limiter_byte_limit(&self) -> usize {
        self.mount.server.settings.rate_limiter_bytes
    }

    pub(crate) fn meta(&self) -> &RequestMeta {
        &self.meta
    }
}

/// Whether the request offers to switch to WebSocket, as the framework reads it: with or without
/// `Connection: Upgrade`.
pub(crate) fn offers_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).any(|offer| offer.to_str().is_ok_and(|name| name.trim().eq_ignore_ascii_case("websocket")))
}
