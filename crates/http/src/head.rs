//! The head of a request as dialects and handlers see it: what was sent, and who sent it as it is behind trusted proxies.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::http::uri::Authority;

use crate::mount::Mounted;
use crate::origin::Origin;

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Head {
    request: HttpRequest,
    origin: Rc<Origin>,
    mounted: Arc<Mounted>,
}

impl Head {
    pub(crate) fn new(request: HttpRequest, origin: Rc<Origin>, mounted: Arc<Mounted>) -> Self {
        Self { request, origin, mounted }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The target as it was sent: path and query, percent-encoding untouched.
    pub fn target(&self) -> &str {
        self.request.uri().path_and_query().map_or("/", |target| target.as_str())
    }

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// The path below the mount's prefix, without the query.
    pub fn path_in_mount(&self) -> &str {
        self.path().strip_prefix(self.prefix()).filter(|rest| rest.starts_with('/')).unwrap_or_else(|| self.path())
    }

    /// The path of the route below the mount's prefix, with its names in braces; empty where no route has the path.
    pub fn route(&self) -> &'static str {
        self.origin.endpoint.get().map_or("", |endpoint| endpoint.path)
    }

    /// The prefix of the mount; empty at the root.
    pub fn prefix(&self) -> &str {
        &self.mounted.prefix
    }

    /// The query as it was sent, without the question mark; empty where there is none.
    pub fn query(&self) -> &str {
        self.request.query_string()
    }

    /// What a `{name}` of the route's path stands for here.
    pub fn segment(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
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
        self.origin.scheme.unwrap_or(if self.request.app_config().secure() { "https" } else { "http" })
    }

    /// The host as the client called it, with its port where it named one; empty where it named none.
    pub fn host(&self) -> &str {
        self.origin
            .host
            .as_deref()
            .or_else(|| self.header(HOST))
            .or_else(|| self.request.uri().authority().map(Authority::as_str))
            .unwrap_or_default()
    }

    /// The client's own address.
    pub fn address(&self) -> Option<IpAddr> {
        self.origin.address
    }

    /// The trace id of the request.
    pub fn trace(&self) -> &str {
        self.origin.trace.as_str()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}
