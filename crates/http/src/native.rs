//! The native API: tillgate's own contract, in `snake_case` JSON, with problems by RFC 9457.

mod access;
mod api_keys;
mod audit;
mod body;
mod devices;
mod page;
mod passwords;
mod path;
mod problem;
mod rights;
mod roles;
mod schemas;
mod sessions;
mod shapes;
mod stores;
mod tenants;
mod tickets;
mod users;
mod version;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_auth_core::{Evidence, Refresh, Terms, Who};
use tillgate_domain::Secret;

use crate::bearer::bearer;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
use crate::route::Route;

/// The native API.
#[derive(Clone, Debug)]
pub struct Native {
    terms: Terms,
}

impl Native {
    /// The native API with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(Refresh {
                idle: Some(Duration::from_hours(30 * 24)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: false,
            }),
            absolute: Some(Duration::from_hours(90 * 24)),
            midnight: false,
            exchange_overlap: None,
        }
    }

    /// Reads the body of a login: who, the password, and the tenant where one is named.
    ///
    /// # Errors
    /// The body cannot be read, or names the fields that cannot be.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(Who, Secret<String>, Option<String>), Failure> {
        let sessions::LoginRequest { who, password, tenant, .. } =
            sessions::credentials(headers, body, &PasswordPolicy::default())?;
        Ok((who, password, tenant))
    }
}

impl Dialect for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn evidence<'r>(&self, head: &'r Head, _body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        bearer(head.headers())
    }

    fn routes(&self) -> Vec<Route> {
        let all = [
            sessions::routes(),
            users::routes(),
            devices::routes(),
            roles::routes(),
            vec![rights::route()],
            stores::routes(),
            tenants::routes(),
            tickets::routes(),
            api_keys::routes(),
            audit::routes(),
            vec![access::route()],
        ];
        all.into_iter().flatten().collect()
    }

    fn word(&self, failure: &Failure, head: &Head) -> HttpResponse {
        problem::word(failure, head)
    }
}

/// It is done, and there is nothing to say.
fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
