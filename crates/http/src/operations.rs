//! What the server answers for itself, outside every mount: its public keys, where OAuth's clients find what, whether it lives,
//! whether it can serve, and its metrics.

mod jwks;

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use actix_web::http::{Method, StatusCode};
use serde_json::json;

use crate::call::Call;
use crate::failure::Failure;
use crate::oauth::metadata;
use crate::route::Route;

/// The paths that no mount may claim.
pub(crate) const PATHS: &[&str] = &[JWKS, metadata::PATH, HEALTH, READY, METRICS];

/// Where the public keys are.
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
const HEALTH: &str = "/healthz";
const READY: &str = "/readyz";
const METRICS: &str = "/metrics";

/// The server's own calls. `oauth` is the prefix of what OAuth's clients ask, where that is served.
pub(crate) fn routes(metrics: bool, oauth: Option<&str>) -> Vec<Route> {
    let mut routes = vec![Route::open(Method::GET, JWKS, jwks::keys)];
    routes.extend(oauth.into_iter().flat_map(metadata::routes));
    routes.extend(operating().into_iter().filter(|route| metrics || route.path != METRICS));
    routes
}

/// Those of them that are for whoever operates it.
pub(crate) fn operating() -> Vec<Route> {
    vec![
        Route::open(Method::GET, HEALTH, healthy).always(),
        Route::open(Method::GET, READY, ready).always(),
        Route::open(Method::GET, METRICS, counted).always(),
    ]
}

/// The process lives and answers. It asks nothing: a server that is restarted because its database is away gains nothing.
async fn healthy(_call: Call) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}

/// Whether requests can be served, part by part. What is wrong with a part stands in the log, not here: anybody may ask.
async fn ready(call: Call) -> Result<HttpResponse, Failure> {
    let readiness = call.block(|auth| Ok(auth.readiness())).await?;
    if let Some(why) = &readiness.store {
        tracing::warn!(why, "the store cannot be read");
    }
    let complete = call.mounted().shared.gate.is_open();
    let ready = readiness.ready() && complete;
    let parts = json!({
        "store": readiness.store.is_none(),
        "keys": readiness.keys,
        "changes": readiness.fresh,
        "complete": complete,
        "clock_in_doubt": readiness.clock_in_doubt,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut answer = HttpResponse::build(status);
    if !ready {
        answer.insert_header((RETRY_AFTER, "1"));
    }
    Ok(answer.json(json!({ "status": if ready { "ready" } else { "not ready" }, "parts": parts })))
}

/// The metrics in Prometheus' text format.
async fn counted(call: Call) -> Result<HttpResponse, Failure> {
    let text = call.mounted().shared.metrics.render();
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
