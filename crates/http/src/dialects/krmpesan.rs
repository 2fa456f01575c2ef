//! krmpesan: what a server-side SDK in Indonesia speaks. It holds one refresh token per device that lasts for ever, and refreshes
//! before every request.
//!
//! The refresh token and the name of its pairing come in the query, whatever the method; the body, its type and a stale
//! `Authorization` header are never looked at. Tokens are had from the command line and from a page for people, by the user's
//! password.

mod app;
mod devices;
mod envelope;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{Evidence, Refresh, Terms};

use crate::bearer::bearer;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
use crate::limiter::Limiter;
use crate::route::Route;

/// krmpesan.
#[derive(Clone, Debug)]
pub struct Krmpesan {
    terms: Terms,
    /// Counts wrong tokens by address.
    wrong: Arc<Limiter>,
}

impl Krmpesan {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "krmpesan";

    /// How many wrong tokens an address may present in a minute; the next is answered 429. A good one is answered always.
    const WRONG_PER_MINUTE: u32 = 60;

    /// krmpesan with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms, wrong: Arc::new(Limiter::new(Self::WRONG_PER_MINUTE)) }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn terms() -> Terms {
        Terms {
            access: Duration::from_hours(24),
            refresh: Some(Refresh { idle: None, overlap: None, first_reusable: false }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        }
    }
}

impl Dialect for Krmpesan {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn counted_bytes(&self) -> Option<usize> {
        Some(self.wrong.bytes())
    }

    fn evidence<'r>(&self, head: &'r Head, _body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        bearer(head.headers())
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = tokens::routes(&self.wrong);
        routes.push(devices::route());
        routes.extend(app::routes());
        routes
    }

    fn word(&self, failure: &Failure, _head: &Head) -> HttpResponse {
        envelope::word(failure)
    }
}
