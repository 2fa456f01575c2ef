//! What the server answers for itself, outside every mount: its public keys, where OAuth's clients find what, whether it lives,
//! whether it can serve, and its metrics.

mod jwks;

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::oauth::metadata;
use crate::openapi::{self, DOCS_PATH, DOCUMENT_PATH, OperationDoc};
use crate::request::Request;
use crate::route::Route;

/// The paths that no mount may claim.
pub(crate) const RESERVED_PATHS: &[&str] =
    &[JWKS_PATH, metadata::METADATA_PATH, HEALTH_PATH, READY_PATH, METRICS_PATH, DOCUMENT_PATH, DOCS_PATH];

/// Where the public keys are.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";
const HEALTH_PATH: &str = "/healthz";
const READY_PATH: &str = "/readyz";
const METRICS_PATH: &str = "/metrics";

/// Whether a path is one by which others see whether the server lives.
pub(crate) fn is_probe(path: &str) -> bool {
    [HEALTH_PATH, READY_PATH].contains(&path)
}

/// What is served beside the mounts of that which a listener of its own serves too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedOperations {
    pub(crate) metrics: bool,
    pub(crate) docs: bool,
}

impl ServedOperations {
    /// All of it.
    pub(crate) const ALL: Self = Self { metrics: true, docs: true };
}

/// The server's own calls. `oauth` is the prefix of what OAuth's clients ask, where that is served.
pub(crate) fn routes(here: ServedOperations, oauth: Option<&str>) -> Vec<Route> {
    let mut routes = vec![Route::public(Method::GET, JWKS_PATH, jwks::get_jwks).documented(|| {
        OperationDoc::new("server", "The public keys of access tokens")
            .description("A JWK set (RFC 7517). Other systems check tokens by it without asking.")
            .typed_response(200, "The keys.", "application/jwk-set+json")
    })];
    routes.extend(oauth.into_iter().flat_map(metadata::routes));
    routes.extend(health_routes());
    if here.metrics {
        routes.push(metrics_route());
    }
    if here.docs {
        routes.extend(openapi::routes());
    }
    routes
}

/// Those that are for whoever operates it.
pub(crate) fn operator_routes() -> Vec<Route> {
    let mut routes = health_routes();
    routes.push(metrics_route());
    routes.extend(openapi::routes());
    routes
}

fn metrics_route() -> Route {
    Route::public(Method::GET, METRICS_PATH, get_metrics).served_before_ready().documented(|| {
        OperationDoc::new("server", "Metrics").typed_response(200, "In Prometheus' text format.", "text/plain")
    })
}

/// Those by which others see whether it lives.
fn health_routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, HEALTH_PATH, get_health).served_before_ready().documented(|| {
            OperationDoc::new("server", "Whether the process lives").response::<Health>(
                200,
                "It does.",
                json!({ "status": "ok" }),
            )
        }),
        Route::public(Method::GET, READY_PATH, get_readiness).served_before_ready().documented(|| {
            let parts = |writes: bool| {
                json!({
                    "store": true, "writes": writes, "keys": true, "changes": true, "complete": true, "clock_in_doubt": false,
                })
            };
            OperationDoc::new("server", "Whether requests can be served")
                .response::<Readiness>(200, "They can.", json!({ "status": "ready", "parts": parts(true) }))
                .response::<Readiness>(
                    503,
                    "They cannot, and which part is why.",
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

/// Whether requests can be served, part by part.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not ready`.
    status: &'static str,
    /// Part by part.
    parts: ReadinessParts,
}

#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of its own")]
struct ReadinessParts {
    /// Whether the store can be read.
    store: bool,
    /// Whether the store took the newest write: false after one failed (a full disk, a read-only database) until one succeeds.
    writes: bool,
    /// Whether there are keys to sign with.
    keys: bool,
    /// Whether the changes of other processes are known up to now.
    changes: bool,
    /// Whether the data is complete.
    complete: bool,
    /// Whether the clock has jumped; time goes on from the last that was agreed.
    clock_in_doubt: bool,
}

/// The process lives and answers. It asks nothing: a server that is restarted because its database is away gains nothing.
async fn get_health(_call: Request) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Whether requests can be served, part by part. What is wrong with a part stands in the log, not here: anybody may ask.
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
    let mut answer = HttpResponse::build(status);
    if !ready {
        answer.insert_header((RETRY_AFTER, "1"));
    }
    Ok(answer.json(Readiness { status: if ready { "ready" } else { "not ready" }, parts }))
}

/// The metrics in Prometheus' text format.
async fn get_metrics(call: Request) -> Result<HttpResponse, ApiError> {
    let text = call.mount().server.metrics.render();
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
