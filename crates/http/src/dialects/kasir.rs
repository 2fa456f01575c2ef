//! POS Kasir: what web front ends and scripts of an Indonesian point of sale speak.
//!
//! A login answers its tokens twice, in the body for scripts and as cookies for browsers, and either proves a later call; where
//! both come the `Authorization` header decides. A session stands on no device, and calls ask for a rank instead of a right.

mod auth;
mod cookies;
mod envelope;
mod logs;
mod pages;
mod people;
mod sender;
mod users;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use tillgate_auth_core::{Evidence, Refresh, Terms, Who};
use tillgate_domain::Secret;

use crate::bearer::bearer;
use crate::cors::WebOrigin;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
use crate::limiter::Limiter;
use crate::route::{PathMatching, Route};

pub use cookies::{SameSite, Secure};

/// POS Kasir.
#[derive(Debug)]
pub struct Kasir {
    terms: Terms,
    web: Arc<Web>,
    limiter: Limiter,
}

/// What POS Kasir holds with browsers.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// The origins of web front ends besides the server's own: their scripts may call with their users' cookies.
    pub origins: Vec<WebOrigin>,
    /// Whether cookies go back over TLS alone.
    pub secure: Secure,
    /// Whether cookies go along with calls from other sites.
    pub same_site: SameSite,
}

impl Kasir {
    /// How many requests an address may send in a minute where no setting says otherwise.
    pub const PER_MINUTE: u32 = 100;

    /// POS Kasir with these terms for its sessions, and so many requests a minute from one address.
    pub fn new(terms: Terms, web: Web, per_minute: u32) -> Self {
        Self { terms, web: Arc::new(web), limiter: Limiter::new(per_minute) }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn terms() -> Terms {
        Terms {
            access: Duration::from_hours(1),
            refresh: Some(Refresh {
                idle: Some(Duration::from_hours(7 * 24)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: true,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        }
    }
}

impl Kasir {
    /// Reads the body of a login: who, and the password.
    ///
    /// # Errors
    /// The body cannot be read, or names the fields that cannot be.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>), Failure> {
        auth::credentials(headers, body)
    }

    /// Reads the body of a refresh: the refresh token, where there is one in it.
    ///
    /// # Errors
    /// There is a body and it cannot be read, or the token is no text.
    pub fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, Failure> {
        auth::renewal(headers, body)
    }
}

impl Dialect for Kasir {
    fn name(&self) -> &'static str {
        "kasir"
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn origins(&self) -> &[WebOrigin] {
        &self.web.origins
    }

    fn admit(&self, head: &Head) -> Result<(), Failure> {
        self.limiter.admit(head)
    }

    fn counted_bytes(&self) -> Option<usize> {
        Some(self.limiter.bytes())
    }

    fn evidence<'r>(&self, head: &'r Head, _body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        // a login proves itself, and so do a refresh and a logout, by another token than this
        if matches!(head.route(), auth::LOGIN | auth::REFRESH | auth::LOGOUT) {
            return Ok(Evidence::None);
        }
        if let Evidence::Bearer(token) = bearer(head.headers())? {
            return Ok(Evidence::Bearer(token));
        }
        let tokens = cookies::sent(head, cookies::ACCESS);
        if tokens.is_empty() {
            return Ok(Evidence::None);
        }
        if !matches!(*head.method(), Method::GET | Method::HEAD) {
            sender::check(&self.web.origins, head)?;
        }
        Ok(Evidence::AnyBearer(tokens))
    }

    fn paths(&self) -> PathMatching {
        PathMatching::Lenient
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes(&self.web);
        routes.extend(users::routes());
        routes.push(logs::route());
        routes
    }

    fn word(&self, failure: &Failure, head: &Head) -> HttpResponse {
        envelope::word(failure, head)
    }
}
