//! PosStar: what the web, mobile and desktop apps of many vendors speak.
//!
//! Anybody registers a vendor and is its admin; an e-mail address finds its vendor at login. There is one token, which is exchanged for
//! the next; a session stands on no device. Whatever belongs to another vendor reads as what is not there.

mod auth;
mod envelope;
mod register;
mod reset;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{Evidence, Terms};

use crate::bearer::bearer;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
use crate::limiter::Limiter;
use crate::route::{PathMatching, Route};

/// PosStar.
#[derive(Clone, Debug)]
pub struct PosStar {
    terms: Terms,
    /// Counts what an address registers and asks to reset.
    limiter: Arc<Limiter>,
}

impl PosStar {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "posstar";

    /// How many vendors an address may register and resets it may ask for in a minute where no setting says otherwise.
    pub const PER_MINUTE: u32 = 20;

    /// PosStar with these terms for its sessions, and so many registrations and resets a minute from one address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(Limiter::new(per_minute)) }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn terms() -> Terms {
        Terms {
            access: Duration::from_hours(24),
            refresh: None,
            absolute: Some(Duration::from_hours(90 * 24)),
            midnight: false,
            exchange_overlap: Some(Duration::from_mins(5)),
        }
    }
}

impl Dialect for PosStar {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn admit(&self, head: &Head) -> Result<(), Failure> {
        match head.route() {
            register::REGISTER | reset::FORGOT | reset::RESET => self.limiter.admit(head),
            _ => Ok(()),
        }
    }

    fn counted_bytes(&self) -> Option<usize> {
        Some(self.limiter.bytes())
    }

    fn evidence<'r>(&self, head: &'r Head, _body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        // every call that proves itself by its body is an open one, and is not asked
        bearer(head.headers())
    }

    fn paths(&self) -> PathMatching {
        PathMatching::Lenient
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes();
        routes.push(register::route());
        routes.extend(reset::routes());
        routes
    }

    fn word(&self, failure: &Failure, _head: &Head) -> HttpResponse {
        envelope::word(failure)
    }
}
