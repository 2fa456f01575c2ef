//! Fiuu POS: what cash registers in Malaysia speak. A register logs in as itself, under a name and a password of its own, and
//! everything ends at its shop's midnight.
//!
//! Bodies are JSON or forms. A refresh proves itself by its refresh token in the `Authorization` header; instants are written as the
//! shop's clocks read them; every refusal bears a number.

mod auth;
mod envelope;
mod terminals;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use tillgate_auth_core::{Evidence, Refresh, Terms, Who};
use tillgate_domain::Secret;

use crate::bearer::bearer;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
use crate::limiter::Limiter;
use crate::route::Route;

/// Fiuu POS.
#[derive(Clone, Debug)]
pub struct Fiuu {
    terms: Terms,
    limiter: Arc<Limiter>,
    lists: Arc<terminals::Lists>,
}

impl Fiuu {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "fiuu";

    /// How many requests an address may send in a minute where no setting says otherwise.
    pub const PER_MINUTE: u32 = 100;

    /// Fiuu POS with these terms for its sessions, and so many requests a minute from one address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(Limiter::new(per_minute)), lists: Arc::default() }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(Refresh { idle: None, overlap: Some(Duration::from_mins(2)), first_reusable: false }),
            absolute: None,
            midnight: true,
            exchange_overlap: None,
        }
    }

    /// Reads the body of a login.
    ///
    /// # Errors
    /// It cannot be read, or bears no name that a register can have.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>), Failure> {
        auth::credentials(headers, body)
    }
}

impl Dialect for Fiuu {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn admit(&self, head: &Head) -> Result<(), Failure> {
        self.limiter.admit(head)
    }

    fn counted_bytes(&self) -> Option<usize> {
        Some(self.limiter.bytes())
    }

    fn listed_bytes(&self) -> Option<usize> {
        Some(self.lists.bytes())
    }

    fn evidence<'r>(&self, head: &'r Head, _body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        bearer(head.headers())
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes();
        routes.push(terminals::route(&self.lists));
        routes
    }

    fn word(&self, failure: &Failure, head: &Head) -> HttpResponse {
        envelope::word(failure, head)
    }
}
