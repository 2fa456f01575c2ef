//! The table of a contract's calls. Whoever adds a call adds a line to its dialect's table, and says there who may make it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::http::Method;
use tillgate_auth_core::Caller;

use crate::openapi::Entry;
use crate::{Call, Failure};

/// What a handler will have answered.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>>>>;

/// A handler, and who it is for.
pub(crate) enum Handler {
    /// For anybody: the caller proves themselves in the body, or need not.
    Open(Box<dyn Fn(Call) -> Answering + Send + Sync>),
    /// For those who have proved who they are.
    Known(Box<dyn Fn(Call, Caller) -> Answering + Send + Sync>),
}

/// A call of a contract.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) gated: bool,
    /// What the document says of it; nothing of what is published elsewhere.
    pub(crate) entry: Option<fn() -> Entry>,
}

impl Route {
    /// A call that anybody may make. `path` is below the mount's prefix, with `{name}` for what varies; a `GET` answers `HEAD`
    /// too (RFC 9110, 9.3.2).
    pub fn open<F: Future<Output = Result<HttpResponse, Failure>> + 'static>(
        method: Method,
        path: &'static str,
        handler: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            method,
            path,
            handler: Handler::Open(Box::new(move |call| Box::pin(handler(call)))),
            gated: true,
            entry: None,
        }
    }

    /// A call for those who have proved who they are: without a proof that holds, the handler does not run.
    pub fn known<F: Future<Output = Result<HttpResponse, Failure>> + 'static>(
        method: Method,
        path: &'static str,
        handler: impl Fn(Call, Caller) -> F + Send + Sync + 'static,
    ) -> Self {
        let handler = Handler::Known(Box::new(move |call, caller| Box::pin(handler(call, caller))));
        Self { method, path, handler, gated: true, entry: None }
    }

    /// The same call, served while the [`Gate`](crate::Gate) is shut too.
    pub(crate) fn always(self) -> Self {
        Self { gated: false, ..self }
    }

    /// The same call, with what the document says of it.
    pub(crate) fn told(self, entry: fn() -> Entry) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// Whether the route answers this method.
    pub(crate) fn answers(&self, method: &Method) -> bool {
        self.method == *method || (self.method == Method::GET && *method == Method::HEAD)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A route as the whole server lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// The label of the mount's dialect; `server` for what belongs to no mount.
    pub mount: &'static str,
    /// The method.
    pub method: String,
    /// The whole path, prefix included.
    pub path: String,
    /// Whether anybody may call it.
    pub open: bool,
}
