//! A dialect's routes are a table. Registration, the check for conflicting mounts, the `Allow`
//! header of a 405 and the matrix of rights read the same rows. To add an operation, add a row with
//! its handler; the row also says who may call it.
//!
//! One function (`serve.rs`) renders every failure in the dialect's format, since the credentials
//! of a request may require its body first. The only middleware is the request layer (trace ids,
//! access log, security headers).

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::http::Method;
use tillgate_auth_core::Caller;
use tillgate_domain::{Subject, SubjectKind};
use utoipa::openapi::path::HttpMethod;

use crate::error::ApiError;
use crate::openapi::{DocumentedCall, OperationDoc};
use crate::request::Request;
use crate::request::head::RequestHead;
use crate::serving::requirement::Requirement;

/// The future of a handler.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Result<HttpResponse, ApiError>>>>;

/// A handler, with or without authentication.
pub(crate) enum Handler {
    /// A handler for every client; credentials, if any, are in the body.
    Public(Box<dyn Fn(Request) -> HandlerFuture + Send + Sync>),
    /// A handler for authenticated callers who meet the requirement.
    Authenticated(Requirement, Box<dyn Fn(Request, Caller) -> HandlerFuture + Send + Sync>),
    /// For gateways, which ask whether a request of another API may pass: the access rules decide,
    /// and this renders the caller.
    Gateway(fn(&Caller) -> Result<HttpResponse, ApiError>),
}

impl Handler {
    /// What a caller must have; `None` if the call itself requires no authentication.
    pub(crate) fn requirement(&self) -> Option<Requirement> {
        match self {
            Self::Authenticated(requirement, _) => Some(*requirement),
            Self::Public(_) | Self::Gateway(_) => None,
        }
    }
}

/// A route of a dialect.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) requires_readiness: bool,
    /// Minimum of the body size limit in bytes, whatever the settings say.
    pub(crate) min_body_limit: usize,
    /// Whether error responses have their code in a header, for gateways.
    pub(crate) sets_error_code: bool,
    /// Whether it is a file of a page; all files have one label in the metrics.
    pub(crate) is_static_file: bool,
    /// What kind of thing the `{id}` of the path names; `None` if the path names nothing that the
    /// audit log knows.
    pub(crate) subject: Option<SubjectKind>,
    /// OpenAPI documentation; `None` for contracts that are published elsewhere.
    pub(crate) documentation: Option<fn() -> OperationDoc>,
}

impl Route {
    /// Creates a route without authentication. `path` is below the mount's prefix, with `{name}`
    /// for parameters. A `GET` route also answers `HEAD` (RFC 9110, 9.3.2).
    pub fn public<F: Future<Output = Result<HttpResponse, ApiError>> + 'static>(
        method: Method,
        path: &'static str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::new(method, path, Handler::Public(Box::new(move |call| Box::pin(handler(call)))))
    }

    /// Creates a route that requires authentication: the handler runs only for callers with valid
    /// credentials who meet the requirement. A caller who does not meet it is denied before the
    /// path, the conditions and the body of the request are examined.
    pub fn authenticated<F: Future<Output = Result<HttpResponse, ApiError>> + 'static>(
        method: Method,
        path: &'static str,
        requirement: Requirement,
        handler: impl Fn(Request, Caller) -> F + Send + Sync + 'static,
    ) -> Self {
        let run = move |call, caller| -> HandlerFuture { Box::pin(handler(call, caller)) };
        Self::new(method, path, Handler::Authenticated(requirement, Box::new(run)))
    }

    /// The call by which a gateway asks whether a request of another API may pass.
    /// `render_identity` makes the response that lets it pass. Its errors carry their code in a
    /// header, since gateways do not read bodies.
    pub(crate) fn gateway_check(
        path: &'static str,
        render_identity: fn(&Caller) -> Result<HttpResponse, ApiError>,
    ) -> Self {
        Self { sets_error_code: true, ..Self::new(Method::GET, path, Handler::Gateway(render_identity)) }
    }

    fn new(method: Method, path: &'static str, handler: Handler) -> Self {
        Self {
            method,
            path,
            handler,
            requires_readiness: true,
            min_body_limit: 0,
            sets_error_code: false,
            is_static_file: false,
            subject: None,
            documentation: None,
        }
    }

    /// Serves the route even while the [`ReadinessGate`](crate::ReadinessGate) is closed.
    pub(crate) fn served_before_ready(self) -> Self {
        Self { requires_readiness: false, ..self }
    }

    /// Accepts bodies of up to `body` bytes, even if the settings have a smaller limit.
    pub(crate) fn with_body_limit(self, body: usize) -> Self {
        Self { min_body_limit: body, ..self }
    }

    /// Marks the route as a file of a page.
    pub(crate) fn static_file(self) -> Self {
        Self { is_static_file: true, ..self }
    }

    /// The same call, whose `{id}` in the path identifies a record of this kind: the subject of a
    /// denial in the audit log.
    pub(crate) fn about(self, kind: SubjectKind) -> Self {
        Self { subject: Some(kind), ..self }
    }

    /// The same calls, each of them [`about`](Self::about) this kind.
    pub(crate) fn all_about(kind: SubjectKind, routes: Vec<Self>) -> Vec<Self> {
        routes.into_iter().map(|route| route.about(kind)).collect()
    }

    /// The thing that the path of a request for this route names, for the audit log.
    pub(crate) fn find_subject(&self, head: &RequestHead) -> Option<Subject> {
        Subject::of(self.subject?, Some(head.path_parameter("id").parse().ok()?))
    }

    /// Adds the OpenAPI documentation.
    pub(crate) fn documented(self, entry: fn() -> OperationDoc) -> Self {
        Self { documentation: Some(entry), ..self }
    }

    /// The same call with another handler, if it requires authentication: the same requirement and
    /// documentation.
    pub(crate) fn with_handler<F: Future<Output = Result<HttpResponse, ApiError>> + 'static>(
        self,
        handler: impl Fn(Request, Caller) -> F + Send + Sync + 'static,
    ) -> Self {
        let Handler::Authenticated(requirement, _) = self.handler else { return self };
        let run = move |call, caller| -> HandlerFuture { Box::pin(handler(call, caller)) };
        Self { handler: Handler::Authenticated(requirement, Box::new(run)), ..self }
    }

    /// The same call without its documentation, for a second mount of it.
    pub(crate) fn undocumented(self) -> Self {
        Self { documentation: None, ..self }
    }

    /// The call as the OpenAPI document describes it, for a mount at `prefix`; `None` if it is
    /// documented elsewhere.
    pub(crate) fn documented_call(&self, prefix: &str) -> Option<DocumentedCall> {
        Some(DocumentedCall {
            method: parse_method(self.method.as_str())?,
            path: format!("{prefix}{}", self.path),
            requirement: self.handler.requirement(),
            documentation: self.documentation?,
        })
    }

    /// Whether the route accepts this method.
    pub(crate) fn accepts_method(&self, method: &Method) -> bool {
        self.method == *method || (self.method == Method::GET && *method == Method::HEAD)
    }
}

fn parse_method(name: &str) -> Option<HttpMethod> {
    Some(match name {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}

/// How request paths are compared with a contract's paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathMatching {
    /// Literal segments are compared byte by byte.
    #[default]
    Exact,
    /// Literal segments ignore the case of A to Z and a trailing slash is optional, like in the
    /// frameworks that the contract's clients were written for. Parameters and the mount's prefix
    /// are compared exactly.
    Lenient,
}

impl PathMatching {
    /// Whether two literal segments are equal.
    pub(crate) fn matches_segment(self, one: &str, other: &str) -> bool {
        one == other || (self == Self::Lenient && one.eq_ignore_ascii_case(other))
    }

    /// Whether a path below the mount's prefix matches the template of a route.
    pub(crate) fn matches_template(self, template: &str, path: &str) -> bool {
        let path = if self == Self::Lenient { path.strip_suffix('/').unwrap_or(path) } else { path };
        let mut segments = path.split('/');
        let fits = |part: &str, segment: &str| {
            if part.starts_with('{') { !segment.is_empty() } else { self.matches_segment(part, segment) }
        };
        template.split('/').all(|part| segments.next().is_some_and(|segment| fits(part, segment)))
            && segments.next().is_none()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A route in the list of all routes of the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteInfo {
    /// Name of the mount's dialect; `server` for routes outside of every mount.
    pub mount: &'static str,
    /// HTTP method of the route.
    pub method: String,
    /// Full path with the mount's prefix.
    pub path: String,
    /// What a caller must have; `None` if the route requires no authentication.
    pub requirement: Option<Requirement>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_matches_template_exactly_or_leniently() {
        use PathMatching::{Exact, Lenient};
        for (template, path, exact, lenient) in [
            ("/api/v1", "/api/v1", true, true),
            ("/api/v1", "/API/v1", false, true),
            ("/api/v1", "/api/v1/", false, true),
            ("/api/v1", "/api/v1//", false, false),
            ("/api/v1", "/api", false, false),
            ("/api/v1", "/api/v1/x", false, false),
            ("/a/{id}/c", "/a/Id/c", true, true),
            ("/a/{id}/c", "/A/Id/C/", false, true),
            ("/a/{id}/c", "/a//c", false, false),
            ("/a/{id}", "/a/", false, false),
            ("/a/{id}", "/a//", false, false),
            ("/books", "/boo\u{212a}s", false, false),
        ] {
            assert_eq!(
                (Exact.matches_template(template, path), Lenient.matches_template(template, path)),
                (exact, lenient),
                "{path}"
            );
        }
    }
}
