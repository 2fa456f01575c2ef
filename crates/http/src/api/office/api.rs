//! The native API for the browser: the same handlers, with a cookie as credentials.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use tillgate_auth_core::{Caller, RequestCredentials, Terms};

use super::cookies::CookieNames;
use super::session::render_session;
use super::{OfficePages, RESPONSE_HEADERS, read_cookie_credentials};
use crate::api::native;
use crate::error::ApiError;
use crate::request::Request;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::route::Route;

/// The native API with a cookie as credentials, as a dialect.
#[derive(Clone, Debug)]
pub struct OfficeApi {
    terms: Terms,
}

/// The calls of the native API that the browser does not have: those that return tokens in their
/// body, for which it has `POST /session`, and the check of gateways.
const ABSENT_CALLS: [(Method, &str); 3] =
    [(Method::POST, "/sessions"), (Method::POST, "/sessions/refresh"), (Method::GET, "/access")];

impl OfficeApi {
    /// The path below the prefix of the back office.
    pub const PATH: &'static str = "/api/v1";

    /// Creates the API with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms }
    }
}

impl Dialect for OfficeApi {
    fn name(&self) -> &'static str {
        OfficePages::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        read_cookie_credentials(head)
    }

    fn response_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &*RESPONSE_HEADERS
    }

    fn routes(&self) -> Vec<Route> {
        let absent =
            |route: &Route| ABSENT_CALLS.iter().any(|(method, path)| route.method == *method && route.path == *path);
        let replace_step_up = |route: Route| {
            // the response of the native API has tokens
            if route.path == native::STEP_UP_PATH { route.with_handler(step_up) } else { route }
        };
        native::routes()
            .into_iter()
            .filter(|route| !absent(route))
            .map(Route::undocumented)
            .map(replace_step_up)
            .collect()
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        native::render_error(failure, head)
    }
}

async fn step_up(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let names = CookieNames::require_for(call.head())?;
    let issued = native::issue_step_up_tokens(&call, caller).await?;
    render_session(&call, names, &issued)
}
