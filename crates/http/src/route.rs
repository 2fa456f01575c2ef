//! The table of a contract's calls. Whoever adds a call adds a line to its dialect's table, and says there who may make it.

use std::fmt::{self, Write as _};
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

/// How the paths of requests are compared with a contract's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathMatching {
    /// To the letter.
    #[default]
    Exact,
    /// The letters A to Z of literal segments in either case, and with or without a slash at the end, as the frameworks do that the
    /// contract's clients were written against. What stands in the place of a `{name}`, and the mount's prefix, are to the letter.
    Lenient,
}

impl PathMatching {
    /// The patterns that a router finds the route by: the path to the letter first, since it is the usual one and the fastest to
    /// compare.
    pub(crate) fn patterns(self, path: &'static str) -> (&'static str, Option<String>) {
        (path, (self == Self::Lenient).then(|| lenient(path)))
    }

    /// Whether a literal segment is another.
    pub(crate) fn is_same(self, one: &str, other: &str) -> bool {
        one == other || (self == Self::Lenient && one.eq_ignore_ascii_case(other))
    }
}

/// The path in either case and with or without a slash at the end, in the router's language: what lies between names in braces is a
/// name with an expression of its own.
fn lenient(path: &str) -> String {
    let (mut pattern, mut rest) = ("/".to_owned(), path.trim_matches('/'));
    for number in 0.. {
        let (literal, after) = rest.find('{').map_or((rest, ""), |at| rest.split_at(at));
        let (name, next) = after.split_once('}').unwrap_or_default();
        let end = if after.is_empty() { "/?" } else { "" };
        // writing into a text cannot fail
        let _ = write!(pattern, "{{_{number}:{}{end}}}", either_case(literal));
        if after.is_empty() {
            break;
        }
        let _ = write!(pattern, "{name}}}");
        rest = next;
    }
    pattern
}

/// An expression for a literal. Its letters are spelled out: by a flag of the expression letters elsewhere in Unicode would count too.
fn either_case(literal: &str) -> String {
    let mut expression = String::with_capacity(literal.len() * 4);
    for letter in literal.chars() {
        if letter.is_ascii_alphabetic() {
            let _ = write!(expression, "[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        } else if letter.is_ascii_digit() || letter == '/' {
            expression.push(letter);
        } else {
            let _ = write!(expression, "\\{letter}");
        }
    }
    expression
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lenient_pattern_spells_out_both_cases() {
        for (path, pattern) in [
            ("/api/v1", "/{_0:[aA][pP][iI]/[vV]1/?}"),
            ("/a-b/{id}", "/{_0:[aA]\\-[bB]/}{id}{_1:/?}"),
            ("/a/{id}/c", "/{_0:[aA]/}{id}{_1:/[cC]/?}"),
        ] {
            assert_eq!(PathMatching::Lenient.patterns(path), (path, Some(pattern.to_owned())));
            assert_eq!(PathMatching::Exact.patterns(path), (path, None));
        }
    }
}
