//! The server's own routes outside of every mount: public keys, OAuth metadata, health, readiness,
//! metrics and documentation.

mod jwks;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::docs;
use crate::api::oauth::metadata;
use crate::error::ApiError;
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::reserved_paths::{HEALTH_PATH, HOME_PATH, JWKS_PATH, METRICS_PATH, READY_PATH};
use crate::serving::route::Route;

/// Which operations routes are served beside the mounts; a separate operations listener serves all
/// of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedOperations {
    pub(crate) metrics: bool,
    pub(crate) docs: bool,
}

impl ServedOperations {
    /// All operations routes.
    pub(crate) const ALL: Self = Self { metrics: true, docs: true };
}

/// The server's own routes. `oauth` is the prefix of the OAuth mount, if there is one.
pub(crate) fn routes(served: ServedOperations, oauth: Option<&str>) -> Vec<Route> {
    let mut routes = vec![Route::public(Method::GET, JWKS_PATH, jwks::get_jwks).documented(|| {
        OperationDoc::new("server", "Get the public keys of access tokens")
            .description(
                "A JWK set (RFC 7517), with which other systems can verify access tokens without a \
                 request to this server.",
            )
            .typed_response(200, "The keys.", "application/jwk-set+json")
    })];
    routes.extend(oauth.into_iter().flat_map(metadata::routes));
    routes.extend(health_routes());
    if served.metrics {
        routes.push(metrics_route());
    }
    if served.docs {
        routes.extend(docs::routes());
    }
    routes
}

/// Redirects `/` to the pages of the back office at this prefix, for somebody who opens the server
/// in a browser.
pub(crate) fn home_route(office: String) -> Route {
    Route::public(Method::GET, HOME_PATH, move |_call| {
        let location = format!("{office}/");
        async move { Ok(HttpResponse::TemporaryRedirect().insert_header(("location", location)).finish()) }
    })
    .served_before_ready()
}

/// The routes of the operations listener.
pub(crate) fn operator_routes() -> Vec<Route> {
    let mut routes = health_routes();
    routes.push(metrics_route());
    routes.extend(docs::routes());
    routes
}

fn metrics_route() -> Route {
    Route::public(Method::GET, METRICS_PATH, get_metrics).served_before_ready().documented(|| {
        OperationDoc::new("server", "Get the metrics").typed_response(
            200,
            "Metrics in the Prometheus text format.",
            "text/plain",
        )
    })
}

/// The routes of health checks.
fn health_routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, HEALTH_PATH, get_health).served_before_ready().documented(|| {
            OperationDoc::new("server", "Check whether the process is alive").response::<Health>(
                200,
                "The process is alive.",
                json!({ "status": "ok" }),
            )
        }),
        Route::public(Method::GET, READY_PATH, get_readiness).served_before_ready().documented(|| {
            let parts = |writes: bool| {
                json!({
                    "store": true, "writes": writes, "keys": true, "changes": true, "complete": true, "clock_in_doubt": false,
                })
            };
            OperationDoc::new("server", "Check whether requests can be served")
                .response::<Readiness>(200, "Requests can be served.", json!({ "status": "ready", "parts": parts(true) }))
                .response::<Readiness>(
                    503,
                    "Requests cannot be served; `parts` has the reason.",
                    json!({ "status": "not ready", "parts": parts(false) }),
                )
        }),
    ]
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Whether requests can be served, with the state of each part.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not ready`.
    status: &'static str,
    /// The state of each part.
    parts: ReadinessParts,
}

#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "independent states of the wire format")]
struct ReadinessParts {
    /// Whether the store can be read.
    store: bool,
    /// Whether the last write to the store succeeded; false from a failed write (full disk,
    /// read-only database) until the next successful one.
    writes: bool,
    /// Whether keys are available for signing.
    keys: bool,
    /// Whether the changes of other processes are known up to the present.
    changes: bool,
    /// Whether the server's data is complete.
    complete: bool,
    /// Whether the clock has jumped; time then continues from the last agreed instant.
    clock_in_doubt: bool,
}

/// Reports that the process is alive. It does not check the database, because a restart would not
/// bring an unavailable database back.
async fn get_health(_call: Request) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Reports whether requests can be served. The causes are logged only, because anybody can request
/// this.
async fn get_readiness(call: Request) -> Result<HttpResponse, ApiError> {
    let readiness = call.run_blocking(|auth| Ok(auth.readiness())).await?;
    if let Some(why) = &readiness.store_failure {
        tracing::warn!(why, "the store cannot be read");
    }
    let complete = call.mount().server.readiness_gate.is_open();
    let ready = readiness.is_ready() && complete;
    let parts = ReadinessParts {
        store: readiness.store_failure.is_none(),
        writes: readiness.write_failure.is_none(),
        keys: readiness.are_keys_open,
        changes: readiness.feed_fresh,
        complete,
        clock_in_doubt: readiness.clock_in_doubt,
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Readiness { status: if ready { "ready" } else { "not ready" }, parts };
    let mut response = HttpResponse::build(status).json(body);
    if !ready {
        ApiError::unavailable("not ready").insert_retry_after(response.headers_mut());
    }
    Ok(response)
}

/// Returns the metrics in the Prometheus text format.
async fn get_metrics(call: Request) -> Result<HttpResponse, ApiError> {
    let text = call.mount().server.metrics.render();
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
