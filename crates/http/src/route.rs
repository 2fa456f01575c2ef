//! The table of a contract's calls. Whoever adds a call adds a line to its dialect's table, and says there who may make it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::http::Method;
use tillgate_auth_core::Caller;

use crate::openapi::OperationDoc;
use crate::{ApiError, Request};

/// What a handler will have answered.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Result<HttpResponse, ApiError>>>>;

/// A handler, and who it is for.
pub(crate) enum Handler {
    /// For anybody: the caller proves themselves in the body, or need not.
    Public(Box<dyn Fn(Request) -> HandlerFuture + Send + Sync>),
    /// For those who have proved who they are.
    Authenticated(Box<dyn Fn(Request, Caller) -> HandlerFuture + Send + Sync>),
}

/// A call of a contract.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) requires_readiness: bool,
    /// How large a body may be at least, whatever the settings say.
    pub(crate) min_body_limit: usize,
    /// Whether its failures bear their code in a header, for gateways.
    pub(crate) sets_error_code: bool,
    /// Whether it is a file of a page: all of them are counted as one.
    pub(crate) is_static_file: bool,
    /// What the document says of it; nothing of what is published elsewhere.
    pub(crate) documentation: Option<fn() -> OperationDoc>,
}

impl Route {
    /// A call that anybody may make. `path` is below the mount's prefix, with `{name}` for what varies; a `GET` answers `HEAD`
    /// too (RFC 9110, 9.3.2).
    pub fn public<F: Future<Output = Result<HttpResponse, ApiError>> + 'static>(
        method: Method,
        path: &'static str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            method,
            path,
            handler: Handler::Public(Box::new(move |call| Box::pin(handler(call)))),
            requires_readiness: true,
            min_body_limit: 0,
            sets_error_code: false,
            is_static_file: false,
            documentation: None,
        }
    }

    /// A call for those who have proved who they are: without a proof that holds, the handler does not run.
    pub fn authenticated<F: Future<Output = Result<HttpResponse, ApiError>> + 'static>(
        method: Method,
        path: &'static str,
        handler: impl Fn(Request, Caller) -> F + Send + Sync + 'static,
    ) -> Self {
        let handler = Handler::Authenticated(Box::new(move |call, caller| Box::pin(handler(call, caller))));
        Self {
            method,
            path,
            handler,
            requires_readiness: true,
            min_body_limit: 0,
            sets_error_code: false,
            is_static_file: false,
            documentation: None,
        }
    }

    /// The same call, served while the [`Gate`](crate::Gate) is shut too.
    pub(crate) fn served_before_ready(self) -> Self {
        Self { requires_readiness: false, ..self }
    }

    /// The same call, with bodies of so many bytes, also where the settings take only smaller ones.
    pub(crate) fn with_body_limit(self, body: usize) -> Self {
        Self { min_body_limit: body, ..self }
    }

    /// The same call, for gateways: its failures bear their code in a header.
    pub(crate) fn with_error_code_header(self) -> Self {
        Self { sets_error_code: true, ..self }
    }

    /// The same call, as a file of a page.
    pub(crate) fn static_file(self) -> Self {
        Self { is_static_file: true, ..self }
    }

    /// The same call, with what the document says of it.
    pub(crate) fn documented(self, entry: fn() -> OperationDoc) -> Self {
        Self { documentation: Some(entry), ..self }
    }

    /// Whether the route answers this method.
    pub(crate) fn accepts_method(&self, method: &Method) -> bool {
        self.method == *method || (self.method == Method::GET && *method == Method::HEAD)
    }
}

/// How the paths of requests are compared with a contract's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathMatching {
    /// To the letter.
    #[default]
    ExactJson,
    /// The letters A to Z of literal segments in either case, and with or without a slash at the end, as the frameworks do that the
    /// contract's clients were written against. What stands in the place of a `{name}`, and the mount's prefix, are to the letter.
    Lenient,
}

impl PathMatching {
    /// Whether a literal segment is another.
    pub(crate) fn matches_segment(self, one: &str, other: &str) -> bool {
        one == other || (self == Self::Lenient && one.eq_ignore_ascii_case(other))
    }

    /// Whether a path, below the mount's prefix, is one that the template of a route stands for.
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

/// A route as the whole server lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteInfo {
    /// The label of the mount's dialect; `server` for what belongs to no mount.
    pub mount: &'static str,
    /// The method.
    pub method: String,
    /// The whole path, prefix included.
    pub path: String,
    /// Whether anybody may call it.
    pub public: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_matches_template_exactly_or_leniently() {
        use PathMatching::{ExactJson, Lenient};
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
                (ExactJson.matches_template(template, path), Lenient.matches_template(template, path)),
                (exact, lenient),
                "{path}"
            );
        }
    }
}
