//! What the server answers for itself, outside every mount: its public keys, where OAuth's clients find what, whether it lives,
//! whether it can serve, and its metrics.

mod jwks;

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::call::Call;
use crate::failure::Failure;
use crate::oauth::metadata;
use crate::openapi::{self, DOCS, DOCUMENT, Entry};
use crate::route::Route;

/// The paths that no mount may claim.
pub(crate) const PATHS: &[&str] = &[JWKS, metadata::PATH, HEALTH, READY, METRICS, DOCUMENT, DOCS];

/// Where the public keys are.
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
const HEALTH: &str = "/healthz";
const READY: &str = "/readyz";
const METRICS: &str = "/metrics";

/// Whether a path is one by which others see whether the server lives.
pub(crate) fn is_probe(path: &str) -> bool {
    [HEALTH, READY].contains(&path)
}

/// What is served beside the mounts of that which a listener of its own serves too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    pub(crate) metrics: bool,
    pub(crate) docs: bool,
}

impl Here {
    /// All of it.
    pub(crate) const ALL: Self = Self { metrics: true, docs: true };
}

/// The server's own calls. `oauth` is the prefix of what OAuth's clients ask, where that is served.
pub(crate) fn routes(here: Here, oauth: Option<&str>) -> Vec<Route> {
    let mut routes = vec![Route::open(Method::GET, JWKS, jwks::keys).told(|| {
        Entry::of("server", "The public keys of access tokens")
            .more("A JWK set (RFC 7517). Other systems check tokens by it without asking.")
            .answers_as(200, "The keys.", "application/jwk-set+json")
    })];
    routes.extend(oauth.into_iter().flat_map(metadata::routes));
    routes.extend(living());
    if here.metrics {
        routes.push(metrics());
    }
    if here.docs {
        routes.extend(openapi::routes());
    }
    routes
}

/// Those that are for whoever operates it.
pub(crate) fn operating() -> Vec<Route> {
    let mut routes = living();
    routes.push(metrics());
    routes.extend(openapi::routes());
    routes
}

fn metrics() -> Route {
    Route::open(Method::GET, METRICS, counted)
        .always()
        .told(|| Entry::of("server", "Metrics").answers_as(200, "In Prometheus' text format.", "text/plain"))
}

/// Those by which others see whether it lives.
fn living() -> Vec<Route> {
    vec![
        Route::open(Method::GET, HEALTH, healthy).always().told(|| {
            Entry::of("server", "Whether the process lives").answers::<Health>(
                200,
                "It does.",
                json!({ "status": "ok" }),
            )
        }),
        Route::open(Method::GET, READY, ready).always().told(|| {
            let parts = |writes: bool| {
                json!({
                    "store": true, "writes": writes, "keys": true, "changes": true, "complete": true, "clock_in_doubt": false,
                })
            };
            Entry::of("server", "Whether requests can be served")
                .answers::<Readiness>(200, "They can.", json!({ "status": "ready", "parts": parts(true) }))
                .answers::<Readiness>(
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
    parts: Parts,
}

#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of its own")]
struct Parts {
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
async fn healthy(_call: Call) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Whether requests can be served, part by part. What is wrong with a part stands in the log, not here: anybody may ask.
async fn ready(call: Call) -> Result<HttpResponse, Failure> {
    let readiness = call.block(|auth| Ok(auth.readiness())).await?;
    if let Some(why) = &readiness.store {
        tracing::warn!(why, "the store cannot be read");
    }
    let complete = call.mounted().shared.gate.is_open();
    let ready = readiness.ready() && complete;
    let parts = Parts {
        store: readiness.store.is_none(),
        writes: readiness.writes.is_none(),
        keys: readiness.keys,
        changes: readiness.fresh,
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
async fn counted(call: Call) -> Result<HttpResponse, Failure> {
    let text = call.mounted().shared.metrics.render();
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
