//! The native API: tillgate's own REST contract, with `snake_case` JSON and problem details (RFC
//! 9457). A resource is a module here whose routes `routes` lists, and the back office serves them
//! too, except those that it names (`office/api.rs`).

mod api_keys;
mod audit;
pub mod bodies;
mod body;
mod csv;
mod devices;
mod enrollments;
mod error;
mod events;
mod export;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod gateway_check;
mod key_status;
mod login_throttle;
mod page;
mod passwords;
mod path;
mod pins;
mod revocations;
mod rights;
mod roles;
mod schemas;
mod sessions;
mod stores;
mod summary;
mod tenants;
mod tickets;
mod till;
mod till_terms;
mod users;
mod version;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RefreshTerms, RequestCredentials, Terms};
use tillgate_domain::SubjectKind;

use crate::error::ApiError;
use crate::request::bearer::read_bearer_or_dpop;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::route::Route;

pub(crate) use error::render_error;
pub(crate) use sessions::response::CallerBody;
pub(crate) use sessions::{STEP_UP_PATH, issue_step_up_tokens};
pub use till_terms::TillTerms;
pub use users::office_links;
pub(crate) use users::{INVITATION_PATH, VERIFY_EMAIL_PATH};

/// The native API as a dialect.
#[derive(Clone, Debug)]
pub struct Native {
    terms: Terms,
    till_terms: Arc<TillTerms>,
}

impl Native {
    /// The name of the native API in access rules, tokens, logs and metrics.
    pub const NAME: &'static str = "native";

    /// Creates the native API with these terms for its sessions, and the default ones for those of
    /// enrolled devices.
    pub fn new(terms: Terms) -> Self {
        Self { terms, till_terms: Arc::default() }
    }

    /// The same API with these terms for the sessions of enrolled devices.
    #[must_use]
    pub fn with_till_terms(self, till_terms: TillTerms) -> Self {
        Self { till_terms: Arc::new(till_terms), ..self }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms {
                idle: Some(Duration::from_hours(30 * 24)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: false,
            }),
            absolute: Some(Duration::from_hours(90 * 24)),
            midnight: false,
            exchange_overlap: None,
            office: None,
        }
    }
}

impl Dialect for Native {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        read_bearer_or_dpop(head)
    }

    fn routes(&self) -> Vec<Route> {
        // before `/enrollments/{user_code}`, which matches their paths, too
        let mut all = Route::all_about(SubjectKind::Device, enrollments::machine_routes(&self.till_terms));
        all.extend(Route::all_about(SubjectKind::Session, till::routes(&self.till_terms)));
        all.extend(routes());
        all
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        render_error(failure, head)
    }
}

/// The routes of the native API, except those of machines and tills, whose sessions have terms of
/// their own.
pub(crate) fn routes() -> Vec<Route> {
    let all = [
        Route::all_about(SubjectKind::Session, sessions::routes()),
        Route::all_about(SubjectKind::User, users::routes()),
        Route::all_about(SubjectKind::User, pins::routes()),
        Route::all_about(SubjectKind::Device, devices::routes()),
        Route::all_about(SubjectKind::Device, enrollments::routes()),
        Route::all_about(SubjectKind::Role, roles::routes()),
        vec![rights::route()],
        Route::all_about(SubjectKind::Store, stores::routes()),
        Route::all_about(SubjectKind::Tenant, tenants::routes()),
        Route::all_about(SubjectKind::Ticket, tickets::routes()),
        Route::all_about(SubjectKind::ApiKey, api_keys::routes()),
        audit::routes(),
        summary::routes(),
        vec![events::route(), revocations::route()],
        vec![gateway_check::route()],
    ];
    all.into_iter().flatten().collect()
}

/// Builds a response without content (204).
fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
