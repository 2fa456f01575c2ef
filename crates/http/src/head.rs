//! The head of a request as dialects and handlers see it: what was sent, and who sent it as it is behind trusted proxies.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use actix_web::http::uri::{Authority, PathAndQuery};
use actix_web::http::{Method, Uri};

use crate::access::OriginalRequest;
use crate::error::{ApiError, ProtocolError};
use crate::mount::MountService;
use crate::request_meta::RequestMeta;

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    request: HttpRequest,
    meta: Rc<RequestMeta>,
    mount: Arc<MountService>,
    /// The request that a gateway asks about, in whose place this head stands.
    original: Option<Rc<(Method, Uri)>>,
}

impl RequestHead {
    pub(crate) fn new(request: HttpRequest, origin: Rc<RequestMeta>, mounted: Arc<MountService>) -> Self {
        Self { request, meta: origin, mount: mounted, original: None }
    }

    /// The head of the request that a gateway asks about by this one: its method and target, and everything else as it is here, since a
    /// gateway passes that on.
    pub(crate) fn for_original_request(&self, asked: OriginalRequest) -> Result<Self, ApiError> {
        let target: PathAndQuery = asked.target.parse().map_err(|_| ProtocolError::NoAccessRule)?;
        Ok(Self { original: Some(Rc::new((asked.method, target.into()))), ..self.clone() })
    }

    /// Whether it is the head of a request that a gateway holds and asks about: the body is not here, and what proves the request will be
    /// presented once more to whoever the gateway sends it on to.
    pub fn is_gateway_check(&self) -> bool {
        self.original.is_some()
    }

    fn uri(&self) -> &Uri {
        self.original.as_ref().map_or(self.request.uri(), |about| &about.1)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.original.as_ref().map_or(self.request.method(), |about| &about.0)
    }

    /// The target as it was sent: path and query, percent-encoding untouched.
    pub fn target(&self) -> &str {
        self.uri().path_and_query().map_or("/", |target| target.as_str())
    }

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        self.uri().path()
    }

    /// The path below the mount's prefix, without the query.
    pub fn path_in_mount(&self) -> &str {
        self.path().strip_prefix(self.prefix()).filter(|rest| rest.starts_with('/')).unwrap_or_else(|| self.path())
    }

    /// The path of the route below the mount's prefix, with its names in braces; empty where no route has the path.
    pub fn route_path(&self) -> &'static str {
        self.meta.endpoint.get().map_or("", |endpoint| endpoint.path)
    }

    /// The prefix of the mount; empty at the root.
    pub fn prefix(&self) -> &str {
        &self.mount.prefix
    }

    /// The query as it was sent, without the question mark; empty where there is none.
    pub fn query(&self) -> &str {
        self.uri().query().unwrap_or_default()
    }

    /// What a `{name}` of the route's path stands for here.
    pub fn path_parameter(&self, name: &str) -> &str {
        let path = self.request.match_info();
        path.get(name).or_else(|| self.find_path_parameter(path.as_str(), name)).unwrap_or_default()
    }

    /// The same where the router has not found the route, since the path is not to the letter.
    fn find_path_parameter<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let is_named = |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name);
        let at = self.route_path().split('/').position(is_named)?;
        path.strip_prefix(self.prefix())?.split('/').nth(at)
    }

    /// The headers as they were sent.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The first header of this name, where it is text.
    pub fn header(&self, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// `https` or `http`, as the client called.
    pub fn scheme(&self) -> &'static str {
        self.meta.scheme.unwrap_or(if self.meta.own_tls { "https" } else { "http" })
    }

    /// The host as the client called it, with its port where it named one; empty where it named none. A target in absolute form
    /// counts before `Host` (RFC 9112, 3.2.2).
    pub fn host(&self) -> &str {
        self.meta
            .host
            .as_deref()
            .or_else(|| self.request.uri().authority().map(Authority::as_str))
            .or_else(|| self.header(HOST))
            .unwrap_or_default()
    }

    /// Whether a body may follow. An offer to speak another protocol is declined by an ordinary answer (RFC 9110, 7.8), and what
    /// comes after its head is a body only if the head says how long it is.
    pub(crate) fn has_body(&self) -> bool {
        !self.request.head().upgrade()
            || self.headers().contains_key(CONTENT_LENGTH)
            || self.headers().contains_key(TRANSFER_ENCODING)
    }

    /// The client's own address.
    pub fn address(&self) -> Option<IpAddr> {
        self.meta.address
    }

    /// The trace id of the request.
    pub fn trace_id(&self) -> &str {
        self.meta.trace_id.as_str()
    }

    /// How many bytes the addresses may take that a contract counts.
    pub(crate) fn rate_limiter_byte_limit(&self) -> usize {
        self.mount.server.settings.rate_limiter_bytes
    }

    pub(crate) fn meta(&self) -> &RequestMeta {
        &self.meta
    }
}
